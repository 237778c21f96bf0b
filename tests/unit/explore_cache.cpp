// Claims and results: one owner at a time, whoever dies when.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <thread>

#include "core/error.hpp"
#include "explore/sweep.hpp"
#include "support.hpp"

using namespace bitloom;
using namespace bitloom::test;
using nlohmann::json;
using Claim = Cache::Claim;

namespace {

const json kKey = {{"model", "m"}};

std::size_t files_in(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

/// A worker of this machine that was killed while it held a claim.
void claim_and_die(const fs::path& folder, const std::string& id) {
  const pid_t child = fork();
  if (child == 0) {
    Cache cache(folder);
    if (cache.claim(id, kKey) != Claim::Mine) _exit(1);
    std::ofstream(cache.scratch(id) / "half") << "half";
    raise(SIGKILL);
  }
  int status = 0;
  waitpid(child, &status, 0);
  REQUIRE(WIFSIGNALED(status));
}

WorkerIdentity elsewhere() { return {"another machine", 1, "1"}; }

Task task(const std::string& name, std::atomic<int>& count) {
  Task t;
  t.key = {{"name", name}};
  t.id = task_id(t.key);
  t.label = name;
  t.compute = [&count, name](const fs::path&) {
    ++count;
    if (name == "bad") throw Error("compile", "does not fit");
    return json{{"value", name}};
  };
  return t;
}

}  // namespace

TEST_CASE("a task's id follows from its key alone") {
  CHECK(task_id({{"a", 1}, {"b", 2}}) == task_id({{"b", 2}, {"a", 1}}));
  CHECK(task_id({{"a", 1}}) != task_id({{"a", 2}}));
  CHECK(task_id({{"a", "1"}}) != task_id({{"a", 1}}));
  CHECK(task_id(kKey).size() == 16);
}

TEST_CASE("a claim has one owner until it is stored or released") {
  const TemporaryFolder folder;
  Cache a(folder / "cache"), b(folder / "cache");
  CHECK(a.claim("x", kKey) == Claim::Mine);
  CHECK(b.claim("x", kKey) == Claim::Others);
  CHECK(a.claim("x", kKey) == Claim::Others);  // another thread of the same process
  CHECK(b.claim("x1", kKey) == Claim::Mine);   // a longer name is another task
  CHECK(b.is_claimed("x"));
  a.release("x");
  CHECK_FALSE(b.is_claimed("x"));
  CHECK(b.claim("x", kKey) == Claim::Mine);
  b.store("x", kKey, {{"state", "done"}, {"result", 7}});
  CHECK(a.claim("x", kKey) == Claim::Done);
  CHECK(a.result("x", kKey)->at("result") == 7);
  CHECK_FALSE(a.result("x", {{"model", "other"}}).has_value());
  CHECK_FALSE(a.is_claimed("x"));
}

TEST_CASE("a killed worker's claim is taken over at once, and nothing of it stays") {
  const TemporaryFolder folder;
  const fs::path place = folder / "cache";
  claim_and_die(place, "x");
  claim_and_die(place, "x");  // it took over the first one's claim
  CHECK(files_in(place / "claims") == 2);
  {
    Cache cache(place);
    CHECK_FALSE(cache.is_claimed("x"));
    CHECK(cache.claim("x", kKey) == Claim::Mine);
    cache.store("x", kKey, {{"state", "done"}});
    cache.clean();
  }
  for (const char* part : {"claims", "workers", "scratch"}) CHECK(files_in(place / part) == 0);
  CHECK(files_in(place / "results") == 1);
}

TEST_CASE("a worker of another machine is taken for dead when its file grows old, not before") {
  const TemporaryFolder folder;
  Cache mine(folder / "cache", 1.0);
  {
    Cache other(folder / "cache", 0.5, elsewhere());  // it beats twenty times a second
    CHECK(other.claim("x", kKey) == Claim::Mine);
    std::this_thread::sleep_for(std::chrono::milliseconds(1500));
    CHECK(mine.claim("x", kKey) == Claim::Others);
  }
  // Its end without a release is like its death: the claim stays, the beats stop.
  CHECK(mine.claim("x", kKey) == Claim::Others);
  std::this_thread::sleep_for(std::chrono::milliseconds(1200));
  CHECK(mine.claim("x", kKey) == Claim::Mine);
}

TEST_CASE("a reused process number is not taken for the worker that had it") {
  const TemporaryFolder folder;
  WorkerIdentity before = this_worker();
  before.started = "1";
  Cache old(folder / "cache", 60, before), mine(folder / "cache");
  CHECK(old.claim("x", kKey) == Claim::Mine);
  CHECK(mine.claim("x", kKey) == Claim::Mine);
}

TEST_CASE("a damaged or half-written result is none") {
  const TemporaryFolder folder;
  Cache cache(folder / "cache");
  std::ofstream(folder.path() / "cache/results/x.json") << "{\"key\": {\"model\": \"m\"}, \"sta";
  CHECK_FALSE(cache.result("x", kKey).has_value());
  CHECK(cache.claim("x", kKey) == Claim::Mine);
}

TEST_CASE("a sweep computes each task once, keeps failures, and tries them again when asked") {
  const TemporaryFolder folder;
  std::atomic<int> count{0};
  std::vector<Task> tasks;
  for (int i = 0; i < 40; ++i) tasks.push_back(task("t" + std::to_string(i), count));
  tasks.push_back(task("bad", count));
  std::int64_t last = -1, most = 0;
  {
    Cache cache(folder / "cache");
    const auto entries = run_tasks(cache, tasks, {4, false, [&](std::int64_t done, std::int64_t total) { last = done, most = total; }});
    CHECK(count == 41);
    CHECK((last == 41 && most == 41));
    CHECK(entries[7].at("result").at("value") == "t7");
    CHECK(entries[40].at("state") == "failed");
    CHECK(entries[40].at("error") == "compile: does not fit");
    CHECK(task_state(cache, tasks[40]) == "failed");
  }
  Cache cache(folder / "cache");
  run_tasks(cache, tasks, {4, false, {}});
  CHECK(count == 41);
  run_tasks(cache, tasks, {4, true, {}});
  CHECK(count == 42);
  cache.forget(tasks[3].id);
  CHECK(task_state(cache, tasks[3]) == "missing");
}

TEST_CASE("many workers on one cache compute each task once") {
  const TemporaryFolder folder;
  std::atomic<int> count{0};
  std::vector<Task> tasks;
  for (int i = 0; i < 100; ++i) tasks.push_back(task("t" + std::to_string(i), count));
  std::vector<std::thread> threads;
  for (int worker = 0; worker < 4; ++worker)
    threads.emplace_back([&] {
      Cache cache(folder / "cache");
      run_tasks(cache, tasks, {2, false, {}});
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(count == 100);
  CHECK(files_in(folder.path() / "cache/results") == 100);
  for (const char* part : {"claims", "workers", "scratch"}) CHECK(files_in(folder.path() / "cache" / part) == 0);
}

TEST_CASE("what is no failure of one task ends the sweep and leaves no claim") {
  const TemporaryFolder folder;
  std::atomic<int> count{0};
  Task broken = task("broken", count);
  broken.compute = [](const fs::path&) -> json { throw std::runtime_error("a bug"); };
  Cache cache(folder / "cache");
  CHECK_THROWS_WITH(run_tasks(cache, {broken}, {1, false, {}}), "a bug");
  CHECK(task_state(cache, broken) == "missing");
  broken.compute = [](const fs::path&) -> json { throw SweepEnded("rtl", "was changed"); };
  CHECK_THROWS_AS(run_tasks(cache, {broken}, {1, false, {}}), SweepEnded);
  CHECK(task_state(cache, broken) == "missing");
}
