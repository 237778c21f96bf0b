#include <fmt/format.h>

#include "emit/fifos.hpp"

namespace bitloom {
namespace {

constexpr std::int64_t kRegisterWords = 8;  // stream_fifo: up to this depth registers, a RAM beyond

std::int64_t fifo_rams(const Design& design, const Budget& budget) {
  std::int64_t blocks = 0;
  for (const JoinFifo& fifo : design.fifos)
    if (fifo.depth > kRegisterWords) blocks += block_rams(budget, fifo.width, fifo.depth);
  return blocks;
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
  design.plan.cost.block_rams -= fifo_rams(design, budget);
  for (const auto& [name, depth] : depths) {
    for (JoinFifo& fifo : design.fifos)
      if (fifo.name == name) fifo.depth = depth;
    for (Instance& instance : design.instances) {
      if (instance.name != name) continue;
      for (auto& [parameter, value] : instance.parameters)
        if (parameter == "DEPTH") value = std::to_string(depth);
    }
  }
  const std::int64_t rams = fifo_rams(design, budget);
  design.plan.cost.block_rams += rams;
  if (design.plan.cost.block_rams > budget.block_rams)
    throw Error(design.name, fmt::format("FIFOs that cost no clocks need {} block RAMs, {} in all, and {} has {}; leave --fifos out, or take a larger board",
                                         rams, design.plan.cost.block_rams, budget.board, budget.block_rams));
}

}  // namespace bitloom
