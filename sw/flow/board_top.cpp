#include "flow/board_top.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "core/error.hpp"

namespace bitloom {
namespace {

/// Ports of the top module: pins named "led[3]" gather into one vector.
class Ports {
 public:
  explicit Ports(const Board& board) : board_(board) {}
  void add(const std::string& pin, bool is_output) {
    const std::size_t bracket = pin.find('[');
    const std::string name = pin.substr(0, bracket);
    int index = -1;
    if (bracket != std::string::npos) {
      const std::string digits = pin.substr(bracket + 1, pin.size() - bracket - 2);
      if (digits.empty() || digits.size() > 3 ||
          !std::all_of(digits.begin(), digits.end(), [](unsigned char c) { return std::isdigit(c) != 0; }))
        throw Error(board_.name, fmt::format("the pin '{}' is not a port such as led or led[3]", pin));
      index = std::stoi(digits);
    }
    const bool starts_well = !name.empty() && (std::isalpha(static_cast<unsigned char>(name[0])) != 0 || name[0] == '_');
    if (!starts_well || !std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; }))
      throw Error(board_.name, fmt::format("the pin '{}' cannot be a Verilog port", pin));
    Port& port = ports_[name];
    if (port.bits.empty()) port.is_output = is_output;
    if (port.is_output != is_output || !port.bits.insert(index).second || (port.bits.size() > 1 && port.bits.count(-1) != 0))
      throw Error(board_.name, fmt::format("the pin '{}' is used twice", pin));
  }
  std::string declarations() const {
    std::string text;
    for (const auto& [name, port] : ports_) {
      const int top = *port.bits.rbegin();
      text += fmt::format("{}    {} {}{}", text.empty() ? "" : ",\n", port.is_output ? "output logic" : "input  wire ",
                          top < 0 ? "" : fmt::format("[{}:0] ", top), name);
    }
    return text;
  }
  /// Bits of output vectors that the board description leaves open.
  std::string fill() const {
    std::string text;
    for (const auto& [name, port] : ports_)
      for (int bit = 0; port.is_output && bit < *port.bits.rbegin(); ++bit)
        if (port.bits.count(bit) == 0) text += fmt::format("  assign {}[{}] = 1'b0;\n", name, bit);
    return text;
  }

 private:
  struct Port {
    bool is_output = false;
    std::set<int> bits;  // -1: a scalar
  };
  const Board& board_;
  std::map<std::string, Port> ports_;
};

/// Pins of a chip among several, and how they are wired: the links, and a reset that the first chip gives to all.
struct ChipPins {
  std::string ports, core;
  bool first = true;
};
ChipPins chip_pins(const nlohmann::json& design) {
  ChipPins pins;
  if (!design.contains("chip")) return pins;
  const nlohmann::json& chip = design.at("chip");
  const auto wires = [&](const char* links) {
    int sum = 0;
    for (const auto& link : chip.at(links)) sum += link.at("lanes").get<int>() + 1;
    return sum - 1;
  };
  pins.first = chip.at("index").get<int>() == 0;
  pins.ports = fmt::format(
      ",\n    output logic [{}:0] line_out,\n    input  wire  [{}:0] status_in,\n    input  wire  [{}:0] line_in,\n    output logic [{}:0] "
      "status_out,\n    {} chips_rst",
      wires("links_out"), 2 * chip.at("links_out").size() - 1, wires("links_in"), 2 * chip.at("links_in").size() - 1,
      pins.first ? "output logic" : "input  wire ");
  pins.core = ",\n      .line_out(line_out), .status_in(status_in), .line_in(line_in), .status_out(status_out)";
  return pins;
}

/// What stands between pins and core where the host is: the serial link, the core, the lights.
constexpr const char* kHostBody = R"(  serial_link #(
      .DESIGN_HASH(64'h{hash}),
      .CLOCK_HZ({clock_hz}),
      .BAUD(BAUD),
      .IN_WIDTH({in_width}),
      .IN_BEATS({in_beats}),
      .OUT_WIDTH({out_width}),
      .OUT_BEATS({out_beats})
  ) link (
      .clk({clock}), .rst(rst),
      .uart_rx({rx}), .uart_tx(serial_out),
      .core_rst(core_rst),
      .in_valid(in_valid), .in_ready(in_ready), .in_data(in_data), .in_last(in_last),
      .out_valid(out_valid), .out_ready(out_ready), .out_data(out_data), .out_last(out_last),
      .weights({weights}), .error(link_error)
  );
{flash}
  bitloom_core core (
      .clk({clock}), .rst({core_rst}),
      .in_valid(in_valid), .in_ready({in_ready}), .in_data(in_data), .in_last(in_last),
      .out_valid(out_valid), .out_ready(out_ready), .out_data(out_data), .out_last(out_last){links}
  );
{flash_ready}
  status_leds leds (
      .clk({clock}), .rst(core_rst),
      .beat_in(in_valid && in_ready), .frame_out(out_valid && out_ready && out_last),
      .link_error({error}),
      .ready(led_ready), .busy(led_busy), .error(led_error)
  );
)";

