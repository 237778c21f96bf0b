// Depths of the FIFOs in front of joins, found by the transaction-level model.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "system/system.hpp"

namespace bitloom {

struct FifoDepths {
  double clocks_per_image = 0;                ///< the fewest, with FIFOs that never fill
  std::map<std::string, std::int64_t> depth;  ///< by FIFO, in words
  int runs = 0;                               ///< of the model
};

/// Depths that FIFOs which never fill would need: the most that ever stands in them. Enough for full pace by construction, and one run of the
/// model. Leaves `system` with these depths. Throws Error when the design stops even so.
FifoDepths enough_depths(System& system);

/// The smallest depths with which images still come at the pace that FIFOs without an end would allow: with one word less in any one of
/// them, images come more slowly or not at all. Depths shrink one FIFO after the other; since a smaller FIFO never makes a design faster,
/// none can shrink further afterwards. Leaves `system` with these depths. Throws Error when the design stops even with deep FIFOs.
FifoDepths smallest_depths(System& system);

}  // namespace bitloom
