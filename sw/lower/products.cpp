// Products with a matrix of weights.
#include <fmt/format.h>

#include <numeric>

#include "lower/maps.hpp"
#include "lower/weights.hpp"
#include "onnx/broadcast.hpp"

namespace bitloom::lowering {
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
  if (groups > 1 && groups * inputs * outputs > std::size_t{1} << 24)
    throw Error(node.name, fmt::format("{} copies of its weights are too many", groups));
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
  for (std::size_t first = 0; first < input.order.size(); first += inputs) {
    const std::size_t row = rows->is_whole ? 0 : size(input.order[first]) / inputs;
    for (std::size_t k = 0; k < outputs; ++k) order.push_back(static_cast<std::int32_t>(row * outputs + k));
  }
  Stream out = emit_convolution(context, "fc", node, input, std::move(conv), integers.scale, std::move(out_dims));
  out.order = std::move(order);
  return out;
}

}  // namespace bitloom::lowering
