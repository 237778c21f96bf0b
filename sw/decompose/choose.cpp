#include "decompose/choose.hpp"

#include <algorithm>
#include <limits>

namespace bitloom {
namespace {

struct Corner {
  std::optional<std::size_t> point;  ///< nothing: dense
  std::int64_t bits = 0;
  double loss = 0;
};

/// From the dense layer to the smallest point, each corner smaller and worse than the one before, the price of a bit rising.
std::vector<Corner> hull(const std::vector<Point>& points, std::int64_t dense_bits) {
  std::vector<Corner> corners{{std::nullopt, dense_bits, 0}};
  while (true) {
    std::optional<Corner> next;
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < points.size(); ++i) {
      const std::int64_t saved = corners.back().bits - points[i].bits;
      if (saved <= 0) continue;
      const double loss = points[i].error * points[i].error;
      const double price = (loss - corners.back().loss) / static_cast<double>(saved);
      if (price > least || (price == least && next && points[i].bits >= next->bits)) continue;
      least = price;
      next = Corner{i, points[i].bits, loss};
    }
    if (!next) return corners;
    corners.push_back(*next);
  }
}

}  // namespace

std::optional<std::size_t> smallest_within(const std::vector<Point>& points, std::int64_t dense_bits, double error) {
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < points.size(); ++i)
    if (points[i].error <= error && points[i].bits < (best ? points[*best].bits : dense_bits)) best = i;
  return best;
}

std::optional<std::vector<std::optional<std::size_t>>> within_bits(const std::vector<std::vector<Point>>& points,
                                                                  const std::vector<std::int64_t>& dense_bits, std::int64_t other_bits,
                                                                  std::int64_t most_bits) {
  std::vector<std::vector<Corner>> hulls;
  std::vector<std::size_t> at(points.size(), 0);
  std::int64_t total = other_bits;
  for (std::size_t layer = 0; layer < points.size(); ++layer) {
    hulls.push_back(hull(points[layer], dense_bits[layer]));
    total += dense_bits[layer];
  }
  while (total > most_bits) {
    std::optional<std::size_t> best;
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t layer = 0; layer < hulls.size(); ++layer) {
      if (at[layer] + 1 >= hulls[layer].size()) continue;
      const Corner &from = hulls[layer][at[layer]], &to = hulls[layer][at[layer] + 1];
      const double price = (to.loss - from.loss) / static_cast<double>(from.bits - to.bits);
      if (!best || price < least) best = layer, least = price;
    }
    if (!best) return std::nullopt;
    total -= hulls[*best][at[*best]].bits - hulls[*best][at[*best] + 1].bits;
    ++at[*best];
  }
  std::vector<std::optional<std::size_t>> chosen;
  for (std::size_t layer = 0; layer < hulls.size(); ++layer) chosen.push_back(hulls[layer][at[layer]].point);
  return chosen;
}

}  // namespace bitloom
