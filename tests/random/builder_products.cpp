// Convolutions and dense layers.
#include "random/builder.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace bitloom::test {
namespace {

/// What is known of the sums of products. `input_of(k, i)` is the input channel of weight i of output k.
template <class InputOf>
void set_sums(Value& out, const Value& in, const Weights& weights, InputOf input_of) {
  const std::size_t outputs = weights.scale.size(), fan_in = weights.integers.size() / outputs;
  out.channels = static_cast<int>(outputs);
  out.mean.assign(outputs, 0);
  out.deviation.assign(outputs, 0);
  out.unit = in.unit * *std::min_element(weights.scale.begin(), weights.scale.end());
  out.common = std::all_of(weights.scale.begin(), weights.scale.end(), [&](double scale) { return scale == weights.scale[0]; });
  out.lowest = out.highest = 0;
  for (std::size_t k = 0; k < outputs; ++k) {
    double low = 0, high = 0;
    for (std::size_t i = 0; i < fan_in; ++i) {
      const double w = weights.integers[k * fan_in + i] * weights.scale[k];
      const auto c = static_cast<std::size_t>(input_of(k, i));
      out.mean[k] += w * in.mean[c];
      out.deviation[k] += w * w * in.deviation[c] * in.deviation[c];
      low += std::min(w * in.lowest, w * in.highest), high += std::max(w * in.lowest, w * in.highest);
    }
    out.deviation[k] = std::max(std::sqrt(out.deviation[k]), out.unit / 2);
    out.lowest = std::min(out.lowest, low), out.highest = std::max(out.highest, high);
  }
  out.order.resize(outputs);
  std::iota(out.order.begin(), out.order.end(), 0);
  out.codes = false, out.pure = out.common, out.pooled = out.bent = false;
}

void shift_by(Value& value, const std::vector<float>& offsets) {
  const auto [low, high] = std::minmax_element(offsets.begin(), offsets.end());
  for (std::size_t c = 0; c < value.mean.size(); ++c) {
    value.mean[c] += static_cast<double>(offsets[offsets.size() == 1 ? 0 : c]);
    const double part = static_cast<double>(offsets[offsets.size() == 1 ? 0 : c]) / value.unit;
    if (part != std::round(part)) value.common = false;
  }
  value.lowest += static_cast<double>(*low), value.highest += static_cast<double>(*high);
  value.pure = false;
}

}  // namespace

