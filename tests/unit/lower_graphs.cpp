// Lowering of hand-made graphs: tables against hand computation, golden against the float executor, and what is refused.
#include "lower_build.hpp"

using namespace bitloom;
using namespace bitloom::testing;
using Longs = std::vector<std::int64_t>;

namespace {
Tensor floats(std::vector<std::int64_t> shape, std::vector<float> values) { return Tensor::floats(std::move(shape), std::move(values)); }
LowerOptions bits(int n) {
  LowerOptions options;
  options.input_bits = n;
  return options;
}
}  // namespace

TEST_CASE("thresholds stand where the quantizer's rounding puts them, ties included") {
  // acc = p0 + p1 with 4-bit pixels, then Quant scale 2: halves go to the even code.
  Build build({1, 2});
  build.matmul(floats({2, 1}, {1, 1}), 1, 1).quant(2, 2, false);
  const Network network = check_equal(build.done(), bits(4), 50);
  const auto& table = layer_op<Threshold>(network, 1);
  CHECK(table.thresholds == Longs{2, 3, 6});  // 1/2 -> 0, 2/2 -> 1, 3/2 -> 2, 5/2 -> 2, 6/2 -> 3
}

TEST_CASE("rounding modes move the thresholds") {
  const auto thresholds = [](const std::string& mode) {
    Build build({1, 1});
    build.matmul(floats({1, 1}, {1}), 1, 1).quant(4, 2, false, false, 0, mode);
    return layer_op<Threshold>(check_equal(build.done(), bits(4)), 1).thresholds;
  };
  CHECK(thresholds("FLOOR") == Longs{4, 8, 12});
  CHECK(thresholds("CEIL") == Longs{1, 5, 9});
  CHECK(thresholds("ROUND") == Longs{3, 6, 11});  // 2/4 -> 0 and 10/4 -> 2 (to even), 6/4 -> 2
  CHECK(thresholds("HALF_UP") == Longs{2, 6, 10});
  CHECK(thresholds("HALF_DOWN") == Longs{3, 7, 11});
}

TEST_CASE("falling and constant channels of a batch normalization") {
  Build build({1, 3});
  build.matmul(floats({3, 3}, {1, 1, 1, 1, 1, 1, 1, 1, 1}), 1, 1);
  build.then("BatchNormalization", {floats({3}, {1, -1, 0}), floats({3}, {0, 0, 0.7F}), floats({3}, {10, 10, 3}), floats({3}, {1, 1, 1})},
             {{"epsilon", 0.0F}});
  build.bipolar();
  const Network network = check_equal(build.done(), bits(3), 50);
  const auto& table = layer_op<Threshold>(network, 1);
  CHECK(network.maps.back().type.is_bipolar());
  CHECK(table.thresholds == Longs{10, 11, 0});  // rising from 10; falling: +1 up to and with 10; constant +1: reached at the lowest sum
  CHECK(table.falling == std::vector<std::uint8_t>{0, 1, 0});
  CHECK(network.maps[1].type == ValueType::unsigned_bits(5));  // 3 pixels of 0..7
}

TEST_CASE("never reached thresholds stand one above the range") {
  Build build({1, 1});
  build.matmul(floats({1, 2}, {1, 1}), 1, 1).then("Add", {floats({2}, {-100, 0})}).quant(1, 4, false);
  const Threshold table = layer_op<Threshold>(check_equal(build.done(), bits(2)), 1);
  CHECK(table.levels == 3);  // levels that no channel reaches are left out
  CHECK(table.thresholds == Longs{4, 4, 4, 1, 2, 3});
}

TEST_CASE("pixels: an identity quantizer narrows the input, others become a threshold layer") {
  Build identity({1, 1, 2, 2});
  identity.quant(1, 5, false).conv(floats({1, 1, 1, 1}, {1}), 1, 1);
  const Network narrow = lower(identity.done());
  CHECK(narrow.maps[0].type == ValueType::unsigned_bits(5));
  CHECK(narrow.layers.size() == 1);
  LowerOptions options;
  options.input_scale = 2.0 / 255;
  options.input_shift = -1;
  Build scaled({1, 1, 2, 2});
  scaled.quant(1.0F / 128, 8, true).conv(floats({1, 1, 1, 1}, {1}), 1, 1);
  const Network table = check_equal(scaled.done(), options);
  REQUIRE(table.layers.size() == 2);
  // CNV's rule: q = min(127, p - 128 + (p >= 128))
  const Golden golden(table);
  for (int p = 0; p < 256; ++p)
    CHECK(golden.run(network_input(table, {p, 0, 0, 0}))[1].values[0] == std::min(127, p - 128 + (p >= 128 ? 1 : 0)));
}

