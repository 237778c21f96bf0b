// Layers of several streams: sums and concatenations, brought to one scale first; and nearest upsampling.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "lower/chain.hpp"
#include "lower/context.hpp"
#include "onnx/broadcast.hpp"
#include "onnx/operators.hpp"

namespace bitloom::lowering {
namespace {

constexpr std::int64_t kMostParts = 4096;     // of the first scale, until a common unit is given up
constexpr double kLargestMultiple = 1 << 20;  // of the unit

/// A unit of which every scale is an exact integer multiple, and the multiples.
struct CommonUnit {
  double unit = 1;
  std::vector<std::int64_t> multiples;
};

std::optional<CommonUnit> common_unit(const std::vector<double>& scales) {
  for (std::int64_t parts = 1; parts <= kMostParts; ++parts) {
    CommonUnit common{scales[0] / static_cast<double>(parts), {}};
    for (const double scale : scales) {
      const double multiple = std::nearbyint(scale / common.unit);
      if (multiple < 1 || multiple > kLargestMultiple || multiple * common.unit != scale) break;
      common.multiples.push_back(static_cast<std::int64_t>(multiple));
    }
    if (common.multiples.size() == scales.size()) return common;
  }
  return std::nullopt;
}

/// The inputs as maps times one scale each, and the common unit of those scales.
CommonUnit bring_to_unit(Context& context, const Node& node, std::vector<Stream>& inputs) {
  std::vector<double> scales;
  for (Stream& stream : inputs) {
    stream = integral(context, std::move(stream), node);
    scales.push_back(stream.scale[0]);
  }
  auto common = common_unit(scales);
  if (!common)
    throw Error(node.name,
                fmt::format("its inputs have the scales {}, of which no small unit is an exact integer part, so this {} has no exact "
                            "integer form; quantize its inputs with one scale, or with scales in an integer ratio",
                            fmt::join(scales, ", "), node.op));
  return *common;
}

/// Gives a stream of the same shapes the order of another one, where channels alone differ.
bool bring_to_order(Context& context, const Node& node, Stream& stream, const Stream& like) {
  if (stream.order == like.order) return true;
  const int channels = stream.shape.channels;
  std::vector<int> from(static_cast<std::size_t>(channels), -1);
  for (std::size_t e = 0; e < stream.order.size(); ++e) {
    int& channel = from[static_cast<std::size_t>(like.channel(e))];
    if (stream.order[e] / channels != like.order[e] / channels || (channel >= 0 && channel != stream.channel(e))) return false;
    channel = stream.channel(e);
  }
  const auto dims = stream.dims;
  stream = permute_channels(context, node, integral(context, std::move(stream), node), from);
  stream.dims = dims;
  stream.order = like.order;
  return true;
}

Range scaled(const Range& range, std::int64_t factor) {
  return {std::min(range.low * factor, range.high * factor), std::max(range.low * factor, range.high * factor)};
}

}  // namespace

Stream lower_sum(Context& context, const Node& node, std::vector<Stream> inputs) {
  const Stream& first = inputs[0];
  for (Stream& other : inputs)
    if (other.dims != first.dims || other.shape != first.shape || !bring_to_order(context, node, other, first))
      throw Error(node.name, fmt::format("this {} of feature maps of shape {} and {}: they must have one shape and lie alike in memory",
                                         node.op, dims_text(first.dims), dims_text(other.dims)));
  CommonUnit common = bring_to_unit(context, node, inputs);
  if (node.op == "Sub") common.multiples[1] = -common.multiples[1];
  std::vector<int> maps;
  std::vector<Range> ranges(static_cast<std::size_t>(first.shape.channels));
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    maps.push_back(inputs[i].map);
    for (std::size_t c = 0; c < ranges.size(); ++c) {
      const Range part = scaled(context.builder.ranges(inputs[i].map)[c], common.multiples[i]);
      ranges[c] = {ranges[c].low + part.low, ranges[c].high + part.high};
    }
  }
  Stream out = first;
  out.scale = {common.unit};
  out.map = context.builder.add_layer("add", node.name, maps, Add{common.multiples}, out.shape, type_holding(ranges, node.name), ranges);
  out.source = node.name;
  out.only_reader = true;
  return out;
}

