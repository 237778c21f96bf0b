#include "lower/grids.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "lower/chain.hpp"
#include "onnx/operator_list.hpp"

namespace bitloom::lowering {
namespace {

constexpr std::int64_t kWidest = 1 << 16;  // values of a channel up to which all are looked at
constexpr std::size_t kMostLevels = 4096;  // distinct values of a discovered grid

std::vector<float> operand_values(const Step& step, std::size_t i) {
  if (i >= step.operands.size() || step.operands[i].empty())
    throw Error(step.node.name, fmt::format("parameter {} of this {} is missing", i, step.node.op));
  std::vector<float> values;
  for (const Tensor& tensor : step.operands[i])
    values.push_back(tensor.is_float() ? tensor.f().at(0) : static_cast<float>(tensor.i().at(0)));
  return values;
}

/// A parameter that must be one integer for all channels.
std::int64_t common_integer(const Step& step, std::size_t i, const char* name) {
  const auto values = operand_values(step, i);
  if (values.size() != 1) throw Error(step.node.name, fmt::format("the {} differs between channels; one for all is supported", name));
  if (std::nearbyint(values[0]) != values[0] || std::fabs(values[0]) > 0x1p24F)
    throw Error(step.node.name, fmt::format("the {} is {}; an integer is expected", name, values[0]));
  return static_cast<std::int64_t>(values[0]);
}

std::vector<double> positive_scales(const Step& step, std::size_t i) {
  std::vector<double> scales;
  for (const float scale : operand_values(step, i)) {
    if (!(scale > 0) || !std::isfinite(scale))
      throw Error(step.node.name, fmt::format("the scale is {}; a positive one is expected", scale));
    scales.push_back(static_cast<double>(scale));
  }
  return scales;
}

Grid bipolar_grid(std::vector<double> scale) { return {std::move(scale), -1, 2, 1, ValueType::bipolar()}; }

Grid quant_grid(const Step& step) {
  const Node& node = step.node;
  const bool is_signed = node.int_attribute("signed", 1) != 0;
  const bool narrow = node.int_attribute("narrow", 1) != 0;
  const std::int64_t bits = common_integer(step, 3, "bit width");
  const std::int64_t zero_point = common_integer(step, 2, "zero point");
  if (bits < 1 || bits > 16) throw Error(node.name, fmt::format("a feature map of {} bits; 1 to 16 are supported", bits));
  if (is_signed && bits == 1) {
    if (zero_point != 0) throw Error(node.name, "a 1-bit signed quantizer (-1, +1) with a zero point is not supported");
    return bipolar_grid(positive_scales(step, 1));
  }
  const std::int64_t half = std::int64_t{1} << (bits - 1);
  const std::int64_t low = (is_signed ? -half + (narrow ? 1 : 0) : 0) - zero_point;
  const std::int64_t high = (is_signed ? half - 1 : 2 * half - 1 - (narrow ? 1 : 0)) - zero_point;
  if (high <= low) throw Error(node.name, fmt::format("a narrow quantizer of {} bit has a single level", bits));
  const int width = static_cast<int>(bits);
  const ValueType type =
      zero_point != 0 ? ValueType::holding(low, high) : (is_signed ? ValueType::signed_bits(width) : ValueType::unsigned_bits(width));
  return {positive_scales(step, 1), low, 1, high - low, type};
}

/// scale * n + bias for n = 0 .. levels, as multiples of the scale or of half of it.
Grid multi_threshold_grid(const Step& step) {
  const Node& node = step.node;
  const double scale = static_cast<double>(node.float_attribute("out_scale", 1.0F));
  const double bias = static_cast<double>(node.float_attribute("out_bias", 0.0F));
  const std::int64_t levels = step.operands.at(1).at(0).shape.at(1);
  if (levels < 1 || levels > 65535) throw Error(node.name, fmt::format("{} thresholds per channel; 1 to 65535 are supported", levels));
  if (scale == 0 || !std::isfinite(scale)) throw Error(node.name, fmt::format("out_scale is {}", scale));
  for (const std::int64_t steps : {1, 2}) {
    const double ratio = bias / scale * static_cast<double>(steps);
    const double first = std::nearbyint(ratio);
    if (std::fabs(ratio - first) > 1e-6 * std::max(1.0, std::fabs(ratio)) || std::fabs(first) > 0x1p24) continue;
    // With a negative scale the codes run downwards from -first.
    const auto start = static_cast<std::int64_t>(first);
    const std::int64_t low = scale > 0 ? start : -start - steps * levels;
    const std::int64_t high = low + steps * levels;
    const ValueType type = low == -1 && steps == 2 && levels == 1 ? ValueType::bipolar() : ValueType::holding(low, high);
    return {{std::fabs(scale) / static_cast<double>(steps)}, low, steps, levels, type};
  }
  throw Error(node.name,
              fmt::format("out_bias {} is no multiple of half of out_scale {}; such levels are no integers times a scale", bias, scale));
}

/// Whether the values after the first `steps` steps are whole numbers, whatever the map holds.
bool are_whole(const Stream& stream, std::size_t steps) {
  static const std::set<std::string> makes = {"Floor", "Ceil", "Round", "Sign", "RequantShift"};
  static const std::set<std::string> keeps = {"Relu", "Neg", "Abs"};
  if (holds_integers(stream, steps)) return true;
  for (std::size_t i = steps; i-- > 0;) {
    const std::string& op = stream.steps[i]->node.op;
    if (makes.count(op) != 0 || (op == "Cast" && holds_integers(stream, i))) return true;
    if (keeps.count(op) == 0) return false;
  }
  return stream.scale == std::vector<double>{1.0} && std::nearbyint(stream.shift) == stream.shift;
}

std::vector<std::int64_t> all_values(const Range& range) {
  std::vector<std::int64_t> q(static_cast<std::size_t>(range.count()));
  std::iota(q.begin(), q.end(), range.low);
  return q;
}

bool narrow_enough(const std::vector<Range>& ranges) {
  return std::all_of(ranges.begin(), ranges.end(), [](const Range& range) { return range.count() <= kWidest; });
}

/// Within float32 rounding.
bool are_multiples(const std::set<float>& values, double step) {
  return std::all_of(values.begin(), values.end(), [&](float number) {
    const auto value = static_cast<double>(number);
    const double code = std::nearbyint(value / step);
    return std::fabs(code) <= kMostLevels && std::fabs(value - code * step) <= 0x1p-21 * std::fabs(value);
  });
}

/// The largest step of which all values are multiples, within float32 rounding; 0 when there is none.
double common_step(const std::set<float>& values) {
  double smallest = 0;
  bool integers = true;
  std::int64_t divisor = 0;
  const float* previous = nullptr;
  for (const float& value : values) {
    if (!std::isfinite(value)) return 0;
    integers = integers && std::nearbyint(value) == value && std::fabs(value) < 0x1p31F;
    if (integers) divisor = std::gcd(divisor, static_cast<std::int64_t>(value));
    for (const double gap :
         {std::fabs(static_cast<double>(value)), previous != nullptr ? static_cast<double>(value) - static_cast<double>(*previous) : 0.0})
      if (gap > 0 && (smallest == 0 || gap < smallest)) smallest = gap;
    previous = &value;
  }
  if (integers) return static_cast<double>(divisor);
  // The largest value names the step most precisely.
  const double top = std::max(std::fabs(static_cast<double>(*values.begin())), std::fabs(static_cast<double>(*values.rbegin())));
  const double step = top / std::nearbyint(top / smallest);
  return are_multiples(values, step) ? step : 0;
}

}  // namespace

bool is_quantizer(const Node& node) {
  return node.op == "Quant" || node.op == "BipolarQuant" || node.op == "MultiThreshold" || node.op == "Sign" || node.op == "RequantShift" ||
         node.op == "iNoNorm";
}

std::optional<Grid> clip_grid(const Stream& stream, int opset) {
  const Step& step = *stream.steps.back();
  if (step.node.op != "Clip" || step.stream_input != 0 || step.per_channel() || !are_whole(stream, stream.steps.size() - 1))
    return std::nullopt;
  // What the operator makes of the two ends of everything are its bounds.
  const std::size_t last = stream.steps.size() - 1;
  const Tensor ends =
      holds_integers(stream, last) ? Tensor::ints({2, 1}, {INT64_MIN, INT64_MAX}) : Tensor::floats({2, 1}, {-0x1p100F, 0x1p100F});
  const std::vector<float> bounds = as_floats(apply_steps(stream, last, last + 1, 0, ends, opset));
  const bool whole = std::nearbyint(bounds[0]) == bounds[0] && std::nearbyint(bounds[1]) == bounds[1];
  if (!whole || !(bounds[0] < bounds[1]) || !(bounds[1] - bounds[0] < 0x1p16F) || std::fabs(bounds[0]) > 0x1p24F) return std::nullopt;
  const auto low = static_cast<std::int64_t>(bounds[0]), high = static_cast<std::int64_t>(bounds[1]);
  return Grid{{1.0}, low, 1, high - low, ValueType::holding(low, high)};
}

Grid quantizer_grid(const Stream& stream) {
  const Step& step = *stream.steps.back();
  if (step.node.op == "Quant") return quant_grid(step);
  if (step.node.op == "BipolarQuant") return bipolar_grid(positive_scales(step, 1));
  if (step.node.op == "MultiThreshold") return multi_threshold_grid(step);
  if (step.node.op == "RequantShift" || step.node.op == "iNoNorm") {
    const op::RequantRule rule = op::requant_rule(step.node);
    return {{1.0}, rule.low, 1, rule.high - rule.low, ValueType::holding(rule.low, rule.high)};
  }
  return {{1.0}, -1, 1, 2, ValueType::signed_bits(2)};  // Sign
}

std::optional<double> pure_scale(const Stream& stream, const std::vector<Range>& ranges, int opset) {
  if (!stream.pools.empty()) return std::nullopt;
  // Products with constants fold exactly.
  const bool factors = std::all_of(stream.steps.begin(), stream.steps.end(), [](const auto& step) {
    return step->node.op == "Mul" || (step->node.op == "Div" && step->stream_input == 0);
  });
  if (factors && stream.shift == 0) {
    const auto lines = as_lines(stream, stream.steps.size());
    for (const Line& line : *lines)
      if (!(line == lines->front()) || !(line.slope > 0)) return std::nullopt;
    return lines->front().slope;
  }
  if (!narrow_enough(ranges)) return std::nullopt;
  // Otherwise every value is looked at: an offset may cancel another.
  std::optional<double> scale;
  for (std::size_t c = 0; c < ranges.size(); ++c) {
    const auto q = all_values(ranges[c]);
    const auto y = apply(stream, static_cast<int>(c), q, opset);
    const std::size_t top = std::llabs(q.front()) > std::llabs(q.back()) ? 0 : q.size() - 1;
    if (q[top] == 0) return std::nullopt;
    if (!scale) scale = static_cast<double>(y[top]) / static_cast<double>(q[top]);
    for (std::size_t i = 0; i < q.size(); ++i) {
      const double expected = *scale * static_cast<double>(q[i]);
      if (!(std::fabs(static_cast<double>(y[i]) - expected) <= 0x1p-22 * std::fabs(expected))) return std::nullopt;
    }
  }
  return scale && *scale > 0 ? scale : std::nullopt;
}

std::optional<Grid> discover_grid(const Stream& stream, const std::vector<Range>& ranges, int opset) {
  if (!narrow_enough(ranges)) return std::nullopt;
  std::set<float> values;
  for (std::size_t c = 0; c < ranges.size(); ++c) {
    for (const float value : apply(stream, static_cast<int>(c), all_values(ranges[c]), opset)) values.insert(value);
    if (values.size() > kMostLevels) return std::nullopt;
  }
  double step = values == std::set<float>{0.0F} ? 1.0 : common_step(values);  // nothing but zeros: any step will do
  if (!(step > 0) && stream.scale.size() == 1 && are_multiples(values, stream.scale[0])) step = stream.scale[0];
  if (!(step > 0)) return std::nullopt;
  const auto low = static_cast<std::int64_t>(std::nearbyint(static_cast<double>(*values.begin()) / step));
  const auto high = static_cast<std::int64_t>(std::nearbyint(static_cast<double>(*values.rbegin()) / step));
  if (low == -1 && high == 1 && values.size() == 2) return bipolar_grid({step});
  if (high - low > static_cast<std::int64_t>(kMostLevels)) return std::nullopt;
  return Grid{{step}, low, 1, std::max<std::int64_t>(high - low, 1), ValueType::holding(low, std::max(high, low + 1))};
}

}  // namespace bitloom::lowering
