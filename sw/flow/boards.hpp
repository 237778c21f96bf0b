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

/// What board_top connects. LEDs that are absent are not driven.
struct BoardPins {
  BoardPin clock, uart_rx, uart_tx;
  std::optional<BoardPin> reset_button;
  std::optional<BoardPin> led_ready, led_busy, led_error;
  std::vector<std::pair<std::string, bool>> constants;  ///< outputs that must hold a level, such as the ULX3S's wifi_gpio0
  bool operator==(const BoardPins&) const = default;
};

struct Board {
  std::string name;
  std::string title;
  std::string family;   ///< "ice40" or "ecp5"
  std::string device;   ///< nextpnr's option without dashes: "up5k", "85k"
  std::string package;  ///< as nextpnr names it
  std::string speed;    ///< speed grade; empty where the family has no choice
  double clock_mhz = 0;
  int lut4 = 0, ff = 0;
  int bram = 0, bram_bits = 0;  ///< blocks, and bits in each
  int dsp = 0, spram = 0;
  std::filesystem::path pins_file;  ///< full path
  std::string source;               ///< where the pins come from
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
