#include "map/partition.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <optional>

#include "map/candidates.hpp"
#include "map/chip_link.hpp"
#include "map/stages.hpp"

namespace bitloom {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

/// What a cut in front of a stage takes.
struct Cut {
  std::vector<ChipLink> links;
  Cost senders, receivers;
  std::int64_t clocks = 0;  ///< of the slowest link
  double load(std::int64_t budget) const {
    double sum = 0;
    for (const ChipLink& link : links) sum += static_cast<double>(link.clocks) / static_cast<double>(budget);
    return sum;
  }
};

/// The link on which the outputs go back to the host.
ChipLink return_link(const Network& network, const std::vector<Stage>& stages, const LinkSpec& spec, const Budget& device, std::int64_t clocks) {
  int bits = 1;
  std::int64_t values = 0;
  for (const NetworkOutput& output : network.outputs) {
    const FeatureMap& map = network.maps[static_cast<std::size_t>(output.map)];
    bits = std::max(bits, map.type.bits());
    values += map.shape.size();
  }
  int lanes = 1;
  if (network.outputs.size() == 1) {
    const auto maker = std::find_if(stages.begin(), stages.end(), [&](const Stage& s) { return s.out_map == network.outputs[0].map; });
    const FeatureMap& map = network.maps[static_cast<std::size_t>(network.outputs[0].map)];
    lanes = maker->chip == stages.back().chip ? maker->folding.lanes
                                              : make_chip_link(spec, map.shape.channels, map.type, map.shape.size(), device).channels;
  }
  ChipLink link = make_chip_link(spec, lanes * bits, values / lanes, device, clocks);
  link.channels = lanes;
  return link;
}

class Partition {
 public:
  Partition(const Network& network, const Budget& budget, const PlanOptions& options, const PartitionOptions& partition)
      : network_(network), budget_(budget), partition_(partition), candidates_(make_candidates(network, budget, options.fold)) {
    for (const std::vector<Stage>& stage : candidates_.stages) stages_.push_back(stage.front());
    crossing_.resize(stages_.size());
    for (std::size_t i = 1; i < stages_.size(); ++i) crossing_[i] = crossing_maps(network, stages_, i);
    make_links(0);
    for (const Cut& cut : cuts_)
      for (const ChipLink& link : cut.links) candidates_.clocks.insert(link.clocks);
    candidates_.clocks.insert(home_.clocks);
  }

  Plan run(std::int64_t asked) {
    const std::size_t most = stages_.size();
    const std::int64_t slowest = asked > 0 ? asked : *candidates_.clocks.rbegin();
    std::size_t parts = static_cast<std::size_t>(partition_.devices);
    prepare(slowest);
    if (parts == 0) parts = fewest_parts(slowest);
    if (parts > most)
      throw Error("--devices", fmt::format("{} given; the network has {} parts that can be apart (see bitloom info)", parts, most));
    if (parts == 1) throw Error("--devices", "one device needs no partition");  // make_partition asks make_plan
    if (!feasible(parts, slowest)) {
      const std::size_t enough = fewest_parts(slowest);
      if (enough < parts) throw Error(network_.name, blocked(slowest));  // more parts, and links between them that do not keep up
      throw Error(network_.name, fmt::format("does not fit {} devices {}{}; take {} or more", parts, budget_.board,
                                             asked > 0 ? fmt::format(" at {} clocks per image", asked) : "", enough));
    }
    std::int64_t clocks = slowest;
    if (asked == 0) {  // more clocks never need more devices
      std::vector<std::int64_t> all(candidates_.clocks.begin(), candidates_.clocks.end());
      std::size_t low = 0, high = all.size() - 1;
      while (low < high) {
        const std::size_t middle = (low + high) / 2;
        prepare(all[middle]);
        if (feasible(parts, all[middle]))
          high = middle;
        else
          low = middle + 1;
      }
      clocks = all[low];
      prepare(clocks);
    }
    return plan_of(best_cuts(parts, clocks), clocks);
  }

