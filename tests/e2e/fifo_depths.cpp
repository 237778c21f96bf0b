// The smallest FIFOs in front of joins, found by the transaction-level model, in simulated RTL: they cost no clocks, and one word less does.
#include "catch2.hpp"
#include "emit/design.hpp"
#include "emit/fifos.hpp"
#include "golden/golden.hpp"
#include "random_network.hpp"
#include "sim/quick.hpp"
#include "sim/simulate.hpp"
#include "support.hpp"
#include "system/depths.hpp"

using namespace bitloom;
using namespace bitloom::test;

namespace {

const Budget kBudget{"test", 1 << 20, 1 << 20, 4096, 16, 1e6, 1.0, 1 << 20};

/// Two residual blocks, the second with a stride and a convolution beside it, and a concatenation.
Network residual_network(Random& random) {
  NetworkBuilder net(random, {12, 12, 3}, ValueType::unsigned_bits(2));
  const int first = net.convolution(8, square(3, 1, 1), ValueType::bipolar()).quantize(ValueType::unsigned_bits(2)).here();
  net.convolution(8, square(3, 1, 1), ValueType::bipolar()).quantize(ValueType::unsigned_bits(2));
  const int main = net.convolution(8, square(3, 1, 1), ValueType::bipolar()).here();
  const int sum = net.sum({first, main}, {1, 1}).quantize(ValueType::unsigned_bits(2)).here();
  net.convolution(8, square(3, 2, 1), ValueType::bipolar()).quantize(ValueType::unsigned_bits(2));
  const int deep = net.convolution(8, square(3, 1, 1), ValueType::bipolar()).quantize(ValueType::unsigned_bits(2)).here();
  const int beside = net.from(sum).convolution(8, square(1, 2), ValueType::bipolar()).quantize(ValueType::unsigned_bits(2)).here();
  net.concat({beside, deep}, {1, 1}).fully_connected(4, ValueType::bipolar());
  return net.build();
}

class Bench {
 public:
  Bench(const Network& network, Random& random) : network_(network), golden_(network) {
    prepare_quick_runtime(folder_ / "runtime");
    write_file_atomically(folder_ / "model", std::string("none"));
    for (int i = 0; i < 12; ++i) images_.push_back(random_map(random, network.maps[static_cast<std::size_t>(network.input)]));
  }

  SimulationResult run(const Design& design) {
    DesignOptions about;
    about.board = "none";
    about.model = folder_ / "model";
    const fs::path design_folder = folder_ / ("design" + std::to_string(designs_++));
    write_design(design_folder, network_, design, about, "");
    SimulationOptions options;
    options.quick = folder_ / "runtime";
    return simulate(
        design_folder, network_, images_, [&](const MapData& image) { return golden_.run(image); }, options);
  }

 private:
  const Network& network_;
  const Golden golden_;
  std::vector<MapData> images_;
  TemporaryFolder folder_;
  int designs_ = 0;
};

nlohmann::json model_input(const Network& network, const Design& design) {
  nlohmann::json layers = nlohmann::json::array();
  for (const Stage& stage : design.plan.stages) layers.push_back({{"name", stage.name}});
  return {{"name", "residual"},
          {"input", {{"beats", network.maps[static_cast<std::size_t>(network.input)].shape.size() / design.plan.input_lanes}}},
          {"layers", layers},
          {"netlist", describe_netlist(design)}};
}

}  // namespace

TEST_CASE("FIFOs of the depth that the model finds cost no clocks in RTL, and one word less in any of them does") {
  Random random(test_seed());
  const Network network = residual_network(random);
  Design design = make_design(network, kBudget, {0, 1200});
  REQUIRE(design.fifos.size() >= 2);
  System system(model_input(network, design));
  const FifoDepths found = smallest_depths(system);
  CHECK(found.depth.size() == design.fifos.size());

  Bench bench(network, random);
  set_fifo_depths(design, kBudget, found.depth);
  const SimulationResult enough = bench.run(design);
  CAPTURE(enough.failure, found.clocks_per_image);
  CHECK(enough.bit_exact);
  CHECK(enough.clocks_per_image == found.clocks_per_image);

  int critical = 0;
  for (const auto& [name, depth] : found.depth) {
    if (depth < 2) continue;
    CAPTURE(name, depth);
    ++critical;
    Design shorter = design;
    set_fifo_depths(shorter, kBudget, {{name, depth - 1}});
    const SimulationResult less = bench.run(shorter);
    CHECK((!less.failure.empty() || less.clocks_per_image > enough.clocks_per_image));
  }
  CHECK(critical >= 2);
}
