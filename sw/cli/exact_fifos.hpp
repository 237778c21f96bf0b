// `compile --exact-fifos`.
#pragma once

#include "emit/design.hpp"

namespace bitloom::cli {

/// Gives the FIFOs in front of joins the smallest depths with which the transaction-level model of `design` loses no clocks, and says so.
/// Nothing to do without joins. Throws Error when the device has too few block RAMs for them.
void make_fifos_exact(const Network& network, Design& design, const Budget& budget);

}  // namespace bitloom::cli
