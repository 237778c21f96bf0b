// Board descriptions and the top modules made from them.
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "catch2.hpp"
#include "core/error.hpp"
#include "core/files.hpp"
#include "core/process.hpp"
#include "flow/board_top.hpp"
#include "flow/boards.hpp"

using namespace bitloom;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

/// A board folder that a test may spoil.
struct Folder {
  fs::path path = fs::temp_directory_path() / fmt::format("bitloom_board_{}", getpid());
  json board = json::parse(read_text_file(load_board("icebreaker").pins_file.parent_path() / "board.json"));
  Folder() {
    fs::create_directories(path);
    std::ofstream(path / "icebreaker.pcf") << "set_io CLK 35\n";
  }
  ~Folder() { fs::remove_all(path); }
  Board load() const {
    std::ofstream(path / "board.json") << board.dump();
    return load_board_folder(path);
  }
};

json small_design() {
  return {{"name", "digits"},
          {"hash", "0123456789abcdef"},
          {"link", {{"baud", 1000000}}},
          {"input", {{"width", 5}, {"beats", 64}}},
          {"output", {{"width", 4}, {"beats", 1}}}};
}

}  // namespace

TEST_CASE("the boards are listed and load") {
  const auto boards = list_boards();
  CHECK_THAT(fmt::format("{}", fmt::join(boards, " ")), contains_text("icebreaker"));
  CHECK_THAT(fmt::format("{}", fmt::join(boards, " ")), contains_text("ulx3s-85f"));
  for (const std::string& name : boards) {
    CAPTURE(name);
    const Board board = load_board(name);
    CHECK(board.name == name);
    CHECK(fs::exists(board.pins_file));
    CHECK_THAT(board.source, contains_text("https://"));
    // Every pin that the top uses has a place in the pins file.
    const std::string pins = read_text_file(board.pins_file);
    std::vector<std::string> used{board.pins.clock.port, board.pins.uart_rx.port, board.pins.uart_tx.port};
    for (const auto& pin : {board.pins.reset_button, board.pins.led_ready, board.pins.led_busy, board.pins.led_error})
      if (pin) used.push_back(pin->port);
    for (const auto& [port, level] : board.pins.constants) used.push_back(port);
    for (const std::string& port : used) CHECK_THAT(pins, contains_text(port));
  }
  const Board ice = load_board("icebreaker");
  CHECK(ice.lut4 == 5280);
  CHECK(ice.bram == 30);
  CHECK(ice.dsp == 8);
  CHECK(ice.clock_mhz == 12);
  const Board ecp = load_board("ulx3s-85f");
  CHECK(ecp.lut4 == 83640);
  CHECK(ecp.bram * ecp.bram_bits == 208 * 18432);
  CHECK(ecp.pins.reset_button == BoardPin{"btn_pwr_n", true});
}

TEST_CASE("the PLLs of the boards are what the open tools compute") {
  int checked = 0;
  for (const std::string& name : list_boards()) {
    const Board board = load_board(name);
    if (!board.pll) continue;
    CAPTURE(name);
    const std::string top = board_top(board, small_design());
    CHECK_THAT(top, contains_text(board.pll->module + " #("));
    CHECK_THAT(top, contains_text(".clk(core_clk)") && contains_text("!pll_locked"));
    const bool ice40 = board.family == "ice40";
    if (board.family != "ecp5" && !ice40) continue;
    const std::string tool = ice40 ? "icepll" : "ecppll";
    CHECK(board.pll->tool == fmt::format("{} -i {} -o {}", tool, board.oscillator_mhz, board.clock_mhz));
    if (!find_program(tool)) continue;
    const fs::path file = fs::temp_directory_path() / fmt::format("bitloom_pll_{}.v", getpid());
    const fs::path log = fs::temp_directory_path() / fmt::format("bitloom_pll_{}.log", getpid());
    const std::string in = fmt::format("{}", board.oscillator_mhz), out = fmt::format("{}", board.clock_mhz);
    REQUIRE(run(tool, {"-i", in, "-o", out, "-f", file.string()}, {.cwd = {}, .out = log, .err = log, .env = {}}) == 0);
    const std::string text = read_text_file(file);
    for (const auto& [parameter, value] : board.pll->parameters) {
      CAPTURE(parameter, value, text);
      std::string binary;  // icepll writes DIVF(7'b0111111)
      for (int bits = value; bits > 0; bits /= 2) binary.insert(binary.begin(), bits % 2 != 0 ? '1' : '0');
      const std::size_t at = text.find("." + parameter + "(");
      REQUIRE(at != std::string::npos);
      const std::string given = text.substr(at + parameter.size() + 2, text.find(')', at) - at - parameter.size() - 2);
      if (ice40)
        CHECK(std::stoi(given.substr(given.find('b') + 1), nullptr, 2) == value);
      else
        CHECK(std::stoi(given) == value);
    }
    fs::remove(file);
    fs::remove(log);
    ++checked;
  }
  if (checked == 0) WARN("icepll and ecppll are missing: the settings were not computed again");
}

TEST_CASE("an unknown board is answered with the boards that exist") {
  CHECK_THROWS_WITH(load_board("arty"), contains_text("'arty' is not known") && contains_text("icebreaker") && contains_text("ulx3s-85f"));
  CHECK_THROWS_WITH(load_board("../constraints/icebreaker"), contains_text("is not known"));
  CHECK_THROWS_WITH(load_board(""), contains_text("is not known"));
}

