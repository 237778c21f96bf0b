#include "explore/cache.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <fstream>
#include <random>
#include <sstream>
#include <vector>

#include "core/files.hpp"

namespace bitloom {
namespace fs = std::filesystem;
using nlohmann::json;
namespace {

[[noreturn]] void fail(const fs::path& path, const std::string& what) {
  throw Error(path.string(), fmt::format("{} ({})", what, std::strerror(errno)));
}

std::string first_line(const fs::path& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line;
}

/// When a process began, in clock ticks since boot; "" when there is none (proc(5): field 22 of stat, counted behind the name).
std::string start_of(int process) {
  const std::string stat = first_line(fmt::format("/proc/{}/stat", process));
  const std::size_t name_end = stat.rfind(')');
  if (name_end == std::string::npos) return "";
  std::istringstream fields(stat.substr(name_end + 1));
  std::string field;
  for (int i = 3; i <= 22; ++i) fields >> field;
  return field;
}

/// Everything on disk before it gets its name: a power cut leaves no empty result either.
void write_synced(const fs::path& file, const std::string& text) {
  const int descriptor = open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (descriptor < 0) fail(file, "cannot be written");
  const bool written = write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && fsync(descriptor) == 0;
  if (close(descriptor) != 0 || !written) fail(file, "cannot be written; check the free space on the disk");
}

struct ClaimFile {
  int number = 0;
  fs::path path;
};

/// The claims of a task, lowest number first.
std::vector<ClaimFile> claims_of(const fs::path& folder, const std::string& id) {
  std::vector<ClaimFile> claims;
  for (const auto& entry : fs::directory_iterator(folder / "claims")) {
    const std::string name = entry.path().filename().string();
    if (name.size() <= id.size() + 1 || name.compare(0, id.size() + 1, id + ".") != 0) continue;
    ClaimFile claim{0, entry.path()};
    const char* const end = name.data() + name.size();
    if (std::from_chars(name.data() + id.size() + 1, end, claim.number).ptr == end) claims.push_back(claim);
  }
  std::sort(claims.begin(), claims.end(), [](const ClaimFile& a, const ClaimFile& b) { return a.number < b.number; });
  return claims;
}

/// Seconds of a file's last change; nothing when it is gone.
std::optional<double> changed(const fs::path& file) {
  struct stat status {};
  if (stat(file.c_str(), &status) != 0) return std::nullopt;
  return static_cast<double>(status.st_mtim.tv_sec) + 1e-9 * static_cast<double>(status.st_mtim.tv_nsec);
}

bool same_file(const fs::path& a, const fs::path& b) {
  struct stat x {
  }, y{};
  return stat(a.c_str(), &x) == 0 && stat(b.c_str(), &y) == 0 && x.st_ino == y.st_ino && x.st_dev == y.st_dev;
}

void touch(const fs::path& file) { utimensat(AT_FDCWD, file.c_str(), nullptr, 0); }

}  // namespace

WorkerIdentity this_worker() {
  std::error_code none;
  return {first_line("/proc/sys/kernel/hostname") + " " + first_line("/proc/sys/kernel/random/boot_id") + " " +
              fs::read_symlink("/proc/self/ns/pid", none).string(),
          static_cast<int>(getpid()), start_of(static_cast<int>(getpid()))};
}

Cache::Cache(fs::path folder, double patience, const WorkerIdentity& identity)
    : folder_(fs::absolute(folder).lexically_normal()), patience_(patience), identity_(identity) {
  std::error_code failed;
  for (const char* part : {"results", "claims", "workers", "scratch"})
    if (!failed) fs::create_directories(folder_ / part, failed);
  if (failed) throw Error(folder_.string(), fmt::format("cannot be made ({}); name a folder that you may write to", failed.message()));
  std::random_device random;
  worker_ = fmt::format("{}-{:08x}{:08x}", identity_.process, random(), random());
  // The worker's file comes first and goes last: what stands in scratch without one is garbage.
  const fs::path unnamed = worker_file("." + worker_);
  write_synced(unnamed, json{{"machine", identity_.machine}, {"process", identity_.process}, {"started", identity_.started}}.dump() + "\n");
  const bool linked = link(unnamed.c_str(), worker_file(worker_).c_str()) == 0;
  const int reason = errno;
  unlink(unnamed.c_str());
  errno = reason;
  if (!linked) fail(folder_, "hard links cannot be made here; name a cache folder on another file system");
  fs::create_directories(folder_ / "scratch" / worker_);
  heart_ = std::thread([this] { beat(); });
}

Cache::~Cache() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  stopping_.notify_all();
  heart_.join();
  std::error_code ignored;
  fs::remove_all(folder_ / "scratch" / worker_, ignored);
  fs::remove(worker_file(worker_), ignored);
}

void Cache::beat() {
  std::unique_lock lock(mutex_);
  while (!stopping_.wait_for(lock, std::chrono::duration<double>(patience_ / 10), [this] { return stop_; })) touch(worker_file(worker_));
}

