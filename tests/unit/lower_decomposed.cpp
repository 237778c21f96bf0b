// Lowering of the pair of convolutions that is one decomposed convolution, and of pairs that look alike and are none.
#include <algorithm>

#include "golden/decomposed.hpp"
#include "lower_build.hpp"

using namespace bitloom;
using namespace bitloom::testing;

namespace {

constexpr std::int64_t kOutputs = 3, kKernels = 2, kChannels = 4;

struct Pair {
  Tensor coefficients, kernels;
};

Pair random_pair(std::mt19937_64& random) {
  Pair pair{Tensor::floats({kOutputs * kKernels, kChannels, 1, 1}, {}), Tensor::floats({kOutputs, kKernels, 3, 3}, {})};
  while (static_cast<std::int64_t>(pair.coefficients.f().size()) < kOutputs * kKernels * kChannels)
    pair.coefficients.f().push_back(static_cast<float>(static_cast<int>(random() % 3) - 1));
  std::vector<float> shared;
  for (int i = 0; i < kKernels * 9; ++i) shared.push_back(static_cast<float>(static_cast<int>(random() % 255) - 127));
  for (int k = 0; k < kOutputs; ++k) pair.kernels.f().insert(pair.kernels.f().end(), shared.begin(), shared.end());
  return pair;
}

std::map<std::string, Attribute> second(std::int64_t stride = 1) {
  return {{"group", kOutputs},
          {"pads", std::vector<std::int64_t>{1, 1, 1, 1}},
          {"strides", std::vector<std::int64_t>{stride, stride}}};
}

/// Input quantizer, then both convolutions.
Build start(const Pair& pair, std::int64_t stride = 1) {
  Build build({1, kChannels, 5, 6});
  build.quant(1, 4, false).conv(pair.coefficients, 0.5F, 2).conv(pair.kernels, 0.25F, 8, second(stride));
  return build;
}

std::size_t convolutions(const Network& network) {
  std::size_t count = 0;
  for (const Layer& layer : network.layers) count += std::holds_alternative<Convolution>(layer.op) ? 1 : 0;
  return count;
}

const Convolution& only_convolution(const Network& network) {
  REQUIRE(convolutions(network) == 1);
  for (const Layer& layer : network.layers)
    if (const auto* conv = std::get_if<Convolution>(&layer.op)) return *conv;
  throw Error("test", "no convolution");
}

const LowerOptions kFourBits = [] {
  LowerOptions options;
  options.input_bits = 4;
  return options;
}();

}  // namespace

TEST_CASE("a ternary 1x1 convolution and one with shared kernels are one decomposed convolution") {
  std::mt19937_64 random(test_seed());
  for (const std::int64_t stride : {1, 2}) {
    const Pair pair = random_pair(random);
    Build build = start(pair, stride);
    const Network network = check_equal(build.done(), kFourBits);
    const Convolution& conv = only_convolution(network);
    REQUIRE(conv.decomposition);
    CHECK(conv.decomposition->kernels == kKernels);
    CHECK(conv.groups == 1);
    CHECK(conv.window.stride_width == stride);
    build.quant(64, 3, true);
    CHECK(only_convolution(check_equal(build.done(), kFourBits)).decomposition);
  }
}

TEST_CASE("a bias behind the second, and scales of output channels, stay exact") {
  std::mt19937_64 random(test_seed());
  const Pair pair = random_pair(random);
  Build build({1, kChannels, 5, 6});
  build.quant(1, 4, false).conv(pair.coefficients, 0.5F, 2);
  // Channel k's kernels are scaled by 2^k: the same integers times a scale of the channel.
  Tensor kernels = pair.kernels, scales = Tensor::floats({kOutputs, 1, 1, 1}, {1, 2, 4});
  for (std::size_t i = 0; i < kernels.f().size(); ++i) kernels.f()[i] *= static_cast<float>(1 << i / (kernels.f().size() / kOutputs));
  const std::string quantized = build.add("Quant", {build.constant(kernels), build.constant(scales), build.scalar(0), build.scalar(8)},
                                          Build::quant_attributes(true, true));
  build.last = build.add("Conv", {build.last, quantized, build.constant(Tensor::floats({kOutputs}, {3, -5, 8}))}, second());
  CHECK(only_convolution(check_equal(build.done(), kFourBits)).decomposition);
}

TEST_CASE("pairs that are no decomposed convolution stay two layers, with the same values") {
  std::mt19937_64 random(test_seed());
  const Pair pair = random_pair(random);
  {
    Pair other = pair;  // one group has a kernel of its own
    other.kernels.f().back() += other.kernels.f().back() > 0 ? -1.0F : 1.0F;
    CHECK(convolutions(check_equal(start(other).done(), kFourBits)) == 2);
  }
  {
    Build build({1, kChannels, 5, 6});  // a quantizer between
    build.quant(1, 4, false).conv(pair.coefficients, 0.5F, 2).quant(1, 5, true).conv(pair.kernels, 0.25F, 8, second());
    CHECK(convolutions(check_equal(build.done(), kFourBits)) == 2);
  }
  {
    Build build({1, kChannels, 5, 6});  // the maps between are read by something else
    build.quant(1, 4, false).conv(pair.coefficients, 0.5F, 2);
    const std::string maps = build.last;
    build.conv(pair.kernels, 0.25F, 8, second());
    Graph graph = build.done();
    graph.outputs.push_back({maps, {}, true});
    CHECK(convolutions(lower(graph, kFourBits)) == 2);
  }
  {
    Pair other = pair;  // coefficients of 3 bits
    other.coefficients.f()[0] = 2;
    Build build({1, kChannels, 5, 6});
    build.quant(1, 4, false).conv(other.coefficients, 1, 3).conv(other.kernels, 0.25F, 8, second());
    CHECK(convolutions(check_equal(build.done(), kFourBits)) == 2);
  }
}

TEST_CASE("both orders of a decomposed convolution give the dense one's values") {
  std::mt19937_64 random(test_seed());
  for (int i = 0; i < 5; ++i) {
    const Network network = lower(start(random_pair(random), 1 + i % 2).done(), kFourBits);
    const Layer& layer = *std::find_if(network.layers.begin(), network.layers.end(),
                                       [](const Layer& l) { return std::holds_alternative<Convolution>(l.op); });
    MapData in{network.input_of(layer).shape, {}};
    for (std::int64_t at = 0; at < in.shape.size(); ++at) in.values.push_back(static_cast<std::int32_t>(random() % 16));
    const MapData dense = run_layer(network, layer, {&in});
    CHECK(run_decomposed(network, layer, in, DecomposedOrder::BasisFirst) == dense);
    CHECK(run_decomposed(network, layer, in, DecomposedOrder::CoefficientsFirst) == dense);
  }
}
