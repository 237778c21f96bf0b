// random_networks: many random networks through the whole chain, in several processes; failing ones are shrunk and kept.
#include <fmt/format.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <csignal>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "core/files.hpp"
#include "core/parallel.hpp"
#include "random/check.hpp"
#include "random/shrink.hpp"
#include "sim/quick.hpp"

namespace fs = std::filesystem;
using namespace bitloom;
using namespace bitloom::test;
using nlohmann::json;

namespace {

constexpr int kCasesOfWorker = 100;  // loaded designs stay in its memory
constexpr unsigned kLongest = 600;   // seconds of one case, shrinking included

struct Settings {
  std::uint64_t seed = 1;
  std::int64_t cases = 100;
  int jobs = cores(), images = 16, tries = 150;
  bool no_rtl = false, no_shrink = false, json_only = false;
  fs::path keep = "random-failures", state, spec, scratch;
};

const char* name_of(CheckResult::Outcome outcome) {
  return outcome == CheckResult::Outcome::Passed ? "passed" : outcome == CheckResult::Outcome::Refused ? "refused" : "failed";
}

json to_json(std::uint64_t seed, const CheckResult& result) {
  return {{"seed", seed},
          {"outcome", name_of(result.outcome)},
          {"stage", result.stage},
          {"kind", result.kind},
          {"message", result.message.substr(0, 600)},
          {"ties", result.ties},
          {"simulated", result.simulated},
          {"clocks_ratio", result.clocks_ratio},
          {"layers", result.layers},
          {"build", result.build_seconds},
          {"simulation", result.simulation_seconds},
          {"seconds", result.seconds}};
}

CheckOptions options_of(const Settings& settings, const fs::path& folder) {
  CheckOptions options;
  options.rtl = !settings.no_rtl;
  options.images = settings.images;
  options.folder = folder;
  options.runtime = settings.scratch / "runtime";
  return options;
}

/// The model, the Spec and, where there is one, the design of a failing case.
void keep_case(const Settings& settings, const Spec& original, const Spec& small, const CheckResult& first) {
  const fs::path folder = settings.keep / fmt::format("seed-{}", original.seed);
  fs::create_directories(folder);
  const CheckResult result = check_case(small, options_of(settings, folder / "work"));
  write_file_atomically(folder / "model.onnx", build(small).bytes);
  write_file_atomically(folder / "case.json", json(small).dump(1) + "\n");
  write_file_atomically(folder / "original.json", json(original).dump(1) + "\n");
  write_file_atomically(folder / "result.txt",
                        fmt::format("{}: {}\nshrunk, {}: {}\n\nTo repeat:\n  random_networks --spec {}{}\n", first.stage, first.message,
                                    result.stage, result.message, (folder / "case.json").string(), settings.no_rtl ? " --no-rtl" : ""));
}

CheckResult one_case(const Settings& settings, std::uint64_t seed, const fs::path& folder) {
  const Spec spec = random_spec(seed);
  CheckOptions options = options_of(settings, folder);
  CheckResult result = check_case(spec, options);
  if (result.outcome != CheckResult::Outcome::Failed) return result;
  Spec small = spec;
  if (!settings.no_shrink) {
    // A failure before the simulation needs none to be repeated.
    static const std::set<std::string> early = {"generator", "import", "lower", "golden", "packed", "float"};
    options.rtl = options.rtl && early.count(result.stage) == 0;
    small = shrink(
        spec, [&](const Spec& candidate) { return check_case(candidate, options).same_way_as(result); },
        options.rtl ? settings.tries : 10 * settings.tries);
  }
  keep_case(settings, spec, small, result);
  return result;
}

struct Worker {
  pid_t pid = 0;
  std::uint64_t seed = 0;
};

class Run {
 public:
  explicit Run(const Settings& settings) : settings_(settings) {
    void* shared = mmap(nullptr, sizeof(std::atomic<std::int64_t>), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED || pipe(pipe_) != 0) throw Error("random_networks", "cannot share memory between processes");
    next_ = new (shared) std::atomic<std::int64_t>(0);
    load_state();
    for (std::int64_t i = 0; i < settings.cases; ++i)
      if (const std::uint64_t seed = settings.seed + static_cast<std::uint64_t>(i); done_.count(seed) == 0) seeds_.push_back(seed);
  }

  int operator()() {
    if (!done_.empty())
      fmt::print("{} cases are in {} already\n", settings_.cases - static_cast<std::int64_t>(seeds_.size()), settings_.state.string());
    for (int i = 0; i < settings_.jobs; ++i) start_worker();
    std::string buffer;
    char bytes[4096];
    while (!workers_.empty()) {
      pollfd ready{pipe_[0], POLLIN, 0};
      if (poll(&ready, 1, 1000) > 0) {
        const ssize_t count = read(pipe_[0], bytes, sizeof bytes);
        if (count > 0) buffer.append(bytes, static_cast<std::size_t>(count));
      } else {
        look_for_crashes();
      }
      for (std::size_t end = buffer.find('\n'); end != std::string::npos; end = buffer.find('\n')) {
        take(json::parse(buffer.substr(0, end)));
        buffer.erase(0, end + 1);
      }
    }
    return summary();
  }