Weights Builder::make_weights(const LayerSpec& layer, const Dims& shape, std::size_t axis) {
  const auto outputs = static_cast<std::size_t>(shape[axis]);
  std::size_t count = 1, inner = 1;
  for (std::size_t d = 0; d < shape.size(); ++d) count *= static_cast<std::size_t>(shape[d]);
  for (std::size_t d = axis + 1; d < shape.size(); ++d) inner *= static_cast<std::size_t>(shape[d]);
  const int bits = std::clamp(layer.weight_bits, 1, 8);
  const bool one_bit = layer.weights == WeightForm::Bipolar || (bits == 1 && layer.weight_signed && layer.weights != WeightForm::Ternary);
  int low = 0, high = 0;
  if (layer.weights == WeightForm::Ternary)
    low = -1, high = 1;
  else if (layer.weight_signed)
    low = -(1 << (bits - 1)) + (layer.weight_narrow || bits == 1 ? 1 : 0), high = (1 << (bits - 1)) - 1;
  else
    high = (1 << bits) - 1 - (layer.weight_narrow && bits > 1 ? 1 : 0);
  const int lucky = integer(0, 2);
  const std::array<int, 3> codebook = {integer(low, high), integer(low, high), integer(low, high)};
  const auto patterned = [&](WeightPattern pattern, std::size_t output, std::size_t input) {
    if (pattern == WeightPattern::Codebook) return codebook[static_cast<std::size_t>(integer(0, 2))];
    if (pattern == WeightPattern::Pruned && (output / 2 + input / 4) % 3 != static_cast<std::size_t>(lucky)) return 0;
    const int shift = pattern == WeightPattern::Widths ? static_cast<int>(output) % bits : 0;
    return integer(low / (1 << shift), high / (1 << shift));
  };
  Weights made;
  const double scale = std::exp2(integer(-4, 1));
  const bool spread = layer.weight_per_channel && layer.weights != WeightForm::Integers;
  for (std::size_t k = 0; k < outputs; ++k) made.scale.push_back(spread ? scale * std::exp2(integer(-1, 1)) : scale);
  if (layer.weights == WeightForm::Integers) made.scale.assign(outputs, 1.0);
  made.integers.resize(count);
  std::vector<float> floats(count);
  std::vector<std::int64_t> stored(count);
  const std::size_t fan_in = count / outputs;
  for (std::size_t e = 0; e < count; ++e) {
    const std::size_t k = e / inner % outputs;
    const std::size_t rest = e / (inner * outputs) * inner + e % inner;
    const int value = one_bit ? 2 * integer(0, 1) - 1 : patterned(layer.pattern, k, rest);
    made.integers[k * fan_in + rest] = value;
    stored[e] = value;
    const double jitter = layer.weights == WeightForm::Integers ? 0.0 : real(-0.4, 0.4);
    floats[e] = static_cast<float>((value + jitter) * made.scale[k]);
  }
  Dims scale_shape(spread ? shape.size() : 0, 1);
  if (spread) scale_shape[axis] = static_cast<std::int64_t>(outputs);
  const std::vector<float> scales(made.scale.begin(), spread ? made.scale.end() : made.scale.begin() + 1);
  if (layer.weights == WeightForm::Integers) {
    made.name = writer_.floats(shape, floats);
  } else if (layer.weights == WeightForm::Linear) {
    const int type = layer.weight_signed || one_bit ? kInt8 : kUint8;
    made.name = writer_.node(
        "DequantizeLinear",
        {writer_.integers(shape, stored, type), writer_.floats(spread ? Dims{static_cast<std::int64_t>(outputs)} : Dims{}, scales)},
        {{"axis", static_cast<std::int64_t>(axis)}});
  } else if (layer.weights == WeightForm::Bipolar) {
    made.name = writer_.node("BipolarQuant", {writer_.floats(shape, floats), writer_.floats(scale_shape, scales)});
  } else {
    const bool ternary = layer.weights == WeightForm::Ternary;
    made.name = writer_.node("Quant",
                             {writer_.floats(shape, floats), writer_.floats(scale_shape, scales), writer_.scalar(0),
                              writer_.scalar(ternary ? 2.0F : static_cast<float>(bits))},
                             {{"signed", std::int64_t{layer.weight_signed || ternary}},
                              {"narrow", std::int64_t{ternary || (layer.weight_narrow && bits > 1)}},
                              {"rounding_mode", std::string("ROUND")}});
  }
  return made;
}

std::vector<float> Builder::biases(const Value& value) {
  std::vector<float> made;
  const double part = integer(0, 4) == 0 ? 0.25 : 1;
  for (std::size_t c = 0; c < value.mean.size(); ++c)
    made.push_back(static_cast<float>(std::round((-value.mean[c] * real(0, 1) + value.deviation[c] * real(-1, 1)) / (value.unit * part)) *
                                      value.unit * part));
  return made;
}

Value Builder::make_conv(const LayerSpec& layer, const Value& in) {
  Value out = in;
  const int channels = in.channels;
  int groups = layer.groups == 0 ? channels : std::clamp(layer.groups, 1, channels);
  if (!in.in_order()) groups = 1;
  while (channels % groups != 0) --groups;
  int outputs = layer.channels == 0 ? channels : layer.channels;
  if (layer.groups == 0)
    outputs = in.in_order() ? channels * std::clamp(layer.channels, 1, std::max(1, 16 / channels)) : channels;
  else
    outputs = std::max(1, outputs / groups) * groups;
  int taps = 1;
  ModelWriter::Attributes attributes = window(layer, out, false, taps);
  const Dims kernel = std::get<Dims>(attributes["kernel_shape"]);
  if (layer.weights == WeightForm::Decomposed && groups == 1 && kernel.size() == 2)
    return make_decomposed(layer, in, out, outputs, kernel, attributes);
  Dims shape{outputs, channels / groups};
  shape.insert(shape.end(), kernel.begin(), kernel.end());
  const Weights weights = make_weights(layer, shape, 0);
  attributes["group"] = std::int64_t{groups};
  set_sums(out, in, weights, [&](std::size_t k, std::size_t i) {
    return static_cast<int>(k) / (outputs / groups) * (channels / groups) + static_cast<int>(i) / taps;
  });
  std::vector<std::string> inputs{in.name, weights.name};
  if (layer.bias) {
    const std::vector<float> bias = biases(out);
    shift_by(out, bias);
    inputs.push_back(writer_.floats({outputs}, bias));
  }
  out.name = writer_.node("Conv", inputs, attributes);
  return behind_sums(layer, out, true);
}

