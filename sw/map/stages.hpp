// The stages of a network, and what each can be folded to: the parts of make_plan.
#pragma once

#include "map/plan.hpp"
#include "map/program.hpp"

namespace bitloom {

/// Cuts the network into hardware stages, without foldings. Throws Error naming the layer for what the hardware does not do.
std::vector<Stage> cut_into_stages(const Network& network);

/// Every folding of a stage, in no particular order.
std::vector<Folding> foldings(const Network& network, const Stage& stage);

/// Sets the stage's folding (lanes are chosen here) and what follows from it: window plan, program length, clocks, cost. `masks` are those
/// of a convolution's weights, else null. False where the output's lanes cannot keep up.
bool apply(const Network& network, Stage& stage, const Folding& folding, const PlaneMasks* masks, const Budget& budget);

/// Gives a stage that `apply` has set another buffer for its window than WindowBuffer::Ahead: its depth, clocks and cost. False where the
/// stage has no window, or nothing is saved.
bool choose_buffer(const Network& network, Stage& stage, WindowBuffer buffer, const Budget& budget);

/// Makes the multipliers of a codebook's levels of LUTs instead of blocks. False where they take none, or the tool decides.
bool without_blocks(const Network& network, Stage& stage, const Budget& budget);

std::vector<int> divisors(int n);

}  // namespace bitloom
