#include "flow/netlist_points.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/files.hpp"
#include "flow/netlist.hpp"

namespace bitloom {
using nlohmann::json;
namespace {

constexpr const char* kDrivers[] = {"lut", "carry", "ff", "memory", "global", "input"};

bool is_register(const std::string& type) { return type.rfind("SB_DFF", 0) == 0 || type == "TRELLIS_FF"; }

/// Pins that are wired inside the logic cells, or whose load counts with the clock network. iCE40's carry takes its operands from the pins
/// of the LUT beside it.
bool is_unrouted_pin(const std::string& type, const std::string& pin) {
  static const char* const kPins[] = {"CI",   "CIN", "FCI",  "CLK",  "CLOCK", "RCLK", "WCLK", "CLKA",
                                      "CLKB", "WCK", "ALUT", "BLUT", "FXA",   "FXB",  "F1"};
  if (type == "SB_CARRY" || (type == "L6MUX21" && pin != "SD")) return true;
  if (pin == "C") return is_register(type);  // else a LUT's input on ECP5
  return std::any_of(std::begin(kPins), std::end(kPins), [&](const char* name) { return pin == name; });
}

/// The bits of a port assigned in whole words, which Verilator packs fast.
std::string assign_words(const char* port, const std::vector<std::string>& signals) {
  std::string text;
  for (std::size_t first = 0; first < signals.size(); first += 32) {
    const std::size_t last = std::min(first + 32, signals.size()) - 1;
    text += fmt::format("  assign {}[{}:{}] = {{", port, last, first);
    for (std::size_t i = last + 1; i-- > first;) text += signals[i] + (i > first ? ", " : "};\n");
  }
  return text;
}

}  // namespace

const char* name_of(Driver driver) { return kDrivers[static_cast<std::size_t>(driver)]; }

std::vector<Load> loads_of(const json& module) {
  std::vector<Load> loads;
  for (const auto& [name, cell] : module.at("cells").items()) {
    const auto type = cell.at("type").get<std::string>();
    for (const auto& [pin, bits] : cell.at("connections").items()) {
      if (cell.at("port_directions").at(pin) != "input" || is_unrouted_pin(type, pin)) continue;
      for (const json& bit : bits) {
        if (!bit.is_number()) continue;
        const auto at = bit.get<std::size_t>();
        if (at >= loads.size()) loads.resize(at + 1);
        loads[at].register_only = ++loads[at].pins == 1 && is_register(type) && (pin == "D" || pin == "DI");
      }
    }
  }
  return loads;
}

PointsText points_text(const NetlistPoints& points) {
  std::vector<std::string> nets, accesses;
  for (const CountedNet& net : points.nets) nets.push_back(net.signal);
  for (const CountedAccess& access : points.accesses) accesses.push_back(access.signal);
  if (nets.empty()) nets.emplace_back("1'b0");
  if (accesses.empty()) accesses.emplace_back("1'b0");
  return {fmt::format("`ifdef BITLOOM_ACTIVITY\n    , output wire [{}:0] toggles, output wire [{}:0] accesses\n`endif\n", nets.size() - 1,
                      accesses.size() - 1),
          "`ifdef BITLOOM_ACTIVITY\n" + assign_words("toggles", nets) + assign_words("accesses", accesses) + "`endif\n"};
}

json to_json(const NetlistPoints& points) {
  json nets = json::array(), accesses = json::array();
  for (const CountedNet& net : points.nets) nets.push_back({net.signal, net.name, name_of(net.driver), net.layer, net.fanout});
  for (const CountedAccess& access : points.accesses)
    accesses.push_back({access.signal, access.cell, access.is_write ? "write" : "read", access.layer});
  return {{"nets", nets}, {"accesses", accesses}};
}

NetlistPoints netlist_points_from_json(const json& value, const std::string& where) {
  NetlistPoints points;
  try {
    for (const json& net : value.at("nets")) {
      const auto driver = std::find(std::begin(kDrivers), std::end(kDrivers), net.at(2).get<std::string>());
      if (driver == std::end(kDrivers)) throw Error(where, fmt::format("'{}' is no kind of driver", net.at(2).get<std::string>()));
      points.nets.push_back({net.at(0), net.at(1), static_cast<Driver>(driver - std::begin(kDrivers)), net.at(3), net.at(4)});
    }
    for (const json& access : value.at("accesses"))
      points.accesses.push_back({access.at(0), access.at(1), access.at(2) == "write", access.at(3)});
  } catch (const json::exception& error) {
    throw Error(where, fmt::format("is not a list of nets ({}); synthesize the design again", error.what()));
  }
  return points;
}

NetlistPoints read_netlist_points(const std::filesystem::path& design_folder, const std::string& board, const std::string& which) {
  std::filesystem::path file = netlist_file(design_folder, board, which);
  file.replace_extension(".json");
  if (!std::filesystem::exists(file))
    throw Error(design_folder.string(), fmt::format("no {} netlist with a list of its nets is here yet; make it with: bitloom synth {}",
                                                    which, design_folder.string()));
  const json value = json::parse(read_text_file(file), nullptr, false);
  if (value.is_discarded()) throw Error(file.string(), "is not valid JSON; synthesize the design again");
  return netlist_points_from_json(value, file.string());
}

}  // namespace bitloom
