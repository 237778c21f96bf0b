// The stages of a network, and what each can be folded to: the parts of make_plan.
#pragma once

#include <map>

#include "map/basis_program.hpp"
#include "map/plan.hpp"
#include "map/program.hpp"

namespace bitloom {

/// Cuts the network into hardware stages, without foldings. Throws Error naming the layer for what the hardware does not do.
std::vector<Stage> cut_into_stages(const Network& network);

/// Every folding of a stage, in no particular order.
std::vector<Folding> foldings(const Network& network, const Stage& stage);

/// What foldings of one convolution share, made once: its weights' planes, and its coefficients shared out to any number of lanes.
class LayerPrograms {
 public:
  LayerPrograms(const Convolution& conv, const ValueType& activations) : masks(conv), conv_(conv), activations_(activations) {}
  const BasisProgram& basis(int lanes);
  const PlaneMasks masks;

 private:
  const Convolution& conv_;
  ValueType activations_;
  std::map<int, BasisProgram> basis_;  ///< by lanes
};

/// Sets the stage's folding (lanes are chosen here) and what follows from it: window plan, program length, clocks, cost. `programs` are
/// those of a convolution, else null. False where the output's lanes cannot keep up, or the device lacks multipliers.
bool apply(const Network& network, Stage& stage, const Folding& folding, LayerPrograms* programs, const Budget& budget);

/// Foldings of the basis engine; none where the layer is not decomposed, or needs what that engine does not do.
std::vector<Folding> basis_foldings(const Network& network, const Stage& stage);
/// `apply` for one of them.
bool apply_basis(const Network& network, Stage& stage, const BasisProgram& program, const Budget& budget);

/// Gives a stage that `apply` has set another buffer for its window than WindowBuffer::Ahead: its depth, clocks and cost. False where the
/// stage has no window, or nothing is saved.
bool choose_buffer(const Network& network, Stage& stage, WindowBuffer buffer, const Budget& budget);

/// Puts the weights of a stage that `apply` has set into RAMs of a single port that are loaded after reset, which takes no clocks and other RAMs. False where
/// the device cannot, or no block RAM is saved.
bool load_weights(const Network& network, Stage& stage, const Budget& budget);

/// Numbers of bits, in rising order, up to which a device's memories may be made of LUTs instead of kLutBits: more where LUT RAM makes that worth while
/// (ECP5: block RAMs are saved), fewer where small ROMs are dear in LUTs (iCE40: LUTs are saved).
std::vector<int> lut_bits_options(const Budget& budget);
/// Makes memories of up to so many bits of LUTs. False where that saves nothing.
bool choose_lut_bits(const Network& network, Stage& stage, int bits, const Budget& budget);

/// Makes the multipliers of a codebook's levels of LUTs instead of blocks. False where they take none, or the tool decides.
bool without_blocks(const Network& network, Stage& stage, const Budget& budget);

std::vector<int> divisors(int n);

}  // namespace bitloom
