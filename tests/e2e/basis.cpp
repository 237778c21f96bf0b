// Decomposed layers from an ONNX model to the RTL of the basis engine: random layers, a network of several, planted faults.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <random>

#include "emit/design.hpp"
#include "golden/decomposed.hpp"
#include "golden/golden.hpp"
#include "lower/lower.hpp"
#include "onnx/import.hpp"
#include "random/decomposed.hpp"
#include "sim/quick.hpp"
#include "sim/simulate.hpp"
#include "support.hpp"

using namespace bitloom;
using namespace bitloom::test;

namespace {

const Budget kAnyDevice{"any", std::int64_t{1} << 40, std::int64_t{1} << 40, 4096, 16, 1e6, 1.0, std::int64_t{1} << 40};

const fs::path& runtime() {
  static const TemporaryFolder folder;
  static const fs::path made = [] {
    prepare_quick_runtime(folder / "runtime");
    return folder / "runtime";
  }();
  return made;
}

LowerOptions options_for(const DecomposedSpec& spec) {
  LowerOptions options;
  options.input_type = spec.is_signed ? ValueType::signed_bits(spec.bits) : ValueType::unsigned_bits(spec.bits);
  return options;
}

Network lowered(const std::string& bytes, const LowerOptions& options) {
  Network network = lower(import_onnx_bytes(bytes, "decomposed.onnx"), options);
  network.name = "decomposed";
  return network;
}

std::vector<MapData> random_images(const Network& network, int count, unsigned seed) {
  std::mt19937 random(seed);
  const FeatureMap& map = network.maps[static_cast<std::size_t>(network.input)];
  std::uniform_int_distribution<std::int64_t> any(map.type.min(), map.type.max());
  std::vector<MapData> images;
  for (int i = 0; i < count; ++i) {
    MapData& image = images.emplace_back(MapData{map.shape, {}});
    for (std::int64_t at = 0; at < map.shape.size(); ++at)
      image.values.push_back(static_cast<std::int32_t>(i == 1 ? map.type.max() : any(random)));  // one image drives sums to their ends
  }
  return images;
}

/// A folder for each design: a loaded library stays, and one of the same name would not be loaded again.
fs::path write(const TemporaryFolder& folder, const std::string& bytes, const Network& network, const Design& design) {
  static int number = 0;
  const fs::path here = folder / fmt::format("design{}", number++);
  write_file_atomically(folder / "model.onnx", bytes);
  DesignOptions about;
  about.board = "none";
  about.model = folder / "model.onnx";
  write_design(here, network, design, about, "");
  return here;
}

struct Simulated {
  bool exact = false;
  double clocks = 0;
  std::int64_t first_image = 0, total = 0;  ///< clocks
  std::string first;
};

/// What the transaction-level model says of the same images.
void check_model(const fs::path& design, const Simulated& real, std::size_t images) {
  const auto modelled = json_of(bitloom_command({"sim", design.string(), "--level", "tlm", "--images", std::to_string(images), "--json"}));
  CHECK(modelled.at("first_image_latency") == real.first_image);
  CHECK(modelled.at("total_clocks") == real.total);
}

Simulated simulated(const fs::path& design, const Network& network, const std::vector<MapData>& images, double stall, unsigned seed) {
  const Golden golden(network);
  SimulationOptions options;
  options.quick = runtime();
  options.stall = stall;
  options.seed = seed;
  const SimulationResult result = simulate(
      design, network, images, [&](const MapData& image) { return golden.run(image); }, options);
  Simulated out{result.bit_exact && result.failure.empty(), result.clocks_per_image, result.first_image_latency, result.total_clocks, ""};
  for (const BoundaryResult& boundary : result.boundaries)
    if (boundary.first && out.first.empty()) out.first = boundary.first->to_string();
  if (out.first.empty()) out.first = result.failure;
  return out;
}

/// Golden by both orders, RTL with and without stalls, the clocks of the transaction-level model; returns the clocks that were simulated for each that was predicted.
double check_layer(const DecomposedSpec& spec) {
  INFO(spec.to_string());
  const std::string bytes = decomposed_model(spec);
  const Network network = lowered(bytes, options_for(spec));
  const auto layer = std::find_if(network.layers.begin(), network.layers.end(),
                                  [](const Layer& l) { return std::holds_alternative<Convolution>(l.op); });
  REQUIRE(layer != network.layers.end());
  const auto& conv = std::get<Convolution>(layer->op);
  REQUIRE(conv.decomposition);
  const std::vector<MapData> images = random_images(network, 3, spec.seed);
  const Golden golden(network);
  for (const MapData& image : images) {
    const std::vector<MapData> maps = golden.run(image);
    const MapData& in = maps[static_cast<std::size_t>(layer->inputs[0])];
    const MapData& out = maps[static_cast<std::size_t>(layer->output)];
    REQUIRE(run_decomposed(network, *layer, in, DecomposedOrder::BasisFirst) == out);
    REQUIRE(run_decomposed(network, *layer, in, DecomposedOrder::CoefficientsFirst) == out);
  }
  const auto tasks = static_cast<int>(coefficient_tasks(*conv.decomposition, conv.out_channels, spec.channels).size());
  FoldRule rule = parse_fold_rule("*:engine=basis");
  rule.rows = spec.rows;
  rule.pixels = spec.pixels;
  rule.sparse = std::min(spec.sparse, tasks);
  if (rule.sparse == 9 || rule.sparse == 11 || rule.sparse == 13) --rule.sparse;
  Budget device = kAnyDevice;
  device.fabric = static_cast<int>(spec.seed % 4 / 2);  // any, or ECP5, whose multipliers have registers
  const Design design = make_design(network, device, {0, 0, {rule}});
  REQUIRE(std::any_of(design.plan.stages.begin(), design.plan.stages.end(), [](const Stage& s) { return s.kind == StageKind::Basis; }));
  const TemporaryFolder folder;
  const fs::path here = write(folder, bytes, network, design);
  build_quick_model(here, runtime());
  const Simulated free = simulated(here, network, images, 0, spec.seed % 1000 + 1);
  CAPTURE(free.first);
  REQUIRE(free.exact);
  check_model(here, free, images.size());
  const Simulated stalled = simulated(here, network, images, 0.4, spec.seed % 1000 + 1);
  CAPTURE(stalled.first);
  REQUIRE(stalled.exact);
  return free.clocks / static_cast<double>(design.plan.clocks_per_image);
}

void check_layers(std::uint64_t first, int count) {
  double least = 1e9, most = 0;
  for (int i = 0; i < count; ++i) {
    const double ratio = check_layer(random_decomposed(first + static_cast<std::uint64_t>(i)));
    least = std::min(least, ratio);
    most = std::max(most, ratio);
  }
  fmt::print("{} layers from seed {}: bit-exact; clocks simulated are {:.3f} to {:.3f} of those predicted\n", count, first, least, most);
  CHECK(least > 0.5);
  CHECK(most < 2.0);
}

}  // namespace

