// Several chips: where a network is cut, and what each chip does.
//
// Stages keep the network's order, in which none reads a later one, so any cut of this chain makes parts that feed one another in one
// direction. A map crosses each cut between the stage that makes it and the last one that reads it once, by a link of its own: a skip
// connection over several cuts is passed on by the chips between. The network's outputs leave the last chip and go back to the first,
// where the host is.
//
// Algorithm: for a clock budget every stage takes its cheapest folding, as in make_plan; a part is feasible when it fits a device with its
// ends of links, a cut when each of its links carries its map within the budget. The smallest budget at which some cuts make the asked
// number of parts is found by bisection; among the cuts that do, dynamic programming over the positions finds those with the least
// sum of squared shares of the devices (balance) and loads of the links (bandwidth).
#pragma once

#include "map/plan.hpp"

namespace bitloom {

struct PartitionOptions {
  int devices = 0;  ///< 0: as few as the network fits
  LinkSpec link{};
  std::vector<std::int64_t> extra_blocks{};  ///< block RAMs that stages take beside the plan's (FIFOs in front of joins); empty: none
};

/// A plan with chips and links, all on devices of one kind; for one device it is make_plan's. Throws Error naming a stage that fits no
/// device by itself, the link that binds, or how many devices are needed.
Plan make_partition(const Network& network, const Budget& budget, const PlanOptions& options, const PartitionOptions& partition);

/// Maps that cross the cut in front of stage `position`, in the network's order.
std::vector<int> crossing_maps(const Network& network, const std::vector<Stage>& stages, std::size_t position);

}  // namespace bitloom
