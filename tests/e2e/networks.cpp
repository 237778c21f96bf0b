// Random small networks through plan, emit and the simulated RTL: every layer boundary equals golden, stalled and not; clocks as predicted.
#include "catch2.hpp"
#include "emit/design.hpp"
#include "golden/golden.hpp"
#include "random_network.hpp"
#include "sim/simulate.hpp"
#include "support.hpp"

using namespace bitloom;
using namespace bitloom::test;

namespace {

void run_network(const Network& network, std::int64_t clocks, Random& random) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "model", std::string("none"));
  const Budget budget{"test", 1 << 20, 1 << 20, 4096, 16, 1e6, 1.0};
  const Plan plan = make_plan(network, budget, {0, clocks});
  DesignOptions options;
  options.board = "none";
  options.model = folder / "model";
  const fs::path design = folder / "design";
  write_design(design, network, elaborate(network, plan), options, "");

  std::vector<MapData> images;
  for (int i = 0; i < 8; ++i) images.push_back(random_map(random, network.maps[static_cast<std::size_t>(network.input)]));
  const Golden golden(network);
  const auto run_golden = [&](const MapData& image) { return golden.run(image); };
  SimulationOptions free, stalled;
  stalled.stall = 0.4;
  stalled.seed = static_cast<unsigned>(random());
  const SimulationResult steady = simulate(design, network, images, run_golden, free);
  CHECK(steady.failure.empty());
  for (const BoundaryResult& boundary : steady.boundaries) {
    CAPTURE(boundary.first ? boundary.first->to_string() : boundary.map);
    CHECK(boundary.mismatches == 0);
  }
  CHECK(steady.bit_exact);
  CHECK(steady.clocks_per_image == Catch::Approx(static_cast<double>(plan.clocks_per_image)).epsilon(0.01));
  const SimulationResult uneven = simulate(design, network, images, run_golden, stalled);
  CAPTURE(stalled.seed, uneven.failure);
  CHECK(uneven.bit_exact);
}

}  // namespace

TEST_CASE("2-bit weights and activations, padding, pooling, fully connected, argmax") {
  Random random(test_seed());
  ChainBuilder chain(random, {8, 8, 1}, ValueType::unsigned_bits(5));
  chain.convolution(8, square(3, 1, 1), ValueType::signed_bits(2)).quantize(ValueType::unsigned_bits(2)).max_pool(square(2, 2));
  chain.convolution(8, square(3, 1, 1), ValueType::signed_bits(2)).quantize(ValueType::unsigned_bits(2));
  chain.fully_connected(10, ValueType::signed_bits(2)).argmax();
  run_network(chain.build(), 3000, random);
}

TEST_CASE("binary weights on signed, binary and wide activations, stride, overlapping and padded pools") {
  Random random(test_seed() + 1);
  ChainBuilder chain(random, {9, 7, 2}, ValueType::signed_bits(3));
  chain.convolution(6, square(3, 2, 1), ValueType::bipolar()).quantize(ValueType::signed_bits(3)).max_pool(square(3, 1, 1));
  chain.convolution(4, square(3), ValueType::bipolar()).quantize(ValueType::bipolar());
  chain.convolution(6, square(1), ValueType::bipolar()).threshold(ValueType::signed_bits(2), 2, -1, 1);
  chain.fully_connected(5, ValueType::bipolar());
  run_network(chain.build(), 2000, random);
}

TEST_CASE("a threshold on the input, 4-bit weights on bipolar maps, everything in parallel") {
  Random random(test_seed() + 2);
  ChainBuilder chain(random, {5, 5, 4}, ValueType::unsigned_bits(8));
  chain.quantize(ValueType::bipolar()).convolution(4, square(2), ValueType::signed_bits(4)).threshold(ValueType::signed_bits(2), 1, -1, 2);
  chain.convolution(3, square(3, 1, 1), ValueType::unsigned_bits(2)).quantize(ValueType::unsigned_bits(3));
  chain.fully_connected(4, ValueType::signed_bits(3));
  run_network(chain.build(), 130, random);
}
