// Layers with windows: convolutions and pools; and argmax.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "lower/chain.hpp"
#include "lower/context.hpp"
#include "lower/maps.hpp"
#include "lower/weights.hpp"
#include "onnx/broadcast.hpp"
#include "onnx/window.hpp"

namespace bitloom::lowering {
namespace {

/// `decomposed`: what the weights are made of, or null.
Stream emit_conv(Context& context, const Node& node, Stream input, const Constant& weights, const Constant* bias, std::int64_t groups,
                 const DecomposedWeights* decomposed) {
  const auto padding = std::exchange(input.padding, nullptr);
  const Dims dims_before = input.dims;
  Layout layout = layout_of(context, node, input);
  input = integral(context, std::move(input), node);
  const Dims& dims = weights.value.shape;
  if (dims.size() != input.dims.size())
    throw Error(node.name, fmt::format("weights of shape {} do not fit an input of shape {}", dims_text(dims), dims_text(input.dims)));
  Convolution conv;
  conv.window = read_window(node, input.dims, Dims(dims.begin() + 2, dims.end()));
  if (padding != nullptr) {
    conv.window.pad_top += padding->window.pad_top;
    conv.window.pad_left += padding->window.pad_left;
    conv.window.pad_bottom += padding->window.pad_bottom;
    conv.window.pad_right += padding->window.pad_right;
  }
  conv.out_channels = static_cast<int>(dims[0]);
  if (groups < 1 || dims[0] < 1 || dims[0] % groups != 0 || dims[1] * groups != layout.shape.channels)
    throw Error(node.name, fmt::format("weights of shape {} in {} groups do not fit {} input channels", dims_text(dims), groups,
                                       layout.shape.channels));
  conv.groups = static_cast<int>(groups);
  const std::size_t channels = size(dims[1]), taps = element_count(dims) == 0 ? 0 : size(element_count(dims) / dims[0] / dims[1]);
  const bool depthwise = groups > 1 && channels == 1;
  if (groups > 1 && !depthwise && layout.map_channel != identity_channels(layout.shape.channels)) {
    input = permute_channels(context, node, input, layout.map_channel);
    layout.map_channel = identity_channels(layout.shape.channels);
  }
  // A depthwise convolution keeps the order of the map's channels, whatever the model's is.
  const std::size_t outputs = size(dims[0]), multiplier = depthwise ? outputs / size(groups) : 1;
  std::vector<int> map_output = identity_channels(conv.out_channels);  // ONNX output channel -> map channel
  for (std::size_t k = 0; depthwise && k < outputs; ++k)
    map_output[k] = layout.map_channel[k / multiplier] * static_cast<int>(multiplier) + static_cast<int>(k % multiplier);
  std::vector<std::size_t> onnx_output(outputs), onnx_channel(channels);
  for (std::size_t k = 0; k < outputs; ++k) onnx_output[size(map_output[k])] = k;
  for (std::size_t c = 0; c < channels; ++c) onnx_channel[groups > 1 ? c : size(layout.map_channel[c])] = c;
  std::vector<std::size_t> position;
  for (const std::size_t k : onnx_output)
    for (std::size_t tap = 0; tap < taps; ++tap)
      for (std::size_t c = 0; c < channels; ++c) position.push_back((k * channels + onnx_channel[c]) * taps + tap);
  IntegerWeights integers = integer_weights(node, weights, position, outputs);
  conv.weight_type = integers.type;
  conv.weights = std::move(integers.values);
  if (decomposed != nullptr) {
    Decomposition& d = conv.decomposition.emplace(decomposed->decomposition);
    const auto kernels = size(d.kernels);
    for (std::size_t k = 0; k < outputs; ++k)
      for (std::size_t c = 0; c < channels; ++c)
        for (std::size_t m = 0; m < kernels; ++m)
          d.coefficients[(k * channels + c) * kernels + m] =
              decomposed->decomposition.coefficients[(k * channels + onnx_channel[c]) * kernels + m];
    integers.scale = decomposed->scale;
  }

  const MapShape shape{conv.window.out_height(layout.shape.height), conv.window.out_width(layout.shape.width), conv.out_channels};
  Stream out = emit_convolution(context, "conv", node, input, std::move(conv), integers.scale, with_extents(dims_before, shape));
  out.order = canonical_order(shape, map_output);
  if (bias != nullptr) {
    if (!bias->value.is_float() || bias->value.size() != dims[0]) throw Error(node.name, fmt::format("{} bias values expected", dims[0]));
    std::vector<float> values;
    for (const std::size_t k : onnx_output) values.push_back(bias->value.f()[k]);
    append_constant_step(out, "Add", node.name, values);
  }
  return out;
}

}  // namespace

Stream lower_conv(Context& context, const Node& node, Stream input, const Constant& weights, const Constant* bias) {
  const std::int64_t groups = node.int_attribute("group", 1);
  if (input.coefficients == nullptr) return emit_conv(context, node, std::move(input), weights, bias, groups, nullptr);
  const std::shared_ptr<const KeptConvolution> kept = input.coefficients;
  const std::optional<DecomposedWeights> decomposed = decomposed_weights(kept->node, kept->weights, node, weights);
  if (!decomposed) return emit_conv(context, node, lower_kept_back(context, std::move(input)), weights, bias, groups, nullptr);
  input.coefficients = nullptr;
  return emit_conv(context, node, std::move(input), decomposed->dense, bias, 1, &*decomposed);
}

/// The mean is a sum with weights 1, divided by the number of values.
Stream lower_average_pool(Context& context, const Node& node, Stream input) {
  const Layout layout = layout_of(context, node, input);
  input = integral(context, std::move(input), node);
  Convolution conv;
  if (node.op == "GlobalAveragePool")
    conv.window.kernel_height = layout.shape.height, conv.window.kernel_width = layout.shape.width;
  else
    conv.window = read_window(node, input.dims, {});
  if (conv.window.has_padding() && node.int_attribute("count_include_pad", 0) == 0)
    throw Error(node.name,
                "an AveragePool that leaves its padding out of the count divides by different numbers at the border; set "
                "count_include_pad=1 or remove the padding");
  const int count = conv.window.kernel_height * conv.window.kernel_width;
  conv.out_channels = conv.groups = layout.shape.channels;
  conv.weights.assign(size(layout.shape.channels) * size(count), 1);
  const MapShape shape{conv.window.out_height(layout.shape.height), conv.window.out_width(layout.shape.width), layout.shape.channels};
  Stream out = emit_convolution(context, "avgpool", node, input, std::move(conv), {1.0 / count}, with_extents(input.dims, shape));
  out.order = canonical_order(shape, layout.map_channel);
  return out;
}

namespace {

/// Whether some window along an axis has no value of the map under it.
bool on_padding_alone(int size, int out, int kernel, int stride, int dilation, int pad) {
  for (int o = 0; o < out; ++o) {
    bool covers = false;
    for (int k = 0; k < kernel && !covers; ++k) {
      const int place = o * stride + k * dilation - pad;
      covers = place >= 0 && place < size;
    }
    if (!covers) return true;
  }
  return false;
}

}  // namespace

Stream lower_max_pool(Context& context, const Node& node, Stream input) {
  const Layout layout = layout_of(context, node, input);
  Window window;
  if (node.op == "GlobalMaxPool")
    window.kernel_height = layout.shape.height, window.kernel_width = layout.shape.width;
  else
    window = read_window(node, input.dims, {});
  const MapShape shape{window.out_height(layout.shape.height), window.out_width(layout.shape.width), layout.shape.channels};
  if (on_padding_alone(layout.shape.height, shape.height, window.kernel_height, window.stride_height, window.dilation_height,
                       window.pad_top) ||
      on_padding_alone(layout.shape.width, shape.width, window.kernel_width, window.stride_width, window.dilation_width, window.pad_left))
    throw Error(node.name, "a window of this max pool lies on padding alone and has no largest value; give it less padding");
  // Sums and values with steps to come are pooled behind their quantizer, where values are narrow.
  const bool rising = std::all_of(input.scale.begin(), input.scale.end(), [](double scale) { return scale > 0; });
  const bool now = input.steps.empty() && input.pools.empty() && rising && !context.builder.is_accumulator(input.map);
  if (now) {
    const ValueType type = context.builder.map(input.map).type;
    const std::vector<Range> ranges = context.builder.ranges(input.map);
    input.map = context.builder.add_layer("pool", node.name, input.map, MaxPool{window}, shape, type, ranges);
  } else {
    input.pools.push_back({input.steps.size(), window, node.name});
  }
  input.shape = shape;
  input.dims = with_extents(input.dims, shape);
  input.order = canonical_order(shape, layout.map_channel);
  return input;
}

Stream lower_arg_max(Context& context, const Node& node, Stream input, std::int64_t axis, bool keep_axis) {
  prepare_scores(context, input);
  const auto lines = as_lines(input, input.steps.size());
  const bool exact = lines && std::all_of(lines->begin(), lines->end(), [&](const Line& line) { return line == lines->front(); });
  if (!exact || !(lines->front().slope > 0))
    throw Error(node.name,
                "the scores in front of this argmax are scaled or offset differently per class, so an argmax over the integers would not "
                "be exact; use one scale and one offset for all classes");
  const std::size_t place = resolve_axis(node, axis, input.dims.size());
  const std::int64_t classes = input.dims[place];
  const std::int64_t inner = strides_of(input.dims)[place];
  if (classes != input.shape.channels || classes < 2)
    throw Error(node.name,
                fmt::format("an argmax along axis {} of shape {}; it is supported along the channels, of which there must be two or more",
                            axis, dims_text(input.dims)));
  std::vector<std::int32_t> order;
  for (std::size_t e = 0; e < input.order.size(); ++e) {
    const std::int64_t index = static_cast<std::int64_t>(e) / inner % classes;
    if (input.channel(e) != index) throw Error(node.name, "the classes in front of this argmax are not in the order of the channels");
    if (index == 0) order.push_back(input.order[e] / input.shape.channels);
  }
  Stream out;
  out.shape = {input.shape.height, input.shape.width, 1};
  out.map = context.builder.add_layer("argmax", node.name, input.map, ArgMax{}, out.shape, ValueType::holding(0, classes - 1),
                                      {Range{0, classes - 1}});
  out.dims = input.dims;
  out.dims[place] = 1;
  if (!keep_axis) out.dims.erase(out.dims.begin() + static_cast<std::ptrdiff_t>(place));
  out.order = std::move(order);
  out.source = node.name;
  return out;
}

}  // namespace bitloom::lowering
