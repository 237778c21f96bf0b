#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <mutex>

#include "cli/commands.hpp"
#include "cli/common.hpp"
#include "core/files.hpp"
#include "core/parallel.hpp"
#include "explore/results.hpp"

namespace bitloom::cli {
namespace fs = std::filesystem;
namespace {

/// This program for its children; the kernel's own name of it survives that the file is replaced meanwhile.
constexpr const char* kItself = "/proc/self/exe";

/// "1..8", "1,2,4" or both mixed.
std::vector<int> numbers(const std::string& option, const std::string& text, int least, int most) {
  std::vector<int> values;
  const auto number = [&](const std::string& part) {
    int value = 0;
    const auto [end, failed] = std::from_chars(part.data(), part.data() + part.size(), value);
    if (failed != std::errc() || end != part.data() + part.size() || value < least || value > most)
      throw Error(option, fmt::format("'{}' found; numbers from {} to {} expected, such as 1..8 or 1,2,4", text, least, most));
    return value;
  };
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t comma = std::min(text.find(',', at), text.size());
    const std::string part = text.substr(at, comma - at);
    const std::size_t dots = part.find("..");
    const int first = number(part.substr(0, dots)), last = dots == std::string::npos ? first : number(part.substr(dots + 2));
    for (int value = first; value <= last; ++value)
      if (std::find(values.begin(), values.end(), value) == values.end()) values.push_back(value);
    at = comma + 1;
  }
  return values;
}

struct Explore {
  std::vector<std::string> models;
  std::string layer, weight_bits = "1..8", activation_bits = "1..8", pe = "0", simd = "0";
  ModelOptions reading;
  std::vector<std::string> measures{"plan"};
  Study study;
  std::string out = "explore", cache, only;
  int jobs = cores();
  bool list = false, retry = false, fit_law = false, json = false;

  void operator()() {
    prepare();
    const auto shared = std::make_shared<const Study>(study);
    const std::vector<Point> points = points_of(study);
    const StudyTasks tasks = tasks_of(shared, points, kItself);
    std::vector<Task> all = tasks.points;
    all.insert(all.end(), tasks.accuracies.begin(), tasks.accuracies.end());
    Cache results(cache.empty() ? fs::path(out) / "cache" : fs::path(cache));
    if (list) return print_list(results, all);
    if (!only.empty()) {
      std::erase_if(all, [&](const Task& task) { return task.id != only; });
      if (all.empty()) throw Error("--only", fmt::format("'{}' is no point of this sweep; see them with --list", only));
    }
    Progress bar("explore");
    const std::vector<nlohmann::json> entries =
        run_tasks(results, all, {jobs, retry, [&](std::int64_t done, std::int64_t total) { bar(done, total); }});
    if (!only.empty()) {
      fmt::print("{}\n",
                 json ? entries.front().dump(2) : fmt::format("{}: {}", all.front().label, entries.front().at("state").get<std::string>()));
      return;
    }
    const auto middle = entries.begin() + static_cast<std::ptrdiff_t>(points.size());
    const nlohmann::json explored = explore_json(study, points, tasks, {entries.begin(), middle}, {middle, entries.end()}, fit_law);
    write_file_atomically(fs::path(out) / "explore.json", explored.dump(1) + "\n");
    write_file_atomically(fs::path(out) / "explore.csv", explore_csv(explored));
    if (json)
      fmt::print("{}\n", explored.dump(1));
    else
      print(explored);
  }

  void prepare() {
    if (models.empty() == layer.empty()) throw Error("explore", "name models, or a layer with --layer");
    study.measures = parse_measures(measures);
    study.pe = numbers("--pe", pe, 0, 65536);
    study.simd = numbers("--simd", simd, 0, 65536);
    for (const std::string& engine : study.engines)
      if (std::find(std::begin(kEngines), std::end(kEngines), engine) == std::end(kEngines))
        throw Error("--engine", fmt::format("'{}' found; parallel, serial, bit-serial or planned expected", engine));
    if (!layer.empty()) {
      study.layer = parse_layer_spec(layer);
      study.models = layer_models(*study.layer, numbers("--weight-bits", weight_bits, 1, 8),
                                  numbers("--activation-bits", activation_bits, 1, 8), study.seed);
    }
    for (const std::string& model : models) add_models(model);
    study.lowering = {"--scale", reading.scale, "--shift", reading.shift};
    if (!reading.input.empty()) study.lowering.insert(study.lowering.end(), {"--input", reading.input});
    if (reading.argmax) study.lowering.push_back("--argmax");
    std::error_code failed;
    fs::create_directories(out, failed);
    if (failed) throw Error(out, fmt::format("cannot be made ({}); name another folder with --out", failed.message()));
  }

