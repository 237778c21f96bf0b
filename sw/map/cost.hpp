// The cost model: LUT4 and block RAMs of a stage at a folding. Coefficients are fitted to measured synthesis (docs/decisions.md says how).
#pragma once

#include "map/plan.hpp"

namespace bitloom {

/// An estimate for a stage whose folding and window plan are set.
Cost estimate(const Network& network, const Stage& stage);

}  // namespace bitloom
