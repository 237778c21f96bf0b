#include "lower/weights.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "onnx/broadcast.hpp"
#include "onnx/operators.hpp"

namespace bitloom::lowering {
namespace {

/// The integers behind the result of a quantizer of constants, when every value is exactly an integer times the scale.
std::optional<Integers> quantized(const Node& node, const std::vector<const Constant*>& inputs, const Tensor& result) {
  if (inputs.size() < 2 || inputs[1] == nullptr || !inputs[1]->value.is_float()) return std::nullopt;
  Integers out{Tensor::ints(result.shape, {}), expand(node, inputs[1]->value, result.shape), ValueType::bipolar()};
  std::vector<std::int64_t> values;
  for (std::size_t i = 0; i < result.f().size(); ++i) {
    const float scale = out.scale.f()[i];
    const float integer = std::nearbyint(result.f()[i] / scale);
    if (!(scale > 0) || !(std::fabs(integer) < 0x1p24F) || integer * scale != result.f()[i]) return std::nullopt;
    values.push_back(static_cast<std::int64_t>(integer));
  }
  if (values.empty()) return std::nullopt;
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  if (node.op == "Quant") {
    const bool is_signed = node.int_attribute("signed", 1) != 0;
    const auto bits = inputs.size() > 3 && inputs[3] != nullptr ? inputs[3]->value.f() : std::vector<float>{};
    const bool whole = bits.size() == 1 && bits[0] >= 1 && bits[0] <= 16 && std::nearbyint(bits[0]) == bits[0];
    ValueType type = ValueType::holding(*low, *high);
    if (whole && !(is_signed && bits[0] == 1)) {
      const int width = static_cast<int>(bits[0]);
      const ValueType stated = is_signed ? ValueType::signed_bits(width) : ValueType::unsigned_bits(width);
      if (stated.contains(*low) && stated.contains(*high)) type = stated;  // a zero point may have moved the range
    } else if (whole) {
      type = ValueType::bipolar();
    }
    out.type = type;
  }
  out.values = Tensor::ints(result.shape, std::move(values));
  return out;
}

Tensor run_one(const Node& node, const Tensor& first, const std::vector<const Constant*>& inputs, int opset) {
  std::vector<const Tensor*> tensors{&first};
  for (std::size_t i = 1; i < inputs.size(); ++i) tensors.push_back(inputs[i] == nullptr ? nullptr : &inputs[i]->value);
  return evaluate(node, tensors, opset).at(0);
}

/// Plain float weights: already integers, or integers times the smallest magnitude of their output channel.
Integers guess_integers(const Node& node, const Constant& constant, const std::vector<std::size_t>& position, std::size_t outputs) {
  const std::vector<float>& w = constant.value.f();
  for (const float value : w)
    if (!std::isfinite(value)) throw Error(node.name, fmt::format("a weight is {}; finite numbers are expected", value));
  const std::size_t fan_in = position.size() / outputs;
  Integers out{Tensor::ints({static_cast<std::int64_t>(w.size())}, std::vector<std::int64_t>(w.size(), 0)),
               Tensor::floats({static_cast<std::int64_t>(w.size())}, std::vector<float>(w.size(), 1.0F)), ValueType()};
  const bool integers = std::all_of(w.begin(), w.end(), [](float v) { return std::nearbyint(v) == v && std::fabs(v) < 0x1p24F; });
  for (std::size_t k = 0; k < outputs; ++k) {
    float scale = integers ? 1.0F : 0.0F;
    for (std::size_t i = 0; i < fan_in && !integers; ++i) {
      const float magnitude = std::fabs(w[position[k * fan_in + i]]);
      if (magnitude > 0 && (scale == 0 || magnitude < scale)) scale = magnitude;
    }
    if (scale == 0) scale = 1.0F;  // a channel of zeros
    for (std::size_t i = 0; i < fan_in; ++i) {
      const std::size_t e = position[k * fan_in + i];
      out.values.i()[e] = static_cast<std::int64_t>(std::clamp(std::nearbyint(w[e] / scale), -0x1p24F, 0x1p24F));
      out.scale.f()[e] = scale;
    }
  }
  const auto [low, high] = std::minmax_element(out.values.i().begin(), out.values.i().end());
  const bool bipolar = std::all_of(out.values.i().begin(), out.values.i().end(), [](std::int64_t v) { return v == 1 || v == -1; });
  out.type = bipolar ? ValueType::bipolar() : ValueType::holding(*low, *high);
  return out;
}

Integers stored_integers(const Tensor& tensor) {
  const auto [low, high] = std::minmax_element(tensor.i().begin(), tensor.i().end());
  const ValueType type = narrow_integer_type(tensor.type).value_or(ValueType::signed_bits(32));
  return {tensor, Tensor::floats(tensor.shape, std::vector<float>(tensor.i().size(), 1.0F)),
          type.contains(*low) && type.contains(*high) ? type : ValueType::holding(*low, *high)};
}

/// The integers behind DequantizeLinear: the codes minus their zero point.
std::optional<Integers> dequantized(const Node& node, const std::vector<const Constant*>& inputs, const Tensor& result, int opset) {
  const Tensor ones = Tensor::floats(inputs[1]->value.shape, std::vector<float>(inputs[1]->value.f().size(), 1.0F));
  std::vector<const Tensor*> tensors{&inputs[0]->value, &ones};
  if (inputs.size() > 2 && inputs[2] != nullptr) tensors.push_back(&inputs[2]->value);
  const Tensor codes = evaluate(node, tensors, opset).at(0);
  if (codes.f().empty()) return std::nullopt;
  Tensor values = Tensor::ints(codes.shape, std::vector<std::int64_t>(codes.f().begin(), codes.f().end()));
  // The scales, spread: what one step above the zero point becomes.
  Tensor raised = inputs[0]->value;
  for (std::size_t i = 0; i < raised.i().size(); ++i) raised.i()[i] += 1 - values.i()[i];
  tensors[0] = &raised;
  tensors[1] = &inputs[1]->value;
  Integers out = stored_integers(values);
  const ValueType stated = narrow_integer_type(inputs[0]->value.type).value_or(out.type);
  if (stated.contains(out.type.min()) && stated.contains(out.type.max())) out.type = stated;
  out.scale = evaluate(node, tensors, opset).at(0);
  return out.scale.shape == result.shape ? std::optional(out) : std::nullopt;
}

}  // namespace

bool is_shape_operator(const Node& node) {
  static const std::set<std::string> names = {"Reshape",   "Flatten",  "Transpose", "Squeeze",
                                              "Unsqueeze", "Identity", "Dropout",   "DepthToSpace"};
  return node.domain.empty() && names.count(node.op) != 0;
}

std::vector<Constant> fold_constants(const Node& node, const std::vector<const Constant*>& inputs, int opset) {
  std::vector<const Tensor*> tensors;
  for (const Constant* input : inputs) tensors.push_back(input == nullptr ? nullptr : &input->value);
  std::vector<Constant> outputs;
  for (Tensor& tensor : evaluate(node, tensors, opset)) outputs.push_back({std::move(tensor), std::nullopt});
  if (node.op == "Quant" || node.op == "BipolarQuant") outputs[0].integers = quantized(node, inputs, outputs[0].value);
  if (node.op == "DequantizeLinear") outputs[0].integers = dequantized(node, inputs, outputs[0].value, opset);
  if (is_shape_operator(node) && inputs[0]->integers) {
    const Integers& before = *inputs[0]->integers;
    outputs[0].integers = Integers{run_one(node, before.values, inputs, opset), run_one(node, before.scale, inputs, opset), before.type};
  }
  return outputs;
}

IntegerWeights integer_weights(const Node& node, const Constant& constant, const std::vector<std::size_t>& position, std::size_t outputs) {
  if (position.empty() || outputs == 0) throw Error(node.name, "it has no weights");
  const bool is_float = constant.value.is_float();
  const Integers integers = constant.integers ? *constant.integers
                            : is_float        ? guess_integers(node, constant, position, outputs)
                                              : stored_integers(constant.value);
  const std::size_t fan_in = position.size() / outputs;
  IntegerWeights weights{{}, {}, integers.type};
  for (std::size_t k = 0; k < outputs; ++k) {
    const float scale = integers.scale.f()[position[k * fan_in]];
    for (std::size_t i = 0; i < fan_in; ++i) {
      const std::size_t e = position[k * fan_in + i];
      const std::int64_t value = integers.values.i()[e];
      if (integers.scale.f()[e] != scale)
        throw Error(node.name,
                    fmt::format("the weight scale differs within output channel {}; one scale per output channel is supported", k));
      if (std::llabs(value) > 32767 || (is_float && static_cast<float>(value) * scale != constant.value.f()[e]))
        throw Error(
            node.name,
            fmt::format("weight {} of output channel {} is {}: not an integer times a scale, of up to 16 bits; quantize the weights "
                        "(Quant or BipolarQuant) or store integers",
                        i, k, is_float ? static_cast<double>(constant.value.f()[e]) : static_cast<double>(value)));
      weights.values.push_back(static_cast<std::int32_t>(value));
    }
    weights.scale.push_back(static_cast<double>(scale));
  }
  return weights;
}

}  // namespace bitloom::lowering