bool Cache::is_alive(const fs::path& file) const {
  const std::optional<double> beaten = changed(file);
  const json owner = json::parse(first_line(file), nullptr, false);
  if (!beaten) return false;
  if (owner.is_object() && owner.value("machine", "") == identity_.machine) {
    const std::string start = start_of(owner.value("process", 0));
    return !start.empty() && start == owner.value("started", "");
  }
  // Both times are the file system's, so that the machines' clocks need not agree.
  touch(worker_file(worker_));
  return changed(worker_file(worker_)).value_or(*beaten) - *beaten < patience_;
}

std::optional<json> Cache::result(const std::string& id, const json& key) const {
  std::ifstream in(result_file(id));
  if (!in) return std::nullopt;
  json entry = json::parse(in, nullptr, false);
  if (!entry.is_object() || entry.value("key", json()) != key) return std::nullopt;
  return entry;
}

bool Cache::is_claimed(const std::string& id) const {
  const std::vector<ClaimFile> claims = claims_of(folder_, id);
  return !claims.empty() && is_alive(claims.back().path);
}

Cache::Claim Cache::claim(const std::string& id, const json& key) {
  for (;;) {
    if (result(id, key)) return Claim::Done;
    const std::vector<ClaimFile> before = claims_of(folder_, id);
    if (!before.empty() && is_alive(before.back().path)) return Claim::Others;
    const fs::path mine = folder_ / "claims" / fmt::format("{}.{}", id, before.empty() ? 0 : before.back().number + 1);
    if (link(worker_file(worker_).c_str(), mine.c_str()) != 0) {
      if (errno != EEXIST) fail(mine, "cannot be made");
      continue;  // another worker was quicker
    }
    // Between looking and linking others may have claimed, computed and left. Then there is a result, or a claim above or a living one
    // below.
    const std::vector<ClaimFile> after = claims_of(folder_, id);
    const bool alone = !after.empty() && after.back().path == mine &&
                       std::none_of(after.begin(), after.end() - 1, [&](const ClaimFile& claim) { return is_alive(claim.path); });
    if (alone && !result(id, key)) {
      log("begun", id);
      return Claim::Mine;
    }
    std::error_code ignored;
    fs::remove(mine, ignored);
  }
}

void Cache::store(const std::string& id, const json& key, json entry) {
  entry["key"] = key;
  const fs::path temporary = folder_ / "scratch" / worker_ / (id + ".json");
  write_synced(temporary, entry.dump(1) + "\n");
  if (rename(temporary.c_str(), result_file(id).c_str()) != 0) fail(result_file(id), "cannot be moved into place");
  log("stored", id);
  release(id);
}

void Cache::release(const std::string& id) {
  std::error_code ignored;
  fs::remove_all(folder_ / "scratch" / worker_ / id, ignored);
  const std::vector<ClaimFile> claims = claims_of(folder_, id);
  const auto mine = std::find_if(claims.begin(), claims.end(), [&](const ClaimFile& c) { return same_file(c.path, worker_file(worker_)); });
  if (mine == claims.end()) return;
  for (auto claim = claims.begin(); claim <= mine; ++claim) fs::remove(claim->path, ignored);  // mine last: till then nobody else begins
}

void Cache::forget(const std::string& id) const {
  std::error_code ignored;
  fs::remove(result_file(id), ignored);
}

fs::path Cache::scratch(const std::string& id) const {
  const fs::path folder = folder_ / "scratch" / worker_ / id;
  fs::remove_all(folder);
  fs::create_directories(folder);
  return folder;
}

void Cache::log(const char* event, const std::string& id) const {
  const fs::path file = folder_ / "log.jsonl";
  const int descriptor = open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (descriptor < 0) fail(file, "cannot be written");
  const std::string line = json{{"event", event}, {"id", id}, {"worker", worker_}}.dump() + "\n";
  const bool written = write(descriptor, line.data(), line.size()) == static_cast<ssize_t>(line.size());  // one call: lines stay whole
  if (close(descriptor) != 0 || !written) fail(file, "cannot be written; check the free space on the disk");
}

void Cache::clean() const {
  std::error_code ignored;
  std::vector<fs::path> dead;
  for (const auto& entry : fs::directory_iterator(folder_ / "workers"))
    if (!is_alive(entry.path())) dead.push_back(entry.path());
  for (const fs::path& file : dead) {
    fs::remove_all(folder_ / "scratch" / file.filename(), ignored);
    fs::remove(file, ignored);
  }
  std::vector<fs::path> garbage;
  for (const auto& entry : fs::directory_iterator(folder_ / "scratch"))
    if (!fs::exists(worker_file(entry.path().filename().string()))) garbage.push_back(entry.path());
  for (const auto& entry : fs::directory_iterator(folder_ / "claims"))
    if (fs::exists(result_file(entry.path().stem().string())) && !is_alive(entry.path())) garbage.push_back(entry.path());
  for (const fs::path& path : garbage) fs::remove_all(path, ignored);
}

}  // namespace bitloom
