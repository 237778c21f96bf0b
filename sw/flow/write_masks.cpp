#include "flow/write_masks.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace bitloom {
using nlohmann::json;
namespace {

constexpr const char* kInputs[] = {"I0", "I1", "I2", "I3"};

/// A net as a function of others: itself, or what the LUT makes that drives it.
struct Function {
  std::string truth;         ///< of a LUT, I3 first and 1 before 0; "": the net itself
  std::vector<json> inputs;  ///< nets, or "0", "1" and "x"
};

Function function_of(const json& net, const std::map<std::int64_t, const json*>& luts) {
  const auto lut = net.is_number() ? luts.find(net.get<std::int64_t>()) : luts.end();
  if (lut == luts.end()) return {"", {net}};
  Function result{lut->second->at("parameters").at("LUT_INIT").get<std::string>(), {}};
  for (const char* pin : kInputs) result.inputs.push_back(lut->second->at("connections").at(pin).at(0));
  return result;
}

bool value(const Function& f, const std::map<std::int64_t, bool>& nets) {
  std::size_t index = 0;
  for (std::size_t i = 0; i < f.inputs.size(); ++i) {
    const json& input = f.inputs[i];
    if (input.is_number() ? nets.at(input.get<std::int64_t>()) : input == "1") index |= std::size_t{1} << i;
  }
  return f.truth.empty() ? index == 1 : f.truth.at(f.truth.size() - 1 - index) == '1';
}

/// Whether the mask is 0 whenever the enable is 1, whatever their nets are.
bool is_redundant(const Function& enable, const Function& mask) {
  std::set<std::int64_t> nets;
  for (const Function* f : {&enable, &mask})
    for (const json& input : f->inputs)
      if (input.is_number()) nets.insert(input.get<std::int64_t>());
  for (std::size_t state = 0; state < std::size_t{1} << nets.size(); ++state) {
    std::map<std::int64_t, bool> values;
    for (const std::int64_t net : nets) values[net] = (state >> values.size() & 1) != 0;
    if (value(enable, values) && value(mask, values)) return false;
  }
  return true;
}

/// Removes those of `outputs` that nothing reads, with the LUTs that make them.
void remove_unread(json& module, std::set<std::int64_t> outputs) {
  json& cells = module.at("cells");
  for (const auto& [name, port] : module.at("ports").items())
    for (const json& bit : port.at("bits"))
      if (bit.is_number()) outputs.erase(bit.get<std::int64_t>());
  for (const json& cell : cells)
    for (const auto& [pin, bits] : cell.at("connections").items())
      if (cell.at("port_directions").at(pin) != "output")
        for (const json& bit : bits)
          if (bit.is_number()) outputs.erase(bit.get<std::int64_t>());
  for (auto cell = cells.begin(); cell != cells.end();)
    cell = cell->at("type") == "SB_LUT4" && outputs.count(cell->at("connections").at("O").at(0).get<std::int64_t>()) != 0 ? cells.erase(cell) : std::next(cell);
}

}  // namespace

int free_write_masks(json& module) {
  std::map<std::int64_t, const json*> luts;  // by the net that they drive
  for (const json& cell : module.at("cells"))
    if (cell.at("type") == "SB_LUT4") luts[cell.at("connections").at("O").at(0).get<std::int64_t>()] = &cell;
  int tied = 0;
  std::set<std::int64_t> freed;
  for (json& cell : module.at("cells")) {
    json& pins = cell.at("connections");
    if (cell.at("type").get<std::string>().rfind("SB_RAM40_4K", 0) != 0 || !pins.contains("MASK") || !pins.contains("WCLKE") || pins.at("WCLKE").empty()) continue;
    const Function enable = function_of(pins.at("WCLKE").at(0), luts);
    for (json& bit : pins.at("MASK")) {
      if (!bit.is_number() || !is_redundant(enable, function_of(bit, luts))) continue;
      freed.insert(bit.get<std::int64_t>());
      bit = "0";
      ++tied;
    }
  }
  remove_unread(module, freed);
  return tied;
}

}  // namespace bitloom
