// Written by bench/fit_cost --write, which says what the fit's errors are (bench/results/fit_cost.json). Included by map/cost.cpp alone.
#pragma once

#include "map/cost.hpp"

namespace bitloom {

/// LUT4 per unit of each term (kCostTermNames): any fabric (estimated, not fitted), ECP5, iCE40.
inline constexpr std::array<CostTerms, 3> kLutPerTerm = {{{233, 0, 2.4, 3.62, 3.62, 0, 1, 3.43, 1, 0, 3.43, 3.43, 1, 0, 0, 0}, {11.7193, 0.6373, 1.0582, 2.2637, 1.84, 0.265, 0.8178, 0, 1.8912, 0, 2.9717, 3.2533, 0.809, 23.3091, 66.2472, 14.4113}, {0, 1.9737, 2.5938, 2.3035, 14.027, 4.1076, 0.5353, 0, 1.3859, 58.0775, 9.7369, 4.7887, 1, 1.8768, 101.316, 16.4854}}};

/// How much more than predicted a design of 2,000 cells or more that the fit had not seen took, at most, as a share of the prediction. Smaller ones fill no device.
inline constexpr double kMostUnderestimated = 0.129;

}  // namespace bitloom