  /// A file, or every ONNX file of a folder.
  void add_models(const fs::path& path) {
    std::vector<fs::path> files = {path};
    if (fs::is_directory(path)) {
      files.clear();
      for (const auto& entry : fs::directory_iterator(path))
        if (entry.path().extension() == ".onnx") files.push_back(entry.path());
      if (files.empty()) throw Error(path.string(), "holds no ONNX file");
      std::sort(files.begin(), files.end());
    }
    for (const fs::path& file : files) study.models.push_back({file.stem().string(), read_file(file)});
  }

  void print_list(const Cache& results, const std::vector<Task>& tasks) const {
    nlohmann::json rows = nlohmann::json::array();
    for (const Task& task : tasks) rows.push_back({{"id", task.id}, {"label", task.label}, {"state", task_state(results, task)}});
    if (json) return fmt::print("{}\n", nlohmann::json{{"cache", results.folder().string()}, {"points", rows}}.dump(1));
    for (const auto& row : rows)
      fmt::print("{} {:<8} {}\n", row["id"].get<std::string>(), row["state"].get<std::string>(), row["label"].get<std::string>());
  }

  void print(const nlohmann::json& explored) const {
    const auto cell = [](const nlohmann::json& value, int digits = 0) {
      return value.is_number() ? fmt::format("{:.{}f}", value.get<double>(), digits) : std::string("-");
    };
    fmt::print("{:<18} {:<10} {:<14} {:>12} {:>12} {:>8} {:>7} {:>5} {:>4} {:>7} {:>8} {:>8}  {}\n", "model", "engine", "board",
               "BOPs (UNIQ)", "clocks", "LUT4", "FF", "RAM", "DSP", "Fmax", "right", "nJ", "front");
    int failed = 0;
    for (const auto& p : explored.at("points")) {
      if (p.at("state") != "done") {
        ++failed;
        continue;
      }
      std::string front;
      for (const auto& cost : p.at("pareto")) front += (front.empty() ? "" : " ") + cost.get<std::string>();
      const bool counted = p.at("lut4").is_number();
      fmt::print("{:<18} {:<10} {:<14} {:>12} {:>12} {:>8} {:>7} {:>5} {:>4} {:>7} {:>8} {:>8}  {}\n", p.at("model").get<std::string>(),
                 p.at("engine").get<std::string>(), p.at("board").get<std::string>(), cell(p.at("bops_uniq")), cell(p.at("clocks")),
                 counted ? cell(p.at("lut4")) : "~" + cell(p.at("lut4_estimate")), cell(p.at("ff")), cell(p.at("bram")), cell(p.at("dsp")),
                 cell(p.at("fmax_mhz"), 1), cell(p.at("accuracy"), 4), cell(p.at("nj_per_inference"), 1), front);
    }
    for (const auto& p : explored.at("points"))
      if (p.at("state") != "done")
        fmt::print("failed: {} {} {}: {}\n", p.at("model").get<std::string>(), p.at("engine").get<std::string>(),
                   p.at("board").get<std::string>(), p.at("error").get<std::string>());
    for (const auto& law : explored.at("fits"))
      fmt::print("{} {}: {} = {:.4g} * {} + {:.4g}, R2 {:.4f} over {} points, rms residual {:.4g}\n", law.at("device").get<std::string>(),
                 law.at("engine").get<std::string>(), law.at("y").get<std::string>(), law.at("slope").get<double>(),
                 law.at("x").get<std::string>(), law.at("intercept").get<double>(), law.at("r2").get<double>(), law.at("points").get<int>(),
                 law.at("rms_residual").get<double>());
    fmt::print("{} points{}: {}\n", explored.at("points").size(), failed > 0 ? fmt::format(", {} of them failed", failed) : "",
               (fs::path(out) / "explore.json").string());
  }
};

}  // namespace

