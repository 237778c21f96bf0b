// What the report computes from results of several kinds: Pareto fronts, and the roofline of a design's engines.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "report/report.hpp"

namespace bitloom {

enum class Better { Less, More };

/// Indices of the points that no other beats (as good in both, better in one), by rising x, then y. Equal points are all kept.
std::vector<std::size_t> pareto_front(const std::vector<std::pair<double, double>>& points, Better x, Better y);

/// The staircase between what the front's points reach and what none does; `front` as pareto_front gives it.
std::vector<std::pair<double, double>> staircase(const std::vector<std::pair<double, double>>& front, Better x);

/// A layer's engine on the roofline. Each clock it takes one weight word of PE * SIMD * WPAR bits, each bit of which meets APAR activation
/// bits of as many output pixels as are computed at once: no schedule makes it execute more bit operations than their product.
struct EngineRate {
  std::string layer;
  int pe = 0, simd = 0, wpar = 0;
  int apar = 0;            ///< times the pixels
  double memory_bits = 0;  ///< weight bits read per clock
  double attainable = 0;   ///< bit operations per clock while it is busy
  double achieved = 0;     ///< b_w * b_a * MACs of an image over the clocks that the design takes for one
};

/// One for each layer with weights.
std::vector<EngineRate> engine_rates(const DesignReport& design);

}  // namespace bitloom
