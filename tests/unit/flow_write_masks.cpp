// Write masks of block RAMs: which say no more than the clock enable.
#include "catch2.hpp"
#include "flow/write_masks.hpp"

using namespace bitloom;
using nlohmann::json;

namespace {

json lut(const char* init, int i2, int i3, int out) {
  return {{"type", "SB_LUT4"},
          {"parameters", {{"LUT_INIT", init}}},
          {"port_directions", {{"I0", "input"}, {"I1", "input"}, {"I2", "input"}, {"I3", "input"}, {"O", "output"}}},
          {"connections", {{"I0", {"0"}}, {"I1", {"0"}}, {"I2", {i2}}, {"I3", {i3}}, {"O", {out}}}}};
}

constexpr const char* kAndNot = "0000111100000000";   // I3 and not I2
constexpr const char* kOrNot = "1111000011111111";    // the opposite
constexpr const char* kNotI3 = "0000000011111111";

/// A RAM enabled by net 10, with net 11 as the mask of two bits, and its LUTs.
json memory(const json& luts) {
  json cells = luts;
  cells["ram"] = {{"type", "SB_RAM40_4K"},
                  {"port_directions", {{"WCLKE", "input"}, {"MASK", "input"}}},
                  {"connections", {{"WCLKE", {10}}, {"MASK", {11, 11, "x"}}}}};
  return {{"ports", json::object()}, {"cells", cells}, {"netnames", json::object()}};
}

json mask_of(const json& module) { return module.at("cells").at("ram").at("connections").at("MASK"); }

}  // namespace

TEST_CASE("a mask that is the enable's opposite is tied, and its LUT goes") {
  // Of the same nets; of the enable itself; of an enable that no LUT makes.
  for (const json& luts : {json{{"enable", lut(kAndNot, 2, 3, 10)}, {"mask", lut(kOrNot, 2, 3, 11)}},
                           json{{"enable", lut(kAndNot, 2, 3, 10)}, {"mask", lut(kNotI3, 2, 3, 11)}},
                           json{{"mask", lut(kNotI3, 2, 10, 11)}}}) {
    json module = memory(luts);
    CHECK(free_write_masks(module) == 2);
    CHECK(mask_of(module) == json::array({"0", "0", "x"}));
    CHECK_FALSE(module.at("cells").contains("mask"));
    CHECK(module.at("cells").size() == luts.size());
  }
}

TEST_CASE("a mask that can keep bits while the block is enabled stays") {
  for (const json& luts : {json{{"enable", lut(kAndNot, 2, 3, 10)}, {"mask", lut(kNotI3, 2, 4, 11)}},
                           json{{"enable", lut(kAndNot, 2, 3, 10)}, {"mask", lut(kAndNot, 2, 3, 11)}},
                           json{{"enable", lut(kAndNot, 2, 3, 10)}}}) {
    json module = memory(luts);
    const json before = module;
    CHECK(free_write_masks(module) == 0);
    CHECK(module == before);
  }
}

TEST_CASE("a mask's LUT that has other readers stays") {
  json module = memory({{"mask", lut(kNotI3, 2, 10, 11)}, {"other", lut(kNotI3, 2, 11, 12)}});
  CHECK(free_write_masks(module) == 2);
  CHECK(module.at("cells").contains("mask"));
  json port = memory({{"mask", lut(kNotI3, 2, 10, 11)}});
  port["ports"]["out"] = {{"direction", "output"}, {"bits", {11}}};
  CHECK(free_write_masks(port) == 2);
  CHECK(port.at("cells").contains("mask"));
}
