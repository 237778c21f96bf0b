#include "core/network.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <set>

#include "core/coefficient_code.hpp"

namespace bitloom {
namespace {

int out_extent(const char* axis, int in, int pad, int kernel, int dilation, int stride) {
  const int span = (kernel - 1) * dilation + 1;
  if (kernel < 1 || stride < 1 || dilation < 1 || pad < 0)
    throw Error("window", fmt::format("kernel {}, stride {}, dilation {}, padding {} along the {}: all must be positive (padding may be 0)",
                                      kernel, stride, dilation, pad, axis));
  if (in + pad < span)
    throw Error("window", fmt::format("a kernel spanning {} does not fit a map of {} {} with {} padding", span, axis, in, pad));
  return (in + pad - span) / stride + 1;
}

void expect(bool ok, const Layer& layer, const std::string& what) {
  if (!ok) throw Error(layer.source.empty() ? layer.name : fmt::format("{} (node {})", layer.name, layer.source), what);
}

void check_requantize(const Layer& layer, const Requantize& requantize, const FeatureMap& in, const FeatureMap& out) {
  const auto channels = static_cast<std::size_t>(in.shape.channels);
  expect(out.shape == in.shape, layer, "a requantize keeps its input's shape");
  expect(requantize.mul.size() == channels && requantize.add.size() == channels, layer, "one factor and one summand per channel expected");
  expect(requantize.shift >= 0 && requantize.shift <= 62, layer, fmt::format("a shift of {}; 0 to 62 expected", requantize.shift));
  expect(requantize.low <= requantize.high && out.type.contains(requantize.low) && out.type.contains(requantize.high), layer,
         "the output type does not hold the bounds");
  // In double: far from the limit the rounding does not matter, and nothing can wrap.
  const double widest = std::fmax(std::fabs(static_cast<double>(in.type.min())), static_cast<double>(in.type.max()));
  for (std::size_t c = 0; c < channels; ++c)
    expect(widest * std::fabs(static_cast<double>(requantize.mul[c])) + std::fabs(static_cast<double>(requantize.add[c])) < 0x1p62, layer,
           fmt::format("factor {} and summand {} of channel {} leave 63 bits", requantize.mul[c], requantize.add[c], c));
}

void check_decomposition(const Layer& layer, const Convolution& conv, const Decomposition& d, int channels) {
  expect(conv.groups == 1, layer, "a decomposed convolution has one group");
  const auto kernels = static_cast<std::size_t>(d.kernels);
  const std::size_t pairs = static_cast<std::size_t>(conv.out_channels) * static_cast<std::size_t>(channels);
  const std::size_t taps = static_cast<std::size_t>(conv.window.kernel_height) * static_cast<std::size_t>(conv.window.kernel_width);
  expect(d.kernels >= 1 && d.coefficients.size() == pairs * kernels && d.basis.size() == kernels * taps, layer,
         fmt::format("{} coefficients and {} basis values found, {} and {} expected", d.coefficients.size(), d.basis.size(),
                     pairs * kernels, kernels * taps));
  for (const std::int32_t value : d.coefficients)
    expect(value >= -1 && value <= 1, layer, fmt::format("a coefficient of {}; -1, 0 or 1 expected", value));
  for (const std::int32_t value : d.basis)
    expect(value >= -128 && value <= 127, layer, fmt::format("a basis value of {}; 8 signed bits expected", value));
  expect(dense_weights(d, conv.out_channels, channels, conv.window) == conv.weights, layer,
         "the weights are not those of the decomposition");
}

/// Bits of the sums that meet the shared kernels: those of as many activations as the longest sum adds.
int sum_bits(const Convolution& conv, const ValueType& in) {
  const Decomposition& d = *conv.decomposition;
  const auto kernels = static_cast<std::size_t>(d.kernels);
  const std::size_t channels = d.coefficients.size() / kernels / static_cast<std::size_t>(conv.out_channels);
  std::int64_t longest = 1;
  for (std::size_t k = 0; k < static_cast<std::size_t>(conv.out_channels); ++k)
    for (std::size_t m = 0; m < kernels; ++m) {
      std::int64_t count = 0;
      for (std::size_t c = 0; c < channels; ++c) count += std::abs(d.coefficients[(k * channels + c) * kernels + m]);
      longest = std::max(longest, count);
    }
  const std::int64_t largest = longest * std::max(std::abs(in.min()), std::abs(in.max()));
  return ValueType::holding(-largest, largest).bits();
}

void check_op(const Network& network, const Layer& layer) {
  const FeatureMap& in = network.input_of(layer);
  const FeatureMap& out = network.output_of(layer);
  if (const auto* conv = std::get_if<Convolution>(&layer.op)) {
    expect(conv->groups > 0 && in.shape.channels % conv->groups == 0 && conv->out_channels % conv->groups == 0, layer,
           fmt::format("{} groups do not divide {} input and {} output channels", conv->groups, in.shape.channels, conv->out_channels));
    const MapShape want{conv->window.out_height(in.shape.height), conv->window.out_width(in.shape.width), conv->out_channels};
    expect(out.shape == want, layer, "the output shape does not follow from the window");
    const std::int64_t count =
        std::int64_t{conv->out_channels} * conv->window.kernel_height * conv->window.kernel_width * (in.shape.channels / conv->groups);
    expect(static_cast<std::int64_t>(conv->weights.size()) == count, layer,
           fmt::format("{} weights found, {} expected", conv->weights.size(), count));
    for (const std::int32_t weight : conv->weights)
      expect(conv->weight_type.contains(weight), layer, fmt::format("weight {} is not of type {}", weight, conv->weight_type.to_string()));
    expect(conv->bias.empty() || conv->bias.size() == static_cast<std::size_t>(conv->out_channels), layer,
           fmt::format("{} bias values found, {} or none expected", conv->bias.size(), conv->out_channels));
    expect(!(in.type.is_bipolar() && conv->window.has_padding()), layer, "a bipolar map cannot be padded with zeros");
    if (conv->decomposition) check_decomposition(layer, *conv, *conv->decomposition, in.shape.channels);
  } else if (const auto* threshold = std::get_if<Threshold>(&layer.op)) {
    const auto channels = static_cast<std::size_t>(in.shape.channels);
    expect(out.shape == in.shape, layer, "a threshold keeps its input's shape");
    expect(threshold->levels >= 1 && threshold->falling.size() == channels &&
               threshold->thresholds.size() == channels * static_cast<std::size_t>(threshold->levels),
           layer, "the threshold table does not match the channels");
    expect(out.type.contains(threshold->low) && out.type.contains(threshold->low + threshold->step * threshold->levels), layer,
           "the output type does not hold every level");
    for (std::size_t i = 0; i + 1 < threshold->thresholds.size(); ++i)
      expect((i + 1) % static_cast<std::size_t>(threshold->levels) == 0 || threshold->thresholds[i] <= threshold->thresholds[i + 1], layer,
             "thresholds are not ascending");
  } else if (const auto* pool = std::get_if<MaxPool>(&layer.op)) {
    const MapShape want{pool->window.out_height(in.shape.height), pool->window.out_width(in.shape.width), in.shape.channels};
    expect(out.shape == want && out.type == in.type, layer, "the output of a max pool does not follow from its window and input");
  } else if (const auto* requantize = std::get_if<Requantize>(&layer.op)) {
    check_requantize(layer, *requantize, in, out);
  } else if (const auto* add = std::get_if<Add>(&layer.op)) {
    expect(add->scale.size() == layer.inputs.size(), layer, "one scale per input expected");
    for (const int input : layer.inputs)
      expect(network.maps[static_cast<std::size_t>(input)].shape == out.shape, layer, "the inputs and the output of an add have one shape");
  } else if (const auto* concat = std::get_if<Concat>(&layer.op)) {
    expect(concat->scale.size() == layer.inputs.size(), layer, "one scale per input expected");
    MapShape want{in.shape.height, in.shape.width, 0};
    for (const int input : layer.inputs) {
      const MapShape& part = network.maps[static_cast<std::size_t>(input)].shape;
      expect(part.height == want.height && part.width == want.width, layer, "the inputs of a concat have one height and width");
      want.channels += part.channels;
    }
    expect(out.shape == want, layer, "the output of a concat has the channels of all inputs");
  } else if (const auto* upsample = std::get_if<Upsample>(&layer.op)) {
    expect(upsample->height >= 1 && upsample->width >= 1, layer, "the factors of an upsample must be positive");
    const MapShape want{in.shape.height * upsample->height, in.shape.width * upsample->width, in.shape.channels};
    expect(out.shape == want && out.type == in.type, layer, "the output of an upsample does not follow from its factors and input");
  } else {
    const MapShape want{in.shape.height, in.shape.width, 1};
    expect(out.shape == want && out.type.contains(0) && out.type.contains(in.shape.channels - 1), layer,
           "the output of an argmax must be one channel that holds every index");
  }
}

}  // namespace

int Window::out_height(int in_height) const {
  return out_extent("height", in_height, pad_top + pad_bottom, kernel_height, dilation_height, stride_height);
}

int Window::out_width(int in_width) const {
  return out_extent("width", in_width, pad_left + pad_right, kernel_width, dilation_width, stride_width);
}

std::string kind_name(const LayerOp& op) {
  static constexpr const char* names[] = {"convolution", "threshold", "max_pool", "argmax", "requantize", "add", "concat", "upsample"};
  return names[op.index()];
}

void check(const Network& network) {
  const auto map_exists = [&](int map) { return map >= 0 && map < static_cast<int>(network.maps.size()); };
  if (!map_exists(network.input)) throw Error(network.name, "the network has no input map");
  std::set<int> written{network.input};
  std::set<std::string> names;
  for (const Layer& layer : network.layers) {
    expect(names.insert(layer.name).second, layer, "two layers have this name");
    const bool joins = std::holds_alternative<Add>(layer.op) || std::holds_alternative<Concat>(layer.op);
    expect(joins ? layer.inputs.size() >= 2 : layer.inputs.size() == 1, layer,
           joins ? "two or more inputs expected" : "one input expected");
    for (const int input : layer.inputs)
      expect(map_exists(input) && written.count(input) == 1, layer, "reads a map that no earlier layer writes");
    expect(map_exists(layer.output) && written.insert(layer.output).second, layer, "writes a map that is written already");
    check_op(network, layer);
  }
  if (network.outputs.empty()) throw Error(network.name, "the network has no output");
  for (const NetworkOutput& output : network.outputs) {
    if (!map_exists(output.map) || written.count(output.map) == 0) throw Error(output.name, "this output is written by no layer");
    const auto size = static_cast<std::size_t>(network.maps[static_cast<std::size_t>(output.map)].shape.size());
    if (output.order.size() != size || output.scale.size() != size || output.offset.size() != size)
      throw Error(output.name, "the output's element table does not match its map");
  }
}

std::int64_t macs(const Network& network, const Layer& layer) {
  const auto* conv = std::get_if<Convolution>(&layer.op);
  if (conv == nullptr) return 0;
  const MapShape& out = network.output_of(layer).shape;
  return std::int64_t{out.height} * out.width * static_cast<std::int64_t>(conv->weights.size());
}

std::vector<std::int32_t> dense_weights(const Decomposition& d, int out_channels, int in_channels, const Window& window) {
  const auto kernels = static_cast<std::size_t>(d.kernels), channels = static_cast<std::size_t>(in_channels);
  const std::size_t taps = static_cast<std::size_t>(window.kernel_height) * static_cast<std::size_t>(window.kernel_width);
  std::vector<std::int32_t> weights;
  weights.reserve(static_cast<std::size_t>(out_channels) * taps * channels);
  for (std::size_t k = 0; k < static_cast<std::size_t>(out_channels); ++k)
    for (std::size_t tap = 0; tap < taps; ++tap)
      for (std::size_t c = 0; c < channels; ++c) {
        std::int32_t sum = 0;
        for (std::size_t m = 0; m < kernels; ++m) sum += d.coefficients[(k * channels + c) * kernels + m] * d.basis[m * taps + tap];
        weights.push_back(sum);
      }
  return weights;
}

std::int64_t weight_bits(const Layer& layer) {
  const auto* conv = std::get_if<Convolution>(&layer.op);
  if (conv == nullptr) return 0;
  if (conv->decomposition) return stored_bits(*conv).total();
  return static_cast<std::int64_t>(conv->weights.size()) * conv->weight_type.bits();
}

DecomposedWork decomposed_work(const Network& network, const Layer& layer) {
  const auto* conv = std::get_if<Convolution>(&layer.op);
  if (conv == nullptr || !conv->decomposition) return {};
  const MapShape &in = network.input_of(layer).shape, &out = network.output_of(layer).shape;
  std::int64_t coefficients = 0;
  for (const std::int32_t value : conv->decomposition->coefficients) coefficients += value != 0 ? 1 : 0;
  return {coefficients * in.height * in.width,
          static_cast<std::int64_t>(conv->decomposition->basis.size()) * conv->out_channels * out.height * out.width};
}

double bops_uniq(const Network& network, const Layer& layer) {
  const auto* conv = std::get_if<Convolution>(&layer.op);
  if (conv == nullptr) return 0;
  const auto bit_operations = [](std::int64_t count, double weight, double activation, double fan_in) {
    return static_cast<double>(count) * (weight * activation + weight + activation + std::log2(fan_in));
  };
  const double activation = network.input_of(layer).type.bits();
  if (conv->decomposition) {
    const DecomposedWork work = decomposed_work(network, layer);
    return bit_operations(work.additions, 2, activation, network.input_of(layer).shape.channels) +
           bit_operations(work.products, 8, sum_bits(*conv, network.input_of(layer).type),
                          static_cast<double>(conv->decomposition->basis.size()));
  }
  return bit_operations(macs(network, layer), conv->weight_type.bits(), activation,
                        static_cast<double>(conv->weights.size()) / conv->out_channels);
}

std::int64_t bops_qonnx(const Network& network, const Layer& layer) {
  const auto* conv = std::get_if<Convolution>(&layer.op);
  if (conv == nullptr) return 0;
  const ValueType& in = network.input_of(layer).type;
  if (conv->decomposition) {
    const DecomposedWork work = decomposed_work(network, layer);
    return work.additions * 2 * in.bits() + work.products * 8 * sum_bits(*conv, in);
  }
  return macs(network, layer) * conv->weight_type.bits() * in.bits();
}

}  // namespace bitloom
