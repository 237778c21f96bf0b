// Written by bench/fit_cost --write, which says what the fit's errors are (bench/results/fit_cost.json). Included by map/cost.cpp alone.
#pragma once

#include "map/cost.hpp"

namespace bitloom {

/// LUT4 per unit of each term (kCostTermNames): any fabric (estimated, not fitted), ECP5, iCE40.
inline constexpr std::array<CostTerms, 3> kLutPerTerm = {{{233, 0, 2.4, 3.62, 3.62, 0, 1, 3.43, 1, 0, 3.43, 3.43, 1, 0, 0, 0}, {10.7392, 0.6394, 1.0564, 1.7639, 1.4013, 0.3285, 0.8421, 0.1647, 1.7532, 0, 2.3435, 3.1957, 1, 22.3937, 62.3547, 14.7214}, {0, 2.5258, 2.4612, 1.5877, 14.712, 3.85, 0.3987, 0.9588, 1.382, 92.4357, 9.9382, 5.4863, 1, 34.1891, 77.1282, 12.0519}}};

/// How much more than predicted a design of 2,000 cells or more that the fit had not seen took, at most, as a share of the prediction; fabrics as above, of any the
/// larger. Smaller designs fill no device.
inline constexpr std::array<double, 3> kMostUnderestimated = {{0.140, 0.114, 0.140}};

}  // namespace bitloom
