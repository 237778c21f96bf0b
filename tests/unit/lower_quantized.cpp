// RequantShift, integer chains, QDQ and the products of quantized tensors, against the float executor and against hand computation.
#include <algorithm>

#include "lower/context.hpp"
#include "lower_build.hpp"

using namespace bitloom;
using namespace bitloom::testing;
using Longs = std::vector<std::int64_t>;

namespace {

Tensor floats(std::vector<std::int64_t> shape, std::vector<float> values) { return Tensor::floats(std::move(shape), std::move(values)); }

Tensor codes(std::vector<std::int64_t> shape, std::vector<std::int64_t> values, ElementType type) {
  Tensor tensor = Tensor::ints(std::move(shape), std::move(values));
  tensor.type = type;
  return tensor;
}

std::map<std::string, Attribute> requant(float div, float levels, float is_signed) {
  return {{"div", floats({}, {div})}, {"n_levels_out", floats({1}, {levels})}, {"signed", floats({1}, {is_signed})}};
}

}  // namespace

TEST_CASE("RequantShift rounds halves up and clips") {
  Build build({1, 1});
  build.matmul(floats({1, 2}, {1, 1}), 1, 1).then("RequantShift", {floats({2}, {3, -3}), floats({2}, {-4, 0})}, requant(8, 4, 0));
  const Network network = check_equal(build.done(), {}, 256);
  const auto& table = layer_op<Threshold>(network, 1);
  // (3 p - 4) / 8 >= 1/2, 3/2, 5/2 from p = 8/3, 16/3, 8 on; the falling channel reaches code 0 alone
  CHECK(Longs(table.thresholds.begin(), table.thresholds.begin() + 3) == Longs{3, 6, 8});
  CHECK(table.falling == std::vector<std::uint8_t>{0, 1});
}

TEST_CASE("RequantShift in closed form equals the operator, and a multiplication with a shift") {
  int found = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    INFO("graph of seed " << seed);
    std::mt19937_64 random(seed);
    const auto pick = [&](int low, int high) { return std::uniform_int_distribution<int>(low, high)(random); };
    Build build({1, 3, 3, 2});
    Tensor weights = floats({2, 3, 2, 2}, {}), mul = floats({2, 1, 1}, {}), add = mul, bias = floats({2}, {});
    for (int i = 0; i < 24; ++i) weights.f().push_back(static_cast<float>(pick(-20, 20)));
    for (int k = 0; k < 2; ++k) {
      mul.f().push_back(static_cast<float>(pick(-300, 900)));
      add.f().push_back(static_cast<float>(pick(-90000, 90000)));
      bias.f().push_back(static_cast<float>(pick(-500, 500)));
    }
    const std::string w = build.constant(weights);
    build.last = build.add("Conv", {build.last, w, build.constant(bias)});
    const bool is_signed = pick(0, 1) == 1;
    const float levels = is_signed ? 64 : static_cast<float>(pick(2, 65));
    if (pick(0, 2) == 0) build.then("MaxPool", {}, {{"kernel_shape", Longs{2, 1}}});  // then the table is found by bisection
    if (mul.f()[0] < 0 || mul.f()[1] < 0) mul.f() = {70, 350};
    build.then("RequantShift", {mul, add},
               requant(static_cast<float>(pick(1, 2) == 1 ? 1 << pick(0, 14) : pick(1, 5000)), levels, is_signed ? 1 : 0));
    LowerOptions options;
    options.input_type = pick(0, 1) == 1 ? ValueType::signed_bits(8) : ValueType::unsigned_bits(8);
    options.input_bits = 7;  // check_equal's pixels: a part of both types
    Network network;
    REQUIRE_NOTHROW(network = check_equal(build.done(), options, 8, seed));
    found += kind_name(network.layers[1].op) == "requantize" ? 1 : 0;
  }
  CHECK(found > 30);
}

namespace {

/// The number of levels that a table's channel has reached at q.
std::int64_t levels_reached(const Threshold& table, std::size_t c, std::int64_t q) {
  const auto first = table.thresholds.begin() + static_cast<std::ptrdiff_t>(c) * table.levels;
  const std::int64_t n = std::upper_bound(first, first + table.levels, q) - first;
  return table.falling[c] != 0 ? table.levels - n : n;
}

bool equal(const Threshold& table, std::size_t c, const lowering::Range& range, std::int64_t mul, std::int64_t add, int shift) {
  for (std::int64_t q = range.low; q <= range.high; ++q)
    if (std::clamp<std::int64_t>((q * mul + add) >> shift, 0, table.levels) != levels_reached(table, c, q)) return false;
  return true;
}

/// Whether any summand makes this factor equal to the table.
bool any_summand(const Threshold& table, const lowering::Range& range, std::int64_t mul, int shift) {
  const std::int64_t end = (std::int64_t{table.levels} << shift) + std::abs(mul) * 64;
  for (std::int64_t add = -end; add <= end; ++add)
    if (equal(table, 0, range, mul, add, shift)) return true;
  return false;
}

}  // namespace

