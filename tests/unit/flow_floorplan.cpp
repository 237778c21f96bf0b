// The order in which block RAMs are laid out.
#include "catch2.hpp"
#include "flow/floorplan.hpp"

using namespace bitloom;
using nlohmann::json;

TEST_CASE("block RAMs are numbered layer by layer, weights around the rest, numbers by value") {
  const char* names[] = {"core.b.weight_rom.mem.0.10", "core.b.weight_rom.mem.0.9",        "core.a.weight_rom.mem.0.0",
                         "link.results.bytes.mem.0.0", "core.b.reader.g_window[0].mem.0.0", "core.b.weight_rom.mem.0.2"};
  json module = {{"cells", {{"core.b.lut", {{"type", "LUT4"}, {"attributes", json::object()}}}}}};
  for (const char* name : names) module["cells"][name] = {{"type", "DP16KD"}, {"attributes", json::object()}};
  const json design = {{"layers", {{{"name", "a"}, {"instances", {"a"}}}, {{"name", "b"}, {"instances", {"b_widen", "b"}}}}}};
  CHECK(order_block_rams(module, design) == 6);
  const auto number = [&](const char* name) {
    return std::stoi(module.at("cells").at(name).at("attributes").at(kBlockRamOrder).get<std::string>(), nullptr, 2);
  };
  const char* expected[] = {"link.results.bytes.mem.0.0", "core.a.weight_rom.mem.0.0",         "core.b.weight_rom.mem.0.2",
                            "core.b.reader.g_window[0].mem.0.0", "core.b.weight_rom.mem.0.9", "core.b.weight_rom.mem.0.10"};
  for (int i = 0; i < 6; ++i) CHECK(number(expected[i]) == i);
  CHECK(!module.at("cells").at("core.b.lut").at("attributes").contains(kBlockRamOrder));
}
