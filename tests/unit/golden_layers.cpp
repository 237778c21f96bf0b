// The golden model against values computed by hand.
#include <cmath>

#include "catch2.hpp"
#include "golden/golden.hpp"

using namespace bitloom;

namespace {

/// One layer between a map "in" and a map "out".
Network one_layer(MapShape in, ValueType in_type, LayerOp op, MapShape out, ValueType out_type) {
  Network network;
  network.name = "one";
  network.maps = {{"in", in, in_type}, {"out", out, out_type}};
  network.layers = {{"layer", "node", {0}, 1, std::move(op)}};
  const auto count = static_cast<std::size_t>(out.size());
  NetworkOutput output{
      "y", 1, {out.size()}, std::vector<std::int32_t>(count), std::vector<double>(count, 0.5), std::vector<double>(count, 1), true};
  for (std::size_t i = 0; i < count; ++i) output.order[i] = static_cast<std::int32_t>(i);
  network.outputs = {output};
  for (int i = 0; i < static_cast<int>(in.size()); ++i) network.input_order.push_back(i);
  return network;
}

std::vector<std::int32_t> run(const Network& network, std::vector<std::int32_t> values) {
  return Golden(network).run({network.maps[0].shape, std::move(values)})[1].values;
}

using Values = std::vector<std::int32_t>;

}  // namespace

TEST_CASE("a convolution sums weight times input over its window, zeros outside") {
  Convolution conv;
  conv.window.kernel_height = conv.window.kernel_width = 2;
  conv.window.pad_top = conv.window.pad_left = 1;
  conv.out_channels = 1;
  conv.weight_type = ValueType::signed_bits(4);
  conv.weights = {1, 2, 3, 4};
  const Network network = one_layer({2, 2, 1}, ValueType::unsigned_bits(4), conv, {2, 2, 1}, ValueType::signed_bits(8));
  // rows 1 2 / 3 4: bottom right tap first
  CHECK(run(network, {1, 2, 3, 4}) == Values{4, 3 + 8, 2 + 12, 1 * 1 + 2 * 2 + 3 * 3 + 4 * 4});
}

TEST_CASE("channels, groups, stride and dilation") {
  Convolution conv;
  conv.window.kernel_width = 2;
  conv.window.dilation_width = 2;
  conv.window.stride_width = 2;
  conv.out_channels = 2;
  conv.groups = 2;
  conv.weight_type = ValueType::signed_bits(3);
  conv.weights = {1, 2, 3, -1};  // output 0 reads channel 0, output 1 reads channel 1
  const Network network = one_layer({1, 5, 2}, ValueType::signed_bits(4), conv, {1, 2, 2}, ValueType::signed_bits(8));
  CHECK(run(network, {1, -1, 0, 0, 2, -2, 0, 0, 3, -3}) == Values{1 + 4, -3 + 2, 2 + 6, -6 + 3});
  conv.groups = 1;
  conv.weights = {1, 0, 0, 1, 2, 2, 0, 0};  // [k][s][c]
  const Network dense = one_layer({1, 5, 2}, ValueType::signed_bits(4), conv, {1, 2, 2}, ValueType::signed_bits(8));
  CHECK(run(dense, {1, -1, 0, 0, 2, -2, 0, 0, 3, -3}) == Values{1 - 2, 0, 2 - 3, 0});
}

TEST_CASE("thresholds rise or fall per channel, ties count as reached") {
  Threshold threshold;
  threshold.levels = 2;
  threshold.thresholds = {0, 5, 0, 5};
  threshold.falling = {0, 1};
  threshold.low = -1;
  const Network network = one_layer({3, 1, 2}, ValueType::signed_bits(8), threshold, {3, 1, 2}, ValueType::signed_bits(2));
  CHECK(run(network, {-1, -1, 0, 4, 5, 5}) == Values{-1, 1, 0, 0, 1, -1});
}

TEST_CASE("a max pool ignores padding, an argmax takes the first of equals") {
  MaxPool pool;
  pool.window.kernel_width = 2;
  pool.window.pad_left = 1;
  const Network network = one_layer({1, 3, 1}, ValueType::signed_bits(4), pool, {1, 3, 1}, ValueType::signed_bits(4));
  CHECK(run(network, {-3, -5, -4}) == Values{-3, -3, -4});
  const Network best = one_layer({1, 2, 3}, ValueType::signed_bits(4), ArgMax{}, {1, 2, 1}, ValueType::unsigned_bits(2));
  CHECK(run(best, {1, 3, 3, -2, -2, -7}) == Values{1, 0});
}