Value Builder::make_decomposed(const LayerSpec& layer, const Value& in, Value out, int outputs, const Dims& kernel,
                               ModelWriter::Attributes attributes) {
  const int kernels = std::clamp(layer.weight_bits, 1, 6), channels = in.channels;
  const auto taps = static_cast<std::size_t>(kernel[0] * kernel[1]);
  LayerSpec ternary = layer;
  ternary.weights = WeightForm::Ternary;
  ternary.weight_per_channel = false;  // one scale for all rows of an output
  const Weights coefficients = make_weights(ternary, {outputs * kernels, channels, 1, 1}, 0);
  // Sums that float32 holds.
  const int room =
      23 - in.bits() - static_cast<int>(std::ceil(std::log2(static_cast<double>(channels * kernels) * static_cast<double>(taps))));
  const int reach = (1 << (std::clamp(room, 2, 8) - 1)) - 1;
  std::vector<int> basis;
  for (std::size_t i = 0; i < taps * static_cast<std::size_t>(kernels); ++i) basis.push_back(integer(-reach, reach));
  std::vector<float> repeated;
  for (int k = 0; k < outputs; ++k) repeated.insert(repeated.end(), basis.begin(), basis.end());
  Weights dense;
  dense.scale.assign(static_cast<std::size_t>(outputs), coefficients.scale[0]);
  for (std::size_t k = 0; k < dense.scale.size(); ++k)
    for (std::size_t c = 0; c < static_cast<std::size_t>(channels); ++c)
      for (std::size_t t = 0; t < taps; ++t) {
        double sum = 0;
        for (std::size_t m = 0; m < static_cast<std::size_t>(kernels); ++m)
          sum += coefficients.integers[(k * static_cast<std::size_t>(kernels) + m) * static_cast<std::size_t>(channels) + c] *
                 basis[m * taps + t];
        dense.integers.push_back(sum);
      }
  set_sums(out, in, dense, [&](std::size_t, std::size_t i) { return static_cast<int>(i / taps); });
  const std::string shared = writer_.node(
      "Quant",
      {writer_.floats({outputs, kernels, kernel[0], kernel[1]}, repeated), writer_.scalar(1), writer_.scalar(0), writer_.scalar(8)},
      {{"signed", std::int64_t{1}}, {"narrow", std::int64_t{1}}, {"rounding_mode", std::string("ROUND")}});
  std::vector<std::string> inputs{writer_.node("Conv", {in.name, coefficients.name}), shared};
  if (layer.bias) {
    const std::vector<float> bias = biases(out);
    shift_by(out, bias);
    inputs.push_back(writer_.floats({outputs}, bias));
  }
  attributes["group"] = std::int64_t{outputs};
  out.name = writer_.node("Conv", inputs, attributes);
  return behind_sums(layer, out, true);
}

Value Builder::make_dense(const LayerSpec& layer, const Value& in) {
  const int pixels = in.height * in.width, inputs = in.channels * pixels, outputs = layer.channels == 0 ? in.channels : layer.channels;
  std::string flat = in.name;
  if (!in.flat)
    flat = coin() ? writer_.node("Flatten", {in.name}, {{"axis", std::int64_t{1}}})
                  : writer_.node("Reshape", {in.name, writer_.integers({2}, {1, -1})});
  const bool gemm = coin(), transposed = gemm && coin();
  const Weights weights =
      make_weights(layer, transposed ? Dims{outputs, inputs} : Dims{inputs, outputs}, transposed ? std::size_t{0} : std::size_t{1});
  Value out = in;
  out.flat = true;
  out.height = out.width = 1;
  set_sums(out, in, weights, [&](std::size_t, std::size_t i) { return static_cast<int>(i) / pixels; });
  std::vector<std::string> operands{flat, weights.name};
  if (gemm) {
    if (layer.bias) {
      const std::vector<float> bias = biases(out);
      shift_by(out, bias);
      operands.push_back(writer_.floats({outputs}, bias));
    }
    out.name = writer_.node("Gemm", operands, {{"transB", std::int64_t{transposed}}});
  } else {
    out.name = writer_.node("MatMul", operands);
    if (layer.bias) {
      const std::vector<float> bias = biases(out);
      shift_by(out, bias);
      out.name = writer_.node("Add", {out.name, writer_.floats({outputs}, bias)});
    }
  }
  return behind_sums(layer, out, true);
}

}  // namespace bitloom::test
