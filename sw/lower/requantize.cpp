// RequantShift as thresholds in closed form: with x = slope * q + offset in integers, code j is reached where
// (x * mul + add) / div + 1/2 >= j, that is where q * (slope * mul) >= j * div - div / 2 - (offset * mul + add).
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "lower/chain.hpp"
#include "lower/context.hpp"
#include "onnx/operator_list.hpp"

namespace bitloom::lowering {
namespace {

/// One channel: rescaled = q * factor + summand in units of 1 / (2 * divisor), so that the half is an integer.
struct Rescaling {
  std::int64_t factor, summand;
};

std::int64_t integer_at(const std::vector<Tensor>& operands, std::size_t c, const Node& node) {
  const Tensor& tensor = operands[operands.size() == 1 ? 0 : c];
  const double value = tensor.is_float() ? static_cast<double>(tensor.f()[0]) : static_cast<double>(tensor.i()[0]);
  if (std::nearbyint(value) != value || std::fabs(value) > 0x1p31)
    throw Error(node.name, fmt::format("its parameter {} is no 32-bit integer", value));
  return static_cast<std::int64_t>(value);
}

/// The chain and the node as integers, or nothing when the chain is no integer straight line or its products could leave 62 bits.
std::optional<std::vector<Rescaling>> rescalings(const Stream& stream, const Node& node, const std::vector<Tensor>& mul,
                                                 const std::vector<Tensor>& add, const std::vector<Range>& ranges, std::int64_t divisor) {
  const auto lines = stream.pools.empty() ? as_lines(stream, stream.steps.size()) : std::nullopt;
  if (!lines) return std::nullopt;
  std::vector<Rescaling> out;
  for (std::size_t c = 0; c < lines->size(); ++c) {
    const Line& line = (*lines)[c];
    for (const double value : {line.slope, line.offset})
      if (std::nearbyint(value) != value || std::fabs(value) > 0x1p31) return std::nullopt;
    const double m = static_cast<double>(integer_at(mul, c, node)), a = static_cast<double>(integer_at(add, c, node));
    const double widest = std::fmax(std::fabs(static_cast<double>(ranges[c].low)), std::fabs(static_cast<double>(ranges[c].high)));
    if (2 * ((widest * std::fabs(line.slope) + std::fabs(line.offset)) * std::fabs(m) + std::fabs(a)) + static_cast<double>(divisor) >
        0x1p61)
      return std::nullopt;
    const auto slope = static_cast<std::int64_t>(line.slope), offset = static_cast<std::int64_t>(line.offset);
    const std::int64_t factor = integer_at(mul, c, node);
    out.push_back({2 * slope * factor, 2 * (offset * factor + integer_at(add, c, node)) + divisor});
  }
  return out;
}

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return a / b + (a % b > 0 ? 1 : 0); }  // b > 0

/// The smallest q in the range, or one above it, with q * factor + summand >= j * unit; for a falling channel, the smallest without.
std::int64_t first_reaching(const Rescaling& r, const Range& range, std::int64_t goal) {
  const std::int64_t missing = goal - r.summand;
  std::int64_t q = 0;
  if (r.factor > 0)
    q = ceil_div(missing, r.factor);
  else if (r.factor < 0)  // q * -factor <= -missing holds up to floor(-missing / -factor)
    q = -ceil_div(missing, -r.factor) + 1;
  else
    q = missing <= 0 ? range.low : range.high + 1;
  return std::clamp(q, range.low, range.high + 1);
}

std::int64_t code_at(const Rescaling& r, std::int64_t q, std::int64_t unit, const op::RequantRule& rule) {
  const std::int64_t value = q * r.factor + r.summand;
  return std::clamp(-ceil_div(-value, unit), rule.low, rule.high);  // the floor of value / unit
}

}  // namespace

Stream lower_requant_shift(Context& context, const Node& node, Stream stream, const Tensor& factor, const Tensor& summand) {
  const op::RequantRule rule = op::requant_rule(node);
  const Tensor mul = op::requant_parameter(factor, stream.dims), add = op::requant_parameter(summand, stream.dims);
  const std::vector<Tensor> factors = channel_operands(stream, node, mul), summands = channel_operands(stream, node, add);
  const std::vector<Range>& ranges = context.builder.ranges(stream.map);
  const auto channels = rescalings(stream, node, factors, summands, ranges, rule.divisor);
  if (!channels) {
    append_step(stream, node, 0, {nullptr, &mul, &add}, context.opset());
    return quantize(context, std::move(stream));
  }
  const std::int64_t unit = 2 * rule.divisor;
  // Codes that no channel reaches are left out of the table.
  std::int64_t low = rule.high, high = rule.low;
  for (std::size_t c = 0; c < ranges.size(); ++c)
    for (const std::int64_t q : {ranges[c].low, ranges[c].high}) {
      low = std::min(low, code_at((*channels)[c], q, unit, rule));
      high = std::max(high, code_at((*channels)[c], q, unit, rule));
    }
  if (low == high) (low > rule.low ? low : high) += low > rule.low ? -1 : 1;  // a table has one level at least

  Threshold table;
  table.levels = static_cast<int>(high - low);
  table.low = low;
  for (std::size_t c = 0; c < ranges.size(); ++c) {
    const Rescaling& r = (*channels)[c];
    const bool falling = r.factor < 0;
    for (std::int64_t j = 1; j <= high - low; ++j)
      table.thresholds.push_back(first_reaching(r, ranges[c], (falling ? high + 1 - j : low + j) * unit));
    table.falling.push_back(falling ? 1 : 0);
  }
  stream.source = node.name;
  const bool integer = holds_integers(stream, stream.steps.size());
  const Grid grid{{1.0}, rule.low, 1, rule.high - rule.low, ValueType::holding(rule.low, rule.high)};
  stream = apply_table(context, std::move(stream), grid, std::move(table));
  stream.integer = integer;
  return stream;
}

}  // namespace bitloom::lowering
