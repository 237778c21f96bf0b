// Synthesis of a hand-written design of two layers: results, and each way to fail. Skipped where the tools are missing.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "catch2.hpp"
#include "core/error.hpp"
#include "core/files.hpp"
#include "core/process.hpp"
#include "core/resources.hpp"
#include "flow/synth.hpp"

using namespace bitloom;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

/// A design folder: `layer` counts what comes in and answers from a ROM. The top has the pins of the board and no serial link, which has
/// tests of its own.
struct Design {
  fs::path path;
  json description = {{"name", "small"},
                      {"board", "icebreaker"},
                      {"sources", {"rtl/layer.sv"}},
                      {"layers",
                       {{{"name", "first"}, {"instances", {"first"}}, {"weight_bits", 4096}},
                        {{"name", "second"}, {"instances", {"second"}}, {"weight_bits", 4096}}}}};
  std::string core =
      "module bitloom_core (input wire clk, input wire rst, input wire [7:0] in_data, output wire [7:0] out_data);\n"
      "  wire [7:0] middle;\n"
      "  layer first (.clk(clk), .rst(rst), .in_data(in_data), .out_data(middle));\n"
      "  layer second (.clk(clk), .rst(rst), .in_data(middle), .out_data(out_data));\n"
      "endmodule\n";
  std::string layer =
      "module layer (input wire clk, input wire rst, input wire [7:0] in_data, output reg [7:0] out_data);\n"
      "  reg [7:0] mem [0:511];\n  initial $readmemh(\"mem/rom.mem\", mem);\n  reg [8:0] address;\n"
      "  always @(posedge clk) begin\n    address <= rst ? 9'd0 : address + in_data;\n    out_data <= mem[address];\n  end\nendmodule\n";
  std::string top =
      "module board_top (input wire CLK, input wire RX, output wire TX, input wire BTN_N, output wire LEDR_N, output wire LEDG_N, output "
      "wire LED1);\n"
      "  reg [7:0] shift;\n  wire [7:0] answer;\n  always @(posedge CLK) shift <= {shift[6:0], RX};\n"
      "  bitloom_core core (.clk(CLK), .rst(!BTN_N), .in_data(shift), .out_data(answer));\n"
      "  assign TX = ^answer, LEDR_N = 1'b1, LEDG_N = 1'b1, LED1 = 1'b0;\nendmodule\n";

  Design() : path(fs::temp_directory_path() / fmt::format("bitloom_synth_{}", getpid())) {
    fs::remove_all(path);
    fs::create_directories(path / "rtl");
    fs::create_directories(path / "mem");
    std::ofstream rom(path / "mem" / "rom.mem");
    for (int i = 0; i < 512; ++i) rom << fmt::format("{:02x}\n", (i * 37 + 11) & 255);
  }
  ~Design() { fs::remove_all(path); }
  SynthResult synthesize(const SynthOptions& options = {}) const {
    std::ofstream(path / "design.json") << description.dump();
    std::ofstream(path / "bitloom_core.sv") << core;
    std::ofstream(path / "board_top.sv") << top;
    std::ofstream(path / "rtl" / "layer.sv") << layer;
    return bitloom::synthesize(path, options);
  }
  bool has_result() const { return fs::exists(path / "build" / "synth" / "icebreaker" / "synth.json"); }
};

bool tools_missing() {
  if (find_program("yosys") && find_program("nextpnr-ice40") && find_program("icepack")) return false;
  WARN("yosys, nextpnr-ice40 or icepack is missing: nothing is synthesized");
  return true;
}

}  // namespace