TEST_CASE("bipolar maps, real outputs and saturating pixels") {
  Convolution conv;
  conv.weight_type = ValueType::bipolar();
  conv.weights = {1, -1, 1};
  Network network = one_layer({1, 1, 3}, ValueType::bipolar(), conv, {1, 1, 1}, ValueType::signed_bits(3));
  CHECK(run(network, {-1, -1, 1}) == Values{1});
  CHECK(real_output(network.outputs[0], {{1, 1, 1}, {3}}) == std::vector<double>{2.5});
  network.maps[0].type = ValueType::unsigned_bits(5);
  network.input_order = {2, 1, 0};
  CHECK(network_input(network, {40, 7, -1}).values == Values{0, 7, 31});
  CHECK_THROWS_WITH(network_input(network, {1}), contains_text("takes 3"));
}

TEST_CASE("values outside their type are reported with the layer's name") {
  Convolution conv;
  conv.weight_type = ValueType::unsigned_bits(1);
  conv.weights = {1, 1};
  const Network network = one_layer({1, 1, 2}, ValueType::unsigned_bits(4), conv, {1, 1, 1}, ValueType::unsigned_bits(4));
  CHECK(run(network, {7, 8}) == Values{15});
  CHECK_THROWS_WITH(run(network, {8, 8}), contains_text("layer: computed 16"));
  CHECK_THROWS_WITH(run(network, {16, 0}), contains_text("in: 16 is not a value of type u4"));
  CHECK_THROWS_WITH(run(network, {1}), contains_text("1x1x2 values expected"));
  Network broken = network;
  broken.layers[0].inputs = {1};
  CHECK_THROWS_AS(Golden(broken), Error);
}

TEST_CASE("a convolution starts from its bias") {
  Convolution conv;
  conv.out_channels = 2;
  conv.weight_type = ValueType::signed_bits(2);
  conv.weights = {1, -1};
  conv.bias = {10, -3};
  const Network network = one_layer({1, 1, 1}, ValueType::unsigned_bits(4), conv, {1, 1, 2}, ValueType::signed_bits(8));
  CHECK(run(network, {5}) == Values{15, -8});
}

TEST_CASE("a requantize multiplies, adds, shifts down and clamps per channel") {
  const Requantize requantize{{3, -3}, {2, 0}, 2, -2, 4};
  const Network network = one_layer({3, 1, 2}, ValueType::signed_bits(8), requantize, {3, 1, 2}, ValueType::signed_bits(4));
  // (3*1+2)/4 = 1.25, (3*-1+2)/4 = -0.25, 32/4 = 8; -3/4 = -0.75, 3/4, -30/4 = -7.5: rounded down, then held in -2 .. 4
  CHECK(run(network, {1, 1, -1, -1, 10, 10}) == Values{1, -1, -1, 0, 4, -2});
}

TEST_CASE("an add and a concat scale every input, an upsample repeats") {
  Network network = one_layer({1, 2, 2}, ValueType::signed_bits(4), Add{{2, -1}}, {1, 2, 2}, ValueType::signed_bits(6));
  network.layers[0].inputs = {0, 0};
  CHECK(run(network, {1, -2, 3, 4}) == Values{1, -2, 3, 4});
  network = one_layer({1, 2, 2}, ValueType::signed_bits(4), Concat{{1, 3}}, {1, 2, 4}, ValueType::signed_bits(6));
  network.layers[0].inputs = {0, 0};
  CHECK(run(network, {1, -2, 3, 4}) == Values{1, -2, 3, -6, 3, 4, 9, 12});
  network.layers[0].inputs = {0};
  CHECK_THROWS_WITH(Golden(network), contains_text("two or more inputs"));
  const Network up = one_layer({1, 2, 2}, ValueType::signed_bits(4), Upsample{2, 3}, {2, 6, 2}, ValueType::signed_bits(4));
  CHECK(run(up, {1, 2, 3, 4}) == Values{1, 2, 1, 2, 1, 2, 3, 4, 3, 4, 3, 4, 1, 2, 1, 2, 1, 2, 3, 4, 3, 4, 3, 4});
}

TEST_CASE("an output's function is applied to all its elements") {
  Network network = one_layer({1, 1, 2}, ValueType::signed_bits(4), Concat{{1, 1}}, {1, 1, 4}, ValueType::signed_bits(4));
  NetworkOutput output = network.outputs[0];
  const MapData map{{1, 1, 4}, {0, 2, 2, 0}};  // read as 1, 2, 2, 1
  output.function = "Softmax";
  CHECK(real_output(output, map)[1] == Catch::Approx(1 / (2 + 2 * std::exp(-1.0))));
  output.function = "LogSoftmax";
  CHECK(real_output(output, map)[1] == Catch::Approx(-std::log(2 + 2 * std::exp(-1.0))));
  output.function = "Sigmoid";
  CHECK(real_output(output, map)[0] == Catch::Approx(1 / (1 + std::exp(-1.0))));
}
