// Candidates are made once; a plan looks at them for many budgets.
#include "map/candidates.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <tuple>

#include "map/program.hpp"
#include "map/stages.hpp"

namespace bitloom {
namespace {

/// A multiplier block is worth its wires where it saves so many LUTs: narrow products' save one or two, and nextpnr did not route 140 of an ECP5-85F's 156 in ten minutes.
constexpr double kLutsPerMultiplier = 8;

/// Cheaper: fewer LUTs with block RAMs and multipliers at their prices, then fewer block RAMs, then fewer clocks.
bool cheaper(const Stage& a, const Stage& b, double luts_per_block) {
  const auto price = [&](const Stage& s) { return s.cost.lut4 + luts_per_block * static_cast<double>(s.cost.block_rams) + kLutsPerMultiplier * static_cast<double>(s.cost.dsps); };
  return std::tuple(price(a), a.cost.block_rams, a.clocks) < std::tuple(price(b), b.cost.block_rams, b.clocks);
}

/// While map_pad inserts border words, what the stage before it computes has to wait in that stage's output FIFO.
void set_slack(Plan& plan) {
  for (Stage& stage : plan.stages) {
    if (stage.kind != StageKind::Plane && stage.kind != StageKind::Basis) continue;
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

/// Moves windows to single-port RAMs until the block RAMs are enough: always the one that saves the most blocks for each such RAM.
void use_sprams(const Candidates& candidates, std::size_t first, std::int64_t clocks, double luts_per_block, const Budget& budget,
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
        const Stage* option = cheapest(candidates.stages[first + i], clocks, luts_per_block, sprams);
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

/// Where multipliers are too few, stages take foldings with fewer, always the one that costs the fewest LUTs for each.
void spare_dsps(const Candidates& candidates, std::size_t first, std::int64_t clocks, double luts_per_block, const Budget& budget,
                std::vector<const Stage*>& chosen) {
  for (;;) {
    std::int64_t dsps = 0;
    for (const Stage* stage : chosen) dsps += stage->cost.dsps;
    if (dsps <= budget.dsps) return;
    std::size_t which = 0;
    const Stage* best = nullptr;
    double least = 0;
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      for (const Stage& option : candidates.stages[first + i]) {
        const std::int64_t saved = chosen[i]->cost.dsps - option.cost.dsps;
        if (saved <= 0 || option.clocks > clocks || option.cost.sprams != chosen[i]->cost.sprams) continue;
        const double more = option.cost.lut4 - chosen[i]->cost.lut4 +
                            luts_per_block * static_cast<double>(option.cost.block_rams - chosen[i]->cost.block_rams);
        const double price = more / static_cast<double>(saved);
        if (best == nullptr || price < least) std::tie(least, which, best) = std::tuple(price, i, &option);
      }
    }
    if (best == nullptr) return;
    chosen[which] = best;
  }
}

/// Where two engines can have a layer: what each would take for these clocks.
std::string explain_choice(const std::vector<Stage>& options, const Stage& chosen, std::int64_t clocks, double luts_per_block) {
  const Stage* best[2] = {nullptr, nullptr};  // plane, basis
  std::int64_t fewest[2] = {INT64_MAX, INT64_MAX};
  for (const Stage& option : options) {
    const int engine = option.kind == StageKind::Basis ? 1 : 0;
    fewest[engine] = std::min(fewest[engine], option.clocks);
    if (option.clocks <= clocks && (best[engine] == nullptr || cheaper(option, *best[engine], luts_per_block))) best[engine] = &option;
  }
  if (fewest[0] == INT64_MAX || fewest[1] == INT64_MAX) return "";
  best[chosen.kind == StageKind::Basis ? 1 : 0] = &chosen;
  const auto text = [&](int engine) {
    const std::string name = engine == 1 ? "basis engine" : "plane engine";
    if (best[engine] == nullptr) return fmt::format("{}: {} clocks at least", name, fewest[engine]);
    const Stage& s = *best[engine];
    return fmt::format("{}: {:.0f} LUT4, {} block RAMs, {} multipliers for {} clocks", name, s.cost.lut4, s.cost.block_rams, s.cost.dsps,
                       s.clocks);
  };
  const int taken = chosen.kind == StageKind::Basis ? 1 : 0;
  return fmt::format("{} (estimates, within {} clocks a frame); {}", text(taken), clocks, text(1 - taken));
}

}  // namespace

Candidates make_candidates(const Network& network, const Budget& budget, const std::vector<FoldRule>& fold) {
  check(network);
  Candidates candidates;
  candidates.by_hand = !fold.empty();
  const std::vector<Stage> stages = cut_into_stages(network);
  check_fold_rules(stages, fold);
  for (const Stage& stage : stages) {
    candidates.stages.emplace_back();
    const auto offer = [&](Stage option) {
      if (Stage other = option; load_weights(network, other, budget)) candidates.stages.back().push_back(std::move(other));
      candidates.clocks.insert(option.clocks);
      std::optional<std::int64_t> blocks;  // of the option before
      for (const int bits : lut_bits_options(budget)) {
        Stage other = option;
        if (!choose_lut_bits(network, other, bits, budget) || other.cost.block_rams >= blocks.value_or(INT64_MAX)) continue;
        blocks = other.cost.block_rams;
        candidates.stages.back().push_back(std::move(other));
      }
      candidates.stages.back().push_back(std::move(option));
    };
    const auto* conv = std::get_if<Convolution>(&network.layers[static_cast<std::size_t>(stage.layer)].op);
    std::optional<LayerPrograms> programs;
    if (conv != nullptr) programs.emplace(*conv, network.input_of(network.layers[static_cast<std::size_t>(stage.layer)]).type);
    for (const Folding& folding : allowed_foldings(network, stage, foldings(network, stage), fold)) {
      if (folding.products && !budget.infers_dsps && !asks_for_blocks(stage, fold)) continue;  // few and far between: docs/decisions.md
      Stage option = stage;
      if (!apply(network, option, folding, programs ? &*programs : nullptr, budget)) continue;
      for (const WindowBuffer buffer : {WindowBuffer::Shallow, WindowBuffer::Shared}) {
        Stage other = option;
        if (choose_buffer(network, other, buffer, budget)) offer(std::move(other));
      }
      if (Stage other = option; without_blocks(network, other, budget)) candidates.stages.back().push_back(std::move(other));
      offer(std::move(option));
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
  for (const int lanes : candidates.input_lanes) candidates.clocks.insert(input_clocks(network, lanes));

  if (network.outputs.size() > 1) candidates.clocks.insert(output_clocks(network));
  return candidates;
}

/// Shallow windows only where block RAMs have a price: where they are the slowest layer, neighbours that send unevenly slow them further.
const Stage* cheapest(const std::vector<Stage>& options, std::int64_t clocks, double luts_per_block, std::int64_t sprams) {
  const Stage* best = nullptr;
  for (const Stage& option : options)
    if (option.clocks <= clocks && option.cost.sprams <= sprams && (option.cost.sprams > 0) == (sprams > 0) &&
        (luts_per_block > 0 || !option.window_plan.shallow) && (best == nullptr || cheaper(option, *best, luts_per_block)))
      best = &option;
  return best;
}

Cost& operator+=(Cost& sum, const Cost& cost) {
  sum.lut4 += cost.lut4;
  sum.block_rams += cost.block_rams;
  sum.dsps += cost.dsps;
  sum.sprams += cost.sprams;
  sum.memory_bits += cost.memory_bits;
  return sum;
}

double lut_limit(const Budget& budget, bool by_hand) {
  const double asked = static_cast<double>(budget.lut4) * budget.fraction;
  // nextpnr's placer takes 5 % of an iCE40's cells to lay out carry chains, and wants room to move: a UP5K at 95 % was not legalized in minutes, at 91 % slowly.
  const double placeable = (budget.fabric == kIce40 ? 0.88 : 1.0) * static_cast<double>(budget.lut4);
  const double certain = (placeable - static_cast<double>(budget.link_lut4)) / (1 + most_underestimated(budget));
  return by_hand ? asked : std::min(asked, certain);
}

std::string binding(const Cost& cost, const Budget& budget, bool by_hand) {
  const double limit = lut_limit(budget, by_hand);
  if (cost.lut4 > limit)
    return fmt::format("about {:.0f} LUT4 are needed, {:.0f} ({:.0f} % of {}) may be used", cost.lut4, limit,
                       100 * limit / static_cast<double>(budget.lut4), budget.lut4);
  if (cost.block_rams > budget.block_rams)
    return fmt::format("{} block RAMs are needed, {} exist", cost.block_rams, budget.block_rams);
  if (cost.dsps > budget.dsps) return fmt::format("{} multipliers are needed, {} exist", cost.dsps, budget.dsps);
  return "";
}

std::vector<const Stage*> mixed_choice(std::vector<const Stage*> plain, const std::vector<const Stage*>& saving, std::int64_t block_rams) {
  std::vector<std::size_t> order;
  std::int64_t blocks = 0;
  for (std::size_t i = 0; i < plain.size(); ++i) {
    blocks += plain[i]->cost.block_rams;
    if (saving[i]->cost.block_rams < plain[i]->cost.block_rams) order.push_back(i);
  }
  const auto price = [&](std::size_t i) {
    return (saving[i]->cost.lut4 - plain[i]->cost.lut4) / static_cast<double>(plain[i]->cost.block_rams - saving[i]->cost.block_rams);
  };
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return price(a) < price(b); });
  for (const std::size_t i : order) {
    if (blocks <= block_rams) break;
    blocks += saving[i]->cost.block_rams - plain[i]->cost.block_rams;
    plain[i] = saving[i];
  }
  return plain;
}

namespace {

Cost total(const std::vector<const Stage*>& stages) {
  Cost sum;
  for (const Stage* stage : stages) sum += stage->cost;
  return sum;
}

}  // namespace

std::optional<Choice> choose(const Candidates& candidates, std::size_t first, std::size_t last, std::int64_t clocks, const Budget& budget,
                             std::string& why) {
  Choice choice;
  std::string free_blocks;  // what binds where a block RAM costs nothing, if that is not LUTs
  for (const double price : kLutsPerBlock) {
    const std::vector<const Stage*> before = std::move(choice.stages);
    choice = Choice{};
    choice.luts_per_block = price;
    for (std::size_t i = first; i < last; ++i) {
      choice.stages.push_back(cheapest(candidates.stages[i], clocks, price, 0));
      if (choice.stages.back() == nullptr) return std::nullopt;
    }
    use_sprams(candidates, first, clocks, price, budget, choice.stages);
    spare_dsps(candidates, first, clocks, price, budget, choice.stages);
    choice.cost = total(choice.stages);
    if (!before.empty() && budget.sprams == 0 && choice.cost.block_rams <= budget.block_rams) {
      std::vector<const Stage*> mixed = mixed_choice(before, choice.stages, budget.block_rams);
      const Cost cost = total(mixed);
      if (cost.lut4 < choice.cost.lut4 && cost.dsps <= budget.dsps && cost.block_rams <= budget.block_rams) {
        choice.stages = std::move(mixed);
        choice.cost = cost;
      }
    }
    why = binding(choice.cost, budget, candidates.by_hand);
    if (why.empty() || choice.cost.block_rams <= budget.block_rams) break;
    if (price == kLutsPerBlock.front() && choice.cost.lut4 <= lut_limit(budget, candidates.by_hand)) free_blocks = why;
  }
  if (!why.empty() && !free_blocks.empty()) why = fmt::format("{}; with fewer block RAMs, {}", free_blocks, why);
  return choice;
}

std::optional<Plan> assemble(const Network& network, const Candidates& candidates, const std::vector<const Stage*>& chosen,
                             std::int64_t clocks, const Budget& budget, double luts_per_block) {
  Plan plan;
  plan.fabric = budget.fabric;
  plan.input_lanes = 0;
  for (const int lanes : candidates.input_lanes) {
    if (input_clocks(network, lanes) > clocks) continue;
    plan.input_lanes = lanes;
    break;
  }
  if (plan.input_lanes == 0) return std::nullopt;
  plan.clocks_per_image = input_clocks(network, plan.input_lanes);
  plan.bottleneck = "input";
  if (const std::int64_t out = output_clocks(network); out > plan.clocks_per_image) {
    if (out > clocks) return std::nullopt;
    plan.clocks_per_image = out;
    plan.bottleneck = "outputs";
  }
  for (const Stage* stage : chosen) {
    if (stage->clocks > plan.clocks_per_image) {
      plan.clocks_per_image = stage->clocks;
      plan.bottleneck = stage->name;
    }
    plan.cost += stage->cost;
    plan.stages.push_back(*stage);
    plan.stages.back().choice = explain_choice(candidates.stages[plan.stages.size() - 1], *stage, clocks, luts_per_block);
  }
  set_slack(plan);
  return plan;
}

std::int64_t asked_clocks(const PlanOptions& options, const Budget& budget) {
  if (options.frames_per_second > 0)
    return std::max<std::int64_t>(1, static_cast<std::int64_t>(budget.clock_hz / options.frames_per_second));
  return options.clocks_per_image;
}

}  // namespace bitloom
