// Results by content, in a folder that several processes and machines share.
//
//     results/<id>.json        one finished task; written elsewhere, then renamed
//     claims/<id>.<number>     who computes it: a hard link to that worker's file. The highest number counts
//     workers/<worker>         who this worker is; touched as long as it lives
//     scratch/<worker>/        its unfinished files
//     log.jsonl                a line for each computation begun and ended, only ever appended to
//
// A claim is taken by making a link that must not exist, which is atomic on local and network file systems. The claim of a dead worker is
// never removed by others: the next number is taken instead, which again only one can do. On the worker's own machine its process tells
// whether it lives; on another the age of its file does, in the file system's own time. Needs hard links.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>

namespace bitloom {

/// A process as others can recognize it.
struct WorkerIdentity {
  std::string machine;  ///< host, its boot, its process namespace
  int process = 0;
  std::string started;  ///< clock tick at which the process began: numbers of processes are used again
};
WorkerIdentity this_worker();

class Cache {
 public:
  /// Makes the folder and what is in it, and registers a worker. `patience`: seconds after which a silent worker of another machine is
  /// taken for dead. Throws Error when the folder cannot be made or has no hard links.
  explicit Cache(std::filesystem::path folder, double patience = 60, const WorkerIdentity& identity = this_worker());
  ~Cache();
  Cache(const Cache&) = delete;
  Cache& operator=(const Cache&) = delete;

  /// What was stored for the task; nothing when there is no result, or one for another key (a damaged or foreign file).
  std::optional<nlohmann::json> result(const std::string& id, const nlohmann::json& key) const;
  /// Whether some living worker computes the task.
  bool is_claimed(const std::string& id) const;

  enum class Claim { Mine, Others, Done };
  /// Mine: compute it, then `store` or `release`. Done: there is a result now.
  Claim claim(const std::string& id, const nlohmann::json& key);
  /// Writes {"key", "result" ...} of a claimed task and gives the claim up. `entry` holds what the caller stores beside the key.
  void store(const std::string& id, const nlohmann::json& key, nlohmann::json entry);
  /// Gives a claim up without a result.
  void release(const std::string& id);
  /// Removes a result, so that it is computed again.
  void forget(const std::string& id) const;

  /// An empty folder for a claimed task; removed by `store` and `release`.
  std::filesystem::path scratch(const std::string& id) const;
  const std::filesystem::path& folder() const { return folder_; }

  /// Removes what dead workers left, except claims of tasks that have no result.
  void clean() const;

 private:
  std::filesystem::path result_file(const std::string& id) const { return folder_ / "results" / (id + ".json"); }
  std::filesystem::path worker_file(const std::string& worker) const { return folder_ / "workers" / worker; }
  bool is_alive(const std::filesystem::path& file) const;
  void log(const char* event, const std::string& id) const;
  void beat();

  std::filesystem::path folder_;
  double patience_;
  WorkerIdentity identity_;
  std::string worker_;
  std::mutex mutex_;
  std::condition_variable stopping_;
  bool stop_ = false;
  std::thread heart_;
};

}  // namespace bitloom
