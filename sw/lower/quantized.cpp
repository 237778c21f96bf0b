// QuantizeLinear, DequantizeLinear and the products of quantized tensors. A map never carries a zero point: it holds code - zero point, and
// the stream says so by its shift.
#include <fmt/format.h>

#include <algorithm>

#include "lower/chain.hpp"
#include "lower/context.hpp"
#include "onnx/broadcast.hpp"
#include "onnx/operator_list.hpp"

namespace bitloom::lowering {
namespace {

/// A zero point that is the same for all values; 0 when there is none.
std::int64_t common_zero(const Node& node, const Tensor* zero) {
  if (zero == nullptr) return 0;
  if (zero->is_float() || zero->size() == 0) throw Error(node.name, "its zero point is no integer");
  for (const std::int64_t value : zero->i())
    if (value != zero->i()[0]) throw Error(node.name, "the zero point of a feature map differs between channels; one for all is supported");
  return zero->i()[0];
}

/// A parameter of one value, or one per place of the node's axis, in a shape that broadcasts to the stream.
Tensor along_axis(const Stream& stream, const Node& node, Tensor tensor) {
  if (node.int_attribute("block_size", 0) != 0) throw Error(node.name, "scales per block have no integer layer");
  Dims dims(tensor.size() == 1 ? 0 : stream.dims.size(), 1);
  if (tensor.size() != 1) dims[resolve_axis(node, node.int_attribute("axis", 1), stream.dims.size())] = tensor.size();
  tensor.shape = dims;
  return tensor;
}

void append_step_of(Stream& stream, const Node& source, const std::string& op, const Tensor& constant, int opset) {
  Node node;
  node.name = source.name;
  node.op = op;
  append_step(stream, node, 0, {nullptr, &constant}, opset);
}

const Tensor& constant_of(const Node& node, const std::vector<const Constant*>& constants, std::size_t i) {
  if (i >= constants.size() || constants[i] == nullptr)
    throw Error(node.name, fmt::format("input {} of this {} must be constant", i, node.op));
  return constants[i]->value;
}

const Tensor* optional_of(const Node& node, const std::vector<const Constant*>& constants, std::size_t i) {
  return i < node.inputs.size() && !node.inputs[i].empty() ? &constant_of(node, constants, i) : nullptr;
}

/// Weights minus their zero points, one for all or one per place of `axis`.
Constant centered(const Node& node, const Tensor& weights, const Tensor* zero, std::size_t axis) {
  if (weights.is_float()) throw Error(node.name, "its weights are floats; integers are expected");
  Constant out{weights, std::nullopt};
  if (zero == nullptr) return out;
  Tensor spread = *zero;
  spread.shape.assign(zero->size() == 1 ? 0 : weights.shape.size(), 1);
  if (zero->size() != 1) spread.shape.at(axis) = zero->size();
  spread = expand(node, spread, weights.shape);
  bool moved = false;
  for (std::size_t e = 0; e < spread.i().size(); ++e) {
    out.value.i()[e] -= spread.i()[e];
    moved = moved || spread.i()[e] != 0;
  }
  if (moved) out.value.type = ElementType::Unspecified;  // the stored type need not hold the differences
  return out;
}

/// The float constant of a scale that is one for the whole tensor.
float scalar(const Node& node, const Tensor& tensor) {
  if (!tensor.is_float() || tensor.size() != 1) throw Error(node.name, "its scale must be one float for the whole tensor");
  return tensor.f()[0];
}

}  // namespace

Stream lower_quantize_linear(Context& context, const Node& node, Stream stream, const Tensor& scale, const Tensor* zero_point) {
  const ValueType type = op::quantized_type(node, zero_point);
  const std::int64_t zero = common_zero(node, zero_point);
  const Tensor spread = along_axis(stream, node, scale);
  Tensor one_zero;
  if (zero_point != nullptr) {
    one_zero = Tensor::ints({}, {zero});
    one_zero.type = zero_point->type;
  }
  append_step(stream, node, 0, {nullptr, &spread, zero_point == nullptr ? nullptr : &one_zero}, context.opset());
  if (zero != 0) append_step_of(stream, node, "Sub", Tensor::ints({}, {zero}), context.opset());
  const std::int64_t low = type.min() - zero, high = type.max() - zero;
  stream = quantize_to(context, std::move(stream), Grid{{1.0}, low, 1, high - low, zero == 0 ? type : ValueType::holding(low, high)});
  stream.shift = static_cast<double>(zero);
  stream.integer = true;
  return stream;
}

Stream lower_dequantize_linear(Context& context, const Node& node, Stream stream, const Tensor& scale, const Tensor* zero_point) {
  if (!holds_integers(stream, stream.steps.size())) throw Error(node.name, "it reads floats; integers are expected");
  const auto zero = static_cast<double>(common_zero(node, zero_point));
  const std::vector<Tensor> scales = channel_operands(stream, node, along_axis(stream, node, scale));
  if (stream.steps.empty() && stream.pools.empty() && stream.scale == std::vector<double>{1.0} && stream.shift == zero) {
    stream.shift = 0;
    stream.integer = false;
    stream.scale.clear();
    for (const Tensor& value : scales) stream.scale.push_back(static_cast<double>(value.f()[0]));
    stream.source = node.name;
    return stream;
  }
  if (zero != 0) append_step_of(stream, node, "Sub", Tensor::ints({}, {static_cast<std::int64_t>(zero)}), context.opset());
  Node cast;
  cast.name = node.name;
  cast.op = "Cast";
  cast.attributes["to"] = std::int64_t{1};
  append_step(stream, cast, 0, {nullptr}, context.opset());
  append_step_of(stream, node, "Mul", along_axis(stream, node, scale), context.opset());
  return stream;
}

Stream lower_integer_product(Context& context, const Node& node, Stream stream, const std::vector<const Constant*>& constants) {
  const bool scaled = node.op == "QLinearConv" || node.op == "QLinearMatMul";
  const bool conv = node.op == "QLinearConv" || node.op == "ConvInteger";
  if (!stream.steps.empty() || !stream.pools.empty() || stream.scale != std::vector<double>{1.0} || !stream.integer)
    throw Error(node.name, fmt::format("the input of this {} is not quantized after {}", node.op, stream.source));
  // Padding holds the zero point, so that the map, which has it subtracted, is padded with zeros.
  stream.shift -= static_cast<double>(common_zero(node, optional_of(node, constants, 2)));
  if (stream.shift != 0) throw Error(node.name, "its zero point is not that of its input's quantizer");
  stream.integer = false;
  const Constant weights =
      centered(node, constant_of(node, constants, scaled ? 3 : 1), optional_of(node, constants, scaled ? 5 : 3), conv ? 0 : 1);
  stream = conv ? lower_conv(context, node, std::move(stream), weights, nullptr)
                : lower_product(context, node, std::move(stream), weights, false);
  stream.integer = true;
  if (!scaled) return stream;

  if (const Tensor* bias = optional_of(node, constants, 8)) {
    if (bias->is_float() || bias->size() != stream.shape.channels)
      throw Error(node.name, "one integer bias per output channel is expected");
    context.builder.add_bias(stream.map, bias->i(), node.name);
  }
  const Tensor& weight_scale = constant_of(node, constants, 4);
  const Tensor& output_zero = constant_of(node, constants, 7);
  std::vector<float> factors;
  if (!weight_scale.is_float()) throw Error(node.name, "its weight scales must be floats");
  for (const float value : weight_scale.f())
    factors.push_back(
        op::qlinear_factor(scalar(node, constant_of(node, constants, 1)), value, scalar(node, constant_of(node, constants, 6))));
  if (factors.size() != 1 && factors.size() != static_cast<std::size_t>(stream.shape.channels))
    throw Error(node.name, fmt::format("{} weight scales for {} output channels", factors.size(), stream.shape.channels));
  stream.integer = false;  // the factor is applied in floats
  append_constant_step(stream, "Mul", node.name, factors);
  Node quantizer;
  quantizer.name = node.name;
  quantizer.op = "QuantizeLinear";
  return lower_quantize_linear(context, quantizer, std::move(stream), Tensor::floats({}, {1.0F}), &output_zero);
}

}  // namespace bitloom::lowering
