// `compile --fifos`.
#pragma once

#include <string>

#include "emit/design.hpp"

namespace bitloom::cli {

/// Depths of the FIFOs in front of joins. "counted": as elaborate() gives them. "enough": the most that stands in FIFOs which never fill, by
/// the transaction-level model. "smallest": the smallest that lose no clocks, by many runs of it. Says on stderr what it found. Throws Error
/// when the device has too few block RAMs for them.
void fit_fifos(const std::string& how, const Network& network, Design& design, const Budget& budget);

}  // namespace bitloom::cli
