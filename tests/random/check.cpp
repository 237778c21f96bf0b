#include "random/check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cmath>
#include <random>
#include <set>

#include "core/files.hpp"
#include "emit/design.hpp"
#include "golden/golden.hpp"
#include "golden/packed.hpp"
#include "map/channel_order.hpp"
#include "map/stages.hpp"
#include "onnx/executor.hpp"
#include "onnx/import.hpp"
#include "sim/quick.hpp"
#include "sim/simulate.hpp"

namespace fs = std::filesystem;

namespace bitloom::test {
namespace {

/// Ends a case.
struct Stop {
  CheckResult::Outcome outcome;
  std::string stage, message;
};

[[noreturn]] void fail(const std::string& stage, const std::string& message) { throw Stop{CheckResult::Outcome::Failed, stage, message}; }

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::vector<double> numbers(const Tensor& tensor) {
  return std::visit([](const auto& values) { return std::vector<double>(values.begin(), values.end()); }, tensor.data);
}

/// Equal but for the rounding of the output's own scale and offset to float32, which is far below one step of the integers.
bool same_number(const NetworkOutput& output, std::size_t i, double golden, double real) {
  const double tolerance = 1e-6 * std::fabs(golden) + (output.function.empty() ? 1e-3 * std::fabs(output.scale[i]) : 1e-5);
  return std::fabs(golden - real) <= tolerance + 1e-6 * (output.function.empty() ? std::fabs(output.offset[i]) : 0);
}

/// The answers of the float model that are not golden's: an output and an element each.
std::set<std::pair<std::size_t, std::size_t>> differences(const Network& network, const std::vector<MapData>& maps, const Tensors& real) {
  std::set<std::pair<std::size_t, std::size_t>> found;
  for (std::size_t o = 0; o < network.outputs.size(); ++o) {
    const NetworkOutput& output = network.outputs[o];
    std::vector<double> golden = real_output(output, maps[static_cast<std::size_t>(output.map)]);
    std::vector<double> expected = numbers(real.at(output.name));
    if (golden.size() == 1 && expected.size() > 1)  // an argmax was asked for: the model's scores say the same
      expected = {static_cast<double>(std::max_element(expected.begin(), expected.end()) - expected.begin())};
    if (golden.size() != expected.size())
      fail("float", fmt::format("output {} has {} values, the float model's {}", output.name, golden.size(), expected.size()));
    for (std::size_t i = 0; i < golden.size(); ++i)
      if (!same_number(output, i, golden[i], expected[i])) found.emplace(o, i);
  }
  return found;
}

/// The graph with a factor of up to 1 +- 2^-22, chosen for each element anew, behind every operator that rounds.
Graph disturbed(const Graph& graph, const Tensors& values, std::mt19937& random) {
  static const std::set<std::string> rounds = {"Conv",
                                               "MatMul",
                                               "Gemm",
                                               "AveragePool",
                                               "GlobalAveragePool",
                                               "Add",
                                               "Sub",
                                               "Mul",
                                               "Div",
                                               "Quant",
                                               "BatchNormalization",
                                               "DequantizeLinear",
                                               "MultiThreshold",
                                               "Trunc"};
  Graph made = graph;
  made.nodes.clear();
  for (Node node : graph.nodes) {
    const auto value = values.find(node.outputs.at(0));
    const bool moves = rounds.count(node.op) != 0 && value != values.end() && value->second.is_float();
    if (!moves) {
      made.nodes.push_back(std::move(node));
      continue;
    }
    const std::string name = node.outputs[0];
    std::vector<float> factors(value->second.f().size());
    for (float& factor : factors) factor = 1 + static_cast<float>(std::uniform_int_distribution<int>(-2, 2)(random)) * 0x1p-23F;
    made.initializers[name + "_factor"] = Tensor::floats(value->second.shape, std::move(factors));
    node.outputs[0] = name + "_before";
    Node mul;
    mul.name = name + "_disturbed";
    mul.op = "Mul";
    mul.inputs = {node.outputs[0], name + "_factor"};
    mul.outputs = {name};
    made.nodes.push_back(std::move(node));
    made.nodes.push_back(std::move(mul));
  }
  return made;
}

/// Whether roundings of float32 alone can turn each of the answers into golden's: some disturbance of 2^-22 does.
bool are_ties(const Graph& graph, const Network& network, const std::vector<MapData>& maps, const Tensors& inputs,
              std::set<std::pair<std::size_t, std::size_t>> open) {
  const FloatExecutor executor(graph);
  const Tensors values = executor.run_all(inputs);
  std::mt19937 random(1);
  for (int trial = 0; trial < 1000 && !open.empty(); ++trial) {
    Tensors moved = inputs;  // a pixel times its scale is rounded, too
    Tensor& x = moved.begin()->second;
    if (x.is_float())
      for (float& value : x.f()) value *= 1 + static_cast<float>(std::uniform_int_distribution<int>(-1, 1)(random)) * 0x1p-23F;
    const auto still = differences(network, maps, FloatExecutor(disturbed(graph, values, random)).run(moved));
    for (auto place = open.begin(); place != open.end();) place = still.count(*place) == 0 ? open.erase(place) : std::next(place);
  }
  return open.empty();
}

class Case {
 public:
  Case(const Spec& spec, const CheckOptions& options, CheckResult& result) : spec_(spec), options_(options), result_(result) {}