 private:
  /// The links of every cut, with the buffers that these clocks ask for.
  void make_links(std::int64_t clocks) {
    cuts_.assign(stages_.size(), Cut{});
    for (std::size_t i = 1; i < stages_.size(); ++i) {
      for (const int index : crossing_[i]) {
        const FeatureMap& map = network_.maps[static_cast<std::size_t>(index)];
        ChipLink link = make_chip_link(partition_.link, map.shape.channels, map.type, map.shape.size(), budget_, clocks);
        link.map = index;
        cuts_[i].clocks = std::max(cuts_[i].clocks, link.clocks);
        cuts_[i].senders += link.sender;
        cuts_[i].receivers += link.receiver;
        cuts_[i].links.push_back(std::move(link));
      }
    }
    home_ = return_link(network_, stages_, partition_.link, budget_, clocks);  // about: lanes are not chosen yet
  }

  /// Sums over the first stages, at each price of a block RAM, of what the cheapest foldings take.
  void prepare(std::int64_t clocks) {
    make_links(clocks);
    for (std::size_t p = 0; p < kLutsPerBlock.size(); ++p) {
      sums_[p].assign(1, Cost{});
      picks_[p].clear();
      for (std::size_t i = 0; i < stages_.size(); ++i) {
        Cost sum = sums_[p].back();
        const Stage* stage = cheapest(candidates_.stages[i], clocks, kLutsPerBlock[p], 0);
        picks_[p].push_back(stage);
        if (stage != nullptr) {
          sum += stage->cost;
          sum.block_rams += extra(i);
          sum.dsps += fewest_dsps(i, clocks) - stage->cost.dsps;  // `choose` finds foldings with fewer where they are short
        } else {
          sum.lut4 = kNever;
        }
        sums_[p].push_back(sum);
      }
    }
  }

  std::int64_t fewest_dsps(std::size_t stage, std::int64_t clocks) const {
    std::int64_t fewest = INT64_MAX;
    for (const Stage& option : candidates_.stages[stage])
      if (option.clocks <= clocks) fewest = std::min(fewest, option.cost.dsps);
    return fewest;
  }

  std::int64_t extra(std::size_t stage) const { return stage < partition_.extra_blocks.size() ? partition_.extra_blocks[stage] : 0; }

  /// Of the links of a part.
  Cost ends(std::size_t first, std::size_t last) const {
    Cost cost = first == 0 ? home_.receiver : cuts_[first].receivers;
    cost += last == stages_.size() ? home_.sender : cuts_[last].senders;
    return cost;
  }

  double share(const Cost& cost) const {
    const auto part = [](double used, double limit) { return used <= 0 ? 0 : limit > 0 ? used / limit : kNever; };
    return std::max({part(cost.lut4, lut_limit(budget_, candidates_.by_hand)),
                     part(static_cast<double>(cost.block_rams), static_cast<double>(budget_.block_rams)),
                     part(static_cast<double>(cost.dsps), static_cast<double>(budget_.dsps))});
  }

  /// The share of a device that stages first .. last-1 take; more than 1 when they do not fit.
  double part_share(std::size_t first, std::size_t last) const {
    Cost cost;
    for (std::size_t p = 0; p < sums_.size(); ++p) {
      const std::vector<Cost>& sums = sums_[p];
      if (sums[last].lut4 == kNever) return kNever;
      cost = ends(first, last);
      cost.lut4 += sums[last].lut4 - sums[first].lut4;
      cost.block_rams += sums[last].block_rams - sums[first].block_rams;
      cost.dsps += sums[last].dsps - sums[first].dsps;
      if (cost.block_rams > budget_.block_rams) continue;
      if (p > 0) mix(cost, p, first, last);
      break;  // as `choose` does
    }
    return share(cost);
  }

  /// Takes what stages of the price before save (mixed_choice) from a part's cost.
  void mix(Cost& cost, std::size_t price, std::size_t first, std::size_t last) const {
    const auto part = [&](std::size_t p) {
      return std::vector<const Stage*>(picks_[p].begin() + static_cast<std::ptrdiff_t>(first), picks_[p].begin() + static_cast<std::ptrdiff_t>(last));
    };
    const std::vector<const Stage*> saving = part(price);
    std::int64_t blocks = 0;
    for (const Stage* stage : saving) blocks += stage->cost.block_rams;
    const std::vector<const Stage*> mixed = mixed_choice(part(price - 1), saving, blocks + budget_.block_rams - cost.block_rams);
    for (std::size_t i = 0; i < mixed.size(); ++i) {
      cost.lut4 += mixed[i]->cost.lut4 - saving[i]->cost.lut4;
      cost.block_rams += mixed[i]->cost.block_rams - saving[i]->cost.block_rams;
    }
  }

