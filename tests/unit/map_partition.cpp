// Where networks are cut: balance, bandwidth, skip connections over several cuts, what is refused.
#include "catch2.hpp"
#include "map/chip_link.hpp"
#include "map/partition.hpp"
#include "random_network.hpp"

using namespace bitloom;
using namespace bitloom::test;

namespace {

const Budget kDevice{"test board", 20000, 40, 18432, 36, 25e6, 0.7, 100, 0, 1};

/// A stem, `blocks` residual blocks, a classifier.
Network residual(Random& random, int blocks) {
  NetworkBuilder net(random, {12, 12, 3}, ValueType::unsigned_bits(4));
  int here = net.convolution(16, square(3, 1, 1), ValueType::bipolar()).quantize(ValueType::unsigned_bits(2)).here();
  for (int i = 0; i < blocks; ++i) {
    net.from(here).convolution(16, square(3, 1, 1), ValueType::bipolar()).quantize(ValueType::unsigned_bits(2));
    const int main = net.convolution(16, square(3, 1, 1), ValueType::bipolar()).quantize(ValueType::unsigned_bits(2)).here();
    here = net.sum({main, here}, {1, 1}).quantize(ValueType::unsigned_bits(2)).here();
  }
  net.fully_connected(10, ValueType::bipolar()).argmax();
  return net.build();
}

}  // namespace

TEST_CASE("parts are contiguous, cover the network, fit their devices, and links keep up") {
  Random random(test_seed());
  const Network network = residual(random, 3);
  for (const int devices : {2, 3, 5}) {
    PartitionOptions options;
    options.devices = devices;
    const Plan plan = make_partition(network, kDevice, {0, 0, {}}, options);
    REQUIRE(plan.chips.size() == static_cast<std::size_t>(devices));
    std::size_t next = 0;
    for (std::size_t c = 0; c < plan.chips.size(); ++c) {
      const ChipPlan& chip = plan.chips[c];
      CHECK(chip.first == next);
      CHECK(chip.last > chip.first);
      next = chip.last;
      CHECK(chip.share <= 1);
      CHECK(chip.cost.lut4 <= 0.7 * 20000);
      CHECK(chip.cost.block_rams <= 40);
      for (std::size_t i = chip.first; i < chip.last; ++i) CHECK(plan.stages[i].chip == static_cast<int>(c));
    }
    CHECK(next == plan.stages.size());
    for (const ChipLink& link : plan.links) CHECK(link.clocks <= plan.clocks_per_image);
    CHECK(plan.links.back().to == 0);
  }
}

TEST_CASE("more devices are never slower, and one is make_plan's") {
  Random random(test_seed());
  const Network network = residual(random, 2);
  Budget device = kDevice;
  device.lut4 = 12000;  // small enough that not the links set the pace
  std::int64_t before = make_plan(network, device, {}).clocks_per_image;
  PartitionOptions options;
  options.devices = 1;
  CHECK(make_partition(network, device, {}, options).clocks_per_image == before);
  for (const int devices : {2, 4}) {
    options.devices = devices;
    const Plan plan = make_partition(network, device, {}, options);
    CHECK(plan.clocks_per_image <= before);
    before = plan.clocks_per_image;
  }
}

TEST_CASE("a cut goes between residual blocks rather than through one") {
  Random random(test_seed());
  const Network network = residual(random, 2);
  PartitionOptions options;
  options.devices = 2;
  const Plan plan = make_partition(network, kDevice, {0, 20000, {}}, options);
  REQUIRE(plan.links.size() == 2);  // one map, and the outputs
  CHECK(plan.links[0].map >= 0);
  CHECK(plan.links[1].map == -1);
}

TEST_CASE("a skip connection over several cuts crosses each of them once") {
  Random random(test_seed());
  NetworkBuilder net(random, {8, 8, 4}, ValueType::unsigned_bits(2));
  const int start = net.convolution(8, square(3, 1, 1), ValueType::bipolar()).quantize(ValueType::unsigned_bits(2)).here();
  for (int i = 0; i < 4; ++i) net.convolution(8, square(3, 1, 1), ValueType::bipolar()).quantize(ValueType::unsigned_bits(2));
  const int end = net.here();
  net.sum({end, start, start}, {1, 1, 2}).quantize(ValueType::unsigned_bits(2));
  const Network network = net.build();
  PartitionOptions options;
  options.devices = 6;
  const Plan plan = make_partition(network, kDevice, {0, 5000, {}}, options);
  std::vector<int> crossings(6, 0);
  for (const ChipLink& link : plan.links)
    if (link.map == start) ++crossings[static_cast<std::size_t>(link.from)];
  int cuts = 0;
  for (const int n : crossings) {
    CHECK(n <= 1);
    cuts += n;
  }
  CHECK(cuts >= 4);
}

TEST_CASE("auto takes as few devices as the network fits; a stage that fits none is named") {
  Random random(test_seed());
  const Network network = residual(random, 3);
  Budget small = kDevice;
  small.lut4 = static_cast<std::int64_t>(make_plan(network, kDevice, {0, 1 << 20}).cost.lut4);  // of which 70 % may be planned for: too few for the smallest plan
  PartitionOptions options;
  const Plan plan = make_partition(network, small, {}, options);
  REQUIRE(plan.chips.size() >= 2);
  options.devices = static_cast<int>(plan.chips.size()) - 1;
  if (options.devices > 1) CHECK_THROWS_WITH(make_partition(network, small, {}, options), contains_text("take "));
  Budget tiny = kDevice;
  tiny.lut4 = 300;
  options.devices = 0;
  CHECK_THROWS_WITH(make_partition(network, tiny, {}, options), contains_text("by itself"));
}

TEST_CASE("slow links set the pace, or are refused by name where it is asked for") {
  Random random(test_seed());
  const Network network = residual(random, 2);
  PartitionOptions options;
  options.devices = 2;
  options.link = {1, 8, 4};
  const Plan plan = make_partition(network, kDevice, {}, options);
  CHECK(plan.bottleneck.rfind("link", 0) == 0);
  CHECK_THROWS_WITH(make_partition(network, kDevice, {0, 1000, {}}, options), contains_text("--link-lanes"));
}

TEST_CASE("a link's words leave few lanes unused, and its buffers cover the way there and back") {
  const ChipLink link = make_chip_link({8, 1, 10}, 64, ValueType::unsigned_bits(2), 64 * 28 * 28, kDevice);
  CHECK(link.word_bits == 32);
  CHECK(link.words == 28 * 28 * 4);
  CHECK(link.frame_words == 32);
  CHECK(link.clocks == 98 * frame_clocks(link, 32));
  CHECK(link.depth * 8 >= 3 * frame_clocks(link, 16) + 20);
  const ChipLink slow = make_chip_link({8, 1, 10}, 64, ValueType::unsigned_bits(2), 64 * 28 * 28, kDevice, 1'000'000);
  CHECK(slow.depth == 64);  // and still four times as fast as needed
  CHECK(slow.sender.block_rams == 1);
  CHECK(slow.clocks * 4 <= 1'000'000);
  const ChipLink far = make_chip_link({8, 1, 1000}, 64, ValueType::unsigned_bits(2), 64 * 28 * 28, kDevice);
  CHECK(far.depth * 8 >= 2000);
  CHECK_THROWS_WITH(check_link_spec({0, 1, 1}), contains_text("1 to 8"));
}