 private:
  void load_state() {
    if (settings_.state.empty() || !fs::exists(settings_.state)) return;
    std::istringstream lines(read_text_file(settings_.state));
    for (std::string line; std::getline(lines, line);) {
      const json result = json::parse(line, nullptr, false);
      if (result.is_discarded()) continue;  // the run was ended while it wrote
      const std::uint64_t seed = result.at("seed");
      if (seed < settings_.seed || seed >= settings_.seed + static_cast<std::uint64_t>(settings_.cases)) continue;
      done_.insert(seed);
      results_.push_back(result);
    }
  }

  void start_worker() {
    std::fflush(nullptr);
    const pid_t pid = fork();
    if (pid < 0) throw Error("random_networks", "cannot start a process");
    if (pid == 0) {
      work();
      std::_Exit(0);
    }
    workers_[pid] = {pid, 0};
  }

  void send(const json& message) const {
    const std::string line = message.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
    if (write(pipe_[1], line.data(), line.size()) < 0) std::_Exit(3);
  }

  void work() {
    const fs::path folder = settings_.scratch / fmt::format("worker-{}", getpid());
    for (int count = 0; count < kCasesOfWorker; ++count) {
      const std::int64_t index = (*next_)++;
      if (index >= static_cast<std::int64_t>(seeds_.size())) break;
      const std::uint64_t seed = seeds_[static_cast<std::size_t>(index)];
      send({{"pid", getpid()}, {"start", seed}});
      alarm(kLongest);
      json result = to_json(seed, one_case(settings_, seed, folder));
      alarm(0);
      send(result);
    }
    std::error_code ignored;
    fs::remove_all(folder, ignored);
    send({{"pid", getpid()}, {"end", true}});
  }

  void take(const json& message) {
    if (message.contains("start")) {
      workers_[message.at("pid").get<pid_t>()].seed = message.at("start");
    } else if (message.contains("end")) {
      waitpid(message.at("pid").get<pid_t>(), nullptr, 0);
      workers_.erase(message.at("pid").get<pid_t>());
      if (*next_ < static_cast<std::int64_t>(seeds_.size())) start_worker();
    } else if (message.contains("seed")) {
      record(message);
    }
  }

  /// A worker that a signal ended fails its case; another takes its place. Nothing is left in the pipe when this is called.
  void look_for_crashes() {
    int status = 0;
    for (pid_t pid = waitpid(-1, &status, WNOHANG); pid > 0; pid = waitpid(-1, &status, WNOHANG)) {
      CheckResult result;
      result.outcome = CheckResult::Outcome::Failed;
      result.stage = "crash";
      result.kind = result.message = WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM ? fmt::format("no end after {} s", kLongest)
                                     : WIFSIGNALED(status)                              ? fmt::format("signal {}", WTERMSIG(status))
                                                                                        : fmt::format("exit status {}", status);
      record(to_json(workers_[pid].seed, result));
      workers_.erase(pid);
      start_worker();
    }
  }

  void record(const json& result) {
    results_.push_back(result);
    if (!settings_.state.empty()) std::ofstream(settings_.state, std::ios::app) << result.dump() << "\n";
    if (result.at("outcome") == "failed")
      fmt::print("seed {}: {}: {}\n", result.at("seed").get<std::uint64_t>(), result.at("stage").get<std::string>(),
                 result.at("message").get<std::string>());
    const auto now = std::chrono::steady_clock::now();
    if (now - shown_ > std::chrono::seconds(20)) {
      shown_ = now;
      const double elapsed = std::chrono::duration<double>(now - started_).count();
      const std::size_t new_ones = results_.size() - done_.size();
      fmt::print("{} of {} cases, {:.0f} s left\n", results_.size(), settings_.cases,
                 elapsed / static_cast<double>(new_ones) * static_cast<double>(seeds_.size() - new_ones));
    }
    std::fflush(stdout);
  }

