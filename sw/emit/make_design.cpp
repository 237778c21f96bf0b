#include <fmt/format.h>

#include "emit/design.hpp"

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

}  // namespace bitloom
