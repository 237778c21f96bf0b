// A table as a multiplication and a shift: for level j of a rising channel, which starts at sum t_j, a factor m and a summand a must give
//   (t_j - 1) * m + a < j * 2^shift <= t_j * m + a,
// so that floor((q * m + a) / 2^shift) is the number of levels reached at every q. For one shift, the summands that a factor admits lie
// between the highest of the lines j * 2^shift - t_j * m and the lowest of j * 2^shift - 1 - (t_j - 1) * m. Highest and lowest stand at
// corners of the convex hulls of the points (t_j, j) and (t_j - 1, j), and every pair of corners bounds the factor on one side. So the
// smallest factor is found exactly, and where none is found there is none.
#include <algorithm>

#include "lower/context.hpp"

namespace bitloom::lowering {
namespace {

constexpr int kMostShift = 40;
constexpr std::int64_t kFactorEnd = std::int64_t{1} << 30;   // 31 bits with the sign
constexpr std::int64_t kSummandEnd = std::int64_t{1} << 46;  // 47 bits with the sign

/// Level `level` is reached (or not yet) at sum `sum`.
struct Point {
  std::int64_t sum, level;
};

/// One channel, rising: where levels are reached, and where they are not yet; only corners of the hulls.
struct Channel {
  std::vector<Point> reached, before;
  bool falling = false;
};

/// Whether the corner `b` between `a` and `c` is none: it lies on the line through them, or on the side away from `side` (1: above).
bool is_flat(const Point& a, const Point& b, const Point& c, int side) {
  return side * ((b.level - a.level) * (c.sum - a.sum) - (c.level - a.level) * (b.sum - a.sum)) <= 0;
}

/// The upper (side 1) or lower (side -1) hull of points that ascend in both coordinates.
std::vector<Point> hull(const std::vector<Point>& points, int side) {
  std::vector<Point> out;
  for (const Point& point : points) {
    if (!out.empty() && out.back().sum == point.sum) {
      if (side < 0) continue;
      out.pop_back();
    }
    while (out.size() >= 2 && is_flat(out[out.size() - 2], out.back(), point, side)) out.pop_back();
    out.push_back(point);
  }
  return out;
}

Channel channel_of(const Threshold& table, std::size_t c, Range range) {
  const auto first = table.thresholds.begin() + static_cast<std::ptrdiff_t>(c) * table.levels;
  std::vector<std::int64_t> thresholds(first, first + table.levels);
  Channel channel;
  channel.falling = table.falling[c] != 0;
  if (channel.falling) {  // rising in -q
    std::reverse(thresholds.begin(), thresholds.end());
    for (std::int64_t& t : thresholds) t = 1 - t;
    range = {-range.high, -range.low};
  }
  std::vector<Point> reached, before;
  for (std::size_t i = 0; i < thresholds.size(); ++i) {
    const std::int64_t t = std::clamp(thresholds[i], range.low, range.high + 1), level = static_cast<std::int64_t>(i) + 1;
    if (t <= range.high) reached.push_back({t, level});
    if (t > range.low) before.push_back({t - 1, level});
  }
  channel.reached = hull(reached, 1);
  channel.before = hull(before, -1);
  return channel;
}

std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }  // b > 0

/// The smallest factor for this shift, or nothing.
std::optional<std::int64_t> smallest_factor(const Channel& channel, int shift) {
  std::int64_t low = 0, high = kFactorEnd - 1;
  for (const Point& reached : channel.reached)
    for (const Point& before : channel.before) {
      // reached.level * 2^shift - reached.sum * m <= before.level * 2^shift - 1 - before.sum * m
      const std::int64_t run = before.sum - reached.sum;
      const std::int64_t rise = ((before.level - reached.level) << shift) - 1;
      if (run > 0)
        high = std::min(high, floor_div(rise, run));
      else if (run < 0)
        low = std::max(low, -floor_div(rise, -run));
      else if (rise < 0)
        return std::nullopt;
      if (low > high) return std::nullopt;
    }
  return low;
}

std::int64_t summand(const Channel& channel, int shift, std::int64_t factor) {
  std::int64_t least = INT64_MIN, most = INT64_MAX;
  for (const Point& p : channel.reached) least = std::max(least, (p.level << shift) - p.sum * factor);
  for (const Point& p : channel.before) most = std::min(most, (p.level << shift) - 1 - p.sum * factor);
  return channel.reached.empty() ? most : least;
}

}  // namespace

std::optional<Requantize> as_requantize(const Threshold& table, const std::vector<Range>& ranges) {
  if (table.step != 1) return std::nullopt;
  std::vector<Channel> channels;
  for (std::size_t c = 0; c < ranges.size(); ++c) channels.push_back(channel_of(table, c, ranges[c]));
  // Factors grow with the shift: the first shift that serves all channels has the smallest ones.
  for (int shift = 0; shift <= kMostShift; ++shift) {
    Requantize out{{}, {}, shift, table.low, table.low + table.levels};
    for (const Channel& channel : channels) {
      const auto factor = smallest_factor(channel, shift);
      if (!factor) break;
      const std::int64_t add = summand(channel, shift, *factor) + table.low * (std::int64_t{1} << shift);
      if (add <= -kSummandEnd || add >= kSummandEnd) break;
      out.mul.push_back(channel.falling ? -*factor : *factor);
      out.add.push_back(add);
    }
    if (out.mul.size() == ranges.size()) return out;
  }
  return std::nullopt;
}

}  // namespace bitloom::lowering
