// The long target `boards`: the digits design placed and routed for the boards of the open tools, and mapped by Yosys for all others.
// Not a part of the tests: cmake --build --preset release --target boards (about half an hour on two cores).
#include <nlohmann/json.hpp>

#include "flow/boards.hpp"
#include "support.hpp"

using namespace bitloom;
using namespace bitloom::test;

namespace {

std::string compile_digits(const std::string& board, const TemporaryFolder& folder) {
  const std::string design = (folder / "design").string();
  const std::string share = load_board(board).lut4 < 10000 ? "0.7" : load_board(board).lut4 < 50000 ? "0.3" : "0.15";
  const CommandResult compiled =
      bitloom_command({"compile", digits_model("digits-w1a1").string(), "--board", board, "--argmax", "--fit", share, "--out", design});
  INFO(compiled.err);
  REQUIRE(compiled.status == 0);
  return design;
}

/// Maps the design by the family's Yosys command and returns the numbers of cells by type.
nlohmann::json map_design(const std::string& design, const std::string& cells, const std::string& synthesis, const std::string& top) {
  const nlohmann::json description = nlohmann::json::parse(read_text_file(fs::path(design) / "design.json"));
  std::string script = "read_verilog -lib " + cells + "\n";
  for (const auto& source : description.at("sources")) script += "read_verilog -sv -defer " + source.get<std::string>() + "\n";
  script += "read_verilog -sv -defer bitloom_core.sv\n" + std::string(top == "board_top" ? "read_verilog -sv -defer board_top.sv\n" : "");
  script += "hierarchy -check -top " + top + "\n" + synthesis + " -top " + top + "\ncheck -assert\ntee -q -o stat.json stat -json\n";
  write_file_atomically(fs::path(design) / "map.ys", script);
  const fs::path log = fs::path(design) / "map.log";
  const int status = run("yosys", {"-s", "map.ys"}, {.cwd = design, .out = log, .err = log, .env = {}});
  INFO(last_lines(log, 10));
  REQUIRE(status == 0);
  return nlohmann::json::parse(read_text_file(fs::path(design) / "stat.json")).at("design").at("num_cells_by_type");
}

int count(const nlohmann::json& cells, const std::vector<std::string>& prefixes) {
  int sum = 0;
  for (const auto& [type, number] : cells.items())
    for (const std::string& prefix : prefixes) sum += type.rfind(prefix, 0) == 0 ? number.get<int>() : 0;
  return sum;
}

const std::vector<std::string> kBlockRams = {"SB_RAM40", "DP16K", "PDP", "RAMB", "MISTRAL_M10K", "SDP", "SPX", "pROM", "DPB"};

}  // namespace

TEST_CASE("bitstreams meet the clock of the board", "[place]") {
  const auto board = GENERATE(as<std::string>{}, "icebreaker", "ice40-hx8k", "ulx3s-12f", "ulx3s-85f", "orangecrab-25f", "colorlight-i5");
  CAPTURE(board);
  const TemporaryFolder folder;
  const nlohmann::json synth = json_of(bitloom_command({"synth", compile_digits(board, folder), "--json"}));
  std::fprintf(stderr, "%-16s %6.1f MHz of %g, %d LUT4 of %d, %d FF, %d RAM of %d, %d DSP\n", board.c_str(),
               synth.at("fmax_mhz").get<double>(), synth.at("clock_mhz").get<double>(), synth.at("lut4").get<int>(),
               synth.at("lut4_available").get<int>(), synth.at("ff").get<int>(), synth.at("bram").get<int>(),
               synth.at("bram_available").get<int>(), synth.at("dsp").get<int>());
  CHECK(synth.at("timing_met") == true);
  CHECK(fs::file_size(folder.path() / "design" / synth.at("bitstream").get<std::string>()) > 10000);
}

TEST_CASE("every other board elaborates and maps, memories in block RAM", "[map]") {
  const auto board = GENERATE(as<std::string>{}, "arty-a7-35", "arty-a7-100", "de10-nano", "crosslink-nx-evn", "versa-ecp5", "ulx3s-25f",
                              "ulx3s-45f", "orangecrab-85f", "colorlight-i9", "ecpix5-45f", "ecpix5-85f");
  CAPTURE(board);
  const TemporaryFolder folder;
  const Family& kind = family(load_board(board).family, board);
  const nlohmann::json cells = map_design(compile_digits(board, folder), kind.cells, kind.synthesis, "board_top");
  CAPTURE(cells.dump());
  std::fprintf(stderr, "%-16s %d block RAMs\n", board.c_str(), count(cells, kBlockRams));
  CHECK(count(cells, kBlockRams) > 0);
}

TEST_CASE("the core maps to Gowin's devices too, memories in block RAM", "[map]") {
  const TemporaryFolder folder;
  const nlohmann::json cells = map_design(compile_digits("arty-a7-35", folder), "+/gowin/cells_sim.v", "synth_gowin", "bitloom_core");
  CAPTURE(cells.dump());
  CHECK(count(cells, kBlockRams) > 0);
}
