// Sweeps that are killed at random moments, and sweeps that share their work: every point is computed once, and the results are those of an
// undisturbed run.
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <set>
#include <sstream>
#include <thread>

#include "support.hpp"

extern char** environ;

using namespace bitloom;
using namespace bitloom::test;
using nlohmann::json;

namespace {

constexpr int kPoints = 200;

std::vector<std::string> sweep(const fs::path& out) {
  return {"explore",       "--layer",  "C=8,K=8,map=6x6",
          "--weight-bits", "1..5",     "--activation-bits",
          "1..5",          "--engine", "parallel,serial",
          "--pe",          "1,2,4,8",  "--board",
          "icebreaker",    "--fit",    "1",
          "--jobs",        "2",        "--out",
          out.string()};
}

/// A sweep in the background, its output thrown away.
class Background {
 public:
  explicit Background(const fs::path& out) {
    std::vector<std::string> args = sweep(out);
    args.insert(args.begin(), std::getenv("BITLOOM"));
    std::vector<char*> pointers;
    for (std::string& arg : args) pointers.push_back(arg.data());
    pointers.push_back(nullptr);
    posix_spawn_file_actions_t quiet;
    posix_spawn_file_actions_init(&quiet);
    posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
    const int failed = posix_spawn(&process_, pointers[0], &quiet, nullptr, pointers.data(), environ);
    posix_spawn_file_actions_destroy(&quiet);
    REQUIRE(failed == 0);
  }
  void kill_it() const { kill(process_, SIGKILL); }
  /// The status that waitpid gives.
  int wait() const {
    int status = 0;
    waitpid(process_, &status, 0);
    return status;
  }

 private:
  pid_t process_ = 0;
};

json read_json(const fs::path& file) { return json::parse(read_text_file(file)); }

json points_without_times(const fs::path& out) {
  json points = read_json(out / "explore.json").at("points");
  for (json& point : points) point.erase("seconds");
  return points;
}

std::vector<json> log_of(const fs::path& out) {
  std::vector<json> lines;
  std::istringstream text(read_text_file(out / "cache/log.jsonl"));
  for (std::string line; std::getline(text, line);) lines.push_back(json::parse(line));
  return lines;
}

/// Everything below the folder that is no folder.
std::set<std::string> files_below(const fs::path& folder) {
  std::set<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (!entry.is_directory() || fs::is_empty(entry.path())) files.insert(fs::relative(entry.path(), folder).generic_string());
  return files;
}

/// The results, the tables, the log, and nothing else.
void check_files(const fs::path& out, const json& points) {
  std::set<std::string> expected = {"explore.json", "explore.csv", "cache/log.jsonl", "cache/claims", "cache/workers", "cache/scratch"};
  for (const json& point : points) expected.insert("cache/results/" + point.at("id").get<std::string>() + ".json");
  CHECK(expected.size() == kPoints + 6);
  CHECK(files_below(out) == expected);
  for (const json& point : points)
    CHECK(read_json(out / "cache/results" / (point.at("id").get<std::string>() + ".json")).at("state") == "done");
}

const json& undisturbed() {
  static const json points = [] {
    const TemporaryFolder folder;
    REQUIRE(bitloom_command(sweep(folder / "out")).status == 0);
    json found = points_without_times(folder / "out");
    REQUIRE(found.size() == kPoints);
    check_files(folder / "out", found);
    return found;
  }();
  return points;
}

}  // namespace

TEST_CASE("a sweep killed again and again loses nothing and computes nothing twice") {
  const TemporaryFolder folder;
  const fs::path out = folder / "out";
  std::mt19937 random(test_seed());
  int kills = 0;
  for (int attempt = 0; attempt < 8; ++attempt) {
    const Background run(out);
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 400));
    run.kill_it();
    kills += WIFSIGNALED(run.wait()) ? 1 : 0;
  }
  CHECK(kills >= 4);  // else the machine is too fast for this test to mean anything
  REQUIRE(bitloom_command(sweep(out)).status == 0);
  const json points = points_without_times(out);
  CHECK(points == undisturbed());
  check_files(out, points);

  std::map<std::string, std::string> holder;  // task -> worker that began it last
  std::set<std::string> stored, workers, last_of_worker;
  std::map<std::string, int> interrupted;  // worker -> tasks that were begun again by others
  for (const json& line : log_of(out)) {
    const std::string id = line.at("id"), worker = line.at("worker");
    workers.insert(worker);
    CAPTURE(id, worker);
    if (line.at("event") == "begun") {
      CHECK(stored.count(id) == 0);
      if (holder.count(id) != 0) {
        CHECK(holder[id] != worker);
        ++interrupted[holder[id]];
      }
      holder[id] = worker;
    } else {
      CHECK(holder.at(id) == worker);
      CHECK(stored.insert(id).second);
    }
  }
  CHECK(holder.size() == kPoints);
  for (const auto& [worker, count] : interrupted) CHECK(count <= 2);  // a killed run had two threads
  CHECK(workers.size() <= static_cast<std::size_t>(kills) + 1);
  CHECK(workers.size() >= 2);
}