TEST_CASE("the factor found for a table is the smallest that gives it, and where none is found there is none") {
  int found = 0, none = 0;
  for (unsigned seed = 1; seed <= 300; ++seed) {
    INFO("table of seed " << seed);
    std::mt19937_64 random(seed);
    const auto pick = [&](int low, int high) { return std::uniform_int_distribution<int>(low, high)(random); };
    const lowering::Range range{pick(-40, 0), pick(1, 40)};
    Threshold table;
    table.levels = pick(1, 6);
    table.falling = {static_cast<std::uint8_t>(pick(0, 1))};
    const int slope = pick(1, 60), offset = pick(-200, 200), jitter = pick(0, 1);
    for (int i = 0; i < table.levels; ++i) table.thresholds.push_back((i * 64 + offset) / slope + pick(0, jitter));
    std::sort(table.thresholds.begin(), table.thresholds.end());
    const auto requantize = lowering::as_requantize(table, {range});
    const std::int64_t sign = table.falling[0] != 0 ? -1 : 1;
    if (requantize) {
      ++found;
      REQUIRE(equal(table, 0, range, requantize->mul[0], requantize->add[0], requantize->shift));
    } else {
      ++none;
    }
    for (int shift = 0; shift <= 4; ++shift)
      for (std::int64_t mul = 0; mul <= 20; ++mul) {
        const bool before = !requantize || shift < requantize->shift || (shift == requantize->shift && mul < std::abs(requantize->mul[0]));
        if (before && any_summand(table, range, sign * mul, shift)) REQUIRE_FALSE(before);
      }
  }
  CHECK(found > 100);
  CHECK(none > 20);
}

TEST_CASE("wide tables become multiplications") {
  std::mt19937_64 random(8);
  for (const float scale : {0.37F, 1.0F, 2.71F}) {
    Build build({1, 4});
    build.matmul(random_tensor(random, {4, 5}, -8, 8), 1, 4)
        .then("Mul", {floats({5}, {0.31F, -0.2F, 0.177F, 0.05F, 0})})
        .then("Relu")
        .quant(scale, 6, false);
    const Network network = check_equal(build.done(), {}, 100);
    CHECK(kind_name(network.layers[1].op) == "requantize");
  }
}

TEST_CASE("integer steps with casts, a truncating division and a clip are a quantizer") {
  Build build({1, 2});
  build.matmul(floats({2, 2}, {1, -1, -1, -1}), 1, 1).then("Mul", {floats({2}, {37, 20})}).then("Add", {floats({2}, {-900, 8000})});
  build.then("Cast", {}, {{"to", std::int64_t{7}}}).then("Mul", {Tensor::ints({1}, {5})}).then("Div", {Tensor::ints({}, {256})});
  build.then("Cast", {}, {{"to", std::int64_t{1}}}).then("Clip", {floats({}, {-3}), floats({}, {100})});
  build.matmul(floats({2, 1}, {1, -1}), 1, 1);
  const Network network = check_equal(build.done(), {}, 200);
  REQUIRE(network.layers.size() == 3);
  CHECK(network.maps[2].type == ValueType::signed_bits(8));
}

TEST_CASE("QDQ with zero points: maps hold code minus zero point") {
  Build build({1, 2, 4, 4});
  const auto u8 = [](std::int64_t zero) { return codes({}, {zero}, ElementType::Uint8); };
  const auto s8 = [](std::int64_t zero) { return codes({}, {zero}, ElementType::Int8); };
  build.then("QuantizeLinear", {floats({}, {2}), u8(10)}).then("DequantizeLinear", {floats({}, {2}), u8(10)});
  const std::string w =
      build.add("DequantizeLinear",
                {build.constant(codes({3, 2, 1, 1}, {5, -7, 100, 3, -128, 127}, ElementType::Int8)),
                 build.constant(floats({3}, {0.5F, 0.25F, 1})), build.constant(codes({3}, {0, 1, -1}, ElementType::Int8))},
                {{"axis", std::int64_t{0}}});
  build.last = build.add("Conv", {build.last, w, build.constant(floats({3}, {1, 20, -7}))});
  build.then("QuantizeLinear", {floats({}, {16}), s8(-5)}).then("MaxPool", {}, {{"kernel_shape", Longs{2, 2}}});
  build.then("DequantizeLinear", {floats({}, {16}), s8(-5)});
  const Network network = check_equal(build.done());
  CHECK(network.maps[1].type == ValueType::signed_bits(9));  // 0 - 10 .. 255 - 10
  CHECK(layer_op<Convolution>(network, 1).weights == std::vector<std::int32_t>{5, -7, 99, 2, -127, 128});
}

