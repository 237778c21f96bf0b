// The stages of a network, and what each can be folded to: the parts of make_plan.
#pragma once

#include "map/plan.hpp"

namespace bitloom {

/// Cuts the network into hardware stages, without foldings. Throws Error naming the layer for what the hardware does not do.
std::vector<Stage> cut_into_stages(const Network& network);

/// Every folding of a stage, in no particular order.
std::vector<Folding> foldings(const Network& network, const Stage& stage);

/// Sets the stage's folding and what follows from it: window plan, program length, clocks, cost.
void apply(const Network& network, Stage& stage, const Folding& folding, const Budget& budget);

std::vector<int> divisors(int n);

}  // namespace bitloom
