#include "flow/output_registers.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace bitloom {
using nlohmann::json;
namespace {

constexpr int kDataPins = 18;

/// How the cells of a netlist read its nets.
struct Readers {
  std::map<std::int64_t, int> count;                ///< of a net
  std::map<std::int64_t, std::string> register_of;  ///< the flip-flop that reads a net at DI
};

Readers readers_of(const json& module) {
  Readers result;
  for (const auto& [name, port] : module.at("ports").items())
    for (const json& bit : port.at("bits"))
      if (bit.is_number()) ++result.count[bit.get<std::int64_t>()];
  for (const auto& [name, cell] : module.at("cells").items())
    for (const auto& [pin, bits] : cell.at("connections").items()) {
      if (cell.at("port_directions").at(pin) == "output") continue;
      for (const json& bit : bits) {
        if (!bit.is_number()) continue;
        ++result.count[bit.get<std::int64_t>()];
        if (pin == "DI" && cell.at("type") == "TRELLIS_FF") result.register_of[bit.get<std::int64_t>()] = name;
      }
    }
  return result;
}

/// The bit at a pin of one bit; "" where nothing is connected.
json bit_at(const json& cell, const std::string& pin) {
  const json& connections = cell.at("connections");
  return connections.contains(pin) && !connections.at(pin).empty() ? connections.at(pin)[0] : json("");
}

/// A parameter without the blanks that Yosys puts behind "0" and "1" to tell them from numbers.
std::string parameter(const json& cell, const char* name, const std::string& otherwise) {
  if (!cell.at("parameters").contains(name)) return otherwise;
  std::string text = cell.at("parameters").at(name).get<std::string>();
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

/// Nothing but a clock moves it.
bool is_plain(const json& ff, const json& clock) {
  const json enable = bit_at(ff, "CE"), reset = bit_at(ff, "LSR");
  const bool enabled = parameter(ff, "CEMUX", "CE") == "1" || enable == "1";
  const bool free_of_reset = reset == "" || reset == "0" || reset == "x";
  return bit_at(ff, "CLK") == clock && parameter(ff, "CLKMUX", "CLK") == "CLK" && parameter(ff, "LSRMUX", "LSR") == "LSR" &&
         parameter(ff, "REGSET", "RESET") == "RESET" && enabled && free_of_reset;
}

/// The instance of the core, or of the top, that a cell belongs to: "core.conv1", "link".
std::string instance_of(const std::string& cell) {
  const std::string core = "core.";
  return cell.substr(0, cell.find('.', cell.rfind(core, 0) == 0 ? core.size() : 0));
}

using Behind = std::vector<std::pair<std::string, std::string>>;

/// Data pins of a port that somebody reads, with the flip-flop behind each; null unless all of them are plain flip-flops of the same
/// instance: a stream between two instances stays where it is, since `bitloom sim --netlist` enters and compares it there.
std::optional<Behind> registers_behind(const json& cells, const Readers& readers, const std::string& name, const std::string& port,
                                       const json& clock) {
  const json& ram = cells.at(name);
  Behind found;
  for (int i = 0; i < kDataPins; ++i) {
    const std::string pin = fmt::format("DO{}{}", port, i);
    const json bit = bit_at(ram, pin);
    if (!bit.is_number()) continue;
    const auto net = bit.get<std::int64_t>();
    const auto count = readers.count.find(net);
    if (count == readers.count.end()) continue;
    const auto reader = readers.register_of.find(net);
    if (count->second != 1 || reader == readers.register_of.end() || !is_plain(cells.at(reader->second), clock) ||
        instance_of(reader->second) != instance_of(name))
      return std::nullopt;
    found.emplace_back(pin, reader->second);
  }
  return found;
}

bool is_wide(const json& ram) { return std::stoi(ram.at("parameters").at("DATA_WIDTH_B").get<std::string>(), nullptr, 2) == 36; }

}  // namespace

int absorb_output_registers(json& module) {
  json& cells = module.at("cells");
  const Readers readers = readers_of(module);
  std::vector<std::string> gone;
  for (auto& [name, ram] : cells.items()) {
    if (ram.at("type") != "DP16KD" || parameter(ram, "CLKAMUX", "CLKA") != "CLKA" || parameter(ram, "CLKBMUX", "CLKB") != "CLKB") continue;
    // A word of 36 bits is read by port B and leaves at both ports' pins.
    const bool wide = is_wide(ram);
    std::map<std::string, std::optional<Behind>> behind;
    for (const std::string port : {"A", "B"})
      behind[port] = registers_behind(cells, readers, name, port, bit_at(ram, wide ? "CLKB" : "CLK" + port));
    if (wide && (!behind["A"] || !behind["B"] || (behind["A"]->empty() && behind["B"]->empty()))) continue;
    for (const auto& [port, registers] : behind) {
      if (!registers || (registers->empty() && !wide)) continue;
      ram.at("parameters")["REGMODE_" + port] = "OUTREG";
      ram.at("connections")["OCE" + port] = json::array({"1"});
      for (const auto& [pin, ff] : *registers) {
        ram.at("connections")[pin] = cells.at(ff).at("connections").at("Q");
        gone.push_back(ff);
      }
    }
  }
  for (const std::string& ff : gone) cells.erase(ff);
  return static_cast<int>(gone.size());
}

}  // namespace bitloom