  bool carries(std::size_t cut, std::int64_t clocks) const { return cuts_[cut].clocks <= clocks; }

  bool feasible(std::size_t parts, std::int64_t clocks) const { return home_.clocks <= clocks && !best_cuts(parts, clocks).empty(); }

  /// Positions of the parts' ends, the last one included; empty when there is no way.
  std::vector<std::size_t> best_cuts(std::size_t parts, std::int64_t clocks) const {
    const std::size_t n = stages_.size();
    std::vector<std::vector<double>> cost(parts + 1, std::vector<double>(n + 1, kNever));
    std::vector<std::vector<std::size_t>> from(parts + 1, std::vector<std::size_t>(n + 1, 0));
    cost[0][0] = 0;
    for (std::size_t last = 1; last <= n; ++last) {
      if (last < n && !carries(last, clocks)) continue;
      const double load = last < n ? cuts_[last].load(clocks) : 0;
      for (std::size_t first = 0; first < last; ++first) {
        const double used = part_share(first, last);
        if (used > 1) continue;
        for (std::size_t k = 1; k <= parts; ++k) {
          const double sum = cost[k - 1][first] + used * used + load;
          if (sum >= cost[k][last]) continue;
          cost[k][last] = sum;
          from[k][last] = first;
        }
      }
    }
    if (cost[parts][n] == kNever) return {};
    std::vector<std::size_t> found(parts);
    for (std::size_t k = parts, last = n; k > 0; --k) {
      found[k - 1] = last;
      last = from[k][last];
    }
    return found;
  }

  std::size_t fewest_parts(std::int64_t clocks) const {
    for (std::size_t i = 0; i < stages_.size(); ++i) {
      std::string why;
      Budget alone = budget_;
      alone.block_rams -= extra(i);
      const auto choice = choose(candidates_, i, i + 1, clocks, alone, why);
      if (!choice)
        throw Error(stages_[i].name, fmt::format("takes more than {} clocks per image even at full parallelism; ask for fewer frames", clocks));
      if (!why.empty())
        throw Error(stages_[i].name,
                    fmt::format("does not fit a {} by itself at {} clocks per image: {}; ask for fewer frames, take a larger board, or split "
                                "the layer in the model",
                                budget_.board, clocks, why));
    }
    for (std::size_t parts = 1; parts <= stages_.size(); ++parts)
      if (feasible(parts, clocks)) return parts;
    throw Error(network_.name, blocked(clocks));
  }

  /// Why no cuts make parts that fit: where the stages fit by themselves, it is the links.
  std::string blocked(std::int64_t clocks) const {
    const ChipLink* slowest = &home_;
    for (const Cut& cut : cuts_)
      for (const ChipLink& link : cut.links)
        if (link.clocks > slowest->clocks) slowest = &link;
    const std::string what =
        slowest->map < 0 ? "the outputs" : "map " + network_.maps[static_cast<std::size_t>(slowest->map)].name;
    return fmt::format(
        "no cuts make parts that fit {} and links that keep up at {} clocks per image: {} takes {} clocks on {} lanes of {} clocks a symbol "
        "(--link-lanes, --link-clock-ratio); and the ends of a part's links take LUTs and block RAMs of their own",
        budget_.board, clocks, what, slowest->clocks, slowest->spec.lanes, slowest->spec.clock_ratio);
  }

