// Products of quantized tensors: exact integer sums of (x - zero point) * (w - zero point), and their QLinear forms that quantize again.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "onnx/broadcast.hpp"
#include "onnx/operator_list.hpp"

namespace bitloom::op {
namespace {

/// Input i minus its zero point, input `zero` (omitted: 0): one for all, or one per place of `axis`.
Tensor centered(const Arguments& arguments, std::size_t i, std::size_t zero, std::size_t axis) {
  const Node& node = arguments.node;
  Tensor out = Tensor::ints(arguments.at(i).shape, int_input(arguments, i));
  if (!arguments.has(zero)) return out;
  const std::vector<std::int64_t>& zeros = int_input(arguments, zero);
  const bool fits = zeros.size() == 1 || (axis < out.shape.size() && static_cast<std::int64_t>(zeros.size()) == out.shape[axis]);
  if (!fits) throw Error(node.name, fmt::format("{} zero points for an input of shape {}", zeros.size(), dims_text(out.shape)));
  const std::int64_t inner = zeros.size() == 1 ? 1 : strides_of(out.shape)[axis];
  for (std::size_t e = 0; e < out.i().size(); ++e) out.i()[e] -= zeros[e / static_cast<std::size_t>(inner) % zeros.size()];
  return out;
}

Tensor as_floats(const Tensor& tensor) { return Tensor::floats(tensor.shape, std::vector<float>(tensor.i().begin(), tensor.i().end())); }

/// Codes are at most 16 bits wide, so that floats hold them and doubles hold their sums.
Tensor integer_convolution(const Arguments& arguments, const Tensor& x, const Tensor& w) {
  const Sums sums = convolve(arguments.node, as_floats(x), as_floats(w));
  return Tensor::ints(sums.shape, std::vector<std::int64_t>(sums.values.begin(), sums.values.end()));
}

Tensor integer_product(const Arguments& arguments, const Tensor& a, const Tensor& b) {
  return matmul({arguments.node, {&a, &b}, arguments.opset}).at(0);
}

float scalar_scale(const Arguments& arguments, std::size_t i) {
  if (float_input(arguments, i).size() != 1)
    throw Error(arguments.node.name, fmt::format("input {} of {}: one scale for the whole tensor is supported", i, arguments.node.op));
  return arguments.at(i).f()[0];
}

/// The sums times input scale * weight scale / output scale, quantized. `axis` is that of the weight scales in the sums.
std::vector<Tensor> requantized(const Arguments& arguments, const Tensor& sums, std::size_t axis) {
  const Node& node = arguments.node;
  const std::vector<float>& weight_scale = float_input(arguments, 4);
  if (weight_scale.size() != 1 && static_cast<std::int64_t>(weight_scale.size()) != sums.shape[axis])
    throw Error(node.name, fmt::format("{} weight scales for {} output channels", weight_scale.size(), sums.shape[axis]));
  const ValueType type = quantized_type(node, &arguments.at(7));
  const std::int64_t zero = single_integer(arguments, 7);
  const std::int64_t inner = strides_of(sums.shape)[axis];
  std::vector<std::int64_t> out(sums.i().size());
  for (std::size_t e = 0; e < out.size(); ++e) {
    const std::size_t k = e / static_cast<std::size_t>(inner) % weight_scale.size();
    const float factor = qlinear_factor(scalar_scale(arguments, 1), weight_scale[k], scalar_scale(arguments, 6));
    out[e] = quantized_linear(static_cast<double>(static_cast<float>(sums.i()[e]) * factor), zero, type);
  }
  return {Tensor::ints(sums.shape, std::move(out))};
}

}  // namespace

float qlinear_factor(float input_scale, float weight_scale, float output_scale) { return input_scale * weight_scale / output_scale; }

std::vector<Tensor> conv_integer(const Arguments& arguments) {
  return {integer_convolution(arguments, centered(arguments, 0, 2, 1), centered(arguments, 1, 3, 0))};
}

std::vector<Tensor> matmul_integer(const Arguments& arguments) {
  const std::size_t rank_a = arguments.at(0).shape.size(), rank_b = arguments.at(1).shape.size();
  return {integer_product(arguments, centered(arguments, 0, 2, rank_a < 2 ? 0 : rank_a - 2), centered(arguments, 1, 3, rank_b - 1))};
}

/// Inputs x, x_scale, x_zero, w, w_scale, w_zero, y_scale, y_zero, bias (int32, in units of x_scale * w_scale).
std::vector<Tensor> qlinear_conv(const Arguments& arguments) {
  Tensor sums = integer_convolution(arguments, centered(arguments, 0, 2, 1), centered(arguments, 3, 5, 0));
  if (arguments.has(8)) {
    const std::vector<std::int64_t>& bias = int_input(arguments, 8);
    const auto outputs = static_cast<std::size_t>(sums.shape[1]);
    if (bias.size() != outputs)
      throw Error(arguments.node.name, fmt::format("{} bias values for {} output channels", bias.size(), outputs));
    const auto inner = static_cast<std::size_t>(strides_of(sums.shape)[1]);
    for (std::size_t e = 0; e < sums.i().size(); ++e) sums.i()[e] += bias[e / inner % outputs];
  }
  return requantized(arguments, sums, 1);
}

std::vector<Tensor> qlinear_matmul(const Arguments& arguments) {
  const std::size_t rank_a = arguments.at(0).shape.size(), rank_b = arguments.at(3).shape.size();
  const Tensor sums =
      integer_product(arguments, centered(arguments, 0, 2, rank_a < 2 ? 0 : rank_a - 2), centered(arguments, 3, 5, rank_b - 1));
  return requantized(arguments, sums, sums.shape.size() - 1);
}

}  // namespace bitloom::op
