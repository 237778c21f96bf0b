// Sums, concatenations, upsampling and the functions behind an output: tables by hand, golden against the float executor, refusals.
#include "lower_build.hpp"

using namespace bitloom;
using namespace bitloom::testing;
using Longs = std::vector<std::int64_t>;

namespace {

Tensor floats(std::vector<std::int64_t> shape, std::vector<float> values) { return Tensor::floats(std::move(shape), std::move(values)); }

/// A quantizer on any value.
std::string quant(Build& build, const std::string& input, float scale, float bits, bool is_signed) {
  return build.add("Quant", {input, build.scalar(scale), build.scalar(0), build.scalar(bits)}, Build::quant_attributes(is_signed));
}

std::string conv(Build& build, std::mt19937_64& random, const std::string& input, std::vector<std::int64_t> shape, float scale) {
  return build.add("Conv", {input, build.weights(random_tensor(random, std::move(shape), -4, 4), scale, 3)});
}

}  // namespace

TEST_CASE("a sum of two scales takes their common unit") {
  Build build({1, 2});
  const std::string a = quant(build, "x", 3, 4, false), b = quant(build, "x", 2, 3, false);
  build.last = build.add("Add", {a, b});
  const Network network = check_equal(build.done());
  CHECK(layer_op<Add>(network, 2).scale == Longs{3, 2});
  CHECK(network.outputs[0].scale[0] == 1.0);
  CHECK(network.maps.back().type == ValueType::unsigned_bits(6));  // 3 * 15 + 2 * 7 = 59
  build.last = build.add("Sub", {a, b});
  CHECK(layer_op<Add>(check_equal(build.done()), 2).scale == Longs{3, -2});
}

TEST_CASE("a sum of one value with itself, and of convolutions with whole biases") {
  Build twice({1, 1});
  const std::string q = quant(twice, "x", 1, 4, false);
  twice.last = twice.add("Add", {q, q});
  CHECK(layer_op<Add>(check_equal(twice.done()), 0).scale == Longs{1, 1});

  std::mt19937_64 random(3);
  Build build({1, 2, 4, 4});
  const std::string in = quant(build, "x", 16, 4, false);
  const std::string left = build.add("Add", {conv(build, random, in, {3, 2, 1, 1}, 1), build.constant(floats({3, 1, 1}, {16, -32, 0}))});
  build.last = build.add("Add", {left, conv(build, random, in, {3, 2, 1, 1}, 0.5F)});
  build.quant(64, 4, true);
  const Network network = check_equal(build.done());
  CHECK(layer_op<Convolution>(network, 1).bias == Longs{1, -2, 0});
  CHECK(layer_op<Add>(network, 3).scale == Longs{2, 1});
}

TEST_CASE("joins without an exact integer form are refused with the reason") {
  Build build({1, 2});
  const std::string a = quant(build, "x", 0.3F, 4, false), b = quant(build, "x", 0.7123F, 3, false);
  build.last = build.add("Add", {a, b});
  CHECK_THROWS_WITH(lower(build.done()), contains_text("no exact integer form"));
  build.graph.nodes.pop_back();
  build.last = build.add("Mul", {a, b});
  CHECK_THROWS_WITH(lower(build.done()), contains_text("of such nodes Add, Sub and Concat"));
  build.graph.nodes.pop_back();
  build.last = build.add("Concat", {a, build.constant(floats({1, 1}, {1}))}, {{"axis", std::int64_t{1}}});
  CHECK_THROWS_WITH(lower(build.done()), contains_text("Concat on a feature map has no integer layer"));
  Build shapes({1, 1, 4, 4});
  const std::string whole = quant(shapes, "x", 1, 4, false);
  const std::string half = shapes.add("MaxPool", {whole}, {{"kernel_shape", Longs{2, 2}}, {"strides", Longs{2, 2}}});
  shapes.last = shapes.add("Concat", {whole, half}, {{"axis", std::int64_t{1}}});
  CHECK_THROWS_WITH(lower(shapes.done()), contains_text("4x4 and 2x2 pixels"));
}