  Plan plan_of(const std::vector<std::size_t>& cuts, std::int64_t clocks) {
    std::vector<const Stage*> chosen;
    std::vector<ChipPlan> chips;
    std::size_t first = 0;
    for (const std::size_t last : cuts) {
      Budget left = budget_;
      const Cost links = ends(first, last);
      left.lut4 -= static_cast<std::int64_t>(links.lut4 * static_cast<double>(budget_.lut4) / lut_limit(budget_, candidates_.by_hand));
      left.block_rams -= links.block_rams;
      for (std::size_t i = first; i < last; ++i) left.block_rams -= extra(i);
      std::string why;
      const std::optional<Choice> choice = choose(candidates_, first, last, clocks, left, why);
      if (!choice || !why.empty()) throw Error(network_.name, "its part from " + stages_[first].name + " on does not fit: " + why);
      chosen.insert(chosen.end(), choice->stages.begin(), choice->stages.end());
      Cost cost = choice->cost;
      cost += links;
      chips.push_back({first, last, cost, share(cost)});
      first = last;
    }
    std::optional<Plan> plan = assemble(network_, candidates_, chosen, clocks, budget_);
    if (!plan) throw Error(network_.name, fmt::format("its input or outputs alone take more than {} clocks per image; ask for fewer frames", clocks));
    plan->chips = std::move(chips);
    for (std::size_t c = 0; c < plan->chips.size(); ++c)
      for (std::size_t i = plan->chips[c].first; i < plan->chips[c].last; ++i) plan->stages[i].chip = static_cast<int>(c);
    for (std::size_t c = 0; c + 1 < plan->chips.size(); ++c)
      for (ChipLink link : cuts_[plan->chips[c].last].links) add_link(*plan, std::move(link), c, c + 1);
    add_link(*plan, return_link(network_, plan->stages, partition_.link, budget_, clocks), plan->chips.size() - 1, 0);
    return std::move(*plan);
  }

  static void add_link(Plan& plan, ChipLink link, std::size_t from, std::size_t to) {
    link.name = fmt::format("link{}", plan.links.size());
    link.from = static_cast<int>(from), link.to = static_cast<int>(to);
    if (link.clocks > plan.clocks_per_image) {
      plan.clocks_per_image = link.clocks;
      plan.bottleneck = link.name;
    }
    plan.cost += link.sender;
    plan.cost += link.receiver;
    plan.links.push_back(std::move(link));
  }

  const Network& network_;
  const Budget& budget_;
  const PartitionOptions& partition_;
  Candidates candidates_;
  std::vector<Stage> stages_;  ///< with any folding
  std::vector<std::vector<int>> crossing_;  ///< maps, in front of stage i
  std::vector<Cut> cuts_;      ///< in front of stage i; the first has none
  ChipLink home_;
  std::array<std::vector<Cost>, kLutsPerBlock.size()> sums_;
  std::array<std::vector<const Stage*>, kLutsPerBlock.size()> picks_;  ///< the stages that they are of
};

}  // namespace

std::vector<int> crossing_maps(const Network& network, const std::vector<Stage>& stages, std::size_t position) {
  std::vector<bool> made(network.maps.size(), false), read(network.maps.size(), false);
  made[static_cast<std::size_t>(network.input)] = true;
  for (std::size_t i = 0; i < stages.size(); ++i) {
    if (i < position)
      made[static_cast<std::size_t>(stages[i].out_map)] = true;
    else
      for (const int map : stages[i].in_maps) read[static_cast<std::size_t>(map)] = true;
  }
  for (const NetworkOutput& output : network.outputs) read[static_cast<std::size_t>(output.map)] = true;
  std::vector<int> maps;
  for (std::size_t m = 0; m < made.size(); ++m)
    if (made[m] && read[m]) maps.push_back(static_cast<int>(m));
  return maps;
}

Plan make_partition(const Network& network, const Budget& budget, const PlanOptions& options, const PartitionOptions& partition) {
  check_link_spec(partition.link);
  if (partition.devices < 0) throw Error("--devices", fmt::format("{} given; 1 or more expected, or auto", partition.devices));
  if (partition.devices == 1) return make_plan(network, budget, options);
  if (partition.devices == 0) {
    try {
      return make_plan(network, budget, options);
    } catch (const Error&) {  // more than one device then; what cannot be made at all is said again
    }
  }
  return Partition(network, budget, options, partition).run(asked_clocks(options, budget));
}

}  // namespace bitloom
