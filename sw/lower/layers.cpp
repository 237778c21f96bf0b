// Layers with windows: convolutions, fully connected layers, pools; and argmax.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "lower/chain.hpp"
#include "lower/context.hpp"
#include "lower/weights.hpp"
#include "onnx/broadcast.hpp"
#include "onnx/window.hpp"

namespace bitloom::lowering {
namespace {

std::size_t size(std::int64_t value) { return static_cast<std::size_t>(value); }

/// How a stream [1, C, H, W] (or [1, C, W]) lies in its map: ONNX channel c is map channel `map_channel[c]`.
struct Layout {
  MapShape shape;
  std::vector<int> map_channel;
};

MapShape spatial_shape(const Dims& dims) {
  const auto extent = [](std::int64_t value) { return static_cast<int>(value); };
  return {dims.size() == 4 ? extent(dims[2]) : 1, extent(dims.back()), extent(dims[1])};
}

/// The order of elements [1, C, H, W] in an HWC map.
std::vector<std::int32_t> canonical_order(const MapShape& shape, const std::vector<int>& map_channel) {
  std::vector<std::int32_t> order;
  for (int c = 0; c < shape.channels; ++c)
    for (int y = 0; y < shape.height; ++y)
      for (int x = 0; x < shape.width; ++x)
        order.push_back((y * shape.width + x) * shape.channels + map_channel[static_cast<std::size_t>(c)]);
  return order;
}

std::vector<int> identity_channels(int channels) {
  std::vector<int> map_channel(static_cast<std::size_t>(channels));
  std::iota(map_channel.begin(), map_channel.end(), 0);
  return map_channel;
}

/// Gives the network's input, which no layer reads yet, the shape and order in which the stream wants it (a flat image, or one in NHWC
/// order), and tells every other stream of it.
bool reshape_input(Context& context, Stream& stream, const MapShape& shape, const std::vector<std::int32_t>& order) {
  Network& network = context.builder.network();
  std::vector<Stream*> streams{&stream};
  for (auto& [name, symbol] : context.symbols)
    if (auto* other = std::get_if<Stream>(&symbol); other != nullptr && other->map == network.input) streams.push_back(other);
  const auto is_bound = [](const Stream* other) {  // to the channels that the map has now
    return !other->pools.empty() || other->scale.size() > 1 ||
           std::any_of(other->steps.begin(), other->steps.end(), [](const auto& step) { return step->per_channel(); });
  };
  if (stream.map != network.input || context.builder.is_read(stream.map) || std::any_of(streams.begin(), streams.end(), is_bound))
    return false;
  std::vector<std::int32_t> moved(order.size(), -1);  // old position -> new position
  for (std::size_t e = 0; e < order.size(); ++e) moved[static_cast<std::size_t>(stream.order[e])] = order[e];
  if (std::find(moved.begin(), moved.end(), -1) != moved.end()) return false;
  for (std::int32_t& position : network.input_order) position = moved[static_cast<std::size_t>(position)];
  context.builder.reshape_input(shape);
  for (Stream* other : streams) {
    other->shape = shape;
    for (std::int32_t& position : other->order) position = moved[static_cast<std::size_t>(position)];
  }
  return true;
}

Layout layout_of(Context& context, const Node& node, Stream& stream) {
  if (stream.dims.size() != 3 && stream.dims.size() != 4)
    throw Error(node.name,
                fmt::format("the input of this {} has shape {}; [N, C, H, W] or [N, C, W] is supported", node.op, dims_text(stream.dims)));
  Layout layout{spatial_shape(stream.dims), {}};
  if (stream.dims[0] == 1 && layout.shape.size() == stream.shape.size()) {
    const std::size_t pixels = size(layout.shape.height) * size(layout.shape.width);
    if (layout.shape == stream.shape) {
      for (int c = 0; c < layout.shape.channels; ++c) layout.map_channel.push_back(stream.channel(size(c) * pixels));
      if (canonical_order(layout.shape, layout.map_channel) == stream.order) return layout;
    }
    layout.map_channel = identity_channels(layout.shape.channels);
    if (reshape_input(context, stream, layout.shape, canonical_order(layout.shape, layout.map_channel))) return layout;
  }
  throw Error(node.name,
              fmt::format("the input of this {}, of shape {}, is a feature map of {}x{}x{} (height, width, channels) with its axes "
                          "rearranged; remove the Reshape or Transpose in front of it",
                          node.op, dims_text(stream.dims), stream.shape.height, stream.shape.width, stream.shape.channels));
}

/// Emits a convolution of a pure stream; the result is the stream of its sums.
Stream emit_convolution(Context& context, const std::string& kind, const Node& node, const Stream& input, Convolution conv,
                        const std::vector<double>& weight_scale, Dims dims) {
  Builder& builder = context.builder;
  if (conv.window.has_padding()) builder.make_paddable(input.map);
  const MapShape in = builder.map(input.map).shape;
  const MapShape shape{conv.window.out_height(in.height), conv.window.out_width(in.width), conv.out_channels};
  const std::vector<Range> ranges = accumulator_ranges(conv, in, builder.ranges(input.map));
  Stream out;
  for (const double scale : weight_scale) out.scale.push_back(input.scale[0] * scale);
  out.scale.erase(out.scale.begin());
  if (std::all_of(out.scale.begin(), out.scale.end(), [&](double scale) { return scale == out.scale[0]; })) out.scale.resize(1);
  out.map = builder.add_layer(kind, node.name, input.map, std::move(conv), shape, type_holding(ranges, node.name), ranges);
  out.shape = shape;
  out.dims = std::move(dims);
  out.order = canonical_order(shape, identity_channels(shape.channels));
  out.source = node.name;
  return out;
}

Dims with_extents(Dims dims, const MapShape& shape) {
  dims[1] = shape.channels;
  if (dims.size() == 4) dims[2] = shape.height;
  dims.back() = shape.width;
  return dims;
}

}  // namespace

Stream lower_conv(Context& context, const Node& node, Stream input, const Constant& weights, const Constant* bias) {
  Layout layout = layout_of(context, node, input);
  input = integral(context, std::move(input), node);
  const Dims& dims = weights.value.shape;
  if (dims.size() != input.dims.size())
    throw Error(node.name, fmt::format("weights of shape {} do not fit an input of shape {}", dims_text(dims), dims_text(input.dims)));
  Convolution conv;
  conv.window = read_window(node, input.dims, Dims(dims.begin() + 2, dims.end()));
  conv.out_channels = static_cast<int>(dims[0]);
  const std::int64_t groups = node.int_attribute("group", 1);
  if (groups < 1 || dims[0] < 1 || dims[0] % groups != 0 || dims[1] * groups != layout.shape.channels)
    throw Error(node.name, fmt::format("weights of shape {} in {} groups do not fit {} input channels", dims_text(dims), groups,
                                       layout.shape.channels));
  conv.groups = static_cast<int>(groups);
  if (groups > 1 && layout.map_channel != identity_channels(layout.shape.channels))
    throw Error(node.name, "a grouped convolution over channels in another order; remove the Transpose in front of it");

  const std::size_t channels = size(dims[1]), taps = element_count(dims) == 0 ? 0 : size(element_count(dims) / dims[0] / dims[1]);
  std::vector<std::size_t> onnx_channel(channels);
  for (std::size_t c = 0; c < channels; ++c) onnx_channel[groups > 1 ? c : static_cast<std::size_t>(layout.map_channel[c])] = c;
  std::vector<std::size_t> position;
  for (std::size_t k = 0; k < size(dims[0]); ++k)
    for (std::size_t tap = 0; tap < taps; ++tap)
      for (std::size_t c = 0; c < channels; ++c) position.push_back((k * channels + onnx_channel[c]) * taps + tap);
  IntegerWeights integers = integer_weights(node, weights, position, size(dims[0]));
  conv.weight_type = integers.type;
  conv.weights = std::move(integers.values);

  const MapShape shape{conv.window.out_height(layout.shape.height), conv.window.out_width(layout.shape.width), conv.out_channels};
  Stream out = emit_convolution(context, "conv", node, input, std::move(conv), integers.scale, with_extents(input.dims, shape));
  if (bias != nullptr) {
    if (!bias->value.is_float() || bias->value.size() != dims[0]) throw Error(node.name, fmt::format("{} bias values expected", dims[0]));
    append_constant_step(out, "Add", node.name, bias->value.f());
  }
  return out;
}

namespace {

/// Where the values of the rows of a tensor [.., N] lie in its map.
struct Rows {
  std::vector<std::size_t> element;  ///< place in a row's values, in the order of the map -> ONNX place
  bool is_whole = false;             ///< one row, all values of the map; else every pixel has whole rows, one after the other
};

std::optional<Rows> rows_of(const Stream& input) {
  const auto count = size(input.dims.back()), channels = size(input.shape.channels);
  Rows rows;
  rows.is_whole = size(input.shape.size()) == count;
  rows.element.assign(count, count);
  if (!rows.is_whole && channels % count != 0) return std::nullopt;
  for (std::size_t n = 0; n < count; ++n) {
    const auto position = static_cast<std::size_t>(input.order[n]);
    const std::size_t place = rows.is_whole ? position : position % count;
    if (rows.element[place] != count) return std::nullopt;
    rows.element[place] = n;
  }
  for (std::size_t e = 0; e < input.order.size(); ++e) {
    const auto position = static_cast<std::size_t>(input.order[e]), first = static_cast<std::size_t>(input.order[e - e % count]);
    if (!rows.is_whole && (position / count != first / count || rows.element[position % count] != e % count)) return std::nullopt;
  }
  return rows;
}

}  // namespace

/// One row, the values of a whole map: a kernel of the map's size. Several rows: every pixel has one, or several as groups of channels.
Stream lower_product(Context& context, const Node& node, Stream input, const Constant& weights, bool outputs_first) {
  const Dims& dims = weights.value.shape;
  if (dims.size() != 2) throw Error(node.name, fmt::format("weights of shape {}; a matrix is supported", dims_text(dims)));
  const std::size_t inputs = size(dims[outputs_first ? 1 : 0]), outputs = size(dims[outputs_first ? 0 : 1]);
  if (input.dims.empty() || size(input.dims.back()) != inputs)
    throw Error(node.name, fmt::format("weights of shape {} do not fit an input of shape {}", dims_text(dims), dims_text(input.dims)));
  std::optional<Rows> rows = rows_of(input);
  if (!rows) {
    const MapShape shape{1, static_cast<int>(input.order.size() / inputs), static_cast<int>(inputs)};
    std::vector<std::int32_t> order(input.order.size());
    std::iota(order.begin(), order.end(), 0);
    if (reshape_input(context, input, shape, order)) rows = rows_of(input);
  }
  if (!rows)
    throw Error(node.name,
                fmt::format("the rows of its input, of shape {}, do not lie along the channels of the feature map, of {}x{}x{} (height, "
                            "width, channels); remove the Transpose or Reshape in front of it",
                            dims_text(input.dims), input.shape.height, input.shape.width, input.shape.channels));
  input = integral(context, std::move(input), node);
  const std::size_t groups = rows->is_whole ? 1 : size(input.shape.channels) / inputs;
  if (groups * inputs * outputs > std::size_t{1} << 24) throw Error(node.name, fmt::format("{} copies of its weights are too many", groups));
  std::vector<std::size_t> position;
  for (std::size_t k = 0; k < groups * outputs; ++k)
    for (std::size_t i = 0; i < inputs; ++i) {
      const std::size_t n = rows->element[i];
      position.push_back(outputs_first ? k % outputs * inputs + n : n * outputs + k % outputs);
    }
  IntegerWeights integers = integer_weights(node, weights, position, groups * outputs);

  Convolution conv;
  if (rows->is_whole) {
    conv.window.kernel_height = input.shape.height;
    conv.window.kernel_width = input.shape.width;
  }
  conv.out_channels = static_cast<int>(groups * outputs);
  conv.groups = static_cast<int>(groups);
  conv.weight_type = integers.type;
  conv.weights = std::move(integers.values);
  Dims out_dims = input.dims;
  out_dims.back() = static_cast<std::int64_t>(outputs);
  std::vector<std::int32_t> order;
  for (std::size_t first = 0; first < input.order.size(); first += inputs)
    for (std::size_t k = 0; k < outputs; ++k)
      order.push_back(static_cast<std::int32_t>((rows->is_whole ? 0 : static_cast<std::size_t>(input.order[first]) / inputs * outputs) + k));
  Stream out = emit_convolution(context, "fc", node, input, std::move(conv), integers.scale, std::move(out_dims));
  out.order = std::move(order);
  return out;
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

Stream lower_max_pool(Context& context, const Node& node, Stream input) {
  const Layout layout = layout_of(context, node, input);
  Window window;
  if (node.op == "GlobalMaxPool")
    window.kernel_height = layout.shape.height, window.kernel_width = layout.shape.width;
  else
    window = read_window(node, input.dims, {});
  const MapShape shape{window.out_height(layout.shape.height), window.out_width(layout.shape.width), layout.shape.channels};
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
