// Damaged models through import, executor, lowering and golden: each must end in a result or in an Error that says something.
// Worker processes take the cases; the parent notices when one of them crashes, hangs, or takes too much memory, and goes on behind that
// case.
//
// usage: fuzz_import [--cases N] [--seed S] [--jobs J] [--case K] [--save FILE] REPOSITORY [SHARED]; SHARED defaults to $BITLOOM_SHARED
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <thread>

#include "check/check.hpp"
#include "fuzz/damage.hpp"
#include "golden/golden.hpp"
#include "golden/packed.hpp"
#include "lower/lower.hpp"
#include "onnx/executor.hpp"
#include "onnx/import.hpp"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() { return "max_allocation_size_mb=1024:quarantine_size_mb=32:detect_leaks=1"; }
#endif

using namespace bitloom;
using namespace bitloom::fuzz;

namespace {

constexpr double kLargestSeconds = 60;                          // of processor time for one case; five times that by the clock
constexpr std::int64_t kLargestMemory = std::int64_t{2} << 30;  // of a worker, with everything that a sanitizer adds
constexpr std::int64_t kLargestMacs = 20 * 1000 * 1000;         // above that golden is not run: it would only take time
constexpr std::uintmax_t kLargestFile = 40000;                  // of the models taken from the shared folder

enum Outcome { kRefusedByImport, kRefusedByLower, kTooLarge, kRefusedByGolden, kRan, kExecutorRefused, kEqual, kTie, kOutcomes };
constexpr std::array<const char*, kOutcomes> kOutcomeNames = {"refused by the importer",
                                                              "refused by lowering",
                                                              "lowered, too large to run here",
                                                              "refused by golden",
                                                              "ran, golden equal to packed golden",
                                                              "of all: the float executor refused",
                                                              "of those that ran: equal to the float model in every tensor",
                                                              "of those that ran: ties within float32 rounding"};

/// What a worker tells the parent.
struct Progress {
  std::atomic<std::uint64_t> next;          ///< the case under way, or the one behind the last
  std::atomic<std::int64_t> started, used;  ///< milliseconds by the clock, and of processor time, at its start
  std::array<std::atomic<std::int64_t>, kOutcomes> outcomes;
  std::atomic<std::int64_t> slowest;  ///< milliseconds
};

std::int64_t now() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Milliseconds of processor time that a process has used.
std::int64_t used_by(pid_t pid) {
  clockid_t clock = CLOCK_PROCESS_CPUTIME_ID;
  timespec time{};
  if ((pid != 0 && clock_getcpuclockid(pid, &clock) != 0) || clock_gettime(clock, &time) != 0) return 0;
  return std::int64_t{time.tv_sec} * 1000 + time.tv_nsec / 1000000;
}

/// A failure that a worker found itself.
struct Failure {
  std::string what;
};

void check_text(const Error& error, const char* stage) {
  const std::string text = error.what();
  if (text.size() < 10) throw Failure{fmt::format("{}: an Error that says only '{}'", stage, text)};
}

void run_executor(const Graph& graph, std::mt19937_64& random, Outcome& refused) {
  Tensors inputs;
  for (const ValueInfo& info : graph.inputs) {
    Tensor tensor = info.is_float ? Tensor::floats(info.shape, {}) : Tensor::ints(info.shape, {});
    double size = 1;
    for (std::int64_t& d : tensor.shape) {
      if (d < 0) d = 1;
      size *= static_cast<double>(d);
    }
    if (size > 1e5) return;
    std::uniform_int_distribution<int> value(-3, 9);
    for (std::int64_t i = 0; i < tensor.size(); ++i) {
      if (info.is_float)
        tensor.f().push_back(static_cast<float>(value(random)));
      else
        tensor.i().push_back(value(random));
    }
    inputs[info.name] = std::move(tensor);
  }
  try {
    FloatExecutor(graph).run_all(inputs);
  } catch (const Error& error) {
    check_text(error, "executor");
    refused = kExecutorRefused;
  }
}

std::vector<std::int32_t> random_pixels(const Network& network, std::mt19937_64& random) {
  const ValueType type = network.input_rule.type;
  std::uniform_int_distribution<std::int64_t> pixel(type.min(), type.max());
  std::vector<std::int32_t> pixels(network.input_order.size());
  for (std::int32_t& p : pixels) p = static_cast<std::int32_t>(pixel(random));
  return pixels;
}

/// Golden against the float model, tensor by tensor.
Outcome compare(const Graph& graph, const Network& network, const std::vector<std::int32_t>& pixels, const std::vector<MapData>& maps,
                bool say) {
  std::vector<std::int64_t> shape = network.input_shape;
  shape.insert(shape.begin(), 1);
  const Tensor x = graph.inputs[0].is_float ? Tensor::floats(shape, std::vector<float>(pixels.begin(), pixels.end()))
                                            : Tensor::ints(shape, std::vector<std::int64_t>(pixels.begin(), pixels.end()));
  try {
    const ImageCheck check = Checker(graph, network).check(maps, x);
    if (!check.first) return kEqual;
    if (say) fmt::print("{}", check.first->text());
    if (!check.first->tie) throw Failure{"golden and the float model really differ:\n" + check.first->text()};
    return kTie;
  } catch (const Error& error) {
    check_text(error, "check");
    return kExecutorRefused;
  }
}

Outcome run_golden(const Graph& graph, const Network& network, std::mt19937_64& random, bool say, Outcome& compared) {
  std::int64_t operations = 0;
  for (const Layer& layer : network.layers) operations += macs(network, layer) + network.output_of(layer).shape.size();
  if (operations > kLargestMacs) return kTooLarge;
  try {
    const std::vector<std::int32_t> pixels = random_pixels(network, random);
    const MapData image = network_input(network, pixels);
    const std::vector<MapData> maps = Golden(network).run(image);
    if (PackedGolden(network).run(image) != maps) throw Failure{"the packed golden model gives other values than the plain one"};
    for (const NetworkOutput& output : network.outputs) real_output(output, maps[static_cast<std::size_t>(output.map)]);
    compared = compare(graph, network, pixels, maps, say);
    return kRan;
  } catch (const Error& error) {
    check_text(error, "golden");
    return kRefusedByGolden;
  }
}

/// Throws Failure; anything else that leaves it is a failure too.
std::array<bool, kOutcomes> run_case(const Damaged& damaged, std::uint64_t seed, std::uint64_t index, bool say) {
  std::array<bool, kOutcomes> outcomes{};
  std::seed_seq sequence{seed, index, std::uint64_t{1}};
  std::mt19937_64 random(sequence);
  Graph graph;
  try {
    graph = import_onnx_bytes(damaged.bytes, "damaged.onnx");
  } catch (const Error& error) {
    check_text(error, "import");
    if (say) fmt::print("import: {}\n", error.what());
    outcomes[kRefusedByImport] = true;
    return outcomes;
  }
  Outcome executor = kOutcomes;
  run_executor(graph, random, executor);
  if (executor == kExecutorRefused) outcomes[kExecutorRefused] = true;
  std::optional<Network> network;
  try {
    LowerOptions options;
    if (index % 3 == 0 && !graph.inputs.empty() && graph.inputs[0].is_float) options.input_type = ValueType::signed_bits(4);
    network = lower(graph, options);
  } catch (const Error& error) {
    check_text(error, "lower");
    if (say) fmt::print("lower: {}\n", error.what());
    outcomes[kRefusedByLower] = true;
    return outcomes;
  }
  Outcome compared = kOutcomes;
  outcomes[run_golden(graph, *network, random, say, compared)] = true;
  if (compared != kOutcomes) outcomes[compared] = true;
  return outcomes;
}

/// In a worker: the cases first, first + step, ... The process ends at the first failure.
[[noreturn]] void work(const std::vector<Seed>& seeds, std::uint64_t seed, std::uint64_t cases, std::uint64_t step, Progress& progress) {
  for (std::uint64_t index = progress.next; index < cases; index += step) {
    progress.next = index;
    progress.used = used_by(0);
    progress.started = now();
    try {
      const auto outcomes = run_case(damage(seeds, seed, index), seed, index, false);
      for (std::size_t i = 0; i < kOutcomes; ++i) progress.outcomes[i] += outcomes[i] ? 1 : 0;
      if (outcomes[kRefusedByGolden]) {
        fmt::print("case {}: golden refuses what lowering made\n", index);
        std::fflush(stdout);
      }
    } catch (const Failure& failure) {
      fmt::print(stderr, "FAILURE: {}\n", failure.what);
      _exit(3);
    } catch (const std::exception& error) {
      fmt::print(stderr, "FAILURE: an exception that is no Error: {}\n", error.what());
      _exit(3);
    }
    progress.slowest = std::max<std::int64_t>(progress.slowest, used_by(0) - progress.used);
#if defined(__SANITIZE_ADDRESS__)
    if (index / step % 64 == 63 && __lsan_do_recoverable_leak_check() != 0) {
      fmt::print(stderr, "FAILURE: a leak in one of the last 64 cases of this worker\n");
      _exit(3);
    }
#endif
  }
  progress.next = cases;
  _exit(0);
}

struct Worker {
  pid_t pid = -1;
  std::string log;
  Progress* progress = nullptr;
};

std::int64_t memory_of(pid_t pid) {
  std::ifstream statm(fmt::format("/proc/{}/statm", pid));
  std::int64_t total = 0, resident = 0;
  statm >> total >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

/// The lines of a worker's stderr that name the cause.
std::string cause(const std::string& log) {
  std::ifstream stream(log);
  std::string text, line;
  int lines = 0;
  bool inside = false;
  while (std::getline(stream, line) && lines < 30) {
    inside = inside || line.find("FAILURE") != std::string::npos || line.find("ERROR") != std::string::npos ||
             line.find("runtime error") != std::string::npos || line.find("Assertion") != std::string::npos ||
             line.find("what()") != std::string::npos;
    if (!inside) continue;
    text += "    " + line + "\n";
    ++lines;
  }
  return text;
}

struct Options {
  std::uint64_t cases = 300, seed = 1;
  std::uint64_t jobs = std::max(1U, std::thread::hardware_concurrency());
  std::optional<std::uint64_t> only;
  std::string save, repository, shared;
};

int run_all(const std::vector<Seed>& seeds, const Options& options) {
  const auto begin = now();
  const std::size_t bytes = sizeof(Progress) * options.jobs;
  auto* shared = static_cast<Progress*>(mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  if (shared == MAP_FAILED) throw Error("fuzz_import", "no shared memory");
  std::memset(static_cast<void*>(shared), 0, bytes);
  std::vector<Worker> workers(options.jobs);
  const auto start = [&](Worker& worker) {
    worker.pid = fork();
    if (worker.pid != 0) return;
    const int log = open(worker.log.c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0600);
    dup2(log, 2);
    work(seeds, options.seed, options.cases, options.jobs, *worker.progress);
  };
  for (std::size_t i = 0; i < workers.size(); ++i) {
    workers[i].progress = shared + i;
    workers[i].log = fmt::format("{}/bitloom-fuzz-{}-{}.log", std::filesystem::temp_directory_path().string(), getpid(), i);
    shared[i].next = i;
    shared[i].started = now();
    if (i < options.cases) start(workers[i]);
  }
  std::int64_t failures = 0, hangs = 0, memory = 0;
  for (bool busy = true; busy;) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    busy = false;
    for (Worker& worker : workers) {
      if (worker.pid <= 0) continue;
      busy = true;
      std::string killed;
      const auto seconds = static_cast<double>(used_by(worker.pid) - worker.progress->used) / 1000;
      const auto by_clock = static_cast<double>(now() - worker.progress->started) / 1000;
      if (seconds > kLargestSeconds || by_clock > 5 * kLargestSeconds)
        killed = fmt::format("longer than {} s", kLargestSeconds), ++hangs;
      else if (memory_of(worker.pid) > kLargestMemory)
        killed = fmt::format("more than {} MiB", kLargestMemory >> 20), ++memory;
      if (!killed.empty()) kill(worker.pid, SIGKILL);
      int status = 0;
      if (waitpid(worker.pid, &status, killed.empty() ? WNOHANG : 0) == 0) continue;
      worker.pid = -1;
      if (WIFEXITED(status) && WEXITSTATUS(status) == 0) continue;
      const std::uint64_t index = worker.progress->next;
      ++failures;
      fmt::print("case {}: {}\n  {}\n{}", index, killed.empty() ? "crash" : killed, damage(seeds, options.seed, index).what,
                 cause(worker.log));
      std::fflush(stdout);
      worker.progress->next = index + options.jobs;
      worker.progress->used = 0;
      worker.progress->started = now();
      if (worker.progress->next < options.cases) start(worker);
    }
  }
  std::int64_t slowest = 0;
  fmt::print("{} cases from {} models, seed {}, {:.0f} s\n", options.cases, seeds.size(), options.seed,
             static_cast<double>(now() - begin) / 1000);
  for (std::size_t o = 0; o < kOutcomes; ++o) {
    std::int64_t count = 0;
    for (std::size_t i = 0; i < workers.size(); ++i)
      count += shared[i].outcomes[o], slowest = std::max<std::int64_t>(slowest, shared[i].slowest);
    fmt::print("  {:>6} {}\n", count, kOutcomeNames[o]);
  }
  fmt::print("  {:>6} failures ({} hangs, {} for memory); the slowest case that ended took {:.1f} s of processor time\n", failures, hangs,
             memory, static_cast<double>(slowest) / 1000);
  for (const Worker& worker : workers) unlink(worker.log.c_str());
  return failures == 0 ? 0 : 1;
}

/// One case in this process, for a debugger.
int say_case(const Damaged& damaged, std::uint64_t seed, std::uint64_t index) {
  fmt::print("{}\n", damaged.what);
  std::fflush(stdout);
  try {
    const auto outcomes = run_case(damaged, seed, index, true);
    for (std::size_t i = 0; i < kOutcomes; ++i)
      if (outcomes[i]) fmt::print("{}\n", kOutcomeNames[i]);
    return 0;
  } catch (const Failure& failure) {
    fmt::print("FAILURE: {}\n", failure.what);
    return 1;
  }
}

/// The models as they are: those built here must run, or the damage has nothing to damage.
int run_undamaged(const std::vector<Seed>& seeds) {
  int refused = 0;
  for (std::size_t i = 0; i < seeds.size(); ++i) {
    const auto outcomes = run_case({seeds[i].model.SerializeAsString(), seeds[i].name}, 1, 1, i < kBuiltSeeds);
    const bool ran = outcomes[kRan] && !outcomes[kExecutorRefused];
    if (!ran && i < kBuiltSeeds) fmt::print("{} does not run undamaged\n", seeds[i].name), ++refused;
  }
  return refused;
}

int usage() {
  fmt::print(stderr, "usage: fuzz_import [--cases N] [--seed S] [--jobs J] [--case K] [--save FILE] REPOSITORY [SHARED]\n");
  return 2;
}

}  // namespace

int main(int count, char** arguments) {
  Options options;
  for (int i = 1; i < count; ++i) {
    const std::string argument = arguments[i];
    if (argument.starts_with("--")) {
      if (i + 1 >= count) return usage();
      const std::string value = arguments[++i];
      if (argument == "--save") {
        options.save = value;
        continue;
      }
      const std::uint64_t number = std::strtoull(value.c_str(), nullptr, 10);
      if (argument == "--cases")
        options.cases = number;
      else if (argument == "--seed")
        options.seed = number;
      else if (argument == "--jobs")
        options.jobs = std::max<std::uint64_t>(number, 1);
      else if (argument == "--case")
        options.only = number;
      else
        return usage();
    } else if (options.repository.empty()) {
      options.repository = argument;
    } else {
      options.shared = argument;
    }
  }
  if (options.repository.empty()) return usage();
  const char* shared = std::getenv("BITLOOM_SHARED");
  if (options.shared.empty() && shared != nullptr) options.shared = shared;
  const std::vector<Seed> seeds = load_seeds(options.repository, options.shared, kLargestFile);
  if (!options.only) return run_undamaged(seeds) + run_all(seeds, options) == 0 ? 0 : 1;
  const Damaged damaged = damage(seeds, options.seed, *options.only);
  if (!options.save.empty()) std::ofstream(options.save, std::ios::binary) << damaged.bytes;
  return say_case(damaged, options.seed, *options.only);
}