TEST_CASE("a small design is placed, counted by layer and packed", "[synth]") {
  if (tools_missing()) return;
  const Design design;
  const SynthResult result = design.synthesize();
  REQUIRE(result.layers.size() == 3);
  CellUse sum;
  for (const LayerUse& layer : result.layers) sum += layer.use;
  CHECK(sum == result.used);
  CellUse instances;
  for (const LayerUse& instance : result.instances) instances += instance.use;
  CHECK(instances == result.used);
  CHECK(result.layers[0].name == "first");
  CHECK(result.layers[0].use.bram == 1);
  CHECK(result.layers[1].use.bram == 1);
  CHECK(result.layers[0].use.ff == 9);  // the address; the output register is inside the block RAM
  CHECK(result.layers[2].use.ff == 8);  // the shift register
  CHECK(result.available.lut4 == 5280);
  CHECK(result.available.bram == 30);
  CHECK(result.fmax_mhz > 12);
  CHECK(result.bitstream_bytes == fs::file_size(design.path / result.bitstream));
  CHECK(result.yosys_cells.at("SB_RAM40_4K") == 2);
  CHECK_THAT(result.tools.at("yosys"), contains_text("Yosys"));
  CHECK(design.has_result());
  CHECK_FALSE(fs::exists(design.path / "build" / "synth" / "icebreaker" / "netlist.json"));

  const json stored = json::parse(read_text_file(design.path / "build" / "synth" / "icebreaker" / "synth.json"));
  const SynthResult again = synth_result_from_json(stored, "synth.json");
  CHECK(again.used == result.used);
  CHECK(again.layers == result.layers);
  CHECK(again.instances == result.instances);
  CHECK(again.fmax_mhz == result.fmax_mhz);
  // The same seed gives the same chip.
  const SynthResult repeated = design.synthesize();
  CHECK(repeated.fmax_mhz == result.fmax_mhz);
  CHECK(repeated.layers == result.layers);
}

TEST_CASE("the core alone, estimated by Yosys, is what place and route finds in it", "[synth]") {
  if (tools_missing()) return;
  const Design design;
  const SynthResult placed = design.synthesize();
  CellUse core;
  for (const LayerUse& layer : placed.layers)
    if (layer.name != "link and board") core += layer.use;
  const SynthEstimate estimate = estimate_synthesis(design.path);
  CHECK(estimate.used.bram == core.bram);
  CHECK(estimate.used.ff == core.ff);
  CHECK(estimate.used.lut4 > 0);
  CHECK(estimate.used.lut4 <= core.lut4);  // packing adds logic cells for registers and carries alone
  CHECK(to_json(estimate).at("bram") == 2);
  CHECK(estimate.yosys_cells.count("SB_IO") == 0);
}

TEST_CASE("the core is placed alone, by several seeds, and the fastest is kept", "[synth]") {
  if (tools_missing()) return;
  Design design;
  design.description["input"] = {{"width", 8}};
  design.description["output"] = {{"width", 8}};
  design.core =
      "module bitloom_core (input wire clk, input wire rst, input wire in_valid, output wire in_ready, input wire [7:0] in_data, input wire in_last, output wire "
      "out_valid, input wire out_ready, output wire [7:0] out_data, output wire out_last);\n"
      "  wire [7:0] middle;\n"
      "  assign in_ready = out_ready, out_valid = in_valid, out_last = in_last;\n"
      "  layer first (.clk(clk), .rst(rst), .in_data(in_data), .out_data(middle));\n"
      "  layer second (.clk(clk), .rst(rst), .in_data(middle), .out_data(out_data));\n"
      "endmodule\n";
  SynthOptions alone;
  alone.alone = true;
  alone.seeds = 2;
  const SynthResult result = design.synthesize(alone);
  CHECK_FALSE(design.has_result());  // that of the board is another
  CHECK(fs::exists(design.path / "build" / "alone" / "icebreaker" / "synth.json"));
  REQUIRE(result.fmax_by_seed.size() == 2);
  CHECK(result.fmax_mhz == std::max(result.fmax_by_seed.at("1"), result.fmax_by_seed.at("2")));
  CHECK(result.fmax_mhz == result.fmax_by_seed.at(std::to_string(result.seed)));
  CHECK(result.bitstream.empty());
  CHECK(result.layers[0].use.bram == 1);
  CHECK(synth_result_from_json(to_json(result), "synth.json").fmax_by_seed == result.fmax_by_seed);
  // The packing of iCE40's registers and carries is counted before placement.
  const SynthEstimate estimate = estimate_synthesis(design.path);
  REQUIRE(estimate.layers.size() == 3);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(estimate.layers[i].use.lut4 >= 0.9 * result.layers[i].use.lut4);
    CHECK(estimate.layers[i].use.lut4 <= 1.1 * result.layers[i].use.lut4);
  }
  alone.patchable = true;
  CHECK_THROWS_WITH(design.synthesize(alone), contains_text("--alone"));
}

