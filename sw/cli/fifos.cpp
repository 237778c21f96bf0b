#include "cli/fifos.hpp"

#include <fmt/format.h>

#include "emit/fifos.hpp"
#include "system/depths.hpp"

namespace bitloom::cli {

void fit_fifos(const std::string& how, const Network& network, Design& design, const Budget& budget) {
  if (how == "counted" || design.fifos.empty()) return;
  // What the model reads of design.json.
  nlohmann::json layers = nlohmann::json::array();
  for (const Stage& stage : design.plan.stages) layers.push_back({{"name", stage.name}});
  const std::int64_t values = network.maps[static_cast<std::size_t>(network.input)].shape.size();
  System system({{"name", design.name},
                 {"input", {{"beats", values / design.plan.input_lanes}}},
                 {"layers", layers},
                 {"netlist", describe_netlist(design)}});
  const FifoDepths found = how == "enough" ? enough_depths(system) : smallest_depths(system);
  std::int64_t before = 0, after = 0;
  for (const JoinFifo& fifo : design.fifos) before += fifo.depth * fifo.width;
  set_fifo_depths(design, budget, found.depth);
  for (const JoinFifo& fifo : design.fifos) after += fifo.depth * fifo.width;
  fmt::print(stderr, "FIFOs in front of joins: {} bits for {:.1f} clocks per image ({} bits by counting beats; {} runs of the model)\n", after,
             found.clocks_per_image, before, found.runs);
}

}  // namespace bitloom::cli
