// Reading nextpnr's output: lines and cells below are shortened from runs of nextpnr 0.7.
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "catch2.hpp"
#include "core/error.hpp"
#include "flow/nextpnr.hpp"

using namespace bitloom;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

const char* const kLog =
    "Info: Device utilisation:\n"
    "Info: \t         ICESTORM_LC:  6003/ 5280   113%\n"
    "Info: \t        ICESTORM_RAM:     3/   30    10%\n"
    "Info: \t               SB_IO:     7/   96     7%\n"
    "Info: Placed 7 cells based on constraints.\n";

json report() {
  return json::parse(R"({"critical_paths": [], "fmax": {"CLK$SB_IO_IN_$glb_clk": {"achieved": 44.5, "constraint": 12}},
    "utilization": {"ICESTORM_LC": {"available": 5280, "used": 239}, "ICESTORM_RAM": {"available": 30, "used": 3}}})");
}

json cell(const char* type, const json& connections = json::object(), const json& parameters = json::object()) {
  return {{"type", type}, {"connections", connections}, {"parameters", parameters}};
}

json design() {
  return json::parse(
      R"({"layers": [{"name": "conv1", "instances": ["conv1", "conv1_pad"]}, {"name": "conv1_relu", "instances": ["conv1_relu"]}]})");
}

json placed(const json& cells) { return {{"modules", {{"top", {{"cells", cells}}}}}}; }

}  // namespace

TEST_CASE("utilization is read from the log, and what is overfull is said") {
  const auto use = log_utilization(kLog);
  CHECK(use.size() == 3);
  CHECK(use.at("ICESTORM_LC") == Utilization{6003, 5280});
  CHECK(overfull(kLog) == "ICESTORM_LC: 6003 needed, 5280 available");
  CHECK(overfull("Info: nothing here\n").empty());
  CHECK(overfull("Info: \t ICESTORM_LC: 5280/ 5280 100%\n").empty());
  CHECK(overfull("Info: \t DP16KD: 64/ 56 114%\nInfo: \t TRELLIS_FF: 9/ 8 112%\n") ==
        "DP16KD: 64 needed, 56 available; TRELLIS_FF: 9 needed, 8 available");
}

TEST_CASE("the report gives utilization and the slowest clock") {
  CHECK(report_utilization(report(), "timing.json").at("ICESTORM_RAM") == Utilization{3, 30});
  CHECK(report_fmax(report(), "timing.json") == 44.5);
  json two = report();
  two["fmax"]["other"] = {{"achieved", 20.25}, {"constraint", 12}};
  CHECK(report_fmax(two, "timing.json") == 20.25);
}

TEST_CASE("a report of another shape is refused with its name") {
  CHECK_THROWS_WITH(report_fmax(json::object(), "timing.json"), contains_text("timing.json: this is not a report"));
  CHECK_THROWS_WITH(report_fmax(json{{"fmax", json::object()}}, "timing.json"), contains_text("no clock"));
  CHECK_THROWS_WITH(report_utilization(json{{"utilization", {{"X", 1}}}}, "timing.json"), contains_text("timing.json"));
}

TEST_CASE("cells are counted by what they are") {
  CHECK(cell_use("ICESTORM_LC", {{"DFF_ENABLE", "0"}}) == CellUse{1, 0, 0, 0, 0});
  CHECK(cell_use("ICESTORM_LC", {{"DFF_ENABLE", "1"}}) == CellUse{1, 1, 0, 0, 0});
  CHECK(cell_use("ICESTORM_LC", {{"DFF_ENABLE", "00000000000000000000000000000001"}}) == CellUse{1, 1, 0, 0, 0});
  CHECK(cell_use("TRELLIS_COMB", {}) == CellUse{1, 0, 0, 0, 0});
  CHECK(cell_use("TRELLIS_FF", {}) == CellUse{0, 1, 0, 0, 0});
  CHECK(cell_use("ICESTORM_RAM", {}) == CellUse{0, 0, 1, 0, 0});
  CHECK(cell_use("DP16KD", {}) == CellUse{0, 0, 1, 0, 0});
  CHECK(cell_use("MULT18X18D", {}) == CellUse{0, 0, 0, 1, 0});
  CHECK(cell_use("ICESTORM_SPRAM", {}) == CellUse{0, 0, 0, 0, 1});
  CHECK(cell_use("SB_GB", {}) == CellUse{});
}