TEST_CASE("random decomposed layers in the basis engine") { check_layers(test_seed() * 1000, 6); }

// The bar of the basis engine: 500 cases. By name, or `ctest -L nightly -C nightly`. SHARD=<i>/<n> takes the i-th of n equal parts, 0 the first.
TEST_CASE("500 random decomposed layers in the basis engine", "[.long]") {
  const std::string shard = std::getenv("SHARD") == nullptr ? "0/1" : std::getenv("SHARD");
  const int part = std::stoi(shard), parts = std::stoi(shard.substr(shard.find('/') + 1)), first = 500 * part / parts;
  check_layers(test_seed() * 100000 + static_cast<std::uint64_t>(first), 500 * (part + 1) / parts - first);
}

// e2e_basis "[.one]" with CASE=<seed>: a single layer of the above.
TEST_CASE("one decomposed layer, by its seed", "[.one]") {
  const char* seed = std::getenv("CASE");
  REQUIRE(seed != nullptr);
  check_layers(std::strtoull(seed, nullptr, 10), 1);
}

namespace {

/// Two decomposed layers with a pool between them, a dense one beside, and their sum.
std::string several_layers() {
  ModelWriter writer;
  DecomposedSpec first;
  first.channels = 3;
  first.outputs = 8;
  first.height = first.width = 10;
  first.density = 0.5;
  first.out_bits = 3;
  first.seed = 4;  // even: signed codes
  DecomposedSpec second = first;
  second.channels = 8;
  second.bits = 3;
  second.is_signed = true;
  second.kernels = 3;
  second.height = second.width = 5;
  second.density = 0.2;
  second.bias = true;
  second.seed = 6;
  const std::string a = add_decomposed(writer, first, add_input(writer, first));
  const std::string pooled = writer.node("MaxPool", {a}, {{"kernel_shape", ModelWriter::Dims{2, 2}}, {"strides", ModelWriter::Dims{2, 2}}});
  const std::string b = add_decomposed(writer, second, pooled);
  second.seed = 8;
  second.stride_height = second.stride_width = 2;
  const std::string c = add_decomposed(writer, second, b);
  second.seed = 10;
  const std::string d = add_decomposed(writer, second, pooled);
  writer.output(writer.node("Add", {c, d}), 1);
  return writer.bytes();
}

struct Made {
  Network network;
  Design design;
  fs::path folder;
};

Made make(const TemporaryFolder& folder, const std::string& bytes, const LowerOptions& options, const std::vector<std::string>& rules) {
  Made made;
  made.network = lowered(bytes, options);
  std::vector<FoldRule> fold;
  for (const std::string& rule : rules) fold.push_back(parse_fold_rule(rule));
  made.design = make_design(made.network, kAnyDevice, {0, 3000, fold});
  made.folder = write(folder, bytes, made.network, made.design);
  build_quick_model(made.folder, runtime());
  return made;
}

LowerOptions four_bits() {
  LowerOptions options;
  options.input_type = ValueType::unsigned_bits(4);
  return options;
}

void flip(const fs::path& image, std::size_t line, int bit) {
  std::string text = read_text_file(image);
  const std::size_t width = text.find('\n') + 1;
  char& digit = text.at(line * width + width - 2 - static_cast<std::size_t>(bit / 4));
  const int value = digit <= '9' ? digit - '0' : digit - 'a' + 10;
  digit = "0123456789abcdef"[value ^ 1 << bit % 4];
  write_file_atomically(image, text);
}

}  // namespace

