#include "catch2.hpp"
#include "core/network.hpp"

using namespace bitloom;

namespace {

Network one_convolution(int channels_in, int channels_out, int kernel, int size, int pad, ValueType weights, ValueType activations) {
  Network network;
  network.name = "one";
  Convolution conv;
  conv.window.kernel_height = conv.window.kernel_width = kernel;
  conv.window.pad_top = conv.window.pad_left = conv.window.pad_bottom = conv.window.pad_right = pad;
  conv.out_channels = channels_out;
  conv.weight_type = weights;
  conv.weights.assign(static_cast<std::size_t>(channels_out * kernel * kernel * channels_in), 1);
  const MapShape in{size, size, channels_in};
  const MapShape out{conv.window.out_height(size), conv.window.out_width(size), channels_out};
  network.maps = {{"in", in, activations}, {"out", out, ValueType::signed_bits(24)}};
  network.layers = {{"conv", "Conv_0", {0}, 1, conv}};
  return network;
}

}  // namespace

TEST_CASE("a value type encodes and decodes every value that it holds") {
  for (const char* name : {"u1", "u5", "s1", "s2", "s8", "b1"}) {
    const ValueType type = ValueType::parse(name);
    CHECK(type.to_string() == name);
    for (std::int64_t value = type.min() - 2; value <= type.max() + 2; ++value) {
      if (type.contains(value))
        CHECK(type.decode(type.encode(value)) == value);
      else
        CHECK_THROWS_AS(type.encode(value), std::out_of_range);
    }
  }
  CHECK_FALSE(ValueType::bipolar().contains(0));
  CHECK(ValueType::holding(0, 16) == ValueType::unsigned_bits(5));
  CHECK(ValueType::holding(-1, 127) == ValueType::signed_bits(8));
  CHECK_THROWS_AS(ValueType::parse("u0"), Error);
  CHECK_THROWS_AS(ValueType::parse("b2"), Error);
}

TEST_CASE("a window's output extent follows the ONNX formula") {
  Window window;
  window.kernel_height = 3;
  window.stride_height = 2;
  window.pad_top = 1;
  CHECK(window.out_height(8) == 4);
  window.dilation_height = 2;
  CHECK(window.out_height(8) == 3);
  CHECK_THROWS_AS(window.out_height(3), Error);
}

TEST_CASE("BOPs of the 64 to 64 layer, 3x3, 56x56 agree with the hand-computed values") {
  const Network w4a4 = one_convolution(64, 64, 3, 56, 1, ValueType::signed_bits(4), ValueType::unsigned_bits(4));
  CHECK(bops_uniq(w4a4, w4a4.layers[0]) == Catch::Approx(3834625897.43).epsilon(1e-11));
  CHECK(macs(w4a4, w4a4.layers[0]) == 64LL * 64 * 9 * 56 * 56);
  CHECK(bops_qonnx(w4a4, w4a4.layers[0]) == 16LL * 64 * 64 * 9 * 56 * 56);
  const Network w1a2 = one_convolution(64, 64, 3, 56, 1, ValueType::bipolar(), ValueType::unsigned_bits(2));
  CHECK(bops_uniq(w1a2, w1a2.layers[0]) == Catch::Approx(1638121321.43).epsilon(1e-11));
  CHECK(weight_bits(w1a2.layers[0]) == 64 * 64 * 9);
}

TEST_CASE("a malformed network is refused by the name of its layer") {
  Network network = one_convolution(2, 3, 3, 4, 1, ValueType::signed_bits(2), ValueType::unsigned_bits(2));
  network.outputs.push_back({"out", 1, {3, 4, 4}, std::vector<std::int32_t>(48), std::vector<double>(48), std::vector<double>(48), true});
  CHECK_NOTHROW(check(network));
  Network bad = network;
  std::get<Convolution>(bad.layers[0].op).weights.pop_back();
  CHECK_THROWS_WITH(check(bad), contains_text("conv"));
  bad = network;
  bad.maps[0].type = ValueType::bipolar();
  CHECK_THROWS_WITH(check(bad), contains_text("padded"));
  bad = network;
  bad.maps[1].shape.channels = 4;
  CHECK_THROWS_AS(check(bad), Error);
}

TEST_CASE("a network that is not well formed is refused by name") {
  Network network;
  network.name = "bad";
  network.maps = {{"in", {2, 2, 1}, ValueType::signed_bits(8)}, {"out", {2, 2, 1}, ValueType::signed_bits(8)}};
  network.layers = {{"requantize0", "RequantShift_0", {0}, 1, Requantize{{1}, {0}, 4, -128, 128}}};
  CHECK_THROWS_WITH(check(network), contains_text("does not hold the bounds"));
  network.layers[0].op = Requantize{{std::int64_t{1} << 60}, {0}, 4, -128, 127};
  CHECK_THROWS_WITH(check(network), contains_text("leave 63 bits"));
  network.layers[0].op = Add{{1, 1}};
  CHECK_THROWS_WITH(check(network), contains_text("two or more inputs"));
  network.layers[0].inputs = {0, 0};
  network.layers[0].op = Concat{{1, 1}};
  CHECK_THROWS_WITH(check(network), contains_text("channels of all inputs"));
}
