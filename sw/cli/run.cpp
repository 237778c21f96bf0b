#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <mutex>

#include "check/check.hpp"
#include "cli/commands.hpp"
#include "cli/common.hpp"
#include "cli/wrong_images.hpp"
#include "core/files.hpp"
#include "core/parallel.hpp"
#include "golden/golden.hpp"
#include "golden/packed.hpp"

namespace bitloom::cli {
namespace {

struct Run {
  ModelOptions model;
  DataOptions data;
  std::string out, expect, result_file;
  bool check = false, plain = false, json = false;
  int jobs = cores();

  void operator()() const {
    const auto [graph, network, inputs] = load_model(model.model, model.lowering());
    const Dataset set = data.load(inputs);
    const auto count_images = static_cast<std::size_t>(set.count);
    std::vector<OutputValues> outputs(network.outputs.size(), OutputValues(count_images));
    const double seconds = infer(network, set, outputs);
    const std::vector<ImageCheck> checks = check ? check_images(graph, network, set) : std::vector<ImageCheck>();

    std::vector<std::vector<std::int64_t>> confusion;
    std::vector<WrongAnswer> wrong;
    std::int64_t right = 0, float_right = 0, agree = 0;
    for (std::size_t i = 0; i < count_images; ++i) {
      const std::int64_t answer = predicted_class(outputs[0][i]);
      const std::int64_t label = set.labels ? (*set.labels)[i] : -1;
      if (label >= 0) count(confusion, label, answer);
      right += label == answer ? 1 : 0;
      if (label >= 0 && label != answer) wrong.push_back({static_cast<std::int64_t>(i), label, answer});
      if (!check) continue;
      const std::int64_t float_answer = predicted_class(checks[i].real_outputs.at(0));
      float_right += label == float_answer ? 1 : 0;
      if (float_answer == answer)
        ++agree;
      else
        fmt::print(stderr, "bitloom: image {}: the float model answers {}, golden {}\n", i, float_answer, answer);
    }
    const auto images = static_cast<double>(set.count);
    const CheckSummary summary = summarize(checks);
    nlohmann::json result = {
        {"model", network.name},
        {"data", set.name},
        {"images", set.count},
        {"accuracy", set.labels ? nlohmann::json(static_cast<double>(right) / images) : nlohmann::json()},
        {"float_accuracy", set.labels && check ? nlohmann::json(static_cast<double>(float_right) / images) : nlohmann::json()},
        {"agrees_with_float", check ? nlohmann::json(agree) : nlohmann::json()},
        {"differs_from_float", check ? nlohmann::json(summary.outputs_differ) : nlohmann::json()},
        {"differing_values", check ? nlohmann::json(summary.output_differences) : nlohmann::json()},
        {"compared_values", check ? nlohmann::json(summary.output_values) : nlohmann::json()},
        {"check", check ? check_json(network, summary) : nlohmann::json()},
        {"confusion", confusion},
        {"seconds", seconds},
        {"images_per_second", images / std::max(seconds, 1e-9)}};
    if (!out.empty()) write_outputs(out, network, outputs);
    if (!result_file.empty()) {
      nlohmann::json file = result;
      file["class_names"] = set.class_names;
      file["wrong_images"] = wrong_images_json(set, wrong, confusion);
      write_file_atomically(result_file, file.dump(2) + "\n");
    }
    print(result, set, confusion);
    if (check && !json) print_check(network, summary);
    if (check && summary.first)
      fmt::print(stderr, "bitloom: image {} is the first with a {}:\n{}", summary.first_image,
                 summary.first->tie ? "tie" : "real difference", summary.first->text());
    if (!expect.empty()) compare_outputs(expect, network, outputs);
    if (summary.real > 0) throw ComparisonFailed{};
  }

  /// Fills outputs[o][i] for every image; returns the seconds that took, the images' way from pixels to integers included.
  double infer(const Network& network, const Dataset& set, std::vector<OutputValues>& outputs) const {
    const Golden golden(network);
    const PackedGolden packed(network);
    const auto start = std::chrono::steady_clock::now();
    in_parallel("golden", set, [&](std::int64_t i) {
      const MapData input = network_image(network, set, i);
      const std::vector<MapData> maps = plain ? golden.run(input) : packed.run_outputs(input);
      for (std::size_t o = 0; o < outputs.size(); ++o) {
        const NetworkOutput& output = network.outputs[o];
        outputs[o][static_cast<std::size_t>(i)] = real_output(output, maps[static_cast<std::size_t>(output.map)]);
      }
    });
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }

  std::vector<ImageCheck> check_images(const Graph& graph, const Network& network, const Dataset& set) const {
    const Golden golden(network);
    const PackedGolden packed(network);
    const Checker checker(graph, network);
    std::vector<ImageCheck> checks(static_cast<std::size_t>(set.count));
    in_parallel("float model", set, [&](std::int64_t i) {
      const MapData input = network_image(network, set, i);
      checks[static_cast<std::size_t>(i)] =
          checker.check(plain ? golden.run(input) : packed.run(input), float_image(graph, network, set, i));
    });
    return checks;
  }

  struct CheckSummary {
    std::int64_t equal = 0, ties = 0, real = 0, values = 0, output_values = 0, output_differences = 0, outputs_differ = 0;
    std::size_t first_image = 0;
    std::optional<Difference> first;  ///< the first real one, or the first tie where there is none
  };