TEST_CASE("a network of decomposed layers, each engine and both mixed, behind a fork, a pool and a sum") {
  const std::string bytes = several_layers();
  for (const std::vector<std::string>& rules :
       {std::vector<std::string>{"*:engine=basis"}, {"*:engine=plane"}, {"conv0:engine=plane", "conv1:engine=basis,sparse=2,rows=1,pixels=2"}}) {
    const TemporaryFolder folder;
    const Made made = make(folder, bytes, four_bits(), rules);
    const auto count = std::count_if(made.design.plan.stages.begin(), made.design.plan.stages.end(), [](const Stage& s) { return s.kind == StageKind::Basis; });
    if (rules[0] == "*:engine=basis") CHECK(count == 4);
    if (rules[0] == "*:engine=plane") CHECK(count == 0);
    const std::vector<MapData> images = random_images(made.network, 4, test_seed());
    for (const double stall : {0.0, 0.3}) {
      const Simulated result = simulated(made.folder, made.network, images, stall, test_seed());
      CAPTURE(rules, stall, result.first);
      CHECK(result.exact);
      if (stall == 0) check_model(made.folder, result, images.size());
    }
  }
}

TEST_CASE("faults planted in a decomposed layer are found") {
  DecomposedSpec spec;
  spec.channels = spec.outputs = 6;
  spec.kernels = 3;
  spec.density = 0.3;
  spec.out_bits = 4;
  const TemporaryFolder folder;
  const std::string bytes = decomposed_model(spec);
  const Made made = make(folder, bytes, four_bits(), {"*:engine=basis,sparse=2,rows=3,pixels=2"});
  const std::vector<MapData> images = random_images(made.network, 4, test_seed());
  CHECK(simulated(made.folder, made.network, images, 0, 1).exact);
  // A coefficient's sign in either lane, a tap's bit of 64.
  for (const auto& [image, bit] : std::vector<std::pair<std::string, int>>{
           {"conv0_coefficients_lane00.mem", 0}, {"conv0_coefficients_lane01.mem", 0}, {"conv0_basis.mem", 6}}) {
    CAPTURE(image);
    const std::string before = read_text_file(made.folder / "mem" / image);
    flip(made.folder / "mem" / image, 1, bit);
    const Simulated result = simulated(made.folder, made.network, images, 0, 1);
    CHECK_FALSE(result.exact);
    CHECK_THAT(result.first, contains_text("act0_out"));
    write_file_atomically(made.folder / "mem" / image, before);
  }
  // In the RTL: columns that are not carried, rows that are not kept, a sum that subtracts what it should add.
  const std::vector<std::vector<std::string>> mutants = {{"waiting_sums.sv", "else carry <= read;", "else carry <= '0;"},
                                                         {"waiting_sums.sv", "else partial <= read;", "else partial <= '0;"},
                                                         {"sparse_lane.sv", "value_negative <= read_counts && read_negative", "value_negative <= 1'b0"}};
  for (std::size_t i = 0; i < mutants.size(); ++i) {
    const Made mutant{made.network, made.design, write(folder, bytes, made.network, made.design)};
    const fs::path source = mutant.folder / "rtl" / mutants[i][0];
    std::string text = read_text_file(source);
    const std::size_t at = text.find(mutants[i][1]);
    REQUIRE(at != std::string::npos);
    write_file_atomically(source, text.replace(at, mutants[i][1].size(), mutants[i][2]));
    build_quick_model(mutant.folder, runtime());
    CAPTURE(mutants[i]);
    CHECK_FALSE(simulated(mutant.folder, made.network, images, 0, 1).exact);
  }
}
