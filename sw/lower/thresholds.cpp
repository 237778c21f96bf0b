#include "lower/thresholds.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "lower/chain.hpp"

namespace bitloom::lowering {
namespace {

constexpr std::int64_t kBlock = 4096;               // values evaluated at once
constexpr std::int64_t kExhaustive = 16 * 1000000;  // channels * range up to which every value is checked
constexpr int kSamples = 2000;                      // per channel, beyond that

/// The function from an accumulator to a code, for one channel.
class CodeFunction {
 public:
  CodeFunction(const Stream& stream, const Grid& grid, int c, const std::string& source, int opset)
      : stream_(stream), grid_(grid), c_(c), source_(source), opset_(opset) {}
  std::vector<std::int64_t> operator()(const std::vector<std::int64_t>& acc) const {
    return codes_of(grid_, c_, apply(stream_, c_, acc, opset_), source_);
  }

 private:
  const Stream& stream_;
  const Grid& grid_;
  int c_;
  const std::string& source_;
  int opset_;
};

/// The smallest accumulator in the range at which at least 1, 2, .. levels thresholds are reached; range.high + 1 for those never reached.
/// `reached` counts them at given accumulators; all levels are bisected side by side.
template <class F>
std::vector<std::int64_t> bisect(const Range& range, std::int64_t levels, F reached) {
  const auto count = static_cast<std::size_t>(levels);
  std::vector<std::int64_t> low(count, range.low), high(count, range.high + 1);  // the answer lies in low .. high
  std::vector<std::int64_t> middle(count);
  for (bool open = true; open;) {
    open = false;
    for (std::size_t j = 0; j < count; ++j) {
      open = open || low[j] < high[j];
      middle[j] = std::min(low[j] + (high[j] - low[j]) / 2, range.high);
    }
    const auto n = reached(middle);
    for (std::size_t j = 0; j < count; ++j) {
      if (low[j] >= high[j]) continue;
      if (n[j] >= static_cast<std::int64_t>(j) + 1)
        high[j] = middle[j];
      else
        low[j] = middle[j] + 1;
    }
  }
  return low;
}

/// Accumulators at which a channel's table is compared with the function: all of them, or the corners of every step and random ones.
template <class Visit>
void for_checked_values(const Range& range, bool all, const std::vector<std::int64_t>& thresholds, std::mt19937_64& random, Visit visit) {
  if (all) {
    for (std::int64_t first = range.low; first <= range.high; first += kBlock) {
      std::vector<std::int64_t> block(static_cast<std::size_t>(std::min(kBlock, range.high - first + 1)));
      std::iota(block.begin(), block.end(), first);
      visit(block);
    }
    return;
  }
  std::vector<std::int64_t> values{range.low, range.high};
  for (const std::int64_t threshold : thresholds)
    for (std::int64_t value = threshold - 1; value <= threshold + 1; ++value)
      if (value >= range.low && value <= range.high) values.push_back(value);
  std::uniform_int_distribution<std::int64_t> any(range.low, range.high);
  for (int i = 0; i < kSamples; ++i) values.push_back(any(random));
  visit(values);
}

std::int64_t total_count(const std::vector<Range>& ranges) {
  return std::accumulate(ranges.begin(), ranges.end(), std::int64_t{0},
                         [](std::int64_t sum, const Range& range) { return sum + range.count(); });
}

/// The grid without levels below or above everything that the channels' ends reach.
Grid trimmed(const Grid& grid, const std::vector<std::vector<std::int64_t>>& ends) {
  std::int64_t low = ends[0][0], high = ends[0][0];
  for (const auto& pair : ends)
    for (const std::int64_t code : pair) low = std::min(low, code), high = std::max(high, code);
  if (low == high) (low > grid.low ? low : high) += low > grid.low ? -grid.step : grid.step;  // a table has one level at least
  Grid out = grid;
  out.low = low;
  out.levels = (high - low) / grid.step;
  return out;
}

}  // namespace

std::vector<std::int64_t> codes_of(const Grid& grid, int c, const std::vector<float>& y, const std::string& source) {
  const double scale = grid.scale_of(c);
  std::vector<std::int64_t> codes(y.size());
  for (std::size_t i = 0; i < y.size(); ++i) {
    const double value = static_cast<double>(y[i]);
    const double code = std::nearbyint(value / scale);
    // float32 rounding of scale * code (and of a bias in MultiThreshold) is all that may separate them
    if (!(std::fabs(value - code * scale) <= 1e-6 * std::fabs(value) + 1e-5 * scale) || std::fabs(code) > 0x1p31)
      throw Error(source, fmt::format("{} in channel {} is no multiple of the scale {}", value, c, scale));
    codes[i] = static_cast<std::int64_t>(code);
    const std::int64_t place = codes[i] - grid.low;
    if (place < 0 || place % grid.step != 0 || place / grid.step > grid.levels)
      throw Error(source, fmt::format("{} in channel {} lies outside the quantizer's range", value, c));
  }
  return codes;
}

Threshold find_thresholds(const Stream& stream, const std::vector<Range>& ranges, const Grid& full, const std::string& source, int opset) {
  std::vector<std::vector<std::int64_t>> ends;
  for (std::size_t c = 0; c < ranges.size(); ++c)
    ends.push_back(CodeFunction(stream, full, static_cast<int>(c), source, opset)({ranges[c].low, ranges[c].high}));
  const Grid grid = trimmed(full, ends);

  Threshold table;
  table.levels = static_cast<int>(grid.levels);
  table.low = grid.low;
  table.step = grid.step;
  const bool all = total_count(ranges) <= kExhaustive;
  std::mt19937_64 random(1);
  for (std::size_t c = 0; c < ranges.size(); ++c) {
    const CodeFunction code(stream, full, static_cast<int>(c), source, opset);
    const bool falling = ends[c][0] > ends[c][1];
    const auto reached = [&](const std::vector<std::int64_t>& acc) {
      std::vector<std::int64_t> n = code(acc);
      for (std::int64_t& value : n) {
        value = (value - grid.low) / grid.step;
        if (falling) value = grid.levels - value;
      }
      return n;
    };
    const auto thresholds = bisect(ranges[c], grid.levels, reached);
    for_checked_values(ranges[c], all, thresholds, random, [&](const std::vector<std::int64_t>& acc) {
      const auto n = reached(acc);
      for (std::size_t i = 0; i < acc.size(); ++i)
        if (std::upper_bound(thresholds.begin(), thresholds.end(), acc[i]) - thresholds.begin() != n[i])
          throw Error(source,
                      fmt::format("in channel {} the values in front of this quantizer rise and fall with the integer sum (at {}); only "
                                  "monotone functions can become thresholds",
                                  c, acc[i]));
    });
    table.thresholds.insert(table.thresholds.end(), thresholds.begin(), thresholds.end());
    table.falling.push_back(falling ? 1 : 0);
  }
  return table;
}

bool rises_after(const Stream& stream, const std::vector<Range>& ranges, std::size_t position, const Grid& grid, const std::string& source,
                 int opset) {
  const bool all = total_count(ranges) <= kExhaustive;
  std::mt19937_64 random(1);
  for (std::size_t c = 0; c < ranges.size(); ++c) {
    const int channel = static_cast<int>(c);
    Tensor values = base_values(stream, channel, {});
    if (holds_integers(stream, position))
      values.data = std::vector<std::int64_t>{};
    else
      values.data = std::vector<float>{};
    for_checked_values(ranges[c], all, {}, random, [&](const std::vector<std::int64_t>& acc) {
      const Tensor part = apply_steps(stream, 0, position, channel, base_values(stream, channel, acc), opset);
      std::visit(
          [&](auto& all_values) {
            const auto& more = std::get<std::decay_t<decltype(all_values)>>(part.data);
            all_values.insert(all_values.end(), more.begin(), more.end());
          },
          values.data);
    });
    values.shape = {std::visit(
                        [](auto& all_values) {
                          std::sort(all_values.begin(), all_values.end());
                          return static_cast<std::int64_t>(all_values.size());
                        },
                        values.data),
                    1};
    const auto codes =
        codes_of(grid, channel, as_floats(apply_steps(stream, position, stream.steps.size(), channel, std::move(values), opset)), source);
    if (!std::is_sorted(codes.begin(), codes.end())) return false;
  }
  return true;
}

}  // namespace bitloom::lowering