Stream lower_concat(Context& context, const Node& node, std::vector<Stream> inputs) {
  MapShape shape = inputs[0].shape;
  shape.channels = 0;
  for (const Stream& stream : inputs) {
    if (stream.shape.height != shape.height || stream.shape.width != shape.width)
      throw Error(node.name, fmt::format("it joins maps of {}x{} and {}x{} pixels; a Concat along the channels is supported", shape.height,
                                         shape.width, stream.shape.height, stream.shape.width));
    shape.channels += stream.shape.channels;
  }
  const CommonUnit common = bring_to_unit(context, node, inputs);
  // The operator itself says where every element goes, given its place among the joined channels.
  std::vector<Tensor> places;
  std::vector<int> maps;
  std::vector<Range> ranges;
  int before = 0;
  bool one_type = true;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Stream& stream = inputs[i];
    places.push_back(Tensor::ints(stream.dims, {}));
    for (const std::int32_t position : stream.order)
      places.back().i().push_back(std::int64_t{position} / stream.shape.channels * shape.channels + before +
                                  position % stream.shape.channels);
    before += stream.shape.channels;
    maps.push_back(stream.map);
    for (const Range& range : context.builder.ranges(stream.map)) ranges.push_back(scaled(range, common.multiples[i]));
    one_type = one_type && common.multiples[i] == 1 && context.builder.map(stream.map).type == context.builder.map(maps[0]).type;
  }
  std::vector<const Tensor*> pointers;
  for (const Tensor& tensor : places) pointers.push_back(&tensor);
  const Tensor joined = evaluate(node, pointers, context.opset()).at(0);
  Stream out;
  out.shape = shape;
  out.dims = joined.shape;
  out.order.assign(joined.i().begin(), joined.i().end());
  out.scale = {common.unit};
  out.integer = std::all_of(inputs.begin(), inputs.end(), [](const Stream& stream) { return stream.integer; });
  out.source = node.name;
  const ValueType type = one_type ? context.builder.map(maps[0]).type : type_holding(ranges, node.name);
  out.map = context.builder.add_layer("concat", node.name, maps, Concat{common.multiples}, shape, type, ranges);
  return out;
}

Stream lower_resize(Context& context, const Node& node, Stream input, const Tensor& resized) {
  const auto refuse = [&]() -> Error {
    return {node.name, fmt::format("a Resize from shape {} to {}; nearest enlarging by whole factors in height and width is supported",
                                   dims_text(input.dims), dims_text(resized.shape))};
  };
  std::vector<std::size_t> grown;
  for (std::size_t d = 0; d < input.dims.size(); ++d) {
    if (resized.shape[d] % input.dims[d] != 0) throw refuse();
    if (resized.shape[d] != input.dims[d]) grown.push_back(d);
  }
  if (grown.empty()) return input;
  const std::size_t rank = input.dims.size();
  const bool last =
      rank == 4 && input.dims[3] == input.shape.channels && input.order.size() > 1 && input.order[1] == 1 && input.shape.channels > 1;
  const std::size_t x_axis = last ? 2 : rank - 1, y_axis = rank == 4 ? x_axis - 1 : rank;  // rank: there is none
  for (const std::size_t d : grown)
    if (d != x_axis && d != y_axis) throw refuse();
  const auto factor = [&](std::size_t d) { return d < rank ? static_cast<int>(resized.shape[d] / input.dims[d]) : 1; };
  const Upsample upsample{factor(y_axis), factor(x_axis)};
  const MapShape from = input.shape;
  const MapShape shape{from.height * upsample.height, from.width * upsample.width, from.channels};
  const Dims strides = strides_of(resized.shape);
  std::vector<std::int32_t> order;
  for (std::int64_t e = 0; e < resized.size(); ++e) {
    const auto coordinate = [&](std::size_t d) { return d < rank ? static_cast<int>(e / strides[d] % resized.shape[d]) : 0; };
    const int x = coordinate(x_axis), y = coordinate(y_axis);
    const auto position = static_cast<int>(resized.i()[static_cast<std::size_t>(e)]);
    const int c = position % from.channels, pixel = position / from.channels;
    if (pixel % from.width != x / upsample.width || pixel / from.width != y / upsample.height) throw refuse();
    order.push_back((y * shape.width + x) * shape.channels + c);
  }
  Stream out = integral(context, std::move(input), node);
  const std::vector<Range> ranges = context.builder.ranges(out.map);
  const ValueType type = context.builder.map(out.map).type;
  out.map = context.builder.add_layer("upsample", node.name, out.map, upsample, shape, type, ranges);
  out.shape = shape;
  out.dims = resized.shape;
  out.order = std::move(order);
  out.source = node.name;
  out.only_reader = true;
  return out;
}

}  // namespace bitloom::lowering