/// The same for the other chips of a system: the first one's reset, the core; lights follow the lines.
constexpr const char* kChipBody = R"(  logic [1:0] first_rst;  // a pin of another clock
  always_ff @(posedge {clock}) first_rst <= {{first_rst[0], chips_rst}};

  bitloom_core core (
      .clk({clock}), .rst(rst || first_rst[1]){links}
  );

  status_leds leds (
      .clk({clock}), .rst(rst),
      .beat_in(|line_in), .frame_out(|line_out),
      .link_error(1'b0),
      .ready(led_ready), .busy(led_busy), .error(led_error)
  );
  assign serial_out = {rx};
)";

/// Weights that the core is given after reset, out of the board's flash; until then it stays in reset and takes no input.
constexpr const char* kFlashReader = R"(
  logic load_start, load_valid, weights_there, weights_wrong, core_ready;
  logic [15:0] load_data;
  flash_reader #(
      .OFFSET(24'h{offset:06x}),
      .WORDS({words}),
      .DESIGN_HASH(64'h{hash}),
      .HALF({half}),
      .WAIT({wait})
  ) flash (
      .clk({clock}), .rst(rst),
      .spi_cs_n(flash_cs_n), .spi_sck(flash_sck), .spi_mosi(flash_mosi), .spi_miso(flash_miso),
      .load_start(load_start), .load_valid(load_valid), .load_data(load_data),
      .loaded(weights_there), .wrong(weights_wrong)
  );
)";

/// SPI's clock, and what a flash takes to wake up from deep power-down (W25Q128JV: 3 us; others up to 30 us).
constexpr double kSpiMhz = 12.5, kWakeMicroseconds = 50;