TEST_CASE("each cell goes to the layer in its name, exactly one, and the rest to link and board") {
  json cells;
  cells["core.conv1.acc_SB_LUT4_O_LC"] = cell("ICESTORM_LC");
  cells["core.conv1_pad.mem.0.0_RAM"] = cell("ICESTORM_RAM");
  cells["core.conv1_relu.n_SB_DFF_Q_DFFLC"] = cell("ICESTORM_LC", {}, {{"DFF_ENABLE", "1"}});
  cells["$flatten\\core.\\conv1.$abc$123$auto$blifparse.cc:397:parse_blif$9_LC"] = cell("ICESTORM_LC");
  cells["core.out_ready_SB_LUT4_O_LC"] = cell("ICESTORM_LC");  // a port of bitloom_core, driven by the link
  cells["core.conv1_other.x_LC"] = cell("ICESTORM_LC");        // no such instance
  cells["link.receiver.bits_LC"] = cell("ICESTORM_LC");
  cells["$PACKER_GND"] = cell("ICESTORM_LC");
  cells["$gbuf_core.conv1.e_$glb_ce"] = cell("SB_GB");
  const auto rows = use_by_layer(use_by_instance(placed(cells), design()), design());
  REQUIRE(rows.size() == 3);
  CHECK(rows[0] == LayerUse{"conv1", {2, 0, 1, 0, 0}});
  CHECK(rows[1] == LayerUse{"conv1_relu", {1, 1, 0, 0, 0}});
  CHECK(rows[2] == LayerUse{kOutsideLayers, {4, 0, 0, 0, 0}});
  // By instance: conv1's padding, a block RAM, apart from conv1.
  CHECK(use_by_instance(placed(cells), design()) ==
        std::vector<LayerUse>{{"conv1", {2, 0, 0, 0, 0}}, {"conv1_pad", {0, 0, 1, 0, 0}}, {"conv1_relu", {1, 1, 0, 0, 0}}, {kOutsideLayers, {4, 0, 0, 0, 0}}});
}

TEST_CASE("nameless cells at the ends of carry chains belong to their chain") {
  json cells;
  cells["core.conv1.sum_CCU2C_COUT$CCU2_COMB0"] = cell("TRELLIS_COMB", {{"FCI", {10}}, {"FCO", {11}}, {"F", {50}}});
  cells["core.conv1.sum_CCU2C_COUT$CCU2_COMB1"] = cell("TRELLIS_COMB", {{"FCI", {11}}, {"FCO", {12}}});
  // Feed-in: its second half reaches the chain; its first half only the second.
  cells["$nextpnr_CCU2C_0$CCU2_COMB0"] = cell("TRELLIS_COMB", {{"FCO", {9}}, {"FCI", json::array()}});
  cells["$nextpnr_CCU2C_0$CCU2_COMB1"] = cell("TRELLIS_COMB", {{"FCI", {9}}, {"FCO", {10}}});
  // Feed-out, and on iCE40 one that takes the carry at I3.
  cells["$nextpnr_CCU2C_1$CCU2_COMB0"] = cell("TRELLIS_COMB", {{"FCI", {12}}, {"F", {51}}});
  cells["core.conv1_relu.c_LC"] = cell("ICESTORM_LC", {{"COUT", {20}}, {"O", {60}}});
  cells["$nextpnr_ICESTORM_LC_7"] = cell("ICESTORM_LC", {{"I3", {20}}, {"O", {61}}});
  cells["$nextpnr_ICESTORM_LC_8"] = cell("ICESTORM_LC", {{"COUT", {99}}});  // touches nothing that has a name
  const auto rows = use_by_layer(use_by_instance(placed(cells), design()), design());
  CHECK(rows[0].use.lut4 == 5);
  CHECK(rows[1].use.lut4 == 2);
  CHECK(rows[2].use.lut4 == 1);
}

TEST_CASE("the placed netlist is read, or said to be none") {
  const fs::path file = fs::temp_directory_path() / fmt::format("bitloom_placed_{}.json", getpid());
  std::ofstream(file)
      << R"({"modules": {"top": {"cells": {"core.conv1.x": {"type": "TRELLIS_FF", "parameters": {}, "connections": {"Q": [1]}}}}}})";
  const json netlist = read_placed(file);
  CHECK(use_by_instance(netlist, design())[0].use.ff == 1);
  std::ofstream(file) << "{";
  CHECK_THROWS_WITH(read_placed(file), contains_text("is not valid JSON"));
  fs::remove(file);
  CHECK_THROWS_WITH(read_placed(file), contains_text("cannot be read"));
}
