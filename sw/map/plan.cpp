#include "map/plan.hpp"

#include <fmt/format.h>

#include <optional>

#include "map/candidates.hpp"
#include "map/program.hpp"

namespace bitloom {
namespace {

/// The plan at the lowest price of a block RAM that fits. Nothing when the clocks cannot be met; else, when `why` is not empty, the last
/// plan tried, which does not fit for that reason.
std::optional<Plan> fitting_plan(const Network& network, const Candidates& candidates, std::int64_t clocks, const Budget& budget,
                                 std::string& why) {
  const std::optional<Choice> choice = choose(candidates, 0, candidates.stages.size(), clocks, budget, why);
  if (!choice) return std::nullopt;
  return assemble(network, candidates, choice->stages, clocks, budget, choice->luts_per_block);
}

}  // namespace

int weight_planes(const Convolution& conv) {
  const auto [low, high] = weight_range(conv);
  return uses_xnor(conv) ? 1 : weight_bits_of(low, high);
}

bool uses_xnor(const Convolution& conv) { return conv.weight_type.is_bipolar(); }

int search_bits(int levels) {
  int bits = 1;
  while ((1 << bits) - 1 < levels) ++bits;
  return bits;
}

Plan make_plan(const Network& network, const Budget& budget, const PlanOptions& options) {
  const Candidates candidates = make_candidates(network, budget, options.fold);
  const std::int64_t asked = asked_clocks(options, budget);
  std::string why;
  if (asked > 0) {
    const std::optional<Plan> plan = fitting_plan(network, candidates, asked, budget, why);
    if (!plan)
      throw Error(network.name,
                  fmt::format("{} clocks per image cannot be reached: even full parallelism takes more; ask for fewer frames", asked));
    if (!why.empty())
      throw Error(network.name, fmt::format("{} clocks per image do not fit {}: {}; ask for fewer frames or take a larger board", asked,
                                            budget.board, why));
    return *plan;
  }
  std::string binds;
  for (const std::int64_t clocks : candidates.clocks) {  // ascending: the first that fits is the fastest
    std::optional<Plan> plan = fitting_plan(network, candidates, clocks, budget, why);
    if (!plan) continue;
    if (why.empty()) {
      plan->binding = binds;
      return *plan;
    }
    binds = why;
  }
  throw Error(network.name, fmt::format("does not fit {} at any folding: {}; take a larger board or a smaller network", budget.board, why));
}

}  // namespace bitloom
