// Written by bench/fit_cost --write, which says what the fit's errors are (bench/results/fit_cost.json). Included by map/cost.cpp alone.
#pragma once

#include "map/cost.hpp"

namespace bitloom {

/// LUT4 per unit of each term (kCostTermNames): any fabric (estimated, not fitted), ECP5, iCE40.
inline constexpr std::array<CostTerms, 3> kLutPerTerm = {
    {{233, 0, 2.4, 3.62, 3.62, 0, 0.241, 3.43}, {200, 0.9, 1.09, 2, 4, 0, 0.241, 1}, {250, 3, 2, 3, 5, 1.5, 0.3, 1.7}}};

/// How much more than predicted a design that the fit had not seen took, at most, as a share of the prediction.
inline constexpr double kMostUnderestimated = 0.15;

}  // namespace bitloom
