#include <fmt/format.h>

#include <algorithm>

#include "emit/fifos.hpp"

namespace bitloom {
namespace {

std::int64_t fifo_rams(const Design& design, const Budget& budget) {
  std::int64_t blocks = 0;
  for (const JoinFifo& fifo : design.fifos) blocks += fifo_cost(fifo, budget).block_rams;
  return blocks;
}

/// Into the costs of the design and, where there are several, of its chips: +1, or out of them: -1.
void add_fifo_rams(Design& design, const Budget& budget, std::int64_t sign) {
  design.plan.cost.block_rams += sign * fifo_rams(design, budget);
  for (const JoinFifo& fifo : design.fifos) {
    const auto instance = std::find_if(design.instances.begin(), design.instances.end(), [&](const Instance& i) { return i.name == fifo.name; });
    if (design.plan.chips.empty() || instance == design.instances.end()) continue;
    ChipPlan& chip = design.plan.chips[static_cast<std::size_t>(instance->chip)];
    chip.cost.block_rams += sign * fifo_cost(fifo, budget).block_rams;
    if (budget.block_rams > 0) chip.share = std::max(chip.share, static_cast<double>(chip.cost.block_rams) / static_cast<double>(budget.block_rams));
  }
}

}  // namespace

Design make_design(const Network& network, const Budget& budget, const PlanOptions& options) {
  Budget left = budget;
  std::int64_t needed = 0;
  for (int attempt = 0; attempt < 4; ++attempt) {  // other foldings, other FIFOs: a few rounds settle it
    Design design = elaborate(network, make_plan(network, left, options));
    needed = fifo_rams(design, budget);
    if (design.plan.cost.block_rams + needed <= budget.block_rams) {
      design.plan.cost.block_rams += needed;
      return design;
    }
    if (needed >= budget.block_rams) break;
    left.block_rams = budget.block_rams - needed;
  }
  throw Error(network.name, fmt::format("its branches need FIFOs of {} block RAMs, which {} does not have beside its layers' ({} in all); "
                                        "take a larger board, or a model whose branches join sooner",
                                        needed, budget.board, budget.block_rams));
}

void set_fifo_depths(Design& design, const Budget& budget, const std::map<std::string, std::int64_t>& depths) {
  add_fifo_rams(design, budget, -1);
  for (const auto& [name, depth] : depths) {
    for (JoinFifo& fifo : design.fifos)
      if (fifo.name == name) fifo.depth = depth;
    for (Instance& instance : design.instances) {
      if (instance.name != name) continue;
      for (auto& [parameter, value] : instance.parameters)
        if (parameter == "DEPTH") value = std::to_string(depth);
    }
  }
  add_fifo_rams(design, budget, 1);
  const auto check = [&](const std::string& name, const Cost& cost) {
    if (cost.block_rams > budget.block_rams)
      throw Error(name, fmt::format("FIFOs that cost no clocks need {} block RAMs, {} in all, and {} has {}; leave --fifos out, or take a larger board",
                                    fifo_rams(design, budget), cost.block_rams, budget.board, budget.block_rams));
  };
  if (design.plan.chips.empty()) check(design.name, design.plan.cost);
  for (std::size_t c = 0; c < design.plan.chips.size(); ++c) check(fmt::format("{}, chip {}", design.name, c), design.plan.chips[c].cost);
}

}  // namespace bitloom
