// Written by bench/fit_cost --write, which says what the fit's errors are (bench/results/fit_cost.json). Included by map/cost.cpp alone.
#pragma once

#include "map/cost.hpp"

namespace bitloom {

/// LUT4 per unit of each term (kCostTermNames): any fabric (estimated, not fitted), ECP5, iCE40.
inline constexpr std::array<CostTerms, 3> kLutPerTerm = {{{233, 0, 2.4, 3.62, 3.62, 0, 1, 3.43, 1, 0, 3.43, 3.43, 1, 0, 0, 0}, {10.7392, 0.6394, 1.0564, 1.7639, 1.4013, 0.3285, 0.8421, 0.1647, 1.7532, 0, 2.3435, 3.1957, 1, 22.3937, 62.3547, 14.7214}, {0, 1.9737, 2.5938, 2.3035, 14.027, 4.1076, 0.5353, 0, 1.3859, 58.0775, 9.7369, 4.7887, 1, 1.8768, 101.316, 16.4854}}};

/// How much more than predicted a design of 2,000 cells or more that the fit had not seen took, at most, as a share of the prediction. Smaller ones fill no device.
inline constexpr double kMostUnderestimated = 0.129;

}  // namespace bitloom
