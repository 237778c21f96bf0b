// Many tasks, each computed once: on several threads, beside other processes on the same cache, and on from where an earlier run was
// killed.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "explore/cache.hpp"

namespace bitloom {

/// What a task throws when no result of this sweep could be trusted any more: it ends the sweep.
struct SweepEnded : Error {
  using Error::Error;
};

/// `key`: everything that determines the result. What `compute` throws as Error is the task's result too: failed, for that reason.
struct Task {
  std::string id, label;
  nlohmann::json key;
  std::function<nlohmann::json(const std::filesystem::path& scratch)> compute;
};

/// The id of a key: 16 hexadecimal digits.
std::string task_id(const nlohmann::json& key);

struct SweepOptions {
  int jobs = 1;
  bool retry = false;  ///< compute failed tasks again
  /// Called by one thread at a time: tasks finished and in all, of those that were not done at the beginning. May be empty.
  std::function<void(std::int64_t done, std::int64_t total)> progress = {};
};

/// Returns when every task has a result, whoever computed it: the entries in the order of `tasks`, {"state": "done", "result", ..} or
/// {"state": "failed", "error", ..}. SweepEnded, and whatever is no Error, ends the sweep.
std::vector<nlohmann::json> run_tasks(Cache& cache, const std::vector<Task>& tasks, const SweepOptions& options);

/// "done", "failed", "running" (by a living worker) or "missing".
std::string task_state(const Cache& cache, const Task& task);

}  // namespace bitloom