TEST_CASE("a bipolar map that is padded is carried as signed values") {
  Build build({1, 1, 4, 4});
  build.then("Sub", {floats({}, {100})}).bipolar();
  build.then("MaxPool", {}, {{"kernel_shape", Longs{2, 2}}});
  build.conv(floats({2, 1, 3, 3}, {1, -1, 1, -1, 1, -1, 1, -1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}), 1, 1, {{"pads", Longs{1, 1, 1, 1}}});
  const Network network = check_equal(build.done());
  CHECK(network.maps[1].type == ValueType::signed_bits(2));
  CHECK(network.maps[2].type == ValueType::signed_bits(2));
  const auto& table = layer_op<Threshold>(network, 0);
  CHECK((table.low == -1 && table.step == 2 && table.levels == 1));
}

TEST_CASE("a fully connected layer reads a flattened map as one kernel") {
  std::mt19937_64 random(7);
  Build build({1, 2, 3, 4});
  build.conv(random_tensor(random, {3, 2, 2, 2}, -3, 3), 1, 3).quant(4, 3, false).then("Flatten");
  build.matmul(random_tensor(random, {18, 5}, -3, 3), 1, 3);
  const Network network = check_equal(build.done());
  const auto& fc = layer_op<Convolution>(network, 2);
  CHECK((fc.window.kernel_height == 2 && fc.window.kernel_width == 3 && fc.out_channels == 5));
}

TEST_CASE("a max pool in front of the quantizer moves behind it") {
  std::mt19937_64 random(3);
  Build build({1, 1, 5, 5});
  build.conv(random_tensor(random, {2, 1, 2, 2}, -3, 3), 0.25F, 3);
  build.then("BatchNormalization", {floats({2}, {1, -0.5F}), floats({2}, {1, 2}), floats({2}, {3, -3}), floats({2}, {9, 4})});
  build.then("MaxPool", {}, {{"kernel_shape", Longs{2, 2}}, {"strides", Longs{2, 2}}}).then("Relu").quant(8, 4, false);
  const Network network = check_equal(build.done());
  CHECK(kind_name(network.layers[1].op) == "threshold");
  CHECK(kind_name(network.layers[2].op) == "max_pool");
  Build falls({1, 1, 4, 4});
  falls.conv(floats({1, 1, 1, 1}, {1}), 1, 1).then("MaxPool", {}, {{"kernel_shape", Longs{2, 2}}}).then("Neg").quant(8, 4, true);
  CHECK_THROWS_WITH(lower(falls.done()), contains_text("MaxPool") && contains_text("falls where its input rises"));
}

TEST_CASE("values on a grid need no quantizer of QONNX: rounding, clipping, activations after a quantizer") {
  Build build({1, 2});
  build.matmul(floats({2, 2}, {1, -1, 1, 1}), 1, 1)
      .then("Mul", {floats({}, {0.125F})})
      .then("Round")
      .then("Clip", {floats({}, {0}), floats({}, {15})});
  build.matmul(floats({2, 1}, {1, -1}), 1, 1);
  const Network network = check_equal(build.done());
  CHECK(kind_name(network.layers[1].op) == "threshold");
  CHECK(network.maps[2].type == ValueType::unsigned_bits(4));
  // x + 1 over 2, with x = 2 p - 1: exactly p.
  Build cancel({1, 3});
  cancel.then("Add", {floats({}, {1})}).then("Div", {floats({}, {2})}).matmul(floats({3, 2}, {1, 1, -1, 1, -1, -1}), 0.5F, 1).bipolar();
  LowerOptions options = bits(1);
  options.input_scale = 2;
  options.input_shift = -1;
  CHECK(check_equal(cancel.done(), options).layers.size() == 2);
}

TEST_CASE("average pools, MultiThreshold, Sign, Gemm, flat and channels-last inputs, one dimension") {
  std::mt19937_64 random(5);
  Build average({1, 2, 4, 4});
  average.quant(1, 8, false).then("AveragePool", {}, {{"kernel_shape", Longs{2, 2}}, {"strides", Longs{2, 2}}}).quant(1, 8, false);
  average.then("GlobalAveragePool");
  check_equal(average.done());
  Build multi({1, 1, 3, 3});
  multi.conv(random_tensor(random, {2, 1, 2, 2}, -1, 1), 1, 1);
  multi.then("MultiThreshold", {floats({2, 2}, {-50, 50, 0, 100})}, {{"out_bias", -1.0F}});
  multi.conv(random_tensor(random, {2, 2, 2, 2}, -2, 2), 1, 2).then("Sign");
  check_equal(multi.done());
  Build gemm({1, 4});
  const std::string weights = gemm.weights(random_tensor(random, {3, 4}, -1, 1), 0.5F, 1);
  gemm.last = gemm.add("Gemm", {gemm.last, weights, gemm.constant(floats({3}, {1, 2, 3}))}, {{"transB", std::int64_t{1}}, {"alpha", 2.0F}});
  check_equal(gemm.done());
  Build flat({1, 16});
  flat.then("Reshape", {Tensor::ints({4}, {1, 1, 4, 4})}).conv(random_tensor(random, {2, 1, 3, 3}, -1, 1), 1, 1);
  check_equal(flat.done());
  Build last({1, 3, 4, 2});
  last.then("Transpose", {}, {{"perm", Longs{0, 3, 1, 2}}}).conv(random_tensor(random, {2, 2, 2, 2}, -1, 1), 1, 1);
  CHECK(check_equal(last.done()).maps[0].shape == MapShape{3, 4, 2});
  Build line({1, 2, 9});
  line.conv(random_tensor(random, {3, 2, 3}, -3, 3), 1, 3, {{"pads", Longs{1, 1}}})
      .quant(16, 3, true)
      .then("MaxPool", {}, {{"kernel_shape", Longs{2}}});
  check_equal(line.done());
}