void add_explore(CLI::App& program) {
  auto explore = std::make_shared<Explore>();
  CLI::App* app = program.add_subcommand("explore", "sweep bit widths, engines, foldings and boards; Pareto fronts; the linear law");
  app->footer(
      "Examples: bitloom explore --layer C=16,K=16,map=8x8 --weight-bits 1..8 --activation-bits 1..8 --engine parallel\n"
      "                          --pe 2 --simd 8 --board ice40-hx8k --measure synth --fit-law\n"
      "          bitloom explore sw/train/models --board icebreaker,ulx3s-85f --fit 0.3,0.6 --data digits --argmax\n"
      "Every point is computed once: a killed sweep goes on where it was, and several processes or machines\nmay share one --cache.");
  app->add_option("MODEL", explore->models, "ONNX or QONNX files, or folders of them");
  app->add_option("--layer", explore->layer,
                  "a convolution with random weights instead: C=64,K=64,kernel=3,map=28x28[,stride=1,pad=1,out=1]");
  app->add_option("--weight-bits", explore->weight_bits, "of --layer: 1..8, 1,2,4; 1 is bipolar")->capture_default_str();
  app->add_option("--activation-bits", explore->activation_bits, "of --layer, unsigned")->capture_default_str();
  app->add_option("--engine", explore->study.engines,
                  "parallel (all weight planes and activation bits in a clock), serial (a weight plane a clock), bit-serial (one of each), "
                  "planned (what fits best)")
      ->delimiter(',');
  app->add_option("--pe", explore->pe, "output channels at once in every layer with weights (0: the planner's choice)");
  app->add_option("--simd", explore->simd, "inputs at once in every layer with weights (0: the planner's choice)");
  app->add_option("--board", explore->study.boards, "boards, see docs/boards.md")->delimiter(',')->required();
  app->add_option("--clocks", explore->study.clocks, "clocks per image to plan for")->delimiter(',');
  app->add_option("--fps", explore->study.fps, "images per second to plan for")->delimiter(',');
  app->add_option("--fit", explore->study.fit, "shares of the device's LUTs to plan for")->delimiter(',')->capture_default_str();
  app->add_option("--measure", explore->measures,
                  "plan (schedule and cost model), synth (Yosys), place (and nextpnr), sim (RTL against golden), power (a placed design)")
      ->delimiter(',')
      ->capture_default_str();
  app->add_option("--data", explore->study.data, "images for accuracy, sim and power, as run takes them (--layer: random ones)");
  app->add_option("--images", explore->study.images, "of the data, for accuracy (default: all)");
  app->add_option("--sim-images", explore->study.sim_images, "for sim and power")->capture_default_str()->check(CLI::PositiveNumber);
  app->add_option("--scale", explore->reading.scale, "see run")->capture_default_str();
  app->add_option("--shift", explore->reading.shift, "see run")->capture_default_str();
  app->add_option("--input", explore->reading.input, "see run");
  app->add_flag("--argmax", explore->reading.argmax, "answer with the class index instead of the scores");
  app->add_option("--seed", explore->study.seed, "of random weights and images, and of placement")->capture_default_str();
  app->add_option("--out", explore->out, "folder for explore.json and explore.csv")->capture_default_str();
  app->add_option("--cache", explore->cache, "folder of the points' results (default: OUT/cache)");
  app->add_option("--jobs", explore->jobs, "points at once (default: all cores)")->check(CLI::Range(1, 1024));
  app->add_flag("--list", explore->list, "only show the points and whether they are done, failed, running or missing");
  app->add_option("--only", explore->only, "compute the one point of this id");
  app->add_flag("--retry", explore->retry, "compute failed points again");
  app->add_flag("--fit-law", explore->fit_law, "least squares of LUT4, clocks and power against BOPs");
  app->add_flag("--json", explore->json, "print JSON");
  app->callback([explore] { (*explore)(); });
}

}  // namespace bitloom::cli