TEST_CASE("a codebook's multiplier takes one block of either fabric", "[synth]") {
  if (tools_missing()) return;
  Design design;
  for (const char* file : {"rtl/arithmetic/multiplier.sv", "rtl/fabric/multiplier_ice40.sv"})
    write_file_atomically(design.path / "rtl" / fs::path(file).filename(), read_text_file(resource(file)));
  design.description["sources"] = {"rtl/multiplier.sv", "rtl/multiplier_ice40.sv", "rtl/layer.sv"};
  const auto [board, mac16] = GENERATE(std::pair{"icebreaker", 1}, std::pair{"ulx3s-85f", 0});
  design.description["board"] = board;
  // A total of 14 bits by a level of 9, and both registered as in rtl/layer/run_combiner.
  design.layer = fmt::format(
      "module layer (input wire clk, input wire rst, input wire [7:0] in_data, output reg [7:0] out_data);\n"
      "  reg [13:0] total;\n  reg [8:0] level;\n  wire [22:0] product;\n"
      "  multiplier #(.A_BITS(14), .B_BITS(9), .MAC16({})) m (.a(total), .b(level), .product(product));\n"
      "  always @(posedge clk) begin\n    total <= {{total[5:0], in_data}};\n    level <= {{level[7:0], in_data[0]}};\n"
      "    out_data <= rst ? 8'd0 : product[22:15] ^ product[7:0];\n  end\nendmodule\n",
      mac16);
  if (!find_program("nextpnr-ecp5") && mac16 == 0) return;
  std::ofstream(design.path / "design.json") << design.description.dump();
  std::ofstream(design.path / "bitloom_core.sv") << design.core;
  std::ofstream(design.path / "board_top.sv") << design.top;
  std::ofstream(design.path / "rtl" / "layer.sv") << design.layer;
  const SynthEstimate estimate = estimate_synthesis(design.path);
  CHECK(estimate.used.dsp == 2);  // one of each layer
  CHECK(estimate.used.lut4 <= 32);
}

TEST_CASE("mapped cells count as what they take") {
  CHECK(mapped_cell_use("SB_LUT4") == CellUse{.lut4 = 1});
  CHECK(mapped_cell_use("CCU2C") == CellUse{.lut4 = 2});
  CHECK(mapped_cell_use("TRELLIS_DPR16X4") == CellUse{.lut4 = 6});
  CHECK(mapped_cell_use("SB_DFFESR") == CellUse{.ff = 1});
  CHECK(mapped_cell_use("SB_RAM40_4KNR") == CellUse{.bram = 1});
  CHECK(mapped_cell_use("MULT18X18D") == CellUse{.dsp = 1});
  CHECK(mapped_cell_use("SB_CARRY") == CellUse{});
}

TEST_CASE("a design that does not fit names the resource", "[synth]") {
  if (tools_missing()) return;
  Design design;
  design.synthesize();
  CHECK(design.has_result());
  design.layer =
      "module layer (input wire clk, input wire rst, input wire [7:0] in_data, output reg [7:0] out_data);\n"
      "  reg [3000:0] chain;\n  always @(posedge clk) begin\n    chain <= rst ? 0 : {chain[2999:0], ^in_data};\n    out_data <= "
      "{8{chain[3000]}};\n  end\nendmodule\n";
  CHECK_THROWS_WITH(design.synthesize(), contains_text("small: the design does not fit iCEBreaker") && contains_text("ICESTORM_LC: 60") &&
                                             contains_text("needed, 5280 available") && contains_text("smaller folding"));
  CHECK_FALSE(design.has_result());  // the old result is gone
}

