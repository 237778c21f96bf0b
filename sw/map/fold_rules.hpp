// Foldings that a user asks for, by layer: "conv0:pe=8,simd=16,wpar=all".
#pragma once

#include <string>
#include <vector>

namespace bitloom {

struct Folding;
struct Network;
struct Stage;

/// What the folding of a layer with weights must be. 0: the planner's choice; kAllPlanes: as many as there are.
struct FoldRule {
  static constexpr int kAllPlanes = -1;
  std::string layer;  ///< of the integer network; "*" for every layer with weights
  int pe = 0, simd = 0;
  int apar = 0;    ///< activation bits per clock; divides the bits of the layer's input
  int wpar = 0;    ///< weight planes per word: 1 or all
  int pixels = 0;  ///< output pixels that share a weight word
  enum class Engine { Any, Plane, Basis } engine = Engine::Any;
  enum class Products { Any, Blocks, Logic } products = Products::Any;  ///< whether weights meet activations in multiplier blocks
  int sparse = 0, rows = 0;  ///< of the basis engine

  bool operator==(const FoldRule&) const = default;
};

/// "LAYER:pe=8,simd=16,apar=1|all,wpar=1|all,pixels=2,products=blocks|logic,engine=plane|basis,sparse=4,rows=3", at least one of them. Throws Error naming what it does not understand.
FoldRule parse_fold_rule(const std::string& text);

/// The foldings that every rule for the stage allows; an APAR that is asked for takes the place of the planner's. Throws Error naming the
/// layer when none is left.
std::vector<Folding> allowed_foldings(const Network& network, const Stage& stage, std::vector<Folding> foldings,
                                      const std::vector<FoldRule>& rules);

/// Whether a rule for the stage says products=blocks.
bool asks_for_blocks(const Stage& stage, const std::vector<FoldRule>& rules);

/// Throws Error when a rule names no layer with weights.
void check_fold_rules(const std::vector<Stage>& stages, const std::vector<FoldRule>& rules);

}  // namespace bitloom
