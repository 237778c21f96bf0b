// Behind the sums: a straight line per channel, a pool, a Relu, a quantizer; and the ends.
#include "random/builder.hpp"

#include <algorithm>
#include <cmath>

namespace bitloom::test {
namespace {

constexpr const char* kRoundings[] = {"ROUND", "FLOOR", "CEIL", "HALF_UP", "HALF_DOWN", "UP", "DOWN", "ROUND_TO_ZERO"};

double power_of_two(double value) { return std::exp2(std::round(std::log2(value))); }

/// What is known of codes low .. high times the scale, made from the value's numbers.
void finish(Value& value, double scale, double low, double high) {
  value.unit = scale;
  value.lowest = low * scale, value.highest = high * scale;
  for (std::size_t c = 0; c < value.mean.size(); ++c) {
    value.mean[c] = std::clamp(value.mean[c], value.lowest, value.highest);
    value.deviation[c] = std::clamp(value.deviation[c], scale / 3, std::max(scale / 3, (value.highest - value.lowest) / 2));
  }
  value.codes = value.pure = value.common = true;
  value.pooled = value.bent = false;
}

}  // namespace

Value Builder::affine(const LayerSpec& layer, Value value, bool rising) {
  const auto channels = static_cast<std::size_t>(value.channels);
  std::vector<float> factor, summand, mean, variance;
  double largest = 0;
  for (std::size_t c = 0; c < channels; ++c) {
    const double steps = integer(1, 6);
    const double sign = rising || integer(0, 3) > 0 ? 1 : -1;
    factor.push_back(static_cast<float>(sign * steps * 0.25));
    mean.push_back(static_cast<float>(std::round(value.mean[c] / value.unit * real(0, 1)) * value.unit));
    variance.push_back(static_cast<float>(std::exp2(2 * integer(-1, 1))));
    summand.push_back(static_cast<float>(std::round(value.deviation[c] * real(-1, 1) / value.unit) * value.unit));
  }
  const Dims shape = along_channels(value);
  const bool norm = layer.affine == AffineForm::BatchNormalization;
  if (norm) {
    const Dims per_channel{value.channels};
    value.name = writer_.node("BatchNormalization",
                              {value.name, writer_.floats(per_channel, factor), writer_.floats(per_channel, summand),
                               writer_.floats(per_channel, mean), writer_.floats(per_channel, variance)},
                              {{"epsilon", 0.0F}});
  } else {
    value.name = writer_.node("Mul", {value.name, writer_.floats(shape, factor)});
    value.name = writer_.node("Add", {value.name, writer_.floats(shape, summand)});
  }
  for (std::size_t c = 0; c < channels; ++c) {
    const double slope = static_cast<double>(factor[c]) / (norm ? std::sqrt(static_cast<double>(variance[c])) : 1.0);
    value.mean[c] = (value.mean[c] - (norm ? static_cast<double>(mean[c]) : 0)) * slope + static_cast<double>(summand[c]);
    value.deviation[c] *= std::fabs(slope);
    largest = std::max({largest, std::fabs(value.lowest * slope), std::fabs(value.highest * slope)});
  }
  value.lowest = -2 * largest, value.highest = 2 * largest;
  value.unit /= 8;
  value.common = value.pure = value.codes = false;
  return value;
}

Value Builder::behind_sums(const LayerSpec& layer, Value value, bool sums) {
  const bool quantized = layer.quantizer.form != QuantizerForm::None;
  if (layer.affine != AffineForm::None || layer.kind == LayerKind::Affine) {
    // A chain that no quantizer ends must stay a straight line of sums, and may not fall behind a pool.
    value = affine(layer, value, value.pooled || !quantized || layer.pool);
  }
  if (sums && layer.pool && quantized && value.height * value.width > 1 && !value.flat) {
    LayerSpec pool;
    pool.kernel_height = pool.kernel_width = pool.stride_height = pool.stride_width = 2;
    value = max_pool(pool, value);
  }
  if (layer.relu && (quantized || value.codes) && !(value.pooled && !quantized)) {
    value.name = writer_.node("Relu", {value.name});
    value.lowest = std::max(0.0, value.lowest), value.highest = std::max(value.highest, value.unit);
    value.pure = false;
    value.bent = true;
  }
  if (!quantized && value.bent && !ends_here_ && value.bits() > 10) return four_bits(value);
  if (!quantized) return value;
  return quantize(value, layer.quantizer);
}

Value Builder::quantize(const Value& in, const QuantizerSpec& spec) {
  Value out = in;
  const auto channels = static_cast<std::size_t>(in.channels);
  double mean = 0, deviation = 0;
  for (std::size_t c = 0; c < channels; ++c) mean += in.mean[c] / in.channels, deviation += in.deviation[c] * in.deviation[c] / in.channels;
  deviation = std::sqrt(deviation);
  const int bits = std::clamp(spec.bits, 1, 8);
  double scale = 1, low = 0, high = 1;
  const auto rescale = [&](double levels, bool is_signed) {
    const double reach = is_signed ? 2 * std::max(deviation, std::fabs(mean) * 0.7) * 2 : std::max(mean + 2 * deviation, deviation);
    scale = power_of_two(std::max(reach / levels, in.unit / 64)) * std::exp2(spec.shift);
    if (spec.odd_scale) scale *= 1.3, scale = static_cast<double>(static_cast<float>(scale));
    note_scale(scale);
  };
  switch (spec.form) {
    case QuantizerForm::None: return in;
    case QuantizerForm::Bipolar: {
      scale = power_of_two(deviation);
      low = -1;
      out.name = writer_.node("BipolarQuant", {in.name, writer_.scalar(static_cast<float>(scale))});
      break;
    }
    case QuantizerForm::Quant: {
      const bool one_bit = bits == 1 && spec.is_signed;
      const bool narrow = spec.narrow && bits > 1;
      rescale((1 << bits) - 1, spec.is_signed);
      const int zero = one_bit ? 0 : spec.zero_point;
      low = one_bit ? -1 : (spec.is_signed ? -(1 << (bits - 1)) + (narrow ? 1 : 0) : 0) - zero;
      high = one_bit ? 1 : (spec.is_signed ? (1 << (bits - 1)) - 1 : (1 << bits) - 1 - (narrow ? 1 : 0)) - zero;
      std::vector<float> scales{static_cast<float>(scale)};
      Dims shape;
      bool one_scale = true;
      if (spec.per_channel && ends_here_ && in.channels > 1) {
        shape = along_channels(in);
        for (std::size_t c = 1; c < channels; ++c) scales.push_back(static_cast<float>(scale * std::exp2(integer(-1, 1))));
        one_scale = false;
      }
      out.name = writer_.node(
          "Quant",
          {in.name, writer_.floats(shape, scales), writer_.scalar(static_cast<float>(zero)), writer_.scalar(static_cast<float>(bits))},
          {{"signed", std::int64_t{spec.is_signed}},
           {"narrow", std::int64_t{narrow}},
           {"rounding_mode", std::string(kRoundings[std::clamp(spec.rounding, 0, 7)])}});
      finish(out, scale, low, high);
      out.common = one_scale;
      return out;
    }
    case QuantizerForm::MultiThreshold: {
      const int levels = std::max(1, (1 << std::min(bits, 5)) - 1 - (spec.narrow ? integer(0, 1 << (std::min(bits, 5) - 1)) : 0));
      const bool one_row = integer(0, 3) == 0;
      std::vector<float> table;
      for (std::size_t c = 0; c < (one_row ? 1 : channels); ++c) {
        std::vector<float> row;
        for (int i = 0; i < levels; ++i)
          row.push_back(static_cast<float>(
              std::round(((one_row ? mean : in.mean[c]) + (one_row ? deviation : in.deviation[c]) * real(-1.6, 1.6)) / in.unit * 2) *
              in.unit / 2));
        std::sort(row.begin(), row.end());
        table.insert(table.end(), row.begin(), row.end());
      }
      scale = std::exp2(integer(-3, 1));
      const bool bipolar = levels == 1 && coin();
      low = bipolar ? -1 : spec.is_signed ? -(levels + 1) / 2 : 0;
      high = bipolar ? 1 : low + levels;
      const float step = static_cast<float>(bipolar ? 2 * scale : scale);
      const char* layout = in.flat ? "NC" : spec_.dims == 3 ? "NCW" : "NCHW";
      out.name = writer_.node("MultiThreshold", {in.name, writer_.floats({one_row ? 1 : in.channels, levels}, table)},
                              {{"out_scale", step}, {"out_bias", static_cast<float>(low * scale)}, {"data_layout", std::string(layout)}});
      break;
    }
    case QuantizerForm::Linear: {
      const bool four = bits <= 4;
      rescale(four ? 15 : 255, spec.is_signed);
      const int type = four ? (spec.is_signed ? kInt4 : kUint4) : (spec.is_signed ? kInt8 : kUint8);
      const int zero = spec.is_signed ? spec.zero_point : std::abs(spec.zero_point);
      const int half = four ? 8 : 128;
      low = (spec.is_signed ? -half : 0) - zero;
      high = (spec.is_signed ? half - 1 : 2 * half - 1) - zero;
      const std::string factor = writer_.scalar(static_cast<float>(scale)), point = writer_.integers({}, {zero}, type);
      out.name = writer_.node("DequantizeLinear", {writer_.node("QuantizeLinear", {in.name, factor, point}), factor, point});
      break;
    }
  }
  finish(out, scale, low, high);
  return out;
}

Value Builder::truncate(const Value& in) {
  const int bits = static_cast<int>(std::floor(std::log2((in.highest - in.lowest) / in.unit + 1)));
  if (bits < 2 || !in.pure || in.pooled) return in;
  const int drop = integer(1, bits - 1);
  Value out = in;
  const std::string scale = writer_.scalar(static_cast<float>(in.unit));
  out.name = writer_.node(
      "Trunc",
      {in.name, scale, writer_.scalar(0), writer_.scalar(static_cast<float>(bits)), writer_.scalar(static_cast<float>(bits - drop))},
      {{"rounding_mode", std::string("FLOOR")}});
  const double divisor = std::exp2(drop);
  for (double& mean : out.mean) mean /= divisor;
  for (double& deviation : out.deviation) deviation = std::max(deviation / divisor, in.unit / 3);
  out.lowest = std::floor(in.lowest / in.unit / divisor) * in.unit, out.highest = std::floor(in.highest / in.unit / divisor) * in.unit;
  out.pure = false;
  out.bent = true;
  return out;
}

// Ends.

Value Builder::arg_max(const LayerSpec& layer, const Value& value) {
  const Value in = value.bent || !value.common ? four_bits(value) : value;
  if (!ends_here_ || !can_argmax(in)) return in;
  Value out = in;
  out.name = writer_.node("ArgMax", {in.name}, {{"axis", std::int64_t{1}}, {"keepdims", std::int64_t{layer.channels % 2}}});
  out.is_index = true;
  return out;
}

Value Builder::softmax(const Value& value) {
  if (!ends_here_ || !value.flat || !value.common) return value;
  Value in = value.bent ? four_bits(value) : value;
  in.name = writer_.node("Softmax", {in.name}, {{"axis", std::int64_t{1}}});
  in.finished = true;
  return in;
}

}  // namespace bitloom::test
