#include "lower/maps.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "onnx/broadcast.hpp"

namespace bitloom::lowering {
namespace {

MapShape spatial_shape(const Dims& dims) {
  const auto extent = [](std::int64_t value) { return static_cast<int>(value); };
  return {dims.size() == 4 ? extent(dims[2]) : 1, extent(dims.back()), extent(dims[1])};
}

}  // namespace

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
  for (MapMeaning& meaning : network.meanings)
    for (std::int32_t& position : meaning.order) position = moved[static_cast<std::size_t>(position)];
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

}  // namespace bitloom::lowering
