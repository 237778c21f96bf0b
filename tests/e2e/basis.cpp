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
  std::string first;
};

Simulated simulated(const fs::path& design, const Network& network, const std::vector<MapData>& images, double stall, unsigned seed) {
  const Golden golden(network);
  SimulationOptions options;
  options.quick = runtime();
  options.stall = stall;
  options.seed = seed;
  const SimulationResult result = simulate(
      design, network, images, [&](const MapData& image) { return golden.run(image); }, options);
  Simulated out{result.bit_exact && result.failure.empty(), result.clocks_per_image, result.failure};
  for (const BoundaryResult& boundary : result.boundaries)
    if (boundary.first && out.first.empty()) out.first = boundary.first->to_string();
  return out;
}

/// Golden by both orders, RTL with and without stalls; returns the clocks that were simulated for each that was predicted.
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
  const Design design = make_design(network, kAnyDevice, {0, 0, {rule}});
  REQUIRE(std::any_of(design.plan.stages.begin(), design.plan.stages.end(), [](const Stage& s) { return s.kind == StageKind::Basis; }));
  const TemporaryFolder folder;
  const fs::path here = write(folder, bytes, network, design);
  build_quick_model(here, runtime());
  const Simulated free = simulated(here, network, images, 0, spec.seed % 1000 + 1);
  CAPTURE(free.first);
  REQUIRE(free.exact);
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

TEST_CASE("random decomposed layers in the basis engine") { check_layers(test_seed() * 1000, 12); }

// The bar of the basis engine: 500 cases. By name, or `ctest -L nightly -C nightly`.
TEST_CASE("500 random decomposed layers in the basis engine", "[.long]") { check_layers(test_seed() * 100000, 500); }

// e2e_basis "[.one]" with CASE=<seed>: a single layer of the above.
TEST_CASE("one decomposed layer, by its seed", "[.one]") {
  const char* seed = std::getenv("CASE");
  REQUIRE(seed != nullptr);
  check_layers(std::strtoull(seed, nullptr, 10), 1);
}
