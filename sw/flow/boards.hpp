// The boards: one folder in constraints/ each, with board.json and the pins file of the place-and-route tool.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace bitloom {

/// A pin by its port name in the pins file; "led[3]" is bit 3 of port led.
struct BoardPin {
  std::string port;
  bool active_low = false;
  bool operator==(const BoardPin&) const = default;
};

/// The flash that the board configures itself from, where a design may read more than its bitstream.
struct BoardFlash {
  BoardPin cs, sck, mosi, miso;
  int offset = 0;  ///< first byte behind any bitstream, at a border of 64 KiB
  bool operator==(const BoardFlash&) const = default;
};

/// What board_top connects. LEDs that are absent are not driven.
struct BoardPins {
  BoardPin clock, uart_rx, uart_tx;
  std::optional<BoardPin> reset_button;
  std::optional<BoardPin> led_ready, led_busy, led_error;
  std::optional<BoardFlash> flash;
  std::vector<std::pair<std::string, bool>> constants;  ///< outputs that must hold a level, such as the ULX3S's wifi_gpio0
  bool operator==(const BoardPins&) const = default;
};

/// The PLL between oscillator and core: a primitive of the family and its parameters, as the open tools compute them.
struct BoardPll {
  std::string module;  ///< SB_PLL40_CORE, EHXPLLL or PLLE2_BASE
  std::vector<std::pair<std::string, int>> parameters;
  std::string tool;  ///< the command that gives these settings, "icepll -i 12 -o 48"
};

/// What a family of devices is to the planner and to synthesis.
struct Family {
  const char* name;         ///< "ice40"
  const char* title;        ///< "iCE40"
  int bram_width;           ///< widest port of a block RAM
  bool infers_dsp;          ///< whether synthesis makes multiplications of DSP blocks
  const char* cells;        ///< files of Yosys that declare its cells
  const char* synthesis;    ///< the Yosys command that maps to it
  const char* open_tool;    ///< nextpnr's program; empty where only the vendor's tool places it
  const char* vendor_tool;  ///< of the vendors', which makes its bitstreams; empty where none is supported
};
/// Throws Error naming `where` for a family that is not known.
const Family& family(const std::string& name, const std::string& where);

struct Board {
  std::string name;
  std::string title;
  std::string family;         ///< "ice40", "ecp5", "xc7", "cyclonev" or "nexus"
  std::string device;         ///< nextpnr's option without dashes: "up5k", "85k"
  std::string package;        ///< as nextpnr names it
  std::string speed;          ///< speed grade; empty where the family has no choice
  std::string tool;           ///< what `synth` takes unless told otherwise: "open" or a vendor's
  std::string part;           ///< as the vendor's tool names the device; empty where no such tool is meant
  double clock_mhz = 0;       ///< of the core
  double oscillator_mhz = 0;  ///< at the clock pin; the same where there is no PLL
  std::optional<BoardPll> pll;
  int lut4 = 0, ff = 0;
  int bram = 0, bram_bits = 0;  ///< blocks, and bits in each
  int bram_width = 0;           ///< widest port
  int dsp = 0, spram = 0;
  std::filesystem::path pins_file;    ///< full path
  std::filesystem::path timing_file;  ///< SDC where the pins file holds no clock; empty for none
  std::string source;                 ///< where the pins come from
  BoardPins pins;
};

/// The board's description. An unknown name throws Error listing the boards that exist; a field that is missing or wrong throws Error
/// naming it.
Board load_board(const std::string& name);
/// The same from a folder that holds board.json.
Board load_board_folder(const std::filesystem::path& folder);
/// Names of all boards, sorted.
std::vector<std::string> list_boards();

}  // namespace bitloom
