// Operators that cut maps, pad them or give their channels another order, where no layer behind them can take that in: as convolutions with
// at most a single weight of 1 for each output channel. Which values the operator takes is asked of the operator itself, axis by axis.
#include <fmt/format.h>

#include <algorithm>

#include "lower/chain.hpp"
#include "lower/maps.hpp"
#include "onnx/broadcast.hpp"
#include "onnx/operators.hpp"

namespace bitloom::lowering {
namespace {

constexpr std::int64_t kMostTaps = 1024;  // of the window that cuts a map

enum Role { kHeight, kWidth, kChannel, kNone };

/// Which axis of the map an ONNX axis runs along, and the places on it that its elements have.
struct Axis {
  Role role = kNone;
  std::vector<int> places{};
};

int place_on(const MapShape& shape, Role role, std::int32_t position) {
  if (role == kChannel) return position % shape.channels;
  const int pixel = position / shape.channels;
  return role == kWidth ? pixel % shape.width : pixel / shape.width;
}

/// The axes of a stream of which each runs along one of the map; nothing where they are mixed.
std::optional<std::vector<Axis>> axes_of(const Stream& stream) {
  const Dims strides = strides_of(stream.dims);
  std::vector<Axis> axes(stream.dims.size());
  std::vector<bool> taken(4, false);
  for (std::size_t d = 0; d < axes.size(); ++d) {
    if (stream.dims[d] < 2) continue;
    for (const Role role : {kHeight, kWidth, kChannel})
      if (place_on(stream.shape, role, stream.order[0]) != place_on(stream.shape, role, stream.order[size(strides[d])])) {
        if (axes[d].role != kNone || taken[role]) return std::nullopt;
        axes[d].role = role;
      }
    taken[axes[d].role] = true;
    for (std::int64_t i = 0; i < stream.dims[d]; ++i)
      axes[d].places.push_back(place_on(stream.shape, axes[d].role, stream.order[size(i * strides[d])]));
  }
  // Axes of one element take what is left, in the order channel, height, width.
  std::vector<Role> left{kChannel, kHeight, kWidth};
  if (axes.size() == 3) left = {kChannel, kWidth, kHeight};
  for (std::size_t d = 1; d < axes.size(); ++d) {
    if (stream.dims[d] != 1) continue;
    const auto next = std::find_if(left.begin(), left.end(), [&](Role role) { return !taken[role]; });
    if (next == left.end()) break;
    axes[d] = {*next, {place_on(stream.shape, *next, stream.order[0])}};
    taken[*next] = true;
  }
  for (std::size_t e = 0; e < stream.order.size(); ++e)
    for (std::size_t d = 0; d < axes.size(); ++d)
      if (axes[d].role != kNone && axes[d].places[static_cast<std::size_t>(static_cast<std::int64_t>(e) / strides[d] % stream.dims[d])] !=
                                       place_on(stream.shape, axes[d].role, stream.order[e]))
        return std::nullopt;
  return axes;
}

/// A convolution that takes one value for each of its own: its window with the one place that counts, and the channels; -1: zero.
struct Pick {
  Window window;
  int row = 0, column = 0;
  std::vector<int> channels;
};

/// `places` of an axis as padding around a part of it, taken in even steps.
void pick_along(const Node& node, const std::vector<int>& places, int extent, int& kernel, int& stride, int& tap, int& before, int& after) {
  const auto is_value = [](int place) { return place >= 0; };
  const auto first = std::find_if(places.begin(), places.end(), is_value);
  const auto last = std::find_if(places.rbegin(), places.rend(), is_value).base();
  const auto count = static_cast<int>(last - first);
  before = static_cast<int>(first - places.begin());
  after = static_cast<int>(places.end() - last);
  stride = count > 1 ? first[1] - first[0] : 1;
  bool even = count > 0 && stride > 0 && (before + after == 0 || count == extent);
  for (int i = 0; even && i < count; ++i) even = first[i] == first[0] + i * stride;
  if (!even)
    throw Error(node.name, fmt::format("this {} takes rows or columns of a map otherwise than in even steps from one to another", node.op));
  kernel = before + after > 0 ? 1 : extent - (count - 1) * stride;
  tap = *first;
  if (before + after > 0) tap = 0;
}

Stream emit_pick(Context& context, const std::string& kind, const Node& node, const Stream& input, const Pick& pick) {
  const int channels = input.shape.channels, taps = pick.window.kernel_height * pick.window.kernel_width;
  if (taps > kMostTaps)
    throw Error(node.name, fmt::format("this {} cuts a map so far that its window would have {}x{} values; crop the image before the model",
                                       node.op, pick.window.kernel_height, pick.window.kernel_width));
  Convolution conv;
  conv.window = pick.window;
  conv.out_channels = static_cast<int>(pick.channels.size());
  conv.groups = pick.channels == identity_channels(channels) ? channels : 1;
  conv.weight_type = ValueType::unsigned_bits(1);
  const int own = channels / conv.groups, tap = pick.row * pick.window.kernel_width + pick.column;
  if (pick.channels.size() * size(taps) * size(own) > std::size_t{1} << 24)
    throw Error(node.name, fmt::format("this {} moves {} channels of a map to {}, which takes too many weights", node.op, channels,
                                       pick.channels.size()));
  conv.weights.assign(pick.channels.size() * size(taps) * size(own), 0);
  for (std::size_t k = 0; k < pick.channels.size(); ++k)
    if (pick.channels[k] >= 0) conv.weights[(k * size(taps) + size(tap)) * size(own) + (conv.groups > 1 ? 0 : size(pick.channels[k]))] = 1;
  Stream out = emit_convolution(context, kind, node, input, std::move(conv), {1.0}, {});
  out.scale = input.scale;
  out.integer = input.integer;
  return out;
}

/// The places of `axis` that the node takes, -1 for padding, and the dimensions of its result.
std::vector<int> taken_places(Context& context, const Node& node, const Stream& stream, std::vector<const Tensor*> inputs, std::size_t axis,
                              Dims& dims, std::size_t output) {
  const Dims strides = strides_of(stream.dims);
  Tensor index = Tensor::ints(stream.dims, {});
  for (std::int64_t e = 0; e < static_cast<std::int64_t>(stream.order.size()); ++e)
    index.i().push_back(e / strides[axis] % stream.dims[axis] + 1);  // 0: padding
  inputs[0] = &index;
  const Tensor result = evaluate(node, inputs, context.opset()).at(output);
  dims = result.shape;
  if (dims.size() != stream.dims.size() || result.size() == 0)
    throw Error(node.name, fmt::format("this {} of shape {} gives shape {}", node.op, dims_text(stream.dims), dims_text(dims)));
  const std::int64_t stride = strides_of(dims)[axis];
  std::vector<int> places(size(dims[axis]), -1);
  for (std::int64_t e = 0; e < result.size(); ++e) {  // the largest: where another axis is padded there is a 0
    int& place = places[size(e / stride % dims[axis])];
    place = std::max(place, static_cast<int>(result.i()[size(e)]) - 1);
  }
  return places;
}

}  // namespace

Stream permute_channels(Context& context, const Node& node, const Stream& input, const std::vector<int>& channels) {
  return emit_pick(context, "shuffle", node, input, {Window{}, 0, 0, channels});
}

Stream lower_pick(Context& context, const Node& node, Stream stream, const std::vector<const Tensor*>& inputs, std::size_t output) {
  const double shift = stream.shift;
  if (!stream.is_pure() && stream.steps.empty() && stream.pools.empty()) stream.shift = 0;  // a zero point: told again below
  const bool told = stream.shift != shift;
  stream = integral(context, std::move(stream), node);
  const auto axes = axes_of(stream);
  if (!axes)
    throw Error(node.name,
                fmt::format("the axes of its input, of shape {}, do not lie along those of the feature map", dims_text(stream.dims)));
  Pick pick;
  pick.channels = identity_channels(stream.shape.channels);
  std::vector<Axis> result(axes->size());
  Dims dims;
  for (std::size_t d = 0; d < axes->size(); ++d) {
    const Axis& axis = (*axes)[d];
    std::vector<int> places = taken_places(context, node, stream, inputs, d, dims, output);
    if (axis.role == kNone && places != std::vector<int>{0})
      throw Error(node.name, fmt::format("this {} gives shape {}: more than a map has", node.op, dims_text(dims)));
    for (int& place : places)
      if (place >= 0 && axis.role != kNone) place = axis.places[size(place)];
    Window& w = pick.window;
    if (axis.role == kHeight)
      pick_along(node, places, stream.shape.height, w.kernel_height, w.stride_height, pick.row, w.pad_top, w.pad_bottom);
    else if (axis.role == kWidth)
      pick_along(node, places, stream.shape.width, w.kernel_width, w.stride_width, pick.column, w.pad_left, w.pad_right);
    else if (axis.role == kChannel)
      pick.channels = places;
    result[d].role = axis.role;
  }
  Stream out = emit_pick(context, node.op == "Pad" ? "pad" : "slice", node, stream, pick);
  out.dims = dims;
  if (told) out.shift = shift;
  out.order.clear();
  const Dims strides = strides_of(dims);
  for (std::int64_t e = 0; e < element_count(dims); ++e) {
    int place[4] = {};
    for (std::size_t d = 0; d < dims.size(); ++d) place[result[d].role] = static_cast<int>(e / strides[d] % dims[d]);
    out.order.push_back((place[kHeight] * out.shape.width + place[kWidth]) * out.shape.channels + place[kChannel]);
  }
  return out;
}

std::optional<Window> spatial_padding(Context& context, const Node& node, const Stream& stream, const std::vector<const Tensor*>& inputs) {
  const auto axes = axes_of(stream);
  if (!axes || stream.dims.size() < 3 || stream.dims.size() > 4) return std::nullopt;
  const std::size_t last = stream.dims.size() - 1;  // as a Conv takes it
  if ((*axes)[1].role != kChannel || (*axes)[last].role != kWidth || (last == 3 && (*axes)[2].role != kHeight)) return std::nullopt;
  Window window;
  Dims dims;
  const auto pads = [&](std::size_t d, int& before, int& after) {
    std::vector<int> places = taken_places(context, node, stream, inputs, d, dims, 0);
    for (before = 0; !places.empty() && places.front() < 0; ++before) places.erase(places.begin());
    for (after = 0; !places.empty() && places.back() < 0; ++after) places.pop_back();
    return places == identity_channels(static_cast<int>(stream.dims[d]));
  };
  int none_before = 0, none_after = 0;
  if (!pads(0, none_before, none_after) || !pads(1, none_before, none_after) || !pads(last, window.pad_left, window.pad_right) ||
      (last == 3 && !pads(2, window.pad_top, window.pad_bottom)) || dims[0] != 1 || dims[1] != stream.dims[1])
    return std::nullopt;
  return window;
}

/// A sum over whole axes of the map: a convolution whose kernel covers them, with weights 1.
Stream lower_reduce(Context& context, const Node& node, Stream input, const Dims& places, const Dims& dims) {
  const bool mean = node.op == "ReduceMean";
  if (mean && holds_integers(input, input.steps.size())) throw Error(node.name, "a mean of integers is rounded; take it of floats");
  const bool integer = input.integer;
  input = integral(context, std::move(input), node);
  const MapShape shape = input.shape;
  // The map axes along which the elements of the first sum lie are the ones summed over.
  bool sums[3] = {};
  std::int64_t first_position = -1;
  for (std::size_t e = 0; e < input.order.size(); ++e) {
    if (places[e] != 0) continue;
    if (first_position < 0) first_position = input.order[e];
    for (const Role role : {kHeight, kWidth, kChannel})
      sums[role] = sums[role] || place_on(shape, role, input.order[e]) != place_on(shape, role, static_cast<std::int32_t>(first_position));
  }
  const MapShape rest{sums[kHeight] ? 1 : shape.height, sums[kWidth] ? 1 : shape.width, sums[kChannel] ? 1 : shape.channels};
  std::vector<std::int32_t> order(size(element_count(dims)), -1);
  const auto refuse = [&] {
    return Error(node.name, fmt::format("this {} from shape {} to {} does not sum over whole axes of the feature map", node.op,
                                        dims_text(input.dims), dims_text(dims)));
  };
  if (static_cast<std::int64_t>(order.size()) != rest.size()) throw refuse();
  for (std::size_t e = 0; e < input.order.size(); ++e) {
    const auto place = [&](Role role) { return sums[role] ? 0 : place_on(shape, role, input.order[e]); };
    const std::int32_t position = (place(kHeight) * rest.width + place(kWidth)) * rest.channels + place(kChannel);
    std::int32_t& stored = order[size(places[e])];
    if (stored >= 0 && stored != position) throw refuse();
    stored = position;
  }
  Convolution conv;
  if (sums[kHeight]) conv.window.kernel_height = shape.height;
  if (sums[kWidth]) conv.window.kernel_width = shape.width;
  conv.out_channels = rest.channels;
  conv.groups = sums[kChannel] ? 1 : shape.channels;
  conv.weight_type = ValueType::unsigned_bits(1);
  conv.weights.assign(size(shape.size() / (std::int64_t{rest.height} * rest.width)), 1);
  const double count = static_cast<double>(input.order.size()) / static_cast<double>(order.size());
  Stream out = emit_convolution(context, "sum", node, input, std::move(conv), {mean ? 1.0 / count : 1.0}, dims);
  out.order = std::move(order);
  out.integer = integer;
  return out;
}

}  // namespace bitloom::lowering
