#include "map/raw.hpp"

#include <algorithm>
#include <functional>

#include "map/plan.hpp"

namespace bitloom {

std::int64_t RawAccumulator::raw_threshold(std::int64_t threshold, std::size_t k) const {
  const std::int64_t distance = threshold - beta[k];
  const std::int64_t quotient = distance / alpha + (distance % alpha > 0 ? 1 : 0);  // ceiling: / truncates towards zero
  return std::clamp(quotient, low, high + 1);
}

namespace {

/// raw = sum of p over pairs, where p = +-(a' + b') or +-(a' - b') with ~x for -x: it lacks 1 for each pair whose first weight is -1.
/// Unsigned activations are centred: a' = a - 2^(A-1).
RawAccumulator raw_pairs(const Convolution& conv, const ValueType& activations) {
  RawAccumulator raw;
  const std::size_t fan_in = conv.weights.size() / static_cast<std::size_t>(conv.out_channels);
  const std::int64_t half = std::int64_t{1} << (activations.bits() - 1), centre = activations.is_signed() ? 0 : half;
  for (std::size_t k = 0; k < static_cast<std::size_t>(conv.out_channels); ++k) {
    std::int64_t beta = conv.bias.empty() ? 0 : conv.bias[k];
    for (std::size_t i = 0; i < fan_in; ++i) {
      const std::int64_t weight = conv.weights[k * fan_in + i];
      beta += weight * centre + (weight < 0 && i % 2 == 0 ? 1 : 0);
    }
    raw.beta.push_back(beta);
  }
  const auto pairs = static_cast<std::int64_t>(fan_in / 2);
  raw.low = -2 * half * pairs;
  raw.high = (2 * half - 1) * pairs;
  raw.bits = ValueType::holding(raw.low, raw.high + 1).bits();
  return raw;
}

}  // namespace

RawAccumulator raw_accumulator(const Convolution& conv, const ValueType& activations, bool pairs) {
  if (pairs) return raw_pairs(conv, activations);
  RawAccumulator raw;
  raw.alpha = activations.is_bipolar() ? 2 : 1;
  // A bipolar activation's code is 0 or 1, whatever it stands for.
  const std::int64_t a_low = activations.is_bipolar() ? 0 : activations.min();
  const std::int64_t a_high = activations.is_bipolar() ? 1 : activations.max();
  const std::size_t fan_in = conv.weights.size() / static_cast<std::size_t>(conv.out_channels);
  const bool xnor = uses_xnor(conv);
  for (std::size_t k = 0; k < static_cast<std::size_t>(conv.out_channels); ++k) {
    // A search over foldings asks for millions of weights hundreds of times: plain loops, which compilers turn into vector code.
    const std::int32_t* weights = conv.weights.data() + k * fan_in;
    std::int64_t sum = 0, negative = 0, low = 0, high = 0;
    if (xnor) {
      std::int32_t below = 0;
      for (std::size_t i = 0; i < fan_in; ++i) below += weights[i] < 0 ? 1 : 0;
      negative = below;
      low = static_cast<std::int64_t>(fan_in) * a_low;
      high = static_cast<std::int64_t>(fan_in) * a_high;
    } else {
      for (std::size_t i = 0; i < fan_in; ++i) {
        const std::int64_t weight = weights[i];
        sum += weight;
        low += std::min(weight * a_low, weight * a_high);
        high += std::max(weight * a_low, weight * a_high);
      }
    }
    std::int64_t beta = 0;
    if (xnor) {
      if (activations.is_bipolar())
        beta = -static_cast<std::int64_t>(fan_in);
      else
        beta = activations.is_signed() ? negative : -negative * a_high;
    } else if (activations.is_bipolar()) {
      beta = -sum;
    }
    raw.beta.push_back(beta + (conv.bias.empty() ? 0 : conv.bias[k]));
    raw.low = k == 0 ? low : std::min(raw.low, low);
    raw.high = k == 0 ? high : std::max(raw.high, high);
  }
  // Always signed: one more bit than an unsigned range would take.
  raw.bits = ValueType::holding(std::min<std::int64_t>(raw.low, -1), raw.high + 1).bits();
  return raw;
}

int signed_bits(const std::vector<std::int64_t>& values) {
  int bits = 1;
  for (const std::int64_t value : values)
    while (value < -(std::int64_t{1} << (bits - 1)) || value >= std::int64_t{1} << (bits - 1)) ++bits;
  return bits;
}

bool has_signed_totals(const Stage& stage, const Convolution& conv, const ValueType& in) {
  return in.is_signed() || stage.pairs || (stage.folding.wpar > 1 && conv.weight_type.is_signed());
}

int total_bits(const Stage& stage, const Convolution& conv, const ValueType& in, const RawAccumulator& raw) {
  const Folding& f = stage.folding;
  const std::int64_t products = std::int64_t{f.simd} * static_cast<std::int64_t>(stage.window_plan.offsets.size());
  const std::int64_t planes = (std::int64_t{1} << f.wpar) - 1, largest = products * planes * ((std::int64_t{1} << f.apar) - 1);
  const int bits = has_signed_totals(stage, conv, in) ? signed_bits({-largest - 1, largest}) : signed_bits({largest}) - 1;
  return std::min(bits, raw.bits);
}

RequantizeConstants requantize_constants(const Requantize& op, const ValueType& in) {
  RequantizeConstants constants{op.mul, op.add};
  const auto all_equal = [](const std::vector<std::int64_t>& values) {
    return std::adjacent_find(values.begin(), values.end(), std::not_equal_to<>()) == values.end();
  };
  if (all_equal(op.mul) && all_equal(op.add)) constants = {{op.mul.front()}, {op.add.front()}};
  if (in.is_bipolar())
    for (std::size_t c = 0; c < constants.mul.size(); ++c) {
      constants.add[c] -= constants.mul[c];
      constants.mul[c] *= 2;
    }
  constants.mul_bits = signed_bits(constants.mul);
  constants.add_bits = signed_bits(constants.add);
  return constants;
}

}  // namespace bitloom