  void run() {
    const Model model = build(spec_);
    Graph graph;
    at("import", [&] { graph = import_onnx_bytes(model.bytes, "random.onnx"); });
    at("lower", [&] { network_ = lower(graph, model.options); });
    network_.name = "random";
    for (const Layer& layer : network_.layers) result_.layers += (result_.layers.empty() ? "" : " ") + kind_name(layer.op);
    if (options_.damage_network) options_.damage_network(network_);
    make_images();
    run_golden();
    run_float(graph, model);
    if (options_.rtl) run_rtl(model);
  }

 private:
  template <class Work>
  void at(const std::string& stage, Work work) {
    try {
      work();
    } catch (const Stop&) {
      throw;
    } catch (const std::exception& error) {
      throw Stop{refused(stage, error.what()) ? CheckResult::Outcome::Refused : CheckResult::Outcome::Failed, stage, error.what()};
    }
  }

  /// What the program may say of a valid model: it has no exact integer form, or the hardware has no module.
  bool refused(const std::string& stage, const std::string& message) const {
    const auto says = [&](const char* text) { return message.find(text) != std::string::npos; };
    if (stage == "lower")
      return says("no exact integer form") || says("axes rearranged") || says("channels in another order") ||
             says("an argmax over the integers would not be exact") || says("which falls where its input rises");
    if (stage == "plan" || stage == "emit")
      return says("so far") || says("has no module") || says("no hardware to make") || says("not supported");
    return false;
  }

  void make_images() {
    std::mt19937 random(static_cast<unsigned>(spec_.seed) + 7);
    const ValueType type = network_.input_rule.type;
    for (int image = 0; image < options_.images; ++image) {
      std::vector<std::int32_t>& pixels = pixels_.emplace_back(network_.input_order.size());
      std::uniform_int_distribution<std::int64_t> any(type.min(), type.max());
      const std::int64_t constant = any(random);
      for (std::int32_t& pixel : pixels) {
        std::int64_t value = image == 1 ? constant : any(random);  // one image is flat
        if (type.is_bipolar() && value == 0) value = 1;
        pixel = static_cast<std::int32_t>(value);
      }
      images_.push_back(network_input(network_, pixels));
    }
  }

  void run_golden() {
    at("golden", [&] {
      const Golden golden(network_);
      for (const MapData& image : images_) maps_.push_back(golden.run(image));
    });
    at("packed", [&] {
      const PackedGolden packed(network_);
      for (std::size_t i = 0; i < images_.size(); ++i) {
        const std::vector<MapData> maps = packed.run(images_[i]);
        for (std::size_t m = 0; m < maps.size(); ++m)
          if (maps[m] != maps_[i][m])
            fail("packed", fmt::format("image {}: map {} differs from the plain model's", i, network_.maps[m].name));
        const std::vector<MapData> outputs = packed.run_outputs(images_[i]);
        for (const NetworkOutput& output : network_.outputs)
          if (outputs[static_cast<std::size_t>(output.map)] != maps_[i][static_cast<std::size_t>(output.map)])
            fail("packed", fmt::format("image {}: output {} differs from the plain model's where maps are dropped", i, output.name));
      }
    });
  }

