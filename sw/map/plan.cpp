#include "map/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <optional>
#include <set>
#include <tuple>

#include "map/program.hpp"
#include "map/stages.hpp"

namespace bitloom {
namespace {

/// LUTs that a block RAM is worth: narrow and deep memories take fewer blocks, wide foldings fewer LUTs a clock. Tried in this order until
/// both fit.
constexpr std::array<double, 9> kLutsPerBlock = {0, 25, 50, 100, 200, 400, 800, 1600, 10000};

/// Cheaper: fewer LUTs with the block RAMs at their price, then fewer block RAMs, then fewer clocks.
bool cheaper(const Stage& a, const Stage& b, double luts_per_block) {
  const auto price = [&](const Stage& s) { return s.cost.lut4 + luts_per_block * static_cast<double>(s.cost.block_rams); };
  return std::tuple(price(a), a.cost.block_rams, a.clocks) < std::tuple(price(b), b.cost.block_rams, b.clocks);
}

/// While map_pad inserts border words, what the stage before it computes has to wait in that stage's output FIFO.
void set_slack(Plan& plan) {
  for (Stage& stage : plan.stages) {
    if (stage.kind != StageKind::Plane) continue;
    std::int64_t burst = 0;  // border words, of the reader with the most
    for (const Stage& next : plan.stages) {
      const Window& w = next.window;
      if (next.in_maps.front() != stage.out_map || !w.has_padding()) continue;
      const std::int64_t width = std::int64_t{next.in_shape.width} + w.pad_left + w.pad_right;
      burst = std::max(burst, ((w.pad_top + w.pad_bottom) * width + w.pad_left + w.pad_right) * (next.in_shape.channels / next.in_lanes));
    }
    stage.slack_groups = static_cast<int>((burst + stage.shortest_group - 1) / stage.shortest_group);
  }
}

std::int64_t input_clocks(const Network& network, int lanes) {
  return network.maps[static_cast<std::size_t>(network.input)].shape.size() / lanes;
}

/// Several outputs leave one after the other, a value a clock.
std::int64_t output_clocks(const Network& network) {
  std::int64_t values = 0;
  for (const NetworkOutput& output : network.outputs) values += network.maps[static_cast<std::size_t>(output.map)].shape.size();
  return network.outputs.size() > 1 ? values : 0;
}

struct Candidates {
  std::vector<std::vector<Stage>> stages;  ///< per stage, per folding
  std::vector<int> input_lanes;
};

/// The cheapest option within the clocks whose window needs at most so many single-port RAMs, and at least one if any; or null. Shallow
/// windows only where block RAMs have a price: where they are the slowest layer, neighbours that send unevenly slow them further.
const Stage* cheapest(const std::vector<Stage>& options, std::int64_t clocks, double luts_per_block, std::int64_t sprams) {
  const Stage* best = nullptr;
  for (const Stage& option : options)
    if (option.clocks <= clocks && option.cost.sprams <= sprams && (option.cost.sprams > 0) == (sprams > 0) &&
        (luts_per_block > 0 || !option.window_plan.shallow) && (best == nullptr || cheaper(option, *best, luts_per_block)))
      best = &option;
  return best;
}

/// Moves windows to single-port RAMs until the block RAMs are enough: always the one that saves the most blocks for each such RAM.
void use_sprams(const Candidates& candidates, std::int64_t clocks, double luts_per_block, const Budget& budget,
                std::vector<const Stage*>& chosen) {
  for (std::int64_t left = budget.sprams;;) {
    std::int64_t blocks = 0;
    for (const Stage* stage : chosen) blocks += stage->cost.block_rams;
    if (blocks <= budget.block_rams) return;
    std::size_t which = 0;
    const Stage* best = nullptr;
    double most = 0;
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      if (chosen[i]->cost.sprams > 0) continue;
      for (std::int64_t sprams = 1; sprams <= left; ++sprams) {
        const Stage* option = cheapest(candidates.stages[i], clocks, luts_per_block, sprams);
        if (option == nullptr) continue;
        const double saved =
            static_cast<double>(chosen[i]->cost.block_rams - option->cost.block_rams) / static_cast<double>(option->cost.sprams);
        if (saved <= most) continue;
        std::tie(most, which, best) = std::tuple(saved, i, option);
      }
    }
    if (best == nullptr) return;
    chosen[which] = best;
    left -= best->cost.sprams;
  }
}

/// Makes codebooks' multipliers of LUTs until the blocks are enough, where that can be chosen: the most blocks first.
void spare_dsps(const Network& network, const Budget& budget, std::vector<Stage>& stages) {
  for (;;) {
    std::int64_t needed = 0;
    Stage* most = nullptr;
    for (Stage& stage : stages) {
      needed += stage.cost.dsps;
      if (stage.multiplies_in_blocks && (most == nullptr || stage.cost.dsps > most->cost.dsps)) most = &stage;
    }
    if (needed <= budget.dsps || most == nullptr || !without_blocks(network, *most, budget)) return;
  }
}

bool plan_within(const Network& network, const Candidates& candidates, std::int64_t budget_clocks, double luts_per_block,
                 const Budget& budget, Plan& plan) {
  plan = Plan{};
  plan.input_lanes = 0;
  for (const int lanes : candidates.input_lanes) {
    if (input_clocks(network, lanes) > budget_clocks) continue;
    plan.input_lanes = lanes;
    break;
  }
  if (plan.input_lanes == 0) return false;
  plan.clocks_per_image = input_clocks(network, plan.input_lanes);
  plan.bottleneck = "input";
  if (const std::int64_t out = output_clocks(network); out > plan.clocks_per_image) {
    if (out > budget_clocks) return false;
    plan.clocks_per_image = out;
    plan.bottleneck = "outputs";
  }
  std::vector<const Stage*> chosen;
  for (const std::vector<Stage>& options : candidates.stages) {
    chosen.push_back(cheapest(options, budget_clocks, luts_per_block, 0));
    if (chosen.back() == nullptr) return false;
  }
  use_sprams(candidates, budget_clocks, luts_per_block, budget, chosen);
  for (const Stage* best : chosen) plan.stages.push_back(*best);
  spare_dsps(network, budget, plan.stages);
  for (const Stage& stage : plan.stages) {
    if (stage.clocks > plan.clocks_per_image) {
      plan.clocks_per_image = stage.clocks;
      plan.bottleneck = stage.name;
    }
    plan.cost.lut4 += stage.cost.lut4;
    plan.cost.block_rams += stage.cost.block_rams;
    plan.cost.dsps += stage.cost.dsps;
    plan.cost.sprams += stage.cost.sprams;
    plan.cost.memory_bits += stage.cost.memory_bits;
  }
  set_slack(plan);
  return true;
}

std::string binding(const Plan& plan, const Budget& budget, bool by_hand) {
  const double asked = static_cast<double>(budget.lut4) * budget.fraction;
  const double certain = static_cast<double>(budget.lut4 - budget.link_lut4) / (1 + most_underestimated());
  const double limit = by_hand ? asked : std::min(asked, certain);
  if (plan.cost.lut4 > limit)
    return fmt::format("about {:.0f} LUT4 are needed, {:.0f} ({:.0f} % of {}) may be used", plan.cost.lut4, limit,
                       100 * limit / static_cast<double>(budget.lut4), budget.lut4);
  if (plan.cost.block_rams > budget.block_rams)
    return fmt::format("{} block RAMs are needed, {} exist", plan.cost.block_rams, budget.block_rams);
  if (plan.cost.dsps > budget.dsps) return fmt::format("{} multipliers are needed, {} exist", plan.cost.dsps, budget.dsps);
  return "";
}

/// The plan at the lowest price of a block RAM that fits. Nothing when the clocks cannot be met; else, when `why` is not empty, the last
/// plan tried, which does not fit for that reason.
std::optional<Plan> fitting_plan(const Network& network, const Candidates& candidates, std::int64_t clocks, const Budget& budget,
                                 bool by_hand, std::string& why) {
  Plan plan;
  for (const double price : kLutsPerBlock) {
    if (!plan_within(network, candidates, clocks, price, budget, plan)) return std::nullopt;
    plan.fabric = budget.fabric;
    why = binding(plan, budget, by_hand);
    if (why.empty() || plan.cost.block_rams <= budget.block_rams) break;
  }
  return plan;
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
  check(network);
  Candidates candidates;
  std::set<std::int64_t> budgets;
  const std::vector<Stage> stages = cut_into_stages(network);
  check_fold_rules(stages, options.fold);
  for (const Stage& stage : stages) {
    candidates.stages.emplace_back();
    const auto* conv = std::get_if<Convolution>(&network.layers[static_cast<std::size_t>(stage.layer)].op);
    const std::optional<PlaneMasks> masks = conv != nullptr ? std::optional<PlaneMasks>(*conv) : std::nullopt;
    for (const Folding& folding : allowed_foldings(network, stage, foldings(network, stage), options.fold)) {
      Stage option = stage;
      if (!apply(network, option, folding, masks ? &*masks : nullptr, budget)) continue;
      for (const WindowBuffer buffer : {WindowBuffer::Shallow, WindowBuffer::Shared}) {
        Stage other = option;
        if (!choose_buffer(network, other, buffer, budget)) continue;
        budgets.insert(other.clocks);
        candidates.stages.back().push_back(std::move(other));
      }
      budgets.insert(option.clocks);
      candidates.stages.back().push_back(std::move(option));
    }
    if (candidates.stages.back().empty())
      throw Error(stage.name,
                  "has no folding whose output keeps up with its programs: allow other foldings (--fold), fewer pe or pixels say");
  }
  int input_channels = 0;  // that every reader of the input can take in one beat
  for (const std::vector<Stage>& candidates_of_stage : candidates.stages)
    for (const Stage& stage = candidates_of_stage.front(); const int map : stage.in_maps)
      if (map == network.input)
        input_channels = std::gcd(input_channels, stage.in_maps.size() > 1 ? network.maps[static_cast<std::size_t>(map)].shape.channels
                                                                           : stage.in_shape.channels);
  candidates.input_lanes = divisors(input_channels);
  for (const int lanes : candidates.input_lanes) budgets.insert(input_clocks(network, lanes));

  if (network.outputs.size() > 1) budgets.insert(output_clocks(network));

  std::int64_t asked = options.clocks_per_image;
  if (options.frames_per_second > 0)
    asked = std::max<std::int64_t>(1, static_cast<std::int64_t>(budget.clock_hz / options.frames_per_second));
  const bool by_hand = !options.fold.empty();
  std::string why;
  if (asked > 0) {
    const std::optional<Plan> plan = fitting_plan(network, candidates, asked, budget, by_hand, why);
    if (!plan)
      throw Error(network.name,
                  fmt::format("{} clocks per image cannot be reached: even full parallelism takes more; ask for fewer frames", asked));
    if (!why.empty())
      throw Error(network.name, fmt::format("{} clocks per image do not fit {}: {}; ask for fewer frames or take a larger board", asked,
                                            budget.board, why));
    return *plan;
  }
  std::string binds;
  for (const std::int64_t clocks : budgets) {  // ascending: the first that fits is the fastest
    std::optional<Plan> plan = fitting_plan(network, candidates, clocks, budget, by_hand, why);
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
