// QuantizeLinear and its inverse, with zero points; and RequantShift, the rescaling step of PULP's integer networks.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "onnx/broadcast.hpp"
#include "onnx/operator_list.hpp"

namespace bitloom::op {
namespace {

/// Scale or zero point, repeated to the shape of x: a scalar, one value per place of `axis`, or one per block of `block_size` places.
Tensor spread_parameter(const Arguments& arguments, const Tensor& parameter) {
  const Node& node = arguments.node;
  const Dims& dims = arguments.at(0).shape;
  if (parameter.size() == 1) return expand(node, Tensor{{}, parameter.data}, dims);
  const std::size_t axis = resolve_axis(node, node.int_attribute("axis", 1), dims.size());
  const std::int64_t block = node.int_attribute("block_size", 0);
  if (block == 0) {
    if (parameter.shape.size() != 1 || parameter.size() != dims[axis])
      throw Error(node.name,
                  fmt::format("a parameter of shape {} for axis {} of shape {}", dims_text(parameter.shape), axis, dims_text(dims)));
    Dims along(dims.size(), 1);
    along[axis] = dims[axis];
    return expand(node, Tensor{along, parameter.data}, dims);
  }
  Dims blocks = dims;
  blocks[axis] = block < 1 ? 0 : dims[axis] / block + (dims[axis] % block != 0 ? 1 : 0);
  if (parameter.shape != blocks)
    throw Error(node.name, fmt::format("a parameter of shape {} for blocks of {} along axis {} of shape {}", dims_text(parameter.shape),
                                       block, axis, dims_text(dims)));
  const std::int64_t inner = strides_of(dims)[axis];
  return std::visit(
      [&](const auto& values) {
        auto out = values;
        out.clear();
        for (std::int64_t e = 0; e < element_count(dims); ++e) {
          const std::int64_t place = e / inner % dims[axis], outer = e / inner / dims[axis];
          out.push_back(values[static_cast<std::size_t>((outer * blocks[axis] + place / block) * inner + e % inner)]);
        }
        return Tensor{dims, std::move(out)};
      },
      parameter.data);
}

std::vector<double> as_doubles(const Tensor& tensor) {
  return std::visit([](const auto& values) { return std::vector<double>(values.begin(), values.end()); }, tensor.data);
}

bool whole(double value) { return std::nearbyint(value) == value && std::fabs(value) < 0x1p31; }

/// A number that is stored as an attribute of any numeric kind.
double number_attribute(const Node& node, const char* name, double fallback) {
  const auto found = node.attributes.find(name);
  if (found == node.attributes.end()) return fallback;
  if (const auto* value = std::get_if<std::int64_t>(&found->second)) return static_cast<double>(*value);
  if (const auto* value = std::get_if<float>(&found->second)) return static_cast<double>(*value);
  if (const auto* tensor = std::get_if<Tensor>(&found->second); tensor != nullptr && tensor->size() == 1) return as_doubles(*tensor)[0];
  throw Error(node.name, fmt::format("attribute '{}' of {} must be one number", name, node.op));
}

}  // namespace

RequantRule requant_rule(const Node& node) {
  const double divisor = number_attribute(node, "div", number_attribute(node, "D", 1));
  const double levels = number_attribute(node, "n_levels_out", number_attribute(node, "n_levels", 256));
  const bool is_signed = number_attribute(node, "signed", node.op == "iNoNorm" ? 1 : 0) != 0;
  if (!whole(divisor) || divisor < 1) throw Error(node.name, fmt::format("div is {}; a positive integer is expected", divisor));
  if (!whole(levels) || levels < 2 || levels > 65536 || (is_signed && std::fmod(levels, 2) != 0))
    throw Error(node.name, fmt::format("{} output levels; an even number up to 65536 is expected", levels));
  const auto count = static_cast<std::int64_t>(levels);
  return {static_cast<std::int64_t>(divisor), is_signed ? -count / 2 : 0, is_signed ? count / 2 - 1 : count - 1};
}

Tensor requant_parameter(Tensor parameter, const Dims& dims) {
  const std::size_t rank = dims.size();
  bool fits = parameter.shape.size() == rank;  // a parameter with all axes says itself what it belongs to
  for (std::size_t d = 0; fits && d < rank; ++d) fits = parameter.shape[d] == 1 || parameter.shape[d] == dims[d];
  if (rank < 3 || parameter.size() == 1 || parameter.size() != dims[1] || fits) return parameter;
  parameter.shape.assign(rank - 1, 1);
  parameter.shape[0] = dims[1];
  return parameter;
}

/// clip(floor((x * mul + add) / div + 0.5)) over integers.
std::vector<Tensor> requant_shift(const Arguments& arguments) {
  const Node& node = arguments.node;
  const RequantRule rule = requant_rule(node);
  const Tensor& x = arguments.at(0);
  const auto parameter = [&](std::size_t i) { return as_doubles(expand(node, requant_parameter(arguments.at(i), x.shape), x.shape)); };
  const std::vector<double> values = as_doubles(x), mul = parameter(1), add = parameter(2);
  std::vector<std::int64_t> out(values.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    for (const double value : {values[i], mul[i], add[i]})
      if (!whole(value)) throw Error(node.name, fmt::format("{} found; RequantShift is defined over 32-bit integers", value));
    const std::int64_t half = rule.divisor / 2;  // an odd divisor has no exact half: (2 * sum + divisor) / (2 * divisor) below
    const std::int64_t sum = static_cast<std::int64_t>(values[i]) * static_cast<std::int64_t>(mul[i]) + static_cast<std::int64_t>(add[i]);
    const bool odd = rule.divisor % 2 != 0;
    const std::int64_t numerator = odd ? 2 * sum + rule.divisor : sum + half, denominator = odd ? 2 * rule.divisor : rule.divisor;
    const std::int64_t quotient = numerator / denominator - (numerator % denominator < 0 ? 1 : 0);
    out[i] = std::clamp(quotient, rule.low, rule.high);
  }
  if (!x.is_float()) return {Tensor::ints(x.shape, std::move(out))};
  return {Tensor::floats(x.shape, std::vector<float>(out.begin(), out.end()))};
}

/// clip(floor((x * weight + bias) * mul / D)) over integers.
std::vector<Tensor> integer_nonorm(const Arguments& arguments) {
  const Node& node = arguments.node;
  const Tensor& x = arguments.at(0);
  const RequantRule rule = requant_rule(node);
  const std::vector<double> weight = as_doubles(expand(node, arguments.at(1), x.shape));
  const std::vector<double> bias = as_doubles(expand(node, arguments.at(2), x.shape));
  const double mul = number_attribute(node, "mul", 1);
  std::vector<double> out = as_doubles(x);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double sum = (out[i] * weight[i] + bias[i]) * mul;
    if (!(std::fabs(sum) < 0x1p53)) throw Error(node.name, "its sums leave 53 bits");
    out[i] = std::clamp(std::floor(sum / static_cast<double>(rule.divisor)), static_cast<double>(rule.low), static_cast<double>(rule.high));
  }
  if (!x.is_float()) return {Tensor::ints(x.shape, std::vector<std::int64_t>(out.begin(), out.end()))};
  return {Tensor::floats(x.shape, std::vector<float>(out.begin(), out.end()))};
}