TEST_CASE("random networks that fork, join and grow") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    INFO("graph of seed " << seed);
    std::mt19937_64 random(seed);
    const auto pick = [&](int low, int high) { return std::uniform_int_distribution<int>(low, high)(random); };
    const auto power = [&] { return std::ldexp(1.0F, pick(-2, 2)); };
    Build build({1, pick(1, 3), pick(2, 5), pick(2, 5)});
    const std::int64_t channels = build.graph.inputs[0].shape[1];
    const std::string in = quant(build, "x", 16 * power(), 4, false);
    const std::int64_t outputs = pick(1, 4);
    const std::string a = quant(build, conv(build, random, in, {outputs, channels, 1, 1}, power()), 8 * power(), 4, pick(0, 1) == 1);
    const std::string b = quant(build, conv(build, random, in, {outputs, channels, 1, 1}, power()), 8 * power(), 3, true);
    std::string joined;
    if (pick(0, 1) == 1)
      joined = build.add(pick(0, 1) == 1 ? "Add" : "Sub", {a, b});
    else
      joined = build.add("Concat", {a, in, b}, {{"axis", std::int64_t{pick(0, 1) == 1 ? 1 : -3}}});
    if (pick(0, 1) == 1) {
      const Tensor scales = floats({4}, {1, 1, static_cast<float>(pick(1, 3)), static_cast<float>(pick(1, 3))});
      joined = build.add("Resize", {joined, "", build.constant(scales)},
                         {{"mode", std::string("nearest")},
                          {"coordinate_transformation_mode", std::string(pick(0, 1) == 1 ? "asymmetric" : "half_pixel")},
                          {"nearest_mode", std::string(pick(0, 1) == 1 ? "floor" : "round_prefer_floor")}});
      // Only these pairs repeat values evenly.
      Node& node = build.graph.nodes.back();
      node.attributes["nearest_mode"] =
          std::string(node.string_attribute("coordinate_transformation_mode", "") == "asymmetric" ? "floor" : "round_prefer_floor");
    }
    build.last = quant(build, joined, 8 * power(), 4, true);
    if (pick(0, 1) == 1) build.then("MaxPool", {}, {{"kernel_shape", Longs{2, 1}}});
    Network network;
    REQUIRE_NOTHROW(network = check_equal(build.done(), {}, 6, seed));
  }
}

TEST_CASE("the host applies what ends a classifier, and an argmax ignores it") {
  for (const char* function : {"Softmax", "LogSoftmax", "Sigmoid"}) {
    Build build({1, 4});
    build.matmul(floats({4, 3}, {1, -1, 1, 1, 1, -1, -1, 1, 1, 1, 1, 1}), 0.0625F, 1).then(function);
    const Network network = check_equal(build.done());
    CHECK(network.outputs[0].function == function);
    CHECK(network.outputs[0].exact_order);
    build.then("ArgMax", {}, {{"axis", std::int64_t{1}}});
    if (function == std::string("Sigmoid"))
      CHECK_THROWS_WITH(lower(build.done()), contains_text("saturates"));
    else
      CHECK(check_equal(build.done()).outputs[0].function.empty());
  }
  Build inside({1, 4});
  inside.matmul(floats({4, 2}, {1, 1, 1, 1, 1, 1, 1, 1}), 1, 1).then("Softmax").quant(0.25F, 2, false);
  CHECK_THROWS_WITH(lower(inside.done()), contains_text("supported as the last node"));
}

TEST_CASE("pixels may be signed, and maps may have their channels last") {
  LowerOptions options;
  options.input_type = ValueType::signed_bits(8);
  Build build({1, 6, 5, 2});
  build.graph.inputs[0].shape = {1, 6, 5, 2};
  build.then("Transpose", {}, {{"perm", Longs{0, 3, 1, 2}}}).conv(floats({1, 2, 1, 1}, {1, -1}), 1, 1);
  const Network network = lower(build.done(), options);
  CHECK(network.maps[0].type == ValueType::signed_bits(8));
  CHECK(network.maps[0].shape == MapShape{6, 5, 2});
  CHECK(network.input_rule.type == ValueType::signed_bits(8));
  std::vector<std::int32_t> pixels(60, 0);
  pixels[2 * 7] = -100, pixels[2 * 7 + 1] = 27;
  CHECK(golden_output(Golden(network), pixels)[7] == -127);
  build.graph.inputs[0].is_float = false;
  build.graph.inputs[0].type = ElementType::Uint8;
  CHECK_THROWS_WITH(lower(build.done(), options), contains_text("s8 does not fit"));
}