int positive(const nlohmann::json& design, const char* stream, const char* field) {
  if (design.contains(stream) && design.at(stream).is_object() && design.at(stream).contains(field)) {
    const nlohmann::json& value = design.at(stream).at(field);
    if (value.is_number_integer() && value >= 1 && value <= 1'000'000'000) return value.get<int>();
  }
  throw Error("design.json", fmt::format("{}.{}: a whole number from 1 on expected", stream, field));
}

/// 16 hexadecimal digits.
std::string hash_of(const nlohmann::json& design) {
  if (design.contains("hash") && design.at("hash").is_string()) {
    auto hash = design.at("hash").get<std::string>();
    if (hash.size() == 16 && hash.find_first_not_of("0123456789abcdef") == std::string::npos) return hash;
  }
  throw Error("design.json", "hash: 16 hexadecimal digits expected");
}

/// Text from a model's name may hold anything; a comment line must stay one line of plain characters.
std::string comment(const std::string& text) {
  std::string result;
  for (const char c : text) result += std::isprint(static_cast<unsigned char>(c)) != 0 ? c : '?';
  return result;
}

/// "    .DIVR(0)," for each parameter.
std::string parameter_list(const BoardPll& pll, const std::string& after) {
  std::string text;
  for (const auto& [name, value] : pll.parameters) text += fmt::format("      .{}({}),\n", name, value);
  return text + after;
}

/// The PLL primitive: `core_clk` and `pll_locked` from the clock pin. A simulator sees the pin's clock.
std::string pll_text(const Board& board) {
  const BoardPll& pll = *board.pll;
  const std::string& pin = board.pins.clock.port;
  std::string instance;
  if (pll.module == "SB_PLL40_CORE") {
    instance = "  SB_PLL40_CORE #(\n" + parameter_list(pll, "      .FEEDBACK_PATH(\"SIMPLE\")\n") +
               fmt::format("  ) pll (.REFERENCECLK({}), .PLLOUTCORE(core_clk), .LOCK(pll_locked), .RESETB(1'b1), .BYPASS(1'b0));\n", pin);
  } else if (pll.module == "EHXPLLL") {
    instance = fmt::format(
                   "  (* FREQUENCY_PIN_CLKI=\"{}\", FREQUENCY_PIN_CLKOP=\"{}\", ICP_CURRENT=\"12\", LPF_RESISTOR=\"8\", "
                   "MFG_ENABLE_FILTEROPAMP=\"1\", MFG_GMCREF_SEL=\"2\" *)\n  EHXPLLL #(\n",
                   board.oscillator_mhz, board.clock_mhz) +
               parameter_list(pll,
                              "      .PLLRST_ENA(\"DISABLED\"), .INTFB_WAKE(\"DISABLED\"), .STDBY_ENABLE(\"DISABLED\"),\n"
                              "      .DPHASE_SOURCE(\"DISABLED\"), .OUTDIVIDER_MUXA(\"DIVA\"), .CLKOP_ENABLE(\"ENABLED\"), "
                              ".CLKOP_FPHASE(0),\n      .FEEDBK_PATH(\"CLKOP\")\n") +
               fmt::format(
                   "  ) pll (\n      .CLKI({}), .CLKOP(core_clk), .CLKFB(core_clk), .LOCK(pll_locked), .RST(1'b0), .STDBY(1'b0), "
                   ".PLLWAKESYNC(1'b0),\n      .PHASESEL0(1'b0), .PHASESEL1(1'b0), .PHASEDIR(1'b1), .PHASESTEP(1'b1), "
                   ".PHASELOADREG(1'b1), .ENCLKOP(1'b0)\n  );\n",
                   pin);
  } else if (pll.module == "PLLE2_BASE") {
    instance = "  wire pll_feedback, pll_clk;\n  PLLE2_BASE #(\n" +
               parameter_list(pll, fmt::format("      .CLKIN1_PERIOD({:.3f})\n", 1e3 / board.oscillator_mhz)) +
               fmt::format(
                   "  ) pll (.CLKIN1({}), .CLKFBIN(pll_feedback), .CLKFBOUT(pll_feedback), .CLKOUT0(pll_clk), .LOCKED(pll_locked), "
                   ".PWRDWN(1'b0), .RST(1'b0));\n  BUFG pll_buffer (.I(pll_clk), .O(core_clk));\n",
                   pin);
  } else {
    throw Error(board.name, fmt::format("the PLL '{}' is not known; SB_PLL40_CORE, EHXPLLL and PLLE2_BASE are", pll.module));
  }
  return fmt::format(
      "\n  // {} MHz to {} MHz: {}\n  wire core_clk, pll_locked;\n`ifdef SYNTHESIS\n{}`else  // a simulator sees the pin's clock\n"
      "  assign core_clk = {};\n  assign pll_locked = 1'b1;\n`endif\n",
      board.oscillator_mhz, board.clock_mhz, comment(pll.tool), instance, pin);
}

}  // namespace

void check_baud(const Board& board, int baud) {
  const double most = std::min(3e6, board.clock_mhz * 1e6 / 4);
  if (baud < 9600 || baud > most)
    throw Error("--baud", fmt::format("{} given; 9600 to {:.0f} expected (a quarter of {}'s {} MHz, and 3,000,000 at most)", baud, most,
                                      board.name, board.clock_mhz));
}

