// Written by bench/fit_cost --write, which says what the fit's errors are (bench/results/fit_cost.json). Included by map/cost.cpp alone.
#pragma once

#include "map/cost.hpp"

namespace bitloom {

/// LUT4 per unit of each term (kCostTermNames): any fabric (estimated, not fitted), ECP5, iCE40.
inline constexpr std::array<CostTerms, 3> kLutPerTerm = {{{233, 0, 2.4, 3.62, 3.62, 0, 0.241, 3.43, 1, 0}, {125.744, 0.8905, 1.0259, 2.4734, 0, 0, 0.1404, 0.0159, 4.2359, 30.1825}, {85.8156, 1.8836, 2.2023, 2.9967, 7.9884, 0, 0.2113, 4.1251, 3.7354, 116.415}}};

/// How much more than predicted a design of 2,000 cells or more that the fit had not seen took, at most, as a share of the prediction. Smaller ones fill no device.
inline constexpr double kMostUnderestimated = 0.226;

}  // namespace bitloom