/// floor(x * Delta * eta / (y * eta + eps)) over integers, with a constant y.
std::vector<Tensor> true_integer_div(const Arguments& arguments) {
  const Node& node = arguments.node;
  const Tensor& x = arguments.at(0);
  const double eta = number_attribute(node, "eta", 1);
  const double factor = number_attribute(node, "Delta", 1) * eta;
  const double divisor = number_attribute(node, "y", 0) * eta + number_attribute(node, "eps", 0);
  if (!(divisor > 0) || !whole(divisor) || !whole(eta))
    throw Error(node.name, fmt::format("a divisor of {}; a positive integer is expected", divisor));
  std::vector<double> out = as_doubles(x);
  for (double& value : out) {
    if (!(std::fabs(value * factor) < 0x1p53)) throw Error(node.name, "its products leave 53 bits");
    value = std::floor(value * factor / divisor);
  }
  if (!x.is_float()) return {Tensor::ints(x.shape, std::vector<std::int64_t>(out.begin(), out.end()))};
  return {Tensor::floats(x.shape, std::vector<float>(out.begin(), out.end()))};
}

/// x * clip(x + three, 0, six) * one_over_six over integers.
std::vector<Tensor> integer_hardswish(const Arguments& arguments) {
  const Node& node = arguments.node;
  const Tensor& x = arguments.at(0);
  const auto three = static_cast<double>(node.int_attribute("three", 0)), six = static_cast<double>(node.int_attribute("six", 0));
  const auto sixth = static_cast<double>(node.int_attribute("one_over_six", 0));
  std::vector<double> out = as_doubles(x);
  for (double& value : out) value *= std::clamp(value + three, 0.0, six) * sixth;
  if (!x.is_float()) return {Tensor::ints(x.shape, std::vector<std::int64_t>(out.begin(), out.end()))};
  return {Tensor::floats(x.shape, std::vector<float>(out.begin(), out.end()))};
}