  void run_float(const Graph& graph, const Model& model) {
    at("float", [&] {
      const FloatExecutor executor(graph);
      for (std::size_t i = 0; i < pixels_.size(); ++i) {
        Tensor x;
        x.shape = graph.inputs[0].shape;
        if (graph.inputs[0].is_float) {
          std::vector<float> values;
          for (const std::int32_t pixel : pixels_[i])
            values.push_back(static_cast<float>(pixel * model.options.input_scale + model.options.input_shift));
          x.data = std::move(values);
        } else {
          x.data = std::vector<std::int64_t>(pixels_[i].begin(), pixels_[i].end());
        }
        x.type = graph.inputs[0].type;
        const Tensors inputs{{graph.inputs[0].name, x}};
        const Tensors outputs = executor.run(inputs);
        const auto found = differences(network_, maps_[i], outputs);
        if (found.empty()) continue;
        const bool ties = !model.exact && are_ties(graph, network_, maps_[i], inputs, found);
        if (!ties) {
          const auto [o, element] = *found.begin();
          const NetworkOutput& output = network_.outputs[o];
          const std::vector<double> golden = real_output(output, maps_[i][static_cast<std::size_t>(output.map)]);
          const std::vector<double> real = numbers(outputs.at(output.name));
          const std::string message = fmt::format("image {}: output {}, element {}: golden has {}, the float model {}", i, output.name,
                                                  element, golden[element], real[element]);
          if (model.exact) fail("float", message);
          // Sums of many values that are ties each: random disturbances do not meet them all. Counted, and looked at by hand.
          throw Stop{CheckResult::Outcome::Refused, "float", "ties of scales that are no powers of two, not proven: " + message};
        }
        ++result_.ties;
      }
    });
  }

