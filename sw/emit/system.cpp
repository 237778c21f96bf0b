// Several chips: the design of all of them, whose graph is cut afterwards where the links are.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "emit/fifos.hpp"
#include "map/stages.hpp"

namespace bitloom {
namespace {

/// Block RAMs of the FIFOs in front of joins, by stage.
std::vector<std::int64_t> fifo_blocks(const Design& design, const Budget& budget) {
  std::vector<std::int64_t> blocks(design.plan.stages.size(), 0);
  for (const JoinFifo& fifo : design.fifos) {
    const auto instance =
        std::find_if(design.instances.begin(), design.instances.end(), [&](const Instance& i) { return i.name == fifo.name; });
    blocks[instance->stage] += fifo_cost(fifo, budget).block_rams;
  }
  return blocks;
}

/// That the weights alone fill.
std::size_t fewest_devices(const Network& network, const Budget& budget) {
  std::int64_t bits = 0;
  for (const Layer& layer : network.layers) bits += weight_bits(layer);
  const std::int64_t device = std::max<std::int64_t>(1, budget.block_rams * budget.block_bits);
  return static_cast<std::size_t>(std::max<std::int64_t>(1, (bits + device - 1) / device));
}

/// With the layers as they are.
Design make_chips(const Network& network, const Budget& budget, const PlanOptions& options, const PartitionOptions& partition) {
  PartitionOptions with_fifos = partition;
  for (int attempt = 0; attempt < 4; ++attempt) {  // other cuts, other FIFOs: a few rounds settle it
    const Plan plan = make_partition(network, budget, options, with_fifos);
    if (plan.chips.empty()) return make_design(network, budget, options);
    Design design = elaborate(network, plan);
    const std::vector<std::int64_t> blocks = fifo_blocks(design, budget);
    bool fits = true;
    for (ChipPlan& chip : design.plan.chips) {
      std::int64_t needed = 0;
      for (std::size_t i = chip.first; i < chip.last; ++i) needed += blocks[i];
      chip.cost.block_rams += needed;
      if (budget.block_rams > 0)
        chip.share = std::max(chip.share, static_cast<double>(chip.cost.block_rams) / static_cast<double>(budget.block_rams));
      design.plan.cost.block_rams += needed;
      fits = fits && chip.cost.block_rams <= budget.block_rams;
    }
    if (fits) return design;
    with_fifos.extra_blocks.resize(blocks.size(), 0);
    for (std::size_t i = 0; i < blocks.size(); ++i) with_fifos.extra_blocks[i] = std::max(with_fifos.extra_blocks[i], blocks[i]);
  }
  throw Error(network.name, fmt::format("its branches need FIFOs for which the devices ({}) have no block RAMs beside its layers'; take more "
                                        "devices, a larger board, or a model whose branches join sooner",
                                        budget.board));
}

}  // namespace

SystemDesign make_system(const Network& network, const Budget& budget, const PlanOptions& options, const PartitionOptions& partition) {
  if (partition.devices == 1) return {network, {}, make_design(network, budget, options)};
  std::optional<SystemDesign> best;
  std::optional<Error> problem;
  LayerSplits before;
  const auto devices = [](const Design& design) { return std::max<std::size_t>(1, design.plan.chips.size()); };
  for (const int slices_of_device : {1, 2, 4, 8, 16}) {
    LayerSplits splits = equal_splits(network, budget, budget.block_rams / slices_of_device);
    if (slices_of_device > 1 && splits == before) continue;
    before = splits;
    try {
      Network split = split_layers(network, splits);
      Design design = make_chips(split, budget, options, partition);
      if (!best || devices(design) < devices(best->design)) best = {std::move(split), std::move(splits), std::move(design)};
    } catch (const Error& error) {
      problem = error;
    }
    if (best && (partition.devices > 0 || devices(best->design) <= fewest_devices(network, budget))) break;
  }
  if (!best) throw *problem;
  // One slice for each device: fewer windows and sequencers; other foldings, though, which may not fit.
  const LayerSplits merged = merged_splits(best->splits, best->design.plan);
  if (merged == best->splits) return std::move(*best);
  try {
    Network split = split_layers(network, merged);
    PartitionOptions same = partition;
    same.devices = static_cast<int>(devices(best->design));
    return {split, merged, make_chips(split, budget, options, same)};
  } catch (const Error&) {
    return std::move(*best);
  }
}

Design chip_design(const Design& system, int chip) {
  Design design;
  design.name = system.name;
  design.chip = chip;
  design.host = chip == 0;
  design.plan = system.plan;
  design.plan.stages.clear();
  const ChipPlan& part = system.plan.chips[static_cast<std::size_t>(chip)];
  for (std::size_t i = part.first; i < part.last; ++i) design.plan.stages.push_back(system.plan.stages[i]);
  design.plan.cost = part.cost;
  const auto stage_here = [&](std::size_t stage) { return stage >= part.first && stage < part.last ? stage - part.first : kNoStage; };

  std::vector<std::size_t> here(system.streams.size(), kNoStage);
  const auto stream = [&](std::size_t index) {
    if (here[index] == kNoStage) {
      here[index] = design.streams.size();
      design.streams.push_back(system.streams[index]);
    }
    return here[index];
  };
  if (design.host) stream(0);
  for (const Instance& instance : system.instances) {
    if (instance.chip != chip) continue;
    Instance copy = instance;
    copy.stage = instance.link >= 0 ? kNoStage : stage_here(instance.stage);
    if (instance.ports == Ports::LinkIn) copy.inputs.clear();
    if (instance.ports == Ports::LinkOut) copy.outputs.clear();
    for (std::size_t& input : copy.inputs) input = stream(input);
    for (std::size_t& output : copy.outputs) output = stream(output);
    if (instance.ports == Ports::LinkIn) design.links_in.push_back(instance.link);
    if (instance.ports == Ports::LinkOut) design.links_out.push_back(instance.link);
    design.instances.push_back(std::move(copy));
  }
  if (design.host) design.output = stream(system.output);
  int offset = 0;
  for (const Boundary& boundary : system.boundaries) {
    if (stage_here(boundary.stage) == kNoStage) continue;
    Boundary copy = boundary;
    copy.stream = stream(boundary.stream);
    copy.stage = stage_here(boundary.stage);
    copy.data_offset = offset;
    offset += copy.width;
    design.boundaries.push_back(copy);
  }
  for (const JoinFifo& fifo : system.fifos)
    if (std::any_of(design.instances.begin(), design.instances.end(), [&](const Instance& i) { return i.name == fifo.name; }))
      design.fifos.push_back(fifo);
  for (const Instance& instance : design.instances)  // a memory image is named in its module's parameters
    for (const auto& [name, value] : instance.parameters) {
      if (value.rfind("\"mem/", 0) != 0) continue;
      const std::string file = value.substr(5, value.size() - 6);
      const std::string stem = file.substr(0, file.rfind(".mem"));
      for (const auto& [image, content] : system.memories)
        if (image == file || image.rfind(stem + "_", 0) == 0) design.memories[image] = content;
    }
  return design;
}

}  // namespace bitloom
