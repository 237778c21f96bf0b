#include "flow/carry_ends.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace bitloom {
using nlohmann::json;
namespace {

/// A net's readers; the flip-flop among them, if it is the only one.
struct Readers {
  int count = 0;
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
  std::map<std::int64_t, Readers> readers;
  std::set<std::int64_t> carries;
  std::int64_t last = 1;
  for (const auto& [name, port] : module.at("ports").items())
    for (const json& bit : port.at("bits"))
      if (bit.is_number()) ++readers[bit.get<std::int64_t>()].count, last = std::max(last, bit.get<std::int64_t>());
  for (const auto& [name, cell] : cells.items())
    for (const auto& [pin, bits] : cell.at("connections").items())
      for (const json& bit : bits) {
        if (!bit.is_number()) continue;
        const auto net = bit.get<std::int64_t>();
        last = std::max(last, net);
        if (cell.at("port_directions").at(pin) == "output") {
          if (cell.at("type") == "SB_CARRY") carries.insert(net);
          continue;
        }
        ++readers[net].count;
        if (pin == "D" && is_register(cell)) readers[net].register_at_d = name;
      }
  int made = 0;
  for (const std::int64_t carry : carries) {
    const Readers& reader = readers[carry];
    if (reader.count != 1 || reader.register_at_d.empty()) continue;
    const std::string name = reader.register_at_d + "_carry";
    cells[name] = passing_lut(carry, ++last);
    cells.at(reader.register_at_d).at("connections").at("D") = json::array({last});
    module.at("netnames")[name] = {{"hide_name", 1}, {"bits", json::array({last})}, {"attributes", json::object()}};
    ++made;
  }
  return made;
}

}  // namespace bitloom
