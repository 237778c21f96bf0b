// Layers in slices of their output channels: the same values, and the places where chips are cut.
#include "catch2.hpp"
#include "golden/golden.hpp"
#include "map/layer_split.hpp"
#include "map/partition.hpp"
#include "random_network.hpp"

using namespace bitloom;
using namespace bitloom::test;

namespace {

const Budget kDevice{"test board", 20000, 40, 18432, 36, 25e6, 0.7, 100, 0, 1};

/// A layer with thresholds, one whose sums go on unquantized to a skip connection's addition, one behind a flattened map.
Network three_kinds(Random& random) {
  NetworkBuilder net(random, {6, 6, 3}, ValueType::unsigned_bits(4));
  const int first = net.convolution(8, square(3, 1, 1), ValueType::bipolar()).quantize(ValueType::unsigned_bits(2)).here();
  const int sums = net.convolution(8, square(3, 1, 1), ValueType::signed_bits(2)).here();
  net.sum({sums, first}, {1, 1}).quantize(ValueType::unsigned_bits(2));
  net.fully_connected(12, ValueType::bipolar());
  return net.build();
}

std::vector<std::string> convolutions(const Network& network) {
  std::vector<std::string> names;
  for (const Layer& layer : network.layers)
    if (std::holds_alternative<Convolution>(layer.op)) names.push_back(layer.name);
  return names;
}

}  // namespace

TEST_CASE("a split layer makes the values of the whole one") {
  Random random(test_seed());
  const Network whole = three_kinds(random);
  const std::vector<std::string> names = convolutions(whole);
  REQUIRE(names.size() == 3);
  const LayerSplits splits = {{names[0], {3, 5}}, {names[1], {4, 2, 2}}, {names[2], {1, 11}}};
  const Network split = split_layers(whole, splits);
  CHECK(convolutions(split).size() == 7);
  const Golden golden(whole), sliced(split);
  for (int i = 0; i < 10; ++i) {
    const MapData image = random_map(random, whole.maps[static_cast<std::size_t>(whole.input)]);
    const std::vector<MapData> expected = golden.run(image), found = sliced.run(image);
    for (std::size_t map = 0; map < whole.maps.size(); ++map)
      if (expected[map].shape == found[map].shape) CHECK(expected[map] == found[map]);  // all but accumulators that are in slices now
    const auto out = static_cast<std::size_t>(whole.outputs[0].map);
    CHECK(expected[out] == found[out]);
  }
}

TEST_CASE("a layer is split no finer than asked for, and only where it can be") {
  Random random(test_seed());
  const Network network = three_kinds(random);
  CHECK(equal_splits(network, kDevice, 40).empty());
  Budget small = kDevice;
  small.block_bits = 64;
  const LayerSplits splits = equal_splits(network, small, 4);  // 256 bits a slice: 216, 1,152 and 3,456 bits
  CHECK(splits.count(convolutions(network)[0]) == 0);
  CHECK(splits.at(convolutions(network)[1]) == std::vector<int>(8, 1));
  CHECK(splits.at(convolutions(network)[2]) == std::vector<int>(12, 1));

  NetworkBuilder grouped(random, {6, 6, 4}, ValueType::unsigned_bits(4));
  const Network groups = grouped.convolution(8, square(3, 1, 1), ValueType::bipolar(), 2).build();
  CHECK(equal_splits(groups, small, 1).empty());
  CHECK_THROWS_WITH(split_layers(groups, {{convolutions(groups)[0], {4, 4}}}), contains_text("cannot be split"));
  CHECK_THROWS_WITH(split_layers(network, {{convolutions(network)[0], {4, 5}}}), contains_text("add up to 8"));
  CHECK_THROWS_WITH(split_layers(network, {{"no such layer", {4, 4}}}), contains_text("has not all the layers"));
}

TEST_CASE("slices that end up on one chip become one") {
  Random random(test_seed());
  const Network network = three_kinds(random);
  const std::string name = convolutions(network)[1];
  const LayerSplits splits = {{name, {2, 2, 2, 2}}, {convolutions(network)[0], {4, 4}}};
  PartitionOptions two;
  two.devices = 2;
  Plan plan = make_partition(split_layers(network, splits), kDevice, {}, two);
  for (Stage& stage : plan.stages) stage.chip = stage.name == name + "_slice3" ? 1 : 0;
  CHECK(merged_splits(splits, plan) == LayerSplits{{name, {6, 2}}});
}
