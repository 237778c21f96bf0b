#include "explore/sweep.hpp"

#include <algorithm>
#include <chrono>
#include <deque>

#include "core/error.hpp"
#include "core/hash.hpp"
#include "core/parallel.hpp"

namespace bitloom {
using nlohmann::json;
namespace {

using namespace std::chrono_literals;
constexpr auto kLookAgain = 300ms;  // at tasks that others compute

/// Gives a claim up on every way out.
class Held {
 public:
  Held(Cache& cache, const std::string& id) : cache_(cache), id_(id) {}
  ~Held() { cache_.release(id_); }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;

 private:
  Cache& cache_;
  const std::string& id_;
};

void compute(Cache& cache, const Task& task) {
  const Held held(cache, task.id);
  const auto start = std::chrono::steady_clock::now();
  json entry = {{"label", task.label}};
  try {
    entry["result"] = task.compute(cache.scratch(task.id));
    entry["state"] = "done";
  } catch (const SweepEnded&) {
    throw;
  } catch (const Error& error) {
    entry["error"] = error.what();
    entry["state"] = "failed";
  }
  entry["seconds"] = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  cache.store(task.id, task.key, std::move(entry));
}

/// The tasks that are not done yet, shared by the threads.
class Queue {
 public:
  Queue(Cache& cache, const std::vector<Task>& tasks, const SweepOptions& options) : cache_(cache), tasks_(tasks), options_(options) {
    for (std::size_t i = 0; i < tasks.size(); ++i)
      if (!cache.result(tasks[i].id, tasks[i].key)) open_.push_back(i);
    total_ = static_cast<std::int64_t>(open_.size());
    if (options.progress && total_ > 0) options.progress(0, total_);
  }

  /// Until nothing is left to compute or to wait for.
  void work() {
    for (std::size_t others = 0;;) {
      const std::optional<std::size_t> index = take();
      if (!index) return;
      const Task& task = tasks_[*index];
      const Cache::Claim claim = cache_.claim(task.id, task.key);
      if (claim == Cache::Claim::Mine) compute(cache_, task);
      if (claim == Cache::Claim::Others) {
        if (give_back(*index) <= ++others) {  // all that is left is with others
          std::this_thread::sleep_for(kLookAgain);
          others = 0;
        }
        continue;
      }
      others = 0;
      finished();
    }
  }

 private:
  std::optional<std::size_t> take() {
    const std::lock_guard lock(mutex_);
    if (open_.empty()) return std::nullopt;
    const std::size_t index = open_.front();
    open_.pop_front();
    return index;
  }
  std::size_t give_back(std::size_t index) {
    const std::lock_guard lock(mutex_);
    open_.push_back(index);
    return open_.size();
  }
  void finished() {
    const std::lock_guard lock(mutex_);
    ++done_;
    if (options_.progress) options_.progress(done_, total_);
  }

  Cache& cache_;
  const std::vector<Task>& tasks_;
  const SweepOptions& options_;
  std::mutex mutex_;
  std::deque<std::size_t> open_;
  std::int64_t done_ = 0, total_ = 0;
};

}  // namespace

std::string task_id(const json& key) { return ContentHash().add(key.dump()).text(); }

std::vector<json> run_tasks(Cache& cache, const std::vector<Task>& tasks, const SweepOptions& options) {
  cache.clean();
  if (options.retry)
    for (const Task& task : tasks)
      if (task_state(cache, task) == "failed") cache.forget(task.id);
  Queue queue(cache, tasks, options);
  parallel_for(options.jobs, options.jobs, [&](std::int64_t) { queue.work(); });
  cache.clean();
  std::vector<json> entries;
  for (const Task& task : tasks) {
    const std::optional<json> entry = cache.result(task.id, task.key);
    if (!entry) throw Error(task.label, "its result vanished from the cache folder; run the sweep again");
    entries.push_back(*entry);
  }
  return entries;
}

std::string task_state(const Cache& cache, const Task& task) {
  if (const std::optional<json> entry = cache.result(task.id, task.key)) return entry->value("state", "");
  return cache.is_claimed(task.id) ? "running" : "missing";
}

}  // namespace bitloom
