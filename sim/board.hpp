// The whole board in Verilator behind a pseudo-terminal: bits at the UART's pins on one side, a serial port of this machine on the other.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace bitloom {

/// The pins of board_top that the simulation drives; the rest keeps still. A port is a scalar.
struct BoardSimPins {
  std::string clock, uart_rx, uart_tx, reset_button;  ///< reset_button: "" for none
  bool rx_inverted = false, tx_inverted = false, button_inverted = false;
  std::string flash_cs, flash_sck, flash_mosi, flash_miso;  ///< "" where the design reads no flash
};

struct BoardSimOptions {
  double clock_hz = 0;
  int baud = 0;             ///< of the simulated line
  std::int64_t frames = 0;  ///< ends after so many results, when the line has been quiet for a second; 0: never
  std::uint32_t flash_offset = 0;  ///< first byte of the design's weights in the flash, where it has any there
  double noise = 0;         ///< probability that a byte on the line is flipped, dropped or joined by another, in either direction
  unsigned seed = 1;
  std::filesystem::path port_link;  ///< a symbolic link to the pseudo-terminal, "" for none
  std::function<void(const std::string& port)> ready;
  std::function<bool()> stop;  ///< asked often; true ends
};

struct BoardSimResult {
  std::int64_t clocks = 0, frames = 0;
  std::int64_t bytes_in = 0, bytes_out = 0;      ///< to the board and from it
  std::int64_t damaged_in = 0, damaged_out = 0;  ///< of them
  double seconds = 0;                            ///< spent in the model
};

/// Verilates the board top of DESIGN (once, unless its files changed) with the line at `baud`, and returns the shared library.
std::filesystem::path build_board_model(const std::filesystem::path& design_folder, const BoardSimPins& pins, int baud);

/// Runs the board until it is asked to stop. Throws Error when no pseudo-terminal can be had.
BoardSimResult run_board(const std::filesystem::path& library, const std::filesystem::path& design_folder, const BoardSimOptions& options);

}  // namespace bitloom
