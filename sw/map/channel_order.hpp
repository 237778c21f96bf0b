// The order of channels inside the hardware: an output group executes the planes and words that any of its channels needs, so channels that
// need the same ones belong together.
#pragma once

#include "core/network.hpp"

namespace bitloom {

/// The same network with the channels of its inner maps in an order that shortens its programs: by the bits that their weights take, then
/// by the inputs that have weights. Maps that an output, a sum or a concatenation shows keep theirs, and so does every layer that would not
/// gain. Values, outputs and names stay; meanings of reordered maps are dropped.
Network order_channels(const Network& network);

}  // namespace bitloom