TEST_CASE("a layer that synthesis swept away is an error", "[synth]") {
  if (tools_missing()) return;
  Design design;
  design.core.replace(design.core.find(".out_data(out_data)"), 19, ".out_data()");
  design.core.replace(design.core.find("endmodule"), 9, "  assign out_data = middle;\nendmodule");
  CHECK_THROWS_WITH(design.synthesize(), contains_text("second: this layer has weights but no logic is left"));
}

TEST_CASE("a failing tool is named with its log and the reason", "[synth]") {
  if (tools_missing()) return;
  Design design;
  design.core =
      "module bitloom_core (input wire clk, input wire rst, input wire [7:0] in_data, output wire [7:0] out_data);\n  no_such_module x "
      "();\nendmodule\n";
  CHECK_THROWS_WITH(design.synthesize(),
                    contains_text("yosys: failed with status 1") && contains_text("yosys.log") && contains_text("no_such_module"));
}

TEST_CASE("a clock that the routed design does not reach is an error", "[synth]") {
  if (tools_missing()) return;
  Design design;
  // 60 additions in a row: far longer than a clock of 12 MHz.
  design.layer =
      "module layer (input wire clk, input wire rst, input wire [7:0] in_data, output reg [7:0] out_data);\n"
      "  integer i;\n  reg [7:0] x;\n  always @* begin\n    x = out_data ^ in_data;\n    for (i = 0; i < 60; i = i + 1) x = x + {x[3:0], "
      "x[7:4] ^ {4{x[1]}}};\n  end\n"
      "  always @(posedge clk) out_data <= rst ? 8'd0 : x;\nendmodule\n";
  CHECK_THROWS_WITH(design.synthesize(), contains_text("the board runs at 12 MHz") && contains_text("--seed"));
  CHECK_FALSE(design.has_result());
}

TEST_CASE("wrong input is refused before any tool runs") {
  Design design;
  SynthOptions vendor;
  vendor.tool = "vivado";
  CHECK_THROWS_WITH(design.synthesize(vendor), contains_text("'vivado' does not run here"));
  CHECK_THROWS_WITH(synthesize(design.path / "none"), contains_text("bitloom compile"));
  design.description["board"] = "arty";
  CHECK_THROWS_WITH(design.synthesize(), contains_text("'arty' is not known"));
  design.description["board"] = "icebreaker";
  design.description["sources"] = {"rtl/x.sv; exec -- touch y"};
  CHECK_THROWS_WITH(design.synthesize(), contains_text("is not a plain path"));
  design.description["sources"] = {"../x.sv"};
  CHECK_THROWS_WITH(design.synthesize(), contains_text("is not a plain path"));
  design.description["sources"] = {"rtl/missing.sv"};
  CHECK_THROWS_WITH(design.synthesize(), contains_text("missing.sv: no such file"));
  design.description.erase("layers");
  CHECK_THROWS_WITH(design.synthesize(), contains_text("compile the model again"));
}

TEST_CASE("a synth.json that lies or lacks a field is refused") {
  SynthResult result;
  result.design = "d";
  result.layers = result.instances = {{"a", {3, 2, 1, 0, 0}}, {"link and board", {1, 0, 0, 0, 0}}};
  result.used = {4, 2, 1, 0, 0};
  json good = to_json(result);
  CHECK(synth_result_from_json(good, "synth.json").used == result.used);
  json bad = good;
  bad["lut4"] = 5;
  CHECK_THROWS_WITH(synth_result_from_json(bad, "synth.json"), contains_text("layers do not add up"));
  bad = good;
  bad["instances"][0]["lut4"] = 4;
  CHECK_THROWS_WITH(synth_result_from_json(bad, "synth.json"), contains_text("instances do not add up"));
  bad = good;
  bad.erase("fmax_mhz");
  CHECK_THROWS_WITH(synth_result_from_json(bad, "synth.json"), contains_text("synth.json: the field 'fmax_mhz' is missing"));
  bad = good;
  bad["layers"][0]["ff"] = "two";
  CHECK_THROWS_WITH(synth_result_from_json(bad, "synth.json"), contains_text("'ff' is \"two\""));
  CHECK_THROWS_AS(synth_result_from_json(json::array(), "synth.json"), Error);
}
