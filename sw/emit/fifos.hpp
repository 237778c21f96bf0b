// FIFOs between forks and joins.
#pragma once

#include "emit/design.hpp"

namespace bitloom {

/// Puts a FIFO in front of each input of a join that needs one, no deeper than needed.
///
/// Modules are deterministic and take and send single beats: whether a network of them deadlocks with bounded FIFOs does not depend on
/// time, so one schedule that completes within bounds proves every other. The schedule: everything but forks runs as far as it gets; only
/// then a fork passes on one word, the last fork that has one; only if none has, the source sends a beat. What waits in front of a join
/// when only a fork can go on waits for words that must pass that fork first, in every schedule: the most that ever waits is the room it
/// takes. The word that the fork then passes on waits in the fork itself, and one may wait in a map_scale: they need no place in the FIFO.
///
/// With just that, a join would let each beat through only when the slower path has answered the one before. `spare` words are added; -1:
/// what arrives at the design's pace while the other path's modules take the clocks of their pipelines (and, at a join that takes turns,
/// while it serves the other input).
void add_join_fifos(const Network& network, Design& design, std::int64_t spare);

/// What a FIFO in front of a join takes: block RAMs or LUT RAM; registers up to the depth at which stream_fifo has them count nothing.
Cost fifo_cost(const JoinFifo& fifo, const Budget& budget);

/// Gives FIFOs in front of joins other depths, by name, and counts the device's block RAMs anew. Throws Error when they are not enough.
void set_fifo_depths(Design& design, const Budget& budget, const std::map<std::string, std::int64_t>& depths);

}  // namespace bitloom