ValueType quantized_type(const Node& node, const Tensor* zero_point) {
  const std::int64_t stated = node.int_attribute("output_dtype", 0);
  const ElementType type = zero_point != nullptr ? zero_point->type : static_cast<ElementType>(stated);
  if (type == ElementType::Unspecified && zero_point == nullptr) return ValueType::unsigned_bits(8);
  if (const auto values = narrow_integer_type(type)) return *values;
  throw Error(node.name, "quantizes to a type other than integers of 2, 4, 8 or 16 bits");
}

std::int64_t quantized_linear(double scaled, std::int64_t zero_point, const ValueType& type) {
  if (std::isnan(scaled)) throw Error("", "a value that is no number (NaN) cannot be quantized");
  const double code = std::nearbyint(scaled) + static_cast<double>(zero_point);
  return static_cast<std::int64_t>(std::clamp(code, static_cast<double>(type.min()), static_cast<double>(type.max())));
}

std::vector<Tensor> quantize_linear(const Arguments& arguments) {
  const Node& node = arguments.node;
  const Tensor& x = arguments.at(0);
  const Tensor* zero = arguments.has(2) ? &arguments.at(2) : nullptr;
  const ValueType type = quantized_type(node, zero);
  const Tensor scale = spread_parameter(arguments, arguments.at(1));
  if (!scale.is_float()) throw Error(node.name, "the scale of QuantizeLinear must be a float");
  std::vector<std::int64_t> zeros(static_cast<std::size_t>(x.size()), 0);
  if (zero != nullptr) {
    if (zero->is_float()) throw Error(node.name, "the zero point of QuantizeLinear must be an integer");
    zeros = spread_parameter(arguments, *zero).i();
  }
  std::vector<std::int64_t> out(zeros.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    const float value = x.is_float() ? x.f()[i] : static_cast<float>(x.i()[i]);
    out[i] = quantized_linear(static_cast<double>(value / scale.f()[i]), zeros[i], type);
  }
  return {Tensor::ints(x.shape, std::move(out))};
}

std::vector<Tensor> dequantize_linear(const Arguments& arguments) {
  const std::vector<std::int64_t>& x = int_input(arguments, 0);
  const Tensor scale = spread_parameter(arguments, arguments.at(1));
  if (!scale.is_float()) throw Error(arguments.node.name, "the scale of DequantizeLinear must be a float");
  std::vector<std::int64_t> zeros(x.size(), 0);
  if (arguments.has(2)) {
    int_input(arguments, 2);
    zeros = spread_parameter(arguments, arguments.at(2)).i();
  }
  std::vector<float> out(x.size());
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<float>(x[i] - zeros[i]) * scale.f()[i];
  return {Tensor::floats(arguments.at(0).shape, std::move(out))};
}

/// To uint8, with the scale and zero point that make use of all codes; 0 is always a value.
std::vector<Tensor> dynamic_quantize_linear(const Arguments& arguments) {
  const std::vector<float>& x = float_input(arguments, 0);
  float low = 0, high = 0;
  for (const float value : x) low = std::min(low, value), high = std::max(high, value);
  const float scale = high == low ? 1.0F : (high - low) / 255.0F;
  const std::int64_t zero = std::clamp<std::int64_t>(static_cast<std::int64_t>(std::nearbyint(-low / scale)), 0, 255);
  std::vector<std::int64_t> out;
  for (const float value : x) out.push_back(quantized_linear(static_cast<double>(value / scale), zero, ValueType::unsigned_bits(8)));
  return {Tensor::ints(arguments.at(0).shape, std::move(out)), Tensor::floats({}, {scale}), Tensor::ints({}, {zero})};
}

}  // namespace bitloom::op