  static CheckSummary summarize(const std::vector<ImageCheck>& checks) {
    CheckSummary summary;
    for (std::size_t i = 0; i < checks.size(); ++i) {
      const ImageCheck& image = checks[i];
      summary.values += image.values;
      summary.output_values += image.output_values;
      summary.output_differences += image.output_differences;
      summary.outputs_differ += image.output_differences > 0 ? 1 : 0;
      ++(!image.first ? summary.equal : image.first->tie ? summary.ties : summary.real);
      if (image.first && (!summary.first || (summary.first->tie && !image.first->tie)))
        summary.first = image.first, summary.first_image = i;
    }
    return summary;
  }

  static nlohmann::json check_json(const Network& network, const CheckSummary& summary) {
    nlohmann::json json = {{"tensors", network.meanings.size()},
                           {"values", summary.values},
                           {"equal_images", summary.equal},
                           {"images_with_ties", summary.ties},
                           {"images_with_real_differences", summary.real},
                           {"first", nullptr}};
    if (!summary.first) return json;
    const Difference& d = *summary.first;
    nlohmann::json first = {{"image", summary.first_image},
                            {"cause", d.tie ? "tie" : "real"},
                            {"tensor", d.tensor},
                            {"node", d.node},
                            {"operator", d.op},
                            {"layer", d.layer},
                            {"map", d.map},
                            {"element", d.element},
                            {"row", d.row},
                            {"column", d.column},
                            {"channel", d.channel},
                            {"golden_code", d.code},
                            {"golden", d.golden},
                            {"float", d.real},
                            {"float_on_golden_values", d.local},
                            {"differing_values", d.differing}};
    if (d.front) {
      const FrontValue& f = *d.front;
      first["front"] = {{"tensor", f.tensor}, {"layer", f.layer}, {"map", f.map},   {"sum", f.sum},
                        {"golden", f.golden}, {"float", f.real},  {"unit", f.unit}, {"off_by_units", (f.real - f.golden) / f.unit}};
      if (f.threshold) first["front"]["nearest_threshold"] = *f.threshold;
      if (f.switching) {
        first["front"]["switching_point"] = *f.switching;
        first["front"]["distance_to_switching_point"] = std::abs(*f.switching - f.golden);
      }
    }
    json["first"] = std::move(first);
    return json;
  }

  static void print_check(const Network& network, const CheckSummary& summary) {
    fmt::print(
        "check: {} values of {} tensors and {} output{} against the float model: {} images equal, {} with ties within float32 rounding, "
        "{} with real differences\n",
        thousands(static_cast<double>(summary.values)), network.meanings.size(), network.outputs.size(),
        network.outputs.size() == 1 ? "" : "s", summary.equal, summary.ties, summary.real);
  }

  /// Calls work(i) for every image on `jobs` threads, with progress.
  void in_parallel(const char* label, const Dataset& set, const std::function<void(std::int64_t)>& work) const {
    Progress progress(label);
    std::mutex mutex;
    std::int64_t done = 0;
    parallel_for(jobs, set.count, [&](std::int64_t i) {
      work(i);
      const std::lock_guard lock(mutex);
      progress(++done, set.count);
    });
  }

  static void count(std::vector<std::vector<std::int64_t>>& confusion, std::int64_t label, std::int64_t answer) {
    const auto size =
        static_cast<std::size_t>(std::max<std::int64_t>({label + 1, answer + 1, static_cast<std::int64_t>(confusion.size())}));
    confusion.resize(size);
    for (auto& row : confusion) row.resize(size);
    ++confusion[static_cast<std::size_t>(label)][static_cast<std::size_t>(answer)];
  }

  void print(const nlohmann::json& result, const Dataset& set, const std::vector<std::vector<std::int64_t>>& confusion) const {
    if (json) {
      fmt::print("{}\n", result.dump(2));
      return;
    }
    fmt::print("{} on {} images of {}", result["model"].get<std::string>(), set.count, set.name);
    if (set.labels) fmt::print(": {:.2f} % right", 100 * result["accuracy"].get<double>());
    if (check) fmt::print("; {} of {} answers equal the float model's", result["agrees_with_float"].get<std::int64_t>(), set.count);
    fmt::print("\n{:.0f} images/s on {}\n", result["images_per_second"].get<double>(),
               jobs == 1 ? "one thread" : fmt::format("{} threads", jobs));
    if (confusion.empty() || confusion.size() > 20) return;
    fmt::print("confusion (row: label, column: answer)\n");
    for (std::size_t label = 0; label < confusion.size(); ++label) fmt::print("{:>4} |{:>5}\n", label, fmt::join(confusion[label], " "));
  }
};

}  // namespace

void add_run(CLI::App& program) {
  auto run = std::make_shared<Run>();
  CLI::App* app = program.add_subcommand("run", "golden inference: accuracy, confusion, throughput");
  app->footer("Example: bitloom run sw/train/models/digits-w1a1.onnx --data digits --check");
  run->model.add_to(*app);
  run->data.add_to(*app);
  app->add_flag("--check", run->check,
                "execute the float model too and compare every tensor that golden computes, node by node; shows the first difference with "
                "its cause (exit status 1 for real differences; ties within float32 rounding are counted)");
  app->add_option("--out", run->out, "write the outputs: all, by name, to a file called .npz; a single one as NPY otherwise");
  app->add_option(
      "--expect", run->expect,
      "compare the outputs with FILE.npy, FILE.npz:KEY or, by name or else by position, all arrays of FILE.npz (exit status 1 where "
      "they differ)");
  app->add_option("--result", run->result_file, "write the result as JSON to a file (run.json of a report)");
  app->add_flag("--plain", run->plain, "execute the plain golden model, the specification, instead of its packed twin (slow)");
  app->add_option("--jobs", run->jobs, "images at once (default: all cores)")->check(CLI::Range(1, 1024));
  app->add_flag("--json", run->json, "print JSON");
  app->callback([run] { (*run)(); });
}

}  // namespace bitloom::cli
