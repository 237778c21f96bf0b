// Elementwise operators with constants: steps of the chain, and quantizers, which end it.
#include <cmath>

#include "lower/chain.hpp"
#include "lower/context.hpp"
#include "lower/grids.hpp"

namespace bitloom::lowering {
namespace {

/// Products with whole numbers and sums of them, in front of a Cast to integers, as the integers that they are, even where a float32 tensor
/// would round them (beyond 2^24): the integer networks that are written so mean integers. Else the stream stays as it is.
void take_as_integers(const Context& context, const Node& node, Stream& stream) {
  const auto lines = stream.pools.empty() && !stream.steps.empty() ? as_lines(stream, stream.steps.size()) : std::nullopt;
  if (!lines) return;
  const auto whole = [](double value) { return std::nearbyint(value) == value && std::fabs(value) <= 0x1p31; };
  Stream taken = stream;
  taken.scale = {1.0};
  taken.shift = 0;
  taken.steps.clear();
  taken.integer = true;
  std::vector<std::int64_t> slopes, offsets;
  for (const std::int32_t position : stream.order) {
    const Line& line = (*lines)[static_cast<std::size_t>(position % stream.shape.channels)];
    if (!whole(line.slope) || !whole(line.offset)) return;
    slopes.push_back(static_cast<std::int64_t>(line.slope));
    offsets.push_back(static_cast<std::int64_t>(line.offset));
  }
  Node step = node;
  for (const auto& [op, values] : {std::pair("Mul", slopes), std::pair("Add", offsets)}) {
    step.op = op;
    const Tensor constant = Tensor::ints(stream.dims, values);
    append_step(taken, step, 0, {nullptr, &constant}, context.opset());
  }
  stream = std::move(taken);
}

/// A Cast changes nothing where the values are integers that both types hold; else it is a step like any other.
Stream lower_cast(Context& context, const Node& node, Stream stream) {
  const std::int64_t to = node.int_attribute("to", 0);
  const bool to_float = to == 1 || to == 11;
  const bool from_integers = holds_integers(stream, stream.steps.size());
  if (to_float && !from_integers) return stream;
  const bool whole = stream.scale == std::vector<double>{1.0} && std::nearbyint(stream.shift) == stream.shift;
  if (stream.steps.empty() && stream.pools.empty() && whole && (to_float || to == 6 || to == 7)) {
    stream.integer = !to_float;
    return stream;
  }
  if (to == 7 && !from_integers) take_as_integers(context, node, stream);
  append_step(stream, node, 0, {nullptr}, context.opset());
  return stream;
}

}  // namespace

Stream lower_elementwise(Context& context, const Node& node, std::size_t stream_input, Stream stream) {
  if (node.op == "Cast") return lower_cast(context, node, std::move(stream));
  if (node.op == "RequantShift" && stream_input == 0)
    return lower_requant_shift(context, node, std::move(stream), required_constant(context, node, 1, "factor").value,
                               required_constant(context, node, 2, "summand").value);
  if ((node.op == "QuantizeLinear" || node.op == "DequantizeLinear") && stream_input == 0) {
    const Tensor& scale = required_constant(context, node, 1, "scale").value;
    const bool has_zero = node.inputs.size() > 2 && !node.inputs[2].empty();
    const Tensor* zero = has_zero ? &required_constant(context, node, 2, "zero point").value : nullptr;
    return node.op == "QuantizeLinear" ? lower_quantize_linear(context, node, std::move(stream), scale, zero)
                                       : lower_dequantize_linear(context, node, std::move(stream), scale, zero);
  }
  std::vector<const Tensor*> inputs(node.inputs.size(), nullptr);
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const Constant* constant = i == stream_input ? nullptr : constant_input(context, node, i);
    if (constant != nullptr) inputs[i] = &constant->value;
  }
  append_step(stream, node, stream_input, inputs, context.opset());
  if (is_quantizer(node) && stream_input == 0) return quantize(context, std::move(stream));
  if (const auto grid = clip_grid(stream, context.opset())) return quantize_to(context, std::move(stream), *grid);
  return stream;
}

}  // namespace bitloom::lowering