  void run_rtl(const Model& model) {
    std::error_code ignored;
    fs::remove_all(options_.folder, ignored);
    fs::create_directories(options_.folder);
    write_file_atomically(options_.folder / "model.onnx", model.bytes);
    const std::int64_t dsps = spec_.seed % 2 == 0 ? 0 : std::int64_t{1} << 40;
    const Budget budget{"random", std::int64_t{1} << 40, std::int64_t{1} << 40, 4096, 16, 1e6, 1.0, dsps, static_cast<int>(spec_.seed % 3)};
    at("order", [&] { order(); });
    Design made;
    at("plan", [&] {
      std::vector<FoldRule> fold = random_foldings();
      for (std::int64_t clocks = spec_.clocks;; clocks *= 2) {
        try {
          made = make_design(network_, budget, {0, clocks, fold});
          return;
        } catch (const Error& error) {
          const auto says = [&](const char* words) { return std::string(error.what()).find(words) != std::string::npos; };
          if (!fold.empty() && says("no folding"))
            fold.clear(), clocks = (clocks + 1) / 2;
          else if (clocks == 0 || clocks > 1'000'000'000 || !says("cannot be reached"))
            throw;
        }
      }
    });
    at("emit", [&] { load_some_weights(made); });
    // A loaded library stays (Verilator's runtime has thread-local variables), and one of the same name would not be loaded again.
    static int number = 0;
    const fs::path design = options_.folder / fmt::format("design{}", number++);
    at("emit", [&] {
      DesignOptions about;
      about.board = "none";
      about.model = options_.folder / "model.onnx";
      write_design(design, network_, made, about, "");
    });
    if (options_.damage_design && !options_.damage_design(design)) return;
    at("build", [&] {
      const auto start = std::chrono::steady_clock::now();
      build_quick_model(design, options_.runtime);
      result_.build_seconds = seconds_since(start);
    });
    const auto start = std::chrono::steady_clock::now();
    simulated("free", design, made.plan, 0);
    simulated("stalled", design, made.plan, 0.4);
    result_.simulation_seconds = seconds_since(start);
    result_.simulated = true;
  }

  /// The hardware's order of channels, which must not change what leaves the network.
  void order() {
    network_ = order_channels(network_);
    const Golden golden(network_);
    for (std::size_t i = 0; i < images_.size(); ++i) {
      std::vector<MapData> maps = golden.run(images_[i]);
      for (const NetworkOutput& output : network_.outputs)
        if (maps[static_cast<std::size_t>(output.map)].values != maps_[i][static_cast<std::size_t>(output.map)].values)
          fail("order", fmt::format("image {}: output {} differs once channels are reordered", i, output.name));
      maps_[i] = std::move(maps);
    }
  }

  /// Weights of some layers of every third case are loaded after reset, which plans choose only where block RAMs are short.
  void load_some_weights(Design& made) const {
    std::mt19937 random(static_cast<unsigned>(spec_.seed));
    Plan plan = made.plan;
    bool any = false;
    for (Stage& stage : plan.stages)
      if (stage.kind == StageKind::Plane && stage.weight_words >= 2 && spec_.seed % 3 == 2 && random() % 2 == 0) any = stage.weights_loaded = true;
    if (any) made = elaborate(network_, plan);
  }

  /// For some layers of every other case: parts of the activations' bits, one or all weight planes, several pixels; a folding of the basis engine.
  std::vector<FoldRule> random_foldings() const {
    std::mt19937 random(static_cast<unsigned>(spec_.seed));
    const auto pick = [&](std::vector<int> values) { return values[random() % values.size()]; };
    std::vector<FoldRule> rules;
    for (const Stage& stage : cut_into_stages(network_)) {
      if (stage.kind != StageKind::Plane || spec_.seed % 2 == 0 || random() % 2 == 0) continue;
      FoldRule rule;
      rule.layer = stage.name;
      if (const std::vector<Folding> basis = basis_foldings(network_, stage); !basis.empty() && random() % 3 > 0) {
        const Folding& folding = basis[random() % basis.size()];
        rule.engine = FoldRule::Engine::Basis;
        rule.sparse = folding.sparse, rule.rows = folding.rows, rule.pixels = folding.pixels;
        rules.push_back(rule);
        continue;
      }
      rule.wpar = pick({0, 1, FoldRule::kAllPlanes});
      if (rule.wpar == 1 && random() % 2 == 0) rule.apar = 1;
      if (rule.wpar == FoldRule::kAllPlanes && random() % 2 == 0) rule.products = FoldRule::Products::Logic;
      const int width = stage.window.out_width(stage.in_shape.width);
      rule.pixels = width % 4 == 0 ? pick({0, 1, 2, 4}) : width % 2 == 0 ? pick({0, 1, 2}) : 0;
      if (rule.wpar != 0 || rule.pixels != 0) rules.push_back(rule);
    }
    return rules;
  }

  void simulated(const std::string& stage, const fs::path& design, const Plan& plan, double stall) {
    at(stage, [&] {
      SimulationOptions options;
      options.quick = options_.runtime;
      options.stall = stall;
      options.seed = static_cast<unsigned>(spec_.seed % 1000000) + 1;
      std::size_t next = 0;
      const SimulationResult result = simulate(
          design, network_, images_, [&](const MapData&) { return maps_[next++]; }, options);
      for (const BoundaryResult& boundary : result.boundaries)
        if (boundary.first) fail(stage, boundary.first->to_string());
      if (!result.failure.empty()) fail(stage, result.failure);
      if (!result.bit_exact) fail(stage, "not bit exact");
      if (stall > 0) return;
      if (options_.observe) options_.observe(design, result);
      const auto predicted = static_cast<double>(plan.clocks_per_image);
      result_.clocks_ratio = result.clocks_per_image / predicted;
      if (result_.clocks_ratio < kFastest || result_.clocks_ratio > kSlowest)
        fail("clocks", fmt::format("{} clocks per image simulated, {} predicted", result.clocks_per_image, predicted));
    });
  }

  const Spec& spec_;
  const CheckOptions& options_;
  CheckResult& result_;
  Network network_;
  std::vector<std::vector<std::int32_t>> pixels_;
  std::vector<MapData> images_;
  std::vector<std::vector<MapData>> maps_;
};

}  // namespace

std::string kind_of(const std::string& message) {
  // Words with digits or underscores are names and numbers; behind a semicolon stand details.
  std::string kind, word;
  const auto flush = [&] {
    const bool name = std::any_of(word.begin(), word.end(), [](unsigned char c) { return std::isdigit(c) != 0 || c == '_' || c == '/'; });
    if (!word.empty()) kind += (kind.empty() ? "" : " ") + (name ? std::string("#") : word);
    word.clear();
  };
  for (const char c : message.substr(0, message.find_first_of("\n;"))) {
    if (c == ' ')
      flush();
    else
      word += c;
  }
  flush();
  return kind;
}

CheckResult check_case(const Spec& spec, const CheckOptions& options) {
  CheckResult result;
  const auto start = std::chrono::steady_clock::now();
  try {
    Case(spec, options, result).run();
  } catch (const Stop& stop) {
    result.outcome = stop.outcome;
    result.stage = stop.stage;
    result.message = stop.message;
    result.kind = kind_of(stop.message);
  } catch (const std::exception& error) {
    result.outcome = CheckResult::Outcome::Failed;
    result.stage = "generator";
    result.message = error.what();
    result.kind = kind_of(result.message);
  }
  result.seconds = seconds_since(start);
  return result;
}

}  // namespace bitloom::test
