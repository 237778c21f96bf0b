// The instances of a design as numbers, for the transaction-level model (sim/system): what its Verilog says of time, and nothing of data.
#include "emit/design.hpp"

namespace bitloom {
namespace {

/// [clocks, groups in a row that take them], ..
nlohmann::json run_lengths(const std::vector<std::int64_t>& groups) {
  nlohmann::json runs = nlohmann::json::array();
  for (const std::int64_t clocks : groups) {
    if (!runs.empty() && runs.back()[0] == clocks)
      runs.back()[1] = runs.back()[1].get<std::int64_t>() + 1;
    else
      runs.push_back({clocks, 1});
  }
  return runs;
}

bool is_number(const std::string& text) { return !text.empty() && text.find_first_not_of("0123456789", text[0] == '-' ? 1 : 0) == std::string::npos; }

}  // namespace

nlohmann::json describe_netlist(const Design& design) {
  nlohmann::json instances = nlohmann::json::array();
  for (const Instance& instance : design.instances) {
    nlohmann::json parameters = nlohmann::json::object();
    for (const auto& [name, value] : instance.parameters)
      if (is_number(value)) parameters[name] = std::stoll(value);
    instances.push_back({{"module", instance.module},
                         {"name", instance.name},
                         {"layer", instance.stage},
                         {"inputs", instance.inputs},
                         {"outputs", instance.outputs},
                         {"parameters", parameters}});
    if (!design.plan.chips.empty()) instances.back()["chip"] = instance.chip;
    if (instance.link >= 0) instances.back()["parameters"]["LATENCY"] = design.plan.links[static_cast<std::size_t>(instance.link)].spec.latency;
    if (!instance.group_clocks.empty()) instances.back()["groups"] = run_lengths(instance.group_clocks);
    if (const SumProgram& sums = instance.sums; !sums.turns.empty())
      instances.back()["sum_program"] = {{"lanes", sums.lanes}, {"turns", sums.turns}, {"sums", sums.sums}};
  }
  return {{"streams", design.streams}, {"input", 0}, {"output", design.output}, {"instances", instances}};
}

}  // namespace bitloom