  int summary() const {
    std::map<std::string, int> outcomes, kinds, layers, failures;
    double seconds = 0, build = 0, simulation = 0, slowest = 1;
    int simulated = 0, ties = 0, slower = 0;
    std::string slow_seeds;
    for (const json& result : results_) {
      const std::string outcome = result.at("outcome");
      ++outcomes[outcome];
      if (outcome != "passed")
        ++kinds[fmt::format("{} at {}: {}", outcome, result.at("stage").get<std::string>(), result.at("kind").get<std::string>())];
      seconds += result.at("seconds").get<double>();
      ties += result.at("ties").get<int>();
      if (!result.at("simulated").get<bool>()) continue;
      ++simulated;
      const double ratio = result.value("clocks_ratio", 1.0);
      slowest = std::max(slowest, ratio);
      if (ratio > 1.01 && ++slower <= 20) slow_seeds += fmt::format(" {}", result.at("seed").get<std::uint64_t>());
      build += result.at("build").get<double>(), simulation += result.at("simulation").get<double>();
      std::istringstream words(result.at("layers").get<std::string>());
      std::set<std::string> in_network;
      for (std::string word; words >> word;) in_network.insert(word);
      for (const std::string& word : in_network) ++layers[word];
    }
    fmt::print("\n{} cases from seed {}: {} passed, {} refused, {} failed; {} simulated; {} images with proven float32 ties\n",
               results_.size(), settings_.seed, outcomes["passed"], outcomes["refused"], outcomes["failed"], simulated, ties);
    for (const auto& [kind, count] : kinds) fmt::print("{:>6}  {}\n", count, kind);
    if (simulated > 0) {
      fmt::print("simulated networks with:");
      for (const auto& [name, count] : layers) fmt::print(" {} {},", name, count);
      fmt::print("\nof a simulated case: {:.2f} s build, {:.2f} s simulation\n", build / simulated, simulation / simulated);
      fmt::print("clocks per image as predicted within 1 %: {} of {}; the slowest takes {:.2f} times as many", simulated - slower,
                 simulated, slowest);
      fmt::print("{}{}\n", slower > 0 ? "; slower are the seeds" : "", slow_seeds);
    }
    fmt::print("{:.2f} s a case on one core\n", seconds / static_cast<double>(std::max<std::size_t>(1, results_.size())));
    if (outcomes["failed"] > 0) fmt::print("failing cases, shrunk: {}\n", settings_.keep.string());
    return outcomes["failed"] > 0 ? 1 : 0;
  }

  const Settings& settings_;
  std::set<std::uint64_t> done_;
  std::vector<std::uint64_t> seeds_;
  std::vector<json> results_;
  std::map<pid_t, Worker> workers_;
  std::atomic<std::int64_t>* next_ = nullptr;
  int pipe_[2] = {-1, -1};
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now(), shown_ = started_;
};

int repeat(const Settings& settings) {
  const Spec spec = json::parse(read_text_file(settings.spec)).get<Spec>();
  const CheckResult result = check_case(spec, options_of(settings, settings.scratch / "case"));
  fmt::print("{}{}{}\n", name_of(result.outcome), result.stage.empty() ? "" : " at " + result.stage + ": ", result.message);
  fmt::print("layers: {}\n", result.layers);
  return result.outcome == CheckResult::Outcome::Failed ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  CLI::App app{"random networks through the whole chain: ONNX model, integer network, golden models, float executor, RTL"};
  app.add_option("--seed", settings.seed, "of the first case")->capture_default_str();
  app.add_option("--cases", settings.cases, "how many")->capture_default_str();
  app.add_option("--jobs", settings.jobs, "processes")->capture_default_str();
  app.add_option("--images", settings.images, "per case")->capture_default_str();
  app.add_flag("--no-rtl", settings.no_rtl, "up to the golden models and the float executor only");
  app.add_flag("--no-shrink", settings.no_shrink, "keep failing cases as they are");
  app.add_option("--tries", settings.tries, "of a failing case, to make it smaller")->capture_default_str();
  app.add_option("--keep", settings.keep, "folder for failing cases")->capture_default_str();
  app.add_option("--state", settings.state, "results, one a line; cases that it holds are not run again");
  app.add_option("--spec", settings.spec, "run this one case.json of a kept folder instead");
  app.add_option("--scratch", settings.scratch, "folder for designs and Verilator's runtime; default: a temporary one");
  CLI11_PARSE(app, argc, argv);
  const bool temporary = settings.scratch.empty();
  try {
    if (temporary) {
      std::string name = (fs::temp_directory_path() / "bitloom-random-XXXXXX").string();
      if (mkdtemp(name.data()) == nullptr) throw Error(name, "cannot be made");
      settings.scratch = name;
    }
    fs::create_directories(settings.scratch);
    if (!settings.no_rtl) prepare_quick_runtime(settings.scratch / "runtime");
    const int status = settings.spec.empty() ? Run(settings)() : repeat(settings);
    std::error_code ignored;
    if (temporary) fs::remove_all(settings.scratch, ignored);
    return status;
  } catch (const std::exception& error) {
    fmt::print(stderr, "random_networks: {}\n", error.what());
    return 2;
  }
}
