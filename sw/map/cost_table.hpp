// Estimates: bench/fit_cost --write replaces this file by a fit and says what its errors are; it has not been run for this engine yet (docs/engine.md).
// Included by map/cost.cpp alone.
#pragma once

#include "map/cost.hpp"

namespace bitloom {

/// LUT4 per unit of each term (kCostTermNames): any fabric, ECP5, iCE40.
inline constexpr std::array<CostTerms, 3> kLutPerTerm = {
    {{233, 0, 2.4, 3.62, 3.62, 0, 0.241, 3.43, 1}, {200, 0.9, 1.09, 2, 4, 0, 0.241, 1, 1}, {250, 3, 2, 3, 5, 1.5, 0.3, 1.7, 1}}};

/// How much more than predicted a design may take, as a share of the prediction.
inline constexpr double kMostUnderestimated = 0.15;

}  // namespace bitloom
