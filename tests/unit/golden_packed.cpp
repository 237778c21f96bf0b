// The packed golden model against the plain one, for every set of kernels that this processor runs.
#include <set>

#include "catch2.hpp"
#include "golden/golden.hpp"
#include "golden/packed.hpp"
#include "random_network.hpp"

using namespace bitloom;
using namespace bitloom::test;

namespace {

void compare(const Network& network, Random& random, int images = 2) {
  const Golden golden(network);
  for (const Kernels& set : kernels()) {
    CAPTURE(set.name);
    const PackedGolden packed(network, set);
    for (int image = 0; image < images; ++image) {
      const MapData input = random_map(random, network.maps[static_cast<std::size_t>(network.input)]);
      const std::vector<MapData> expected = golden.run(input), all = packed.run(input), outputs = packed.run_outputs(input);
      for (std::size_t i = 0; i < expected.size(); ++i) {
        CAPTURE(network.maps[i].name);
        REQUIRE(all[i] == expected[i]);
        const bool is_output = std::any_of(network.outputs.begin(), network.outputs.end(),
                                           [&](const NetworkOutput& output) { return static_cast<std::size_t>(output.map) == i; });
        REQUIRE(outputs[i] == (is_output ? expected[i] : MapData{}));
      }
    }
  }
}

/// The same error, or none, from both models.
void compare_errors(const Network& network, const MapData& input, const std::string& message) {
  CHECK_THROWS_WITH(Golden(network).run(input), contains_text(message));
  for (const Kernels& set : kernels()) {
    CHECK_THROWS_WITH(PackedGolden(network, set).run(input), contains_text(message));
    CHECK_THROWS_WITH(PackedGolden(network, set).run_outputs(input), contains_text(message));
  }
}

Window random_window(Random& random, const MapShape& in, bool padding) {
  Window w;
  w.kernel_height = pick(random, 1, std::min(3, in.height));
  w.kernel_width = pick(random, 1, std::min(3, in.width));
  w.stride_height = pick(random, 1, 3);
  w.stride_width = pick(random, 1, 2);
  if (w.kernel_height * 2 - 1 <= in.height) w.dilation_height = pick(random, 1, 2);
  if (w.kernel_width * 2 - 1 <= in.width) w.dilation_width = pick(random, 1, 2);
  if (!padding) return w;
  w.pad_top = pick(random, 0, 1);
  w.pad_left = pick(random, 0, 1);
  w.pad_bottom = pick(random, 0, 1);
  w.pad_right = pick(random, 0, 1);
  return w;
}

/// A convolution with groups, which NetworkBuilder does not make.
Network grouped(Random& random, MapShape in, ValueType type, int groups, int out_channels, ValueType weights) {
  NetworkBuilder chain(random, {in.height, in.width, in.channels / groups}, type);
  Network network =
      chain.convolution(out_channels, square(3, 1, type.is_bipolar() ? 0 : 1), weights).quantize(ValueType::unsigned_bits(3)).build();
  network.maps[0].shape = in;
  network.input_order.clear();
  for (int i = 0; i < static_cast<int>(in.size()); ++i) network.input_order.push_back(i);
  std::get<Convolution>(network.layers[0].op).groups = groups;
  return network;
}

/// Gives every convolution a bias, and turns some tables into factors with a shift, whatever they then compute.
void add_bias_and_factors(Random& random, Network& network) {
  for (Layer& layer : network.layers) {
    const FeatureMap& in = network.input_of(layer);
    if (auto* conv = std::get_if<Convolution>(&layer.op)) {
      FeatureMap& sums = network.maps[static_cast<std::size_t>(layer.output)];
      for (int k = 0; k < conv->out_channels; ++k) conv->bias.push_back(pick(random, -5000, 5000));
      sums.type = ValueType::holding(sums.type.min() - 5000, sums.type.max() + 5000);
    } else if (const auto* table = std::get_if<Threshold>(&layer.op); table != nullptr && table->step == 1 && pick(random, 0, 2) > 0) {
      Requantize requantize{{}, {}, pick(random, 0, 40), table->low, table->low + table->levels};
      const int unit = 1 << std::clamp(requantize.shift - 6, 0, 29);
      for (int c = 0; c < in.shape.channels; ++c) {
        requantize.mul.push_back(pick(random, -unit, unit));
        requantize.add.push_back(std::int64_t{pick(random, -60, 60)} << requantize.shift);
      }
      layer.op = requantize;
    }
  }
  check(network);
}

const std::vector<std::string> weight_types = {"b1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "u2"};
const std::vector<std::string> activation_types = {"b1", "u1", "u2", "u3", "u4", "u5", "u6", "u7",
                                                   "u8", "s2", "s3", "s4", "s5", "s6", "s7", "s8"};

}  // namespace

TEST_CASE("every pairing of weight and activation types") {
  Random random(test_seed());
  std::set<bool> ways;
  for (const std::string& weights : weight_types)
    for (const std::string& activations : activation_types) {
      CAPTURE(weights, activations);
      const ValueType weight = ValueType::parse(weights), type = ValueType::parse(activations);
      for (const int channels : {3, 64, 131}) {  // a few values a word, whole words, a part of a word
        NetworkBuilder chain(random, {4, 5, channels}, type);
        Network network = chain.convolution(19, square(3, 1, type.is_bipolar() ? 0 : 1), weight)
                              .quantize(ValueType::parse(activations))
                              .fully_connected(5, weight)
                              .argmax()
                              .build();
        for (const Kernels& set : kernels())
          ways.insert(PackedConvolution::pack(std::get<Convolution>(network.layers[0].op), network.maps[0], set)->uses_planes());
        compare(network, random, 1);
      }
    }
  CHECK(ways == std::set<bool>{false, true});
}

TEST_CASE("random chains") {
  for (unsigned seed = 1; seed <= 150; ++seed) {
    CAPTURE(seed);
    Random random(seed + 1000 * test_seed());
    const auto any_type = [&](const std::vector<std::string>& of) {
      return ValueType::parse(of[static_cast<std::size_t>(pick(random, 0, static_cast<int>(of.size()) - 1))]);
    };
    NetworkBuilder chain(random, {pick(random, 1, 9), pick(random, 1, 9), pick(random, 1, 90)}, any_type(activation_types));
    for (int layers = pick(random, 1, 3); layers > 0; --layers) {
      chain.convolution(pick(random, 1, 70), random_window(random, chain.shape(), !chain.type().is_bipolar()), any_type(weight_types));
      chain.quantize(any_type(activation_types));
      if (pick(random, 0, 2) == 0) chain.max_pool(random_window(random, chain.shape(), false));
    }
    if (pick(random, 0, 1) == 0) chain.fully_connected(pick(random, 1, 40), any_type(weight_types));
    Network network = chain.build();
    if (seed % 2 == 0) add_bias_and_factors(random, network);
    compare(network, random);
  }
}

TEST_CASE("groups and depthwise convolutions") {
  Random random(test_seed());
  for (const std::string weights : {"b1", "s2", "s8"})
    for (const std::string activations : {"b1", "u1", "s2", "u8"}) {
      CAPTURE(weights, activations);
      compare(grouped(random, {5, 4, 12}, ValueType::parse(activations), 3, 6, ValueType::parse(weights)), random);
      compare(grouped(random, {3, 4, 10}, ValueType::parse(activations), 10, 20, ValueType::parse(weights)), random);
      Network wide = grouped(random, {3, 3, 256}, ValueType::parse(activations), 2, 34, ValueType::parse(weights));
      compare(wide, random);
      add_bias_and_factors(random, wide);
      compare(wide, random);
    }
}

TEST_CASE("convolutions with a bias are packed, unless it leaves 32 bits") {
  Random random(test_seed());
  NetworkBuilder chain(random, {3, 3, 70}, ValueType::signed_bits(8));
  Network network = chain.convolution(5, square(2), ValueType::signed_bits(8)).build();
  add_bias_and_factors(random, network);
  auto& conv = std::get<Convolution>(network.layers[0].op);
  for (const Kernels& set : kernels()) CHECK(PackedConvolution::pack(conv, network.maps[0], set).has_value());
  conv.bias[2] = INT32_MAX - 1000;
  for (const Kernels& set : kernels()) CHECK(!PackedConvolution::pack(conv, network.maps[0], set));
  compare_errors(network, {network.maps[0].shape, std::vector<std::int32_t>(3 * 3 * 70, 0)}, "computed 2147482647");
}

TEST_CASE("types too wide to pack, thresholds beyond 32 bits, a map read twice") {
  Random random(test_seed());
  NetworkBuilder wide(random, {3, 3, 4}, ValueType::signed_bits(18));
  compare(wide.convolution(5, square(2), ValueType::signed_bits(9)).build(), random);
  NetworkBuilder chain(random, {3, 3, 4}, ValueType::signed_bits(8));
  Network network = chain.convolution(5, square(2), ValueType::signed_bits(4))
                        .quantize(ValueType::unsigned_bits(2))
                        .fully_connected(3, ValueType::signed_bits(2))
                        .build();
  std::get<Threshold>(network.layers[1].op).thresholds[0] = INT64_MIN;
  std::get<Threshold>(network.layers[1].op).thresholds[2] = INT64_MAX;
  compare(network, random);
  NetworkOutput sums = network.outputs[0];
  sums.map = 1;
  const auto count = static_cast<std::size_t>(network.maps[1].shape.size());
  sums.order.assign(count, 0);
  sums.scale.assign(count, 1);
  sums.offset.assign(count, 0);
  network.outputs = {sums, network.outputs[0], sums};
  compare(network, random);
}

TEST_CASE("values outside their type are the same errors") {
  Random random(test_seed());
  NetworkBuilder chain(random, {4, 4, 64}, ValueType::unsigned_bits(1));
  Network network = chain.convolution(16, square(3), ValueType::bipolar()).quantize(ValueType::bipolar()).build();
  MapData ones{network.maps[0].shape, std::vector<std::int32_t>(16 * 64, 1)};
  std::get<Convolution>(network.layers[0].op).weights.assign(9 * 64 * 16, 1);
  network.maps[1].type = ValueType::signed_bits(10);
  compare_errors(network, ones, "conv0: computed 576 at row 0, column 0, channel 0, which is not of type s10");
  network.maps[1].type = ValueType::signed_bits(11);
  CHECK_NOTHROW(PackedGolden(network).run(ones));
  ones.values[5] = 2;
  compare_errors(network, ones, "input: 2 is not a value of type u1");
  ones.values.pop_back();
  compare_errors(network, ones, "1023 values");

  NetworkBuilder pool(random, {2, 2, 3}, ValueType::unsigned_bits(4));
  Window padded = square(1);
  padded.pad_top = 1;
  Network pooled = pool.max_pool(padded).build();
  compare_errors(pooled, random_map(random, pooled.maps[0]), "computed -2147483648");
}
