// Every folding of every stage, and the cheapest of them within a budget: what make_plan and make_partition choose from.
#pragma once

#include <array>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "map/plan.hpp"

namespace bitloom {

struct Candidates {
  std::vector<std::vector<Stage>> stages;  ///< per stage, per folding
  std::vector<int> input_lanes;
  std::set<std::int64_t> clocks;  ///< per image, that some part of the network can take
  bool by_hand = false;           ///< foldings were asked for
};

/// Throws Error naming the layer for what the hardware does not do.
Candidates make_candidates(const Network& network, const Budget& budget, const std::vector<FoldRule>& fold);

/// LUTs that a block RAM is worth: narrow and deep memories take fewer blocks, wide foldings fewer LUTs a clock. Tried in this order until
/// both fit.
inline constexpr std::array<double, 12> kLutsPerBlock = {0, 25, 50, 100, 200, 400, 800, 1600, 2000, 2500, 3000, 10000};

/// The cheapest option within the clocks whose window needs at most so many single-port RAMs, and at least one if any; or null.
const Stage* cheapest(const std::vector<Stage>& options, std::int64_t clocks, double luts_per_block, std::int64_t sprams);

/// What stages first .. last-1 take on a device, each with the cheapest folding within the clocks, at the lowest price of a block RAM that
/// fits. Nothing when the clocks cannot be met; else, when `why` is not empty, the last choice tried, which does not fit for that reason.
struct Choice {
  std::vector<const Stage*> stages;
  Cost cost;
  double luts_per_block = 0;  ///< the price
};
std::optional<Choice> choose(const Candidates& candidates, std::size_t first, std::size_t last, std::int64_t clocks, const Budget& budget,
                             std::string& why);

/// Between two choices for the same stages: as many stages of `saving` in place of those of `plain` as it takes to get along with so many
/// block RAMs, those first that save a block for the fewest LUTs. A price alone decides for all stages of a kind at once.
std::vector<const Stage*> mixed_choice(std::vector<const Stage*> plain, const std::vector<const Stage*>& saving, std::int64_t block_rams);

Cost& operator+=(Cost& sum, const Cost& cost);

/// LUTs that may be planned for: room is kept for the serial link and for what the cost model may miss, but not where foldings were chosen by
/// hand.
double lut_limit(const Budget& budget, bool by_hand);

/// What does not fit, in a sentence; "" when all does.
std::string binding(const Cost& cost, const Budget& budget, bool by_hand);

/// A plan of the chosen stages (of all), with the input's lanes and what the outputs take; nothing when these cannot meet the clocks.
/// `luts_per_block`: the price that they were compared at, for the reason why one engine was chosen over the other.
std::optional<Plan> assemble(const Network& network, const Candidates& candidates, const std::vector<const Stage*>& chosen,
                             std::int64_t clocks, const Budget& budget, double luts_per_block = 0);

/// What was asked for, in clocks per image; 0 for as fast as it fits.
std::int64_t asked_clocks(const PlanOptions& options, const Budget& budget);

}  // namespace bitloom
