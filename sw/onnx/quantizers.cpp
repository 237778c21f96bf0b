// The quantizers of QONNX, in float32, step by step as their specification writes them.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>

#include "onnx/broadcast.hpp"
#include "onnx/operator_list.hpp"

namespace bitloom::op {
namespace {

using Rounding = float (*)(float);

float half_up(float x) { return std::copysign(std::floor(std::fabs(x) + 0.5F), x); }
float half_down(float x) { return std::copysign(std::ceil(std::fabs(x) - 0.5F), x); }
float away_from_zero(float x) { return std::copysign(std::ceil(std::fabs(x)), x); }

Rounding rounding_mode(const Node& node, const char* fallback) {
  std::string mode = node.string_attribute("rounding_mode", fallback);
  std::transform(mode.begin(), mode.end(), mode.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  if (mode == "ROUND" || mode == "HALF_EVEN") return [](float x) { return std::nearbyint(x); };
  if (mode == "CEIL") return [](float x) { return std::ceil(x); };
  if (mode == "FLOOR") return [](float x) { return std::floor(x); };
  if (mode == "UP") return away_from_zero;
  if (mode == "DOWN" || mode == "ROUND_TO_ZERO") return [](float x) { return std::trunc(x); };
  if (mode == "HALF_UP") return half_up;
  if (mode == "HALF_DOWN") return half_down;
  throw Error(node.name,
              fmt::format("rounding mode '{}' is unknown; ROUND, HALF_EVEN, CEIL, FLOOR, UP, DOWN, HALF_UP and HALF_DOWN are known", mode));
}

float lowest(bool is_signed, bool narrow, float bits) {
  if (!is_signed) return 0;
  const float low = -std::exp2(bits - 1);
  return narrow ? low + 1 : low;
}

float highest(bool is_signed, bool narrow, float bits) {
  if (is_signed) return std::exp2(bits - 1) - 1;
  return std::exp2(bits) - (narrow ? 2.0F : 1.0F);
}

/// The shape that the broadcast parameters give the result; the data must keep its own.
void check_shape(const Arguments& arguments, std::size_t i) {
  const Dims& dims = arguments.at(0).shape;
  if (broadcast_dims(arguments.node, dims, arguments.at(i).shape) != dims)
    throw Error(arguments.node.name, fmt::format("parameter {} of shape {} is larger than the data of shape {}", i,
                                                 dims_text(arguments.at(i).shape), dims_text(dims)));
}

Spread<float> parameter(const Arguments& arguments, std::size_t i) {
  float_input(arguments, i);
  check_shape(arguments, i);
  return {arguments.node, arguments.at(i), arguments.at(0).shape};
}

}  // namespace

/// (round(clamp(x / scale + zero_point)) - zero_point) * scale. Signed with 1 bit means {-1, +1}.
std::vector<Tensor> quant(const Arguments& arguments) {
  const std::vector<float>& x = float_input(arguments, 0);
  const Spread<float> scale = parameter(arguments, 1);
  const Spread<float> zero_point = parameter(arguments, 2);
  const Spread<float> bits = parameter(arguments, 3);
  const bool is_signed = arguments.node.int_attribute("signed", 1) != 0;
  const bool narrow = arguments.node.int_attribute("narrow", 1) != 0;
  const Rounding rounding = rounding_mode(arguments.node, "ROUND");
  std::vector<float> out(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    float q = x[i] / scale[i];
    q = q + zero_point[i];
    if (is_signed && bits[i] == 1) {
      q = q >= 0 ? 1.0F : -1.0F;
    } else {
      q = std::min(q, highest(is_signed, narrow, bits[i]));
      q = std::max(q, lowest(is_signed, narrow, bits[i]));
      q = rounding(q);
    }
    q = q - zero_point[i];
    out[i] = q * scale[i];
  }
  return {Tensor::floats(arguments.at(0).shape, std::move(out))};
}

std::vector<Tensor> bipolar_quant(const Arguments& arguments) {
  const std::vector<float>& x = float_input(arguments, 0);
  const Spread<float> scale = parameter(arguments, 1);
  std::vector<float> out(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) out[i] = x[i] >= 0 ? scale[i] : -scale[i];
  return {Tensor::floats(arguments.at(0).shape, std::move(out))};
}

/// Drops low bits of quantized values. Version 1 (5 inputs) keeps the scale; version 2 has an output scale and clamps (6 inputs in its
/// description; its implementation has an output zero point, unused, before the output width).
std::vector<Tensor> trunc(const Arguments& arguments) {
  const std::vector<float>& x = float_input(arguments, 0);
  const bool second = arguments.inputs.size() >= 6;
  const Spread<float> scale = parameter(arguments, 1);
  const Spread<float> zero_point = parameter(arguments, 2);
  const Spread<float> in_bits = parameter(arguments, 3);
  const Spread<float> out_scale = parameter(arguments, second ? 4 : 1);
  const Spread<float> out_bits = parameter(arguments, second ? arguments.inputs.size() - 1 : 4);
  const bool is_signed = arguments.node.int_attribute("signed", 1) != 0;
  const bool narrow = arguments.node.int_attribute("narrow", 0) != 0;
  const Rounding rounding = rounding_mode(arguments.node, "FLOOR");
  std::vector<float> out(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    float q = x[i] / scale[i];
    q = q + zero_point[i];
    q = std::nearbyint(q);
    const float step = std::exp2(second ? std::nearbyint(std::log2(out_scale[i] / scale[i])) : in_bits[i] - out_bits[i]);
    q = q / step;
    if (second) {
      q = std::min(q, highest(is_signed, narrow, out_bits[i]));
      q = std::max(q, lowest(is_signed, narrow, out_bits[i]));
    }
    q = rounding(q);
    q = q - (second ? zero_point[i] / step : zero_point[i]);
    out[i] = q * out_scale[i];
  }
  return {Tensor::floats(arguments.at(0).shape, std::move(out))};
}

}  // namespace bitloom::op