TEST_CASE("a DequantizeLinear with another zero point than its QuantizeLinear gives halves, not integers") {
  Build build({1, 4});
  const auto dequantized = [&](std::int64_t zero) {
    const std::string stored =
        build.add("QuantizeLinear", {"x", build.scalar(0.5F), build.constant(codes({}, {zero}, ElementType::Uint8))});
    return build.add("DequantizeLinear", {stored, build.scalar(0.5F), build.constant(codes({}, {3}, ElementType::Uint8))});
  };
  const std::string left = dequantized(8), right = dequantized(6);
  build.last = build.add("Add", {left, right});
  build.quant(0.5F, 6, true).matmul(floats({4, 1}, {1, 2, -1, 3}), 1, 3);
  LowerOptions options;
  options.input_bits = 6;
  check_equal(build.done(), options);
}

TEST_CASE("QLinearConv, ConvInteger, QLinearMatMul and MatMulInteger on an integer input") {
  const auto zero = [](std::int64_t value) { return codes({}, {value}, ElementType::Int8); };
  for (const bool scaled : {false, true}) {
    Build build({1, 2, 3, 3});
    build.graph.inputs[0].is_float = false;
    build.graph.inputs[0].type = ElementType::Int8;
    const Tensor w = codes({2, 2, 2, 2}, {1, 2, 3, 4, -5, -6, 7, 8, 100, -100, 0, 3, 2, 1, 50, 60}, ElementType::Int8);
    const Tensor m = codes({8, 2}, {1, -2, 3, -4, 5, -6, 7, 8, -9, 10, 11, 12, -13, 14, 15, 16}, ElementType::Int8);
    if (scaled) {
      build.then("QLinearConv", {floats({}, {0.5F}), zero(0), w, floats({2}, {0.25F, 0.125F}), zero(2), floats({}, {8}), zero(3),
                                 codes({2}, {100, -40}, ElementType::Int32)});
      build.then("Reshape", {Tensor::ints({2}, {1, -1})});
      build.then("QLinearMatMul", {floats({}, {8}), zero(3), m, floats({}, {0.5F}), zero(1), floats({}, {64}), zero(-1)});
    } else {
      build.then("ConvInteger", {w, zero(0), zero(2)}).then("Cast", {}, {{"to", std::int64_t{1}}}).then("Mul", {floats({}, {0.0625F})});
      build.then("QuantizeLinear", {floats({}, {8}), zero(3)}).then("Reshape", {Tensor::ints({2}, {1, -1})});
      build.then("MatMulInteger", {m, zero(3), zero(1)});
    }
    const Network network = lower(build.done());
    CHECK(network.maps[0].type == ValueType::signed_bits(8));
    const Golden golden(network);
    const FloatExecutor executor(build.graph);
    std::mt19937_64 random(5);
    for (int image = 0; image < 30; ++image) {
      std::vector<std::int32_t> pixels(18);
      for (std::int32_t& pixel : pixels) pixel = std::uniform_int_distribution<std::int32_t>(-128, 127)(random);
      const Tensors out = executor.run({{"x", Tensor::ints({1, 2, 3, 3}, {pixels.begin(), pixels.end()})}});
      const auto& expected = out.begin()->second.i();
      CHECK(golden_output(golden, pixels) == std::vector<double>(expected.begin(), expected.end()));
    }
  }
}

TEST_CASE("quantized nodes that have no exact form are refused") {
  const Tensor zero = codes({}, {3}, ElementType::Uint8);
  Build floating({1, 2});
  floating.then("DequantizeLinear", {floats({}, {2}), zero});
  CHECK_THROWS_WITH(lower(floating.done()), contains_text("it reads floats"));
  Build other({1, 1, 2, 2});
  other.then("QuantizeLinear", {floats({}, {1}), zero});
  other.then("ConvInteger", {codes({1, 1, 1, 1}, {1}, ElementType::Uint8), codes({}, {4}, ElementType::Uint8)});
  CHECK_THROWS_WITH(lower(other.done()), contains_text("not that of its input's quantizer"));
  Build blocked({1, 4});
  blocked.then("QuantizeLinear", {floats({1, 2}, {1, 2})}, {{"axis", std::int64_t{1}}, {"block_size", std::int64_t{2}}});
  CHECK_THROWS_WITH(lower(blocked.done()), contains_text("per block"));
}
