#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <mutex>

#include "cli/commands.hpp"
#include "cli/common.hpp"
#include "core/files.hpp"
#include "core/parallel.hpp"
#include "golden/golden.hpp"
#include "golden/packed.hpp"
#include "onnx/executor.hpp"

namespace bitloom::cli {
namespace {

struct Run {
  ModelOptions model;
  DataOptions data;
  std::string out, expect, result_file;
  bool check = false, plain = false, json = false;
  int jobs = cores();

  void operator()() const {
    const auto [graph, network] = load_model(model.model, model.lowering());
    const Dataset set = data.load();
    const auto count_images = static_cast<std::size_t>(set.count);
    std::vector<std::vector<double>> outputs(count_images);
    const double seconds = infer(network, set, outputs);
    std::vector<std::vector<double>> float_outputs(check ? count_images : 0);
    if (check) {
      const FloatExecutor reference(graph);
      in_parallel("float model", set,
                  [&](std::int64_t i) { float_outputs[static_cast<std::size_t>(i)] = float_output(reference, graph, network, set, i); });
    }

    std::vector<std::vector<std::int64_t>> confusion;
    std::int64_t right = 0, float_right = 0, agree = 0, different = 0, different_values = 0, compared_values = 0;
    for (std::size_t i = 0; i < count_images; ++i) {
      const std::int64_t answer = predicted_class(outputs[i]);
      const std::int64_t label = set.labels ? (*set.labels)[i] : -1;
      if (label >= 0) count(confusion, label, answer);
      right += label == answer ? 1 : 0;
      if (!check) continue;
      const std::vector<double>& real = float_outputs[i];
      const std::int64_t float_answer = predicted_class(real);
      float_right += label == float_answer ? 1 : 0;
      const auto [first, count_of_image] = differences(outputs[i], real);
      different_values += count_of_image;
      compared_values += static_cast<std::int64_t>(real.size());
      if (float_answer == answer)
        ++agree;
      else
        fmt::print(stderr, "bitloom: image {}: the float model answers {}, golden {}\n", i, float_answer, answer);
      if (count_of_image > 0 && ++different == 1)
        fmt::print(stderr, "bitloom: image {}, element {}: the float model computes {}, golden {}\n", i, first, real[first],
                   outputs[i][first]);
    }
    const auto images = static_cast<double>(set.count);
    nlohmann::json result = {
        {"model", network.name},
        {"data", set.name},
        {"images", set.count},
        {"accuracy", set.labels ? nlohmann::json(static_cast<double>(right) / images) : nlohmann::json()},
        {"float_accuracy", set.labels && check ? nlohmann::json(static_cast<double>(float_right) / images) : nlohmann::json()},
        {"agrees_with_float", check ? nlohmann::json(agree) : nlohmann::json()},
        {"differs_from_float", check ? nlohmann::json(different) : nlohmann::json()},
        {"differing_values", check ? nlohmann::json(different_values) : nlohmann::json()},
        {"compared_values", check ? nlohmann::json(compared_values) : nlohmann::json()},
        {"confusion", confusion},
        {"seconds", seconds},
        {"images_per_second", images / std::max(seconds, 1e-9)}};
    if (!out.empty()) write_outputs(out, network, outputs);
    if (!result_file.empty()) write_file_atomically(result_file, result.dump(2) + "\n");
    print(result, set, confusion);
    if (!expect.empty()) compare_outputs(expect, outputs);
    if (check && (agree != set.count || different > 0)) throw ComparisonFailed{};
  }

  /// Fills outputs[i] for every image; returns the seconds that took, the images' way from pixels to integers included.
  double infer(const Network& network, const Dataset& set, std::vector<std::vector<double>>& outputs) const {
    const Golden golden(network);
    const PackedGolden packed(network);
    const auto start = std::chrono::steady_clock::now();
    in_parallel("golden", set, [&](std::int64_t i) {
      const MapData input = network_image(network, set, i);
      const std::vector<MapData> maps = plain ? golden.run(input) : packed.run_outputs(input);
      const NetworkOutput& output = network.outputs.front();
      outputs[static_cast<std::size_t>(i)] = real_output(output, maps[static_cast<std::size_t>(output.map)]);
    });
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
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

  static std::vector<double> float_output(const FloatExecutor& reference, const Graph& graph, const Network& network, const Dataset& set,
                                          std::int64_t i) {
    const Tensors outputs = reference.run({{graph.inputs.front().name, float_image(graph, network, set, i)}});
    const Tensor& scores = outputs.at(graph.outputs.front().name);
    if (!scores.is_float()) return {scores.i().begin(), scores.i().end()};
    return {scores.f().begin(), scores.f().end()};
  }

  /// The first element that float32 rounding does not explain, and how many such there are; none where golden answers with an index alone.
  static std::pair<std::size_t, std::int64_t> differences(const std::vector<double>& golden, const std::vector<double>& real) {
    std::size_t first = 0;
    std::int64_t count = 0;
    for (std::size_t i = 0; i < real.size() && golden.size() == real.size(); ++i)
      if (!same_value(golden[i], real[i]) && count++ == 0) first = i;
    return {first, count};
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
                "execute the float model too, and compare every answer and output value (exit status 1 where one differs)");
  app->add_option("--out", run->out, "write the outputs as NPY");
  app->add_option("--expect", run->expect, "compare the outputs with an NPY or NPZ file (exit status 1 where they differ)");
  app->add_option("--result", run->result_file, "write the result as JSON to a file (run.json of a report)");
  app->add_flag("--plain", run->plain, "execute the plain golden model, the specification, instead of its packed twin (slow)");
  app->add_option("--jobs", run->jobs, "images at once (default: all cores)")->check(CLI::Range(1, 1024));
  app->add_flag("--json", run->json, "print JSON");
  app->callback([run] { (*run)(); });
}

}  // namespace bitloom::cli
