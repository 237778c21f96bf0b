// A layer as several: slices of its output channels, which may be on different devices.
//
// Each slice is a convolution (with what follows it channel by channel: a threshold or requantizer) of the same input map; concatenations
// put the slices' maps together again, one after the other, so that between two slices at most two maps stand for what is done so far.
// Values, outputs and the map's name stay.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/network.hpp"
#include "map/plan.hpp"

namespace bitloom {

/// Output channels of each slice, by layer.
using LayerSplits = std::map<std::string, std::vector<int>>;

/// Throws Error naming the layer where the channels do not add up, or the layer cannot be split.
Network split_layers(const Network& network, const LayerSplits& splits);

/// The fewest equal slices of each layer whose weights take at most so many block RAMs each; layers that fit, or that cannot be split
/// (groups, decomposed), are left out.
LayerSplits equal_splits(const Network& network, const Budget& budget, std::int64_t block_rams);

/// The splits that are left when neighbouring slices on the same chip become one: `plan` is of split_layers(network, splits).
LayerSplits merged_splits(const LayerSplits& splits, const Plan& plan);

}  // namespace bitloom