TEST_CASE("two sweeps at once share the points and agree") {
  const TemporaryFolder folder;
  const fs::path out = folder / "out";
  {
    const Background first(out), second(out);
    CHECK(first.wait() == 0);
    CHECK(second.wait() == 0);
  }
  const json points = points_without_times(out);
  CHECK(points == undisturbed());
  check_files(out, points);
  std::map<std::string, int> begun, by_worker;
  for (const json& line : log_of(out))
    if (line.at("event") == "begun") ++begun[line.at("id")], ++by_worker[line.at("worker")];
  CHECK(begun.size() == kPoints);
  for (const auto& [id, count] : begun) CHECK(count == 1);
  CHECK(by_worker.size() == 2);
}

TEST_CASE("--list and --only: one point at a time, by its id") {
  const TemporaryFolder folder;
  const auto explore = [&](std::vector<std::string> more) {
    std::vector<std::string> args = {
        "explore", "--layer", "C=4,K=4,map=4x4", "--weight-bits",          "1,2", "--activation-bits", "1", "--board", "icebreaker",
        "--pe",    "2,3",     "--out",           (folder / "out").string()};
    args.insert(args.end(), more.begin(), more.end());
    return bitloom_command(args);
  };
  const auto states = [&] {
    std::vector<std::string> found;
    const json listed = json::parse(explore({"--list", "--json"}).out);
    for (const json& point : listed.at("points")) found.push_back(point.at("state"));
    return found;
  };
  CHECK(states() == std::vector<std::string>(4, "missing"));
  const json listed = json::parse(explore({"--list", "--json"}).out).at("points");
  REQUIRE(explore({"--only", listed[2].at("id")}).status == 0);
  CHECK(states() == std::vector<std::string>{"missing", "missing", "done", "missing"});
  REQUIRE(explore({}).status == 0);
  CHECK(states() == std::vector<std::string>{"done", "failed", "done", "failed"});  // 3 does not divide 4 channels
  const json points = read_json(folder / "out/explore.json").at("points");
  CHECK_THAT(points[1].at("error").get<std::string>(), contains_text("pe=3"));
  CHECK(points[1].at("lut4").is_null());
  CHECK(explore({"--only", "0123456789abcdef"}).status == 2);
}

TEST_CASE("models side by side: accuracy, cost, front") {
  const TemporaryFolder folder;
  const CommandResult result = bitloom_command({"explore", digits_model("digits-w1a1").parent_path().string(), "--board", "ulx3s-85f",
                                                "--fit", "0.1", "--data", "digits", "--argmax", "--out", (folder / "out").string()});
  CAPTURE(result.err);
  REQUIRE(result.status == 0);
  const json points = read_json(folder / "out/explore.json").at("points");
  REQUIRE(points.size() == 2);
  CHECK(points[0].at("accuracy").get<double>() == Catch::Approx(345.0 / 360));
  CHECK(points[1].at("accuracy").get<double>() > points[0].at("accuracy").get<double>());
  for (const json& point : points)  // neither is better in both
    CHECK(point.at("pareto") == json({"bops_uniq", "clocks"}));
  CHECK_THAT(read_text_file(folder / "out/explore.csv"), contains_text("digits-w2a2"));
}

TEST_CASE("what cannot be swept is refused before anything is computed") {
  const TemporaryFolder folder;
  const auto refused = [&](std::vector<std::string> args, const std::string& what) {
    args.insert(args.begin(), "explore");
    args.insert(args.end(), {"--out", (folder / "out").string()});
    const CommandResult result = bitloom_command(args);
    CAPTURE(result.err);
    CHECK(result.status == 2);
    CHECK_THAT(result.err, contains_text(what));
  };
  refused({"--board", "icebreaker"}, "name models");
  refused({"--layer", "C=4", "--board", "nowhere"}, "nowhere");
  refused({"--layer", "C=4", "--board", "icebreaker", "--engine", "steam"}, "steam");
  refused({"--layer", "C=4", "--board", "icebreaker", "--weight-bits", "1..9"}, "1..9");
  refused({"--layer", "C=4", "--board", "icebreaker", "--measure", "luck"}, "luck");
  refused({"--layer", "C=4", "--board", "arty-a7-35", "--measure", "place"}, "place and route");
  refused({digits_model("digits-w1a1").string(), "--board", "icebreaker", "--measure", "sim"}, "--data");
}
