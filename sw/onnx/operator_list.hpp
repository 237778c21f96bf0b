// The functions behind the operator table, by file. Included by the files that define them and by the table.
#pragma once

#include "onnx/operators.hpp"

namespace bitloom::op {

// elementwise.cpp
std::vector<Tensor> abs(const Arguments&);
std::vector<Tensor> add(const Arguments&);
std::vector<Tensor> bit_shift(const Arguments&);
std::vector<Tensor> ceil(const Arguments&);
std::vector<Tensor> clip(const Arguments&);
std::vector<Tensor> div(const Arguments&);
std::vector<Tensor> floor(const Arguments&);
std::vector<Tensor> identity(const Arguments&);
std::vector<Tensor> leaky_relu(const Arguments&);
std::vector<Tensor> max(const Arguments&);
std::vector<Tensor> min(const Arguments&);
std::vector<Tensor> mul(const Arguments&);
std::vector<Tensor> neg(const Arguments&);
std::vector<Tensor> pow(const Arguments&);
std::vector<Tensor> relu(const Arguments&);
std::vector<Tensor> round(const Arguments&);
std::vector<Tensor> sign(const Arguments&);
std::vector<Tensor> sqrt(const Arguments&);
std::vector<Tensor> sub(const Arguments&);

// quantizers.cpp
std::vector<Tensor> quant(const Arguments&);
std::vector<Tensor> bipolar_quant(const Arguments&);
std::vector<Tensor> trunc(const Arguments&);

// linear_quantizers.cpp
std::vector<Tensor> dequantize_linear(const Arguments&);
std::vector<Tensor> dynamic_quantize_linear(const Arguments&);
std::vector<Tensor> quantize_linear(const Arguments&);
std::vector<Tensor> requant_shift(const Arguments&);
std::vector<Tensor> integer_hardswish(const Arguments&);
std::vector<Tensor> integer_nonorm(const Arguments&);
std::vector<Tensor> true_integer_div(const Arguments&);

// integer_products.cpp
std::vector<Tensor> conv_integer(const Arguments&);
std::vector<Tensor> matmul_integer(const Arguments&);
std::vector<Tensor> qlinear_conv(const Arguments&);
std::vector<Tensor> qlinear_matmul(const Arguments&);

// activations.cpp
std::vector<Tensor> log_softmax(const Arguments&);
std::vector<Tensor> sigmoid(const Arguments&);
std::vector<Tensor> softmax(const Arguments&);

// rearrange.cpp
std::vector<Tensor> depth_to_space(const Arguments&);
std::vector<Tensor> pad(const Arguments&);
std::vector<Tensor> resize(const Arguments&);
/// What a Pad writes outside its input.
double pad_value(const Arguments&);

// reductions.cpp
std::vector<Tensor> reduce_max(const Arguments&);
std::vector<Tensor> reduce_mean(const Arguments&);
std::vector<Tensor> reduce_min(const Arguments&);
std::vector<Tensor> reduce_sum(const Arguments&);

// channelwise.cpp
std::vector<Tensor> batch_normalization(const Arguments&);
std::vector<Tensor> multi_threshold(const Arguments&);

// matrix.cpp
std::vector<Tensor> gemm(const Arguments&);
std::vector<Tensor> matmul(const Arguments&);

// windows.cpp
std::vector<Tensor> average_pool(const Arguments&);
std::vector<Tensor> conv(const Arguments&);
std::vector<Tensor> global_average_pool(const Arguments&);
std::vector<Tensor> global_max_pool(const Arguments&);
std::vector<Tensor> max_pool(const Arguments&);

// shapes.cpp
std::vector<Tensor> concat(const Arguments&);
std::vector<Tensor> flatten(const Arguments&);
std::vector<Tensor> reshape(const Arguments&);
std::vector<Tensor> shape(const Arguments&);
std::vector<Tensor> squeeze(const Arguments&);
std::vector<Tensor> transpose(const Arguments&);
std::vector<Tensor> unsqueeze(const Arguments&);

// selection.cpp
std::vector<Tensor> arg_max(const Arguments&);
std::vector<Tensor> cast(const Arguments&);
std::vector<Tensor> gather(const Arguments&);
std::vector<Tensor> slice(const Arguments&);
std::vector<Tensor> split(const Arguments&);
std::vector<Tensor> top_k(const Arguments&);

/// Sums of products of a convolution, not yet rounded: exact for integers below 2^53.
struct Sums {
  std::vector<std::int64_t> shape;
  std::vector<double> values;
};
/// x [N, C, spatial..] and w [K, C / group, spatial..] hold floats; window and groups are the node's. windows.cpp
Sums convolve(const Node& node, const Tensor& x, const Tensor& w);

/// What a Reduce operator makes of a tensor of shape `dims`: element e goes into element place[e] of the result.
struct Reduction {
  std::vector<std::size_t> axes;  ///< ascending
  std::vector<std::int64_t> dims;
  std::vector<std::int64_t> place;
};
/// `arguments` without their first input. reductions.cpp
Reduction reduction_of(const Arguments& arguments, const std::vector<std::int64_t>& dims);

/// What QuantizeLinear makes of one value: round(x / scale), halves to even, plus the zero point, held in the type. linear_quantizers.cpp
std::int64_t quantized_linear(double scaled, std::int64_t zero_point, const ValueType& type);
/// The integer type that a quantized tensor with this zero point has; uint8 when none is told. Throws Error at the node for other types.
ValueType quantized_type(const Node& node, const Tensor* zero_point);

/// The factor from a sum of products of codes to the output's codes, in float32. integer_products.cpp
float qlinear_factor(float input_scale, float weight_scale, float output_scale);

/// The constants of a RequantShift: clip(floor((x * mul + add) / divisor + 0.5), low, high). linear_quantizers.cpp
struct RequantRule {
  std::int64_t divisor, low, high;
};
RequantRule requant_rule(const Node& node);
/// A factor or summand of RequantShift in a shape that broadcasts to `dims`: one value per channel belongs to axis 1, however it is stored.
Tensor requant_parameter(Tensor parameter, const std::vector<std::int64_t>& dims);

}  // namespace bitloom::op
