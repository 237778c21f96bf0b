#include "flow/packed_cells.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "flow/nextpnr.hpp"

namespace bitloom {
using nlohmann::json;
namespace {

json bit_at(const json& cell, const char* pin) {
  const json& connections = cell.at("connections");
  return connections.contains(pin) && !connections.at(pin).empty() ? connections.at(pin)[0] : json("0");
}

bool is_register(const std::string& type) { return type.rfind("SB_DFF", 0) == 0; }

/// iCE40 cells that can share a logic cell with a LUT.
class Ice40Packing {
 public:
  explicit Ice40Packing(const json& cells) {
    for (const json& cell : cells) {
      for (const auto& [pin, bits] : cell.at("connections").items())
        for (const json& bit : bits)
          if (bit.is_number()) ++ends_[bit.get<std::int64_t>()];
      if (cell.at("type") != "SB_LUT4") continue;
      lut_outputs_.insert(bit_at(cell, "O").dump());
      beside_.insert({bit_at(cell, "I1").dump(), bit_at(cell, "I2").dump(), bit_at(cell, "I3").dump()});
    }
  }
  /// Whether a register or carry takes a logic cell of its own.
  bool is_alone(const json& cell) const {
    if (cell.at("type") == "SB_CARRY")
      return beside_.count({bit_at(cell, "I0").dump(), bit_at(cell, "I1").dump(), bit_at(cell, "CI").dump()}) == 0;
    const json d = bit_at(cell, "D");
    return !d.is_number() || lut_outputs_.count(d.dump()) == 0 || ends_.at(d.get<std::int64_t>()) != 2;  // driver and this register
  }

 private:
  std::map<std::int64_t, int> ends_;                   ///< of a net
  std::set<std::string> lut_outputs_;                  ///< nets
  std::set<std::array<std::string, 3>> beside_;        ///< I1, I2, I3 of LUTs: what a carry shares with one
};

}  // namespace

std::vector<LayerUse> packed_by_instance(const json& module, const json& design) {
  const json& cells = module.at("cells");
  const Ice40Packing packing(cells);
  return use_by_instance(cells, design, "", [&](const json& cell) {
    const auto type = cell.at("type").get<std::string>();
    CellUse use = mapped_cell_use(type);
    if ((is_register(type) || type == "SB_CARRY") && packing.is_alone(cell)) use.lut4 = 1;
    return use;
  });
}

}  // namespace bitloom
