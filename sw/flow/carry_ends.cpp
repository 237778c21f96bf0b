#include "flow/carry_ends.hpp"

#include <cstdint>
#include <map>
#include <string>

namespace bitloom {
using nlohmann::json;
namespace {

/// Who is connected to a net.
struct Ends {
  int count = 0;  ///< pins and ports, the driver's among them
  bool carry = false;
  std::string register_at_d;
};

bool is_register(const json& cell) { return cell.at("type").get<std::string>().rfind("SB_DFF", 0) == 0; }

json passing_lut(std::int64_t carry, std::int64_t out) {
  return {{"hide_name", 1},
          {"type", "SB_LUT4"},
          {"parameters", {{"LUT_INIT", "1111111100000000"}}},  // I3
          {"attributes", json::object()},
          {"port_directions", {{"I0", "input"}, {"I1", "input"}, {"I2", "input"}, {"I3", "input"}, {"O", "output"}}},
          {"connections",
           {{"I0", json::array({"0"})}, {"I1", json::array({"0"})}, {"I2", json::array({"0"})}, {"I3", json::array({carry})}, {"O", json::array({out})}}}};
}

}  // namespace

int buffer_carry_ends(json& module) {
  json& cells = module.at("cells");
  std::map<std::int64_t, Ends> ends;
  std::int64_t last = 1;
  for (const auto& [name, port] : module.at("ports").items())
    for (const json& bit : port.at("bits"))
      if (bit.is_number()) ++ends[bit.get<std::int64_t>()].count;
  for (const auto& [name, cell] : cells.items())
    for (const auto& [pin, bits] : cell.at("connections").items())
      for (const json& bit : bits) {
        if (!bit.is_number()) continue;
        Ends& net = ends[bit.get<std::int64_t>()];
        ++net.count;
        if (pin == "CO" && cell.at("type") == "SB_CARRY") net.carry = true;
        if (pin == "D" && is_register(cell)) net.register_at_d = name;
      }
  if (!ends.empty()) last = ends.rbegin()->first;
  int made = 0;
  for (const auto& [carry, net] : ends) {
    if (net.count != 2 || !net.carry || net.register_at_d.empty()) continue;
    const std::string name = net.register_at_d + "_carry";
    cells[name] = passing_lut(carry, ++last);
    cells.at(net.register_at_d).at("connections").at("D") = json::array({last});
    module["netnames"][name] = {{"hide_name", 1}, {"bits", json::array({last})}, {"attributes", json::object()}};
    ++made;
  }
  return made;
}

}  // namespace bitloom