std::string board_top(const Board& board, const nlohmann::json& design) {
  const ChipPins chip = chip_pins(design);
  const int in_width = chip.first ? positive(design, "input", "width") : 1;
  const int in_beats = chip.first ? positive(design, "input", "beats") : 1;
  const int out_width = chip.first ? positive(design, "output", "width") : 1;
  const int out_beats = chip.first ? positive(design, "output", "beats") : 1;
  const int baud = positive(design, "link", "baud");
  check_baud(board, baud);
  const std::string hash = hash_of(design);
  const BoardPins& pins = board.pins;

  Ports ports(board);
  ports.add(pins.clock.port, false);
  ports.add(pins.uart_rx.port, false);
  ports.add(pins.uart_tx.port, true);
  if (pins.reset_button) ports.add(pins.reset_button->port, false);
  std::string outputs;
  const auto drive = [&](const std::optional<BoardPin>& pin, const char* signal) {
    if (!pin) return;
    ports.add(pin->port, true);
    outputs += fmt::format("  assign {} = {}{};\n", pin->port, pin->active_low ? "!" : "", signal);
  };
  drive(pins.led_ready, "led_ready");
  drive(pins.led_busy, "led_busy");
  drive(pins.led_error, "led_error");
  for (const auto& [port, level] : pins.constants) {
    ports.add(port, true);
    outputs += fmt::format("  assign {} = 1'b{};\n", port, level ? 1 : 0);
  }
  const bool loads = design.contains("loaded_weights");
  if (loads && !pins.flash)
    throw Error(board.name, "has no flash that weights could be loaded from, and the design needs one; compile the model again for this board");
  if (loads) {
    const BoardFlash& flash = *pins.flash;
    for (const auto& [pin, signal] : {std::pair(flash.cs, "flash_cs_n"), std::pair(flash.sck, "flash_sck"), std::pair(flash.mosi, "flash_mosi")}) drive(pin, signal);
    ports.add(flash.miso.port, false);
    outputs += fmt::format("  assign flash_miso = {};\n", flash.miso.port);
  }
  outputs += ports.fill();
  const std::string button = pins.reset_button ? (pins.reset_button->active_low ? "!" : "") + pins.reset_button->port : "1'b0";
  const std::string reset = !board.pll ? button : pins.reset_button ? "!pll_locked || " + button : "!pll_locked";

  const double clock_mhz = board.clock_mhz;
  const std::string flash = !loads ? ""
                                   : fmt::format(fmt::runtime(kFlashReader), fmt::arg("offset", pins.flash->offset),
                                                 fmt::arg("words", design.at("loaded_weights").at("words").get<std::int64_t>()),
                                                 fmt::arg("hash", hash), fmt::arg("half", static_cast<int>(std::ceil(clock_mhz / kSpiMhz / 2))),
                                                 fmt::arg("wait", static_cast<int>(std::ceil(clock_mhz * kWakeMicroseconds))),
                                                 fmt::arg("clock", board.pll ? "core_clk" : pins.clock.port));
  const auto fill = [&](const std::string& text) {
    return fmt::format(
        fmt::runtime(text), fmt::arg("hash", hash), fmt::arg("clock", board.pll ? "core_clk" : pins.clock.port),
        fmt::arg("clock_hz", static_cast<long long>(std::llround(board.clock_mhz * 1e6))), fmt::arg("in_width", in_width),
        fmt::arg("in_beats", in_beats), fmt::arg("out_width", out_width), fmt::arg("out_beats", out_beats), fmt::arg("links", chip.core + (loads ? ",\n      .load_start(load_start), .load_valid(load_valid), .load_data(load_data)" : "")),
        fmt::arg("flash", flash), fmt::arg("weights", loads ? "{weights_wrong, !weights_wrong && !weights_there}" : "2'd0"),
        fmt::arg("core_rst", loads ? "core_rst || !weights_there" : "core_rst"), fmt::arg("in_ready", loads ? "core_ready" : "in_ready"),
        fmt::arg("flash_ready", loads ? "  assign in_ready = core_ready && weights_there;\n" : ""),
        fmt::arg("error", loads ? "link_error || weights_wrong" : "link_error"),
        fmt::arg("rx", (pins.uart_rx.active_low ? "!" : "") + pins.uart_rx.port));
  };
  const std::string streams = std::string(loads ? "  logic flash_cs_n, flash_sck, flash_mosi, flash_miso;\n" : "") + fmt::format(
      "  logic in_valid, in_ready, in_last;\n  logic [{}:0] in_data;\n  logic out_valid, out_ready, out_last;\n  logic [{}:0] out_data;\n  "
      "logic core_rst, link_error, ",
      in_width - 1, out_width - 1);
  return fmt::format(R"(// board_top - {name} on {title}, written by `bitloom compile`
`default_nettype none
module board_top #(
    parameter int BAUD = {baud}  // bit/s of the serial link
) (
{ports}{chip_ports}
);
  logic rst;
  logic serial_out;
{streams}led_ready, led_busy, led_error;
{pll}
  power_on_reset #(
      .CYCLES(1024)
  ) reset (
      .clk({clock}), .button({button}), .rst(rst)
  );

{body}
  assign {tx} = {tx_level};
{outputs}{chips_rst}endmodule
`default_nettype wire
)",
                     fmt::arg("name", comment(design.value("name", "a design"))), fmt::arg("title", comment(board.title)),
                     fmt::arg("ports", ports.declarations()), fmt::arg("chip_ports", chip.ports),
                     fmt::arg("streams", chip.first ? streams : "  logic "), fmt::arg("clock", board.pll ? "core_clk" : pins.clock.port),
                     fmt::arg("button", reset), fmt::arg("pll", board.pll ? pll_text(board) : ""), fmt::arg("baud", baud),
                     fmt::arg("body", fill(chip.first ? kHostBody : kChipBody)), fmt::arg("tx", pins.uart_tx.port),
                     fmt::arg("tx_level", pins.uart_tx.active_low ? "!serial_out" : "serial_out"), fmt::arg("outputs", outputs),
                     fmt::arg("chips_rst", chip.first && !chip.ports.empty() ? "  assign chips_rst = core_rst;\n" : ""));
}

}  // namespace bitloom
