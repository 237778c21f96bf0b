#include "flow/nextpnr.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <regex>
#include <sstream>

#include "core/error.hpp"

namespace bitloom {
using nlohmann::json;
namespace {

/// The layer that a cell's name speaks of, by its index; -1: none, -2: nextpnr made the cell and gave it no name.
int owner_by_name(const std::string& name, const std::string& core, const std::map<std::string, int>& layer_of) {
  // A private name of Yosys still starts with the path, as $flatten\core.\conv1.$abc$...
  std::string plain = name.rfind("$flatten", 0) == 0 ? name.substr(8) : name;
  plain.erase(std::remove(plain.begin(), plain.end(), '\\'), plain.end());
  if (plain.rfind(core, 0) == 0) {
    const std::size_t dot = plain.find('.', core.size());
    const auto found = dot == std::string::npos ? layer_of.end() : layer_of.find(plain.substr(core.size(), dot - core.size()));
    return found == layer_of.end() ? -1 : found->second;
  }
  return plain.rfind("$nextpnr_", 0) == 0 ? -2 : -1;
}

bool is_carry_port(const std::string& port) { return port == "CIN" || port == "COUT" || port == "FCI" || port == "FCO"; }

/// A parameter that nextpnr writes as a text or as a number.
bool is_set(const json& parameters, const char* name) {
  if (!parameters.contains(name)) return false;
  const json& value = parameters.at(name);
  return value.is_string() ? value.get<std::string>().find('1') != std::string::npos : value == 1;
}

}  // namespace

std::map<std::string, Utilization> log_utilization(const std::string& log) {
  static const std::regex line(R"(^Info:\s+([A-Z0-9_]+):\s*([0-9]+)/\s*([0-9]+)\s+[0-9]+%\s*$)");
  std::map<std::string, Utilization> result;
  std::istringstream lines(log);
  std::smatch match;
  for (std::string text; std::getline(lines, text);)
    if (std::regex_match(text, match, line)) result[match[1]] = {std::stoi(match[2]), std::stoi(match[3])};
  return result;
}

std::map<std::string, Utilization> report_utilization(const json& report, const std::string& where) {
  std::map<std::string, Utilization> result;
  try {
    for (const auto& [type, use] : report.at("utilization").items())
      result[type] = {use.at("used").get<int>(), use.at("available").get<int>()};
  } catch (const json::exception& error) {
    throw Error(where, fmt::format("this is not a report of nextpnr 0.7 ({})", error.what()));
  }
  return result;
}

std::string overfull(const std::string& log) {
  std::string text;
  for (const auto& [type, use] : log_utilization(log))
    if (use.used > use.available)
      text += fmt::format("{}{}: {} needed, {} available", text.empty() ? "" : "; ", type, use.used, use.available);
  return text;
}

double report_fmax(const json& report, const std::string& where) {
  double slowest = 0;
  try {
    for (const auto& [clock, speed] : report.at("fmax").items()) {
      const double achieved = speed.at("achieved").get<double>();
      slowest = slowest <= 0 ? achieved : std::min(slowest, achieved);
    }
  } catch (const json::exception& error) {
    throw Error(where, fmt::format("this is not a report of nextpnr 0.7 ({})", error.what()));
  }
  if (slowest <= 0) throw Error(where, "nextpnr found no clock in the design; nothing in it is registered");
  return slowest;
}

CellUse cell_use(const std::string& type, const json& parameters) {
  CellUse use;
  if (type == "ICESTORM_LC") {
    use.lut4 = 1;
    use.ff = is_set(parameters, "DFF_ENABLE") ? 1 : 0;
  } else if (type == "TRELLIS_COMB") {
    use.lut4 = 1;
  } else if (type == "TRELLIS_FF") {
    use.ff = 1;
  } else if (type == "ICESTORM_RAM" || type == "DP16KD") {
    use.bram = 1;
  } else if (type == "ICESTORM_DSP" || type == "MULT18X18D") {
    use.dsp = 1;
  } else if (type == "ICESTORM_SPRAM") {
    use.spram = 1;
  }
  return use;
}

json read_placed(const std::filesystem::path& file) {
  std::ifstream in(file);
  if (!in) throw Error(file.string(), "cannot be read; nextpnr should have written it");
  json placed = json::parse(in, nullptr, false);
  if (placed.is_discarded()) throw Error(file.string(), "is not valid JSON; nextpnr should have written a netlist");
  return placed;
}

json read_netlist(const std::filesystem::path& file) {
  std::ifstream in(file);
  if (!in) throw Error(file.string(), "cannot be read; synthesis should have written it");
  // No callback that leaves keys out: with one, the parser walks through all cells at the end of each.
  json netlist = json::parse(in, nullptr, false);
  if (netlist.is_discarded() || !netlist.contains("modules")) throw Error(file.string(), "is not a netlist in JSON");
  for (auto& [name, module] : netlist.at("modules").items())
    if (name == "board_top" || netlist.at("modules").size() == 1) return std::move(module);
  throw Error(file.string(), "has no module board_top");
}

std::vector<int> cell_owners(const json& cells, const json& design, const std::string& core) {
  std::map<std::string, int> layer_of;
  int layers = 0;
  for (const json& layer : design.at("layers")) {
    for (const json& instance : layer.at("instances")) layer_of[instance.get<std::string>()] = layers;
    ++layers;
  }
  std::vector<std::pair<const json*, int>> owners;
  std::map<std::int64_t, std::vector<std::size_t>> carry_nets;  // net -> cells on it
  for (const auto& [name, cell] : cells.items()) {
    owners.emplace_back(&cell, owner_by_name(name, core, layer_of));
    for (const auto& [port, bits] : cell.at("connections").items())
      if (is_carry_port(port) && !bits.empty() && bits[0].is_number()) carry_nets[bits[0].get<std::int64_t>()].push_back(owners.size() - 1);
  }
  // Chains of nameless cells: names spread along the carry nets until nothing changes.
  for (bool changed = true; changed;) {
    changed = false;
    for (auto& [cell, owner] : owners) {
      if (owner != -2) continue;
      for (const auto& [port, bits] : cell->at("connections").items()) {
        if (bits.empty() || !bits[0].is_number()) continue;
        const auto net = carry_nets.find(bits[0].get<std::int64_t>());
        if (net == carry_nets.end()) continue;
        for (const std::size_t neighbour : net->second)
          if (owners[neighbour].second != -2) owner = owners[neighbour].second;
      }
      changed = changed || owner != -2;
    }
  }
  std::vector<int> result;
  for (const auto& [cell, owner] : owners) result.push_back(owner >= 0 ? owner : layers);
  return result;
}

std::vector<LayerUse> use_by_instance(const json& cells, const json& design, const std::string& core, const std::function<CellUse(const json&)>& use) {
  std::vector<LayerUse> result;
  json layers = json::array();
  for (const json& layer : design.at("layers"))
    for (const json& instance : layer.at("instances")) {
      result.push_back({instance.get<std::string>(), {}});
      layers.push_back({{"instances", json::array({instance})}});
    }
  result.push_back({kOutsideLayers, {}});
  const std::vector<int> owners = cell_owners(cells, {{"layers", layers}}, core);
  std::size_t i = 0;
  for (const json& cell : cells) result[static_cast<std::size_t>(owners[i++])].use += use(cell);
  return result;
}

std::vector<LayerUse> use_by_instance(const json& placed, const json& design) {
  if (!placed.contains("modules") || placed.at("modules").size() != 1) throw Error("nextpnr", "one module expected in the placed netlist");
  return use_by_instance(placed.at("modules").begin()->at("cells"), design, "core.", [](const json& cell) {
    return cell_use(cell.at("type").get<std::string>(), cell.contains("parameters") ? cell.at("parameters") : json::object());
  });
}

std::vector<LayerUse> use_by_layer(const std::vector<LayerUse>& instances, const json& design) {
  std::vector<LayerUse> result;
  auto instance = instances.begin();  // in the order of the layers
  for (const json& layer : design.at("layers")) {
    LayerUse& sum = result.emplace_back(LayerUse{layer.at("name").get<std::string>(), {}});
    for (std::size_t i = 0; i < layer.at("instances").size(); ++i) sum.use += (instance++)->use;
  }
  result.push_back(instances.back());
  return result;
}

}  // namespace bitloom