TEST_CASE("a wrong board description is answered with file and field") {
  Folder folder;
  CHECK(folder.load().lut4 == 5280);
  SECTION("missing") {
    folder.board.erase("lut4");
    CHECK_THROWS_WITH(folder.load(), contains_text("board.json: the field 'lut4' is missing"));
  }
  SECTION("type") {
    folder.board["lut4"] = "many";
    CHECK_THROWS_WITH(folder.load(), contains_text("'lut4' is \"many\", a whole number expected"));
  }
  SECTION("negative") {
    folder.board["bram"] = -1;
    CHECK_THROWS_WITH(folder.load(), contains_text("'bram' is -1"));
  }
  SECTION("clock") {
    folder.board["clock_mhz"] = 0;
    CHECK_THROWS_WITH(folder.load(), contains_text("'clock_mhz' is 0"));
  }
  SECTION("family") {
    folder.board["family"] = "ecp6";
    CHECK_THROWS_WITH(folder.load(), contains_text("'ecp6' is not supported") && contains_text("ice40, ecp5"));
    folder.board["family"] = "xc7";
    CHECK_THROWS_WITH(folder.load(), contains_text("\"tool\": \"vivado\""));
  }
  SECTION("oscillator without a PLL") {
    folder.board["oscillator_mhz"] = 24;
    CHECK_THROWS_WITH(folder.load(), contains_text("a 'pll' must make one from the other"));
  }
  SECTION("unknown PLL") {
    folder.board["oscillator_mhz"] = 24;
    folder.board["pll"] = {{"module", "PLL9"}, {"parameters", json::object()}, {"tool", "by hand"}};
    CHECK_THROWS_WITH(board_top(folder.load(), small_design()), contains_text("'PLL9' is not known"));
  }
  SECTION("pins file") {
    folder.board["pins_file"] = "none.pcf";
    CHECK_THROWS_WITH(folder.load(), contains_text("none.pcf does not exist"));
  }
  SECTION("pins") {
    folder.board["pins"].erase("clock");
    CHECK_THROWS_WITH(folder.load(), contains_text("pins: the field 'clock' is missing"));
  }
  SECTION("constant") {
    folder.board["pins"]["constants"]["x"] = 2;
    CHECK_THROWS_WITH(folder.load(), contains_text("'x' is 2, 0 or 1 expected"));
  }
  SECTION("not JSON") {
    std::ofstream(folder.path / "board.json") << "{";
    CHECK_THROWS_WITH(load_board_folder(folder.path), contains_text("is not valid JSON"));
  }
}

TEST_CASE("the top module connects pins, link, core and LEDs") {
  const std::string ice = board_top(load_board("icebreaker"), small_design());
  CHECK_THAT(ice, contains_text(".CLOCK_HZ(12000000)"));
  CHECK_THAT(ice, contains_text(".IN_BEATS(64)"));
  CHECK_THAT(ice, contains_text(".OUT_BEATS(1)"));
  CHECK_THAT(ice, contains_text(".DESIGN_HASH(64'h0123456789abcdef)"));
  CHECK_THAT(ice, contains_text("parameter int BAUD = 1000000"));
  CHECK_THAT(ice, contains_text("logic [4:0] in_data;"));
  CHECK_THAT(ice, contains_text("logic [3:0] out_data;"));
  CHECK_THAT(ice, contains_text(".button(!BTN_N)"));
  CHECK_THAT(ice, contains_text("assign LEDG_N = !led_ready;"));
  CHECK_THAT(ice, contains_text("assign LEDR_N = !led_error;"));
  const std::string ecp = board_top(load_board("ulx3s-85f"), small_design());
  CHECK_THAT(ecp, contains_text("output logic [7:0] led"));
  CHECK_THAT(ecp, contains_text("assign wifi_gpio0 = 1'b1;"));
  CHECK_THAT(ecp, contains_text("assign ftdi_rxd = serial_out;"));
}

TEST_CASE("a board with one LED and no button works; open bits of a vector are driven") {
  Board board = load_board("icebreaker");
  board.pins.reset_button.reset();
  board.pins.led_busy.reset();
  board.pins.led_error.reset();
  board.pins.led_ready = BoardPin{"led[2]", false};
  const std::string text = board_top(board, small_design());
  CHECK_THAT(text, contains_text(".button(1'b0)"));
  CHECK_THAT(text, contains_text("output logic [2:0] led"));
  CHECK_THAT(text, contains_text("assign led[0] = 1'b0;"));
  CHECK_THAT(text, contains_text("assign led[1] = 1'b0;"));
  CHECK_THAT(text, contains_text("assign led[2] = led_ready;"));
}

TEST_CASE("pins that no Verilog port can carry, and incomplete designs, are refused") {
  Board board = load_board("icebreaker");
  json design = small_design();
  design["name"] = "two\nlines";
  CHECK_THAT(board_top(board, design), contains_text("// board_top - two?lines on"));
  design["input"]["width"] = 0;
  CHECK_THROWS_WITH(board_top(board, design), contains_text("input.width"));
  CHECK_THROWS_WITH(board_top(board, json::object()), contains_text("input.width"));
  for (const char* hash : {"", "0123", "0123456789ABCDEF", "0123456789abcdef0"}) {
    json other = small_design();
    other["hash"] = hash;
    CHECK_THROWS_WITH(board_top(board, other), contains_text("16 hexadecimal digits"));
  }
  for (const int baud : {9599, 3000001}) {
    json other = small_design();
    other["link"]["baud"] = baud;
    CHECK_THROWS_WITH(board_top(board, other), contains_text("9600 to 3000000 expected"));
  }
  board.pins.uart_tx.port = "RX";
  CHECK_THROWS_WITH(board_top(board, small_design()), contains_text("'RX' is used twice"));
  board.pins.uart_tx.port = "a-b";
  CHECK_THROWS_WITH(board_top(board, small_design()), contains_text("'a-b' cannot be a Verilog port"));
  board.pins.uart_tx.port = "led[x]";
  CHECK_THROWS_WITH(board_top(board, small_design()), contains_text("'led[x]'"));
}
