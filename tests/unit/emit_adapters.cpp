// Adapters between lanes of which neither number divides the other.
#include <algorithm>

#include "catch2.hpp"
#include "emit/design.hpp"
#include "random_network.hpp"

using namespace bitloom;
using namespace bitloom::test;

namespace {

/// A threshold on 1 x 8 pixels of 3 one-bit channels, and a dense layer over all 24 values.
Network three_channels() {
  Random random(1);
  NetworkBuilder chain(random, {1, 8, 3}, ValueType::unsigned_bits(1));
  chain.threshold(ValueType::unsigned_bits(1), 1, 0, 1).fully_connected(3, ValueType::bipolar());
  return chain.build();
}

Design design_with(const Network& network, int lanes, int simd, std::int64_t clocks) {
  const Budget budget{"test", 1 << 20, 1 << 20, 4096, 16, 1e6, 1.0};
  Plan plan = make_plan(network, budget, {0, 24});
  plan.stages[0].folding.simd = plan.stages[0].folding.lanes = plan.stages[0].in_lanes = lanes;
  plan.stages[1].folding.simd = plan.stages[1].in_lanes = simd;
  plan.stages[1].window_plan.offsets.resize(static_cast<std::size_t>(24 / simd));
  plan.clocks_per_image = clocks;
  return elaborate(network, plan);
}

/// Bits of the streams that leave the dense layer's adapters, in order.
std::vector<int> adapted(const Design& design) {
  std::vector<int> widths;
  for (const Instance& instance : design.instances)
    if (instance.stage == 1 && (instance.module == "stream_upsize" || instance.module == "stream_downsize"))
      widths.push_back(design.streams[instance.outputs[0]]);
  return widths;
}

}  // namespace

TEST_CASE("an adapter between 3 and 2 lanes has beats of 1 where that is fast enough, and of 6 where it is not") {
  const Network network = three_channels();
  CHECK(adapted(design_with(network, 3, 2, 24)) == std::vector<int>{1, 2});
  CHECK(adapted(design_with(network, 3, 2, 12)) == std::vector<int>{6, 2});
  CHECK(adapted(design_with(network, 3, 6, 8)) == std::vector<int>{6});
  CHECK(adapted(design_with(network, 3, 1, 24)) == std::vector<int>{1});
}