TEST_CASE("outputs: argmax of the model or asked for, order, refusal where it is not exact") {
  Build build({1, 4});
  build.matmul(floats({4, 3}, {1, -1, 1, 1, 1, -1, -1, 1, 1, 1, 1, 1}), 0.5F, 1);
  LowerOptions options = bits(4);
  options.argmax = true;
  const Network network = lower(build.done(), options);
  CHECK(kind_name(network.layers.back().op) == "argmax");
  CHECK(network.outputs[0].shape == Longs{1});
  Build own = build;
  own.then("ArgMax", {}, {{"axis", std::int64_t{1}}, {"keepdims", std::int64_t{0}}});
  CHECK(check_equal(own.done(), options, 50).layers.size() == 2);
  Build biased = build;
  biased.then("Add", {floats({3}, {0, 1, 0.25F})});  // 0.25 is half of a step of the sums
  CHECK(!check_equal(biased.done(), bits(4)).outputs[0].exact_order);
  CHECK_THROWS_WITH(lower(biased.done(), options), contains_text("differently per class"));
  Build whole = build;
  whole.then("Add", {floats({3}, {0, 1, -2.5F})});
  const Network with_bias = check_equal(whole.done(), bits(4));
  CHECK(with_bias.outputs[0].exact_order);
  CHECK(layer_op<Convolution>(with_bias, 0).bias == Longs{0, 2, -5});
  Build top({1, 4});
  top.matmul(floats({4, 2}, {1, -1, 1, 1, 1, -1, -1, 1}), 1, 1);
  Node node;
  node.name = "top";
  node.op = "TopK";
  node.inputs = {top.last, top.constant(Tensor::ints({1}, {1}))};
  node.outputs = {"values", "indices"};
  top.graph.nodes.push_back(node);
  top.last = "indices";
  check_equal(top.done(), bits(4), 50);
  top.last = "values";
  CHECK_THROWS_WITH(lower(top.done()), contains_text("output 0 of top (TopK)"));
}

TEST_CASE("what cannot be exact is refused with node and reason") {
  std::mt19937_64 random(9);
  Build residual({1, 1, 3, 3});
  residual.quant(1, 4, false);
  residual.last = residual.add("Mul", {residual.last, residual.last});
  CHECK_THROWS_WITH(lower(residual.done()), contains_text("joins 2 feature maps"));
  Build folded({1, 2});
  folded.matmul(floats({2, 1}, {1, 1}), 1, 1).then("Sub", {floats({}, {200})}).then("Abs").quant(8, 4, false);
  CHECK_THROWS_WITH(lower(folded.done()), contains_text("rise and fall"));
  Build real({1, 2});
  real.last = real.add("MatMul", {real.last, real.constant(floats({2, 2}, {0.3F, 0.7F, 1.1F, 2.3F}))});
  CHECK_THROWS_WITH(lower(real.done()), contains_text("not an integer times a scale"));
  Build wide({1, 2});
  wide.matmul(floats({2, 2}, {1, 1, 1, 1}), 0.3F, 1).then("Add", {floats({2}, {0.1F, 0.77F})}).matmul(floats({2, 2}, {1, 1, 1, 1}), 1, 1);
  CHECK_THROWS_WITH(lower(wide.done()), contains_text("is not quantized after"));
  Build pixelwise({1, 1, 2, 2});
  pixelwise.then("Add", {floats({1, 1, 2, 2}, {1, 2, 3, 4})}).quant(1, 4, false);
  CHECK(check_equal(pixelwise.done()).maps[0].shape == MapShape{1, 1, 4});  // every value a channel
  pixelwise.conv(floats({1, 1, 1, 1}, {1}), 1, 1);
  CHECK_THROWS_WITH(lower(pixelwise.done()), contains_text("differs between positions"));
  Build curve({1, 2});
  curve.matmul(floats({2, 2}, {1, 1, 1, 1}), 1, 1).then("Relu");
  CHECK_THROWS_WITH(lower(curve.done()), contains_text("no straight line"));
  Build open({1, -1});
  CHECK_THROWS_WITH(lower(open.then("Relu").done()), contains_text("unknown"));
  Build moved({1, 2, 3, 3});
  moved.quant(2, 4, false).then("Transpose", {}, {{"perm", Longs{0, 1, 3, 2}}}).conv(random_tensor(random, {2, 2, 2, 2}, -1, 1), 1, 1);
  CHECK_THROWS_WITH(lower(moved.done()), contains_text("axes rearranged"));
  LowerOptions options;
  options.input_bits = 40;
  CHECK_THROWS_WITH(lower(curve.done(), options), contains_text("bits per pixel"));
}
