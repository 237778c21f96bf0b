#include "catch2.hpp"
#include "map/plan.hpp"
#include "map/raw.hpp"
#include "random_network.hpp"

using namespace bitloom;
using namespace bitloom::test;

namespace {

Network small(Random& random) {
  ChainBuilder chain(random, {8, 8, 1}, ValueType::unsigned_bits(5));
  chain.convolution(16, square(3, 1, 1), ValueType::bipolar()).quantize(ValueType::bipolar());
  chain.convolution(16, square(3), ValueType::bipolar()).quantize(ValueType::bipolar()).max_pool(square(2, 2));
  chain.fully_connected(10, ValueType::bipolar()).argmax();
  return chain.build();
}

const Budget kBudget{"test board", 5280, 30, 4096, 16, 12e6, 0.6};

}  // namespace

TEST_CASE("a plan takes the folding that the clock budget asks for, and never more than the device has") {
  Random random(test_seed());
  const Network network = small(random);
  const Plan fastest = make_plan(network, kBudget, {});
  CHECK(fastest.cost.lut4 <= 0.6 * 5280);
  CHECK(fastest.cost.block_rams <= 30);
  const Plan slow = make_plan(network, kBudget, {0, 50000});
  CHECK(slow.clocks_per_image <= 50000);
  CHECK(slow.cost.lut4 <= fastest.cost.lut4);
  std::int64_t slowest = 0;
  for (const Stage& stage : fastest.stages) slowest = std::max(slowest, stage.clocks);
  CHECK(fastest.clocks_per_image >= slowest);
  CHECK(fastest.stages.size() == 5);
  CHECK(fastest.stages[3].in_shape == MapShape{1, 1, 144});  // the fully connected layer sees one pixel
  CHECK(make_plan(network, kBudget, {500, 0}).clocks_per_image <= 24000);
}

TEST_CASE("what does not fit is refused with the resource that binds") {
  Random random(test_seed());
  const Network network = small(random);
  CHECK_THROWS_WITH(make_plan(network, kBudget, {0, 250}), contains_text("LUT4"));
  CHECK_THROWS_WITH(make_plan(network, kBudget, {0, 3}), contains_text("cannot be reached"));
  Budget tiny = kBudget;
  tiny.lut4 = 100;
  CHECK_THROWS_WITH(make_plan(network, tiny, {}), contains_text("does not fit test board"));
}

TEST_CASE("what the hardware does not do yet is refused by the layer's name") {
  Random random(test_seed());
  Network grouped = small(random);
  auto& conv = std::get<Convolution>(grouped.layers[2].op);
  conv.groups = 2;
  conv.weights.resize(conv.weights.size() / 2);
  CHECK_THROWS_WITH(make_plan(grouped, kBudget, {}), contains_text("conv2") && contains_text("groups"));
}

TEST_CASE("layers without a module are refused by their kind") {
  Random random(test_seed());
  Network network = small(random);
  Layer& last = network.layers.back();
  const FeatureMap scores = network.input_of(last);
  FeatureMap& out = network.maps[static_cast<std::size_t>(last.output)];
  out = {out.name, scores.shape, scores.type};
  NetworkOutput& output = network.outputs.front();
  output.order.assign(10, 0), output.scale.assign(10, 1), output.offset.assign(10, 0);
  last.op = Upsample{1, 1};
  CHECK_THROWS_WITH(make_plan(network, kBudget, {}), contains_text("no module for a layer of kind upsample"));
  last.op = Requantize{std::vector<std::int64_t>(10, 1), std::vector<std::int64_t>(10, 0), 0, 0, 1};
  CHECK_THROWS_WITH(make_plan(network, kBudget, {}), contains_text("of kind requantize"));
}

TEST_CASE("a bias is part of what separates the raw accumulator from the sum") {
  Convolution conv;
  conv.out_channels = 2;
  conv.weight_type = ValueType::signed_bits(4);
  conv.weights = {3, -2};
  conv.bias = {7, -100};
  const RawAccumulator raw = raw_accumulator(conv, ValueType::unsigned_bits(4));
  CHECK(raw.beta == std::vector<std::int64_t>{7, -100});
  CHECK(raw.raw_threshold(10, 0) == 3);  // raw + 7 >= 10
}
