// The top module of a design on a board: pins, power-on reset, serial link, bitloom_core, LEDs.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "flow/boards.hpp"

namespace bitloom {

/// The text of board_top.sv. `design` is design.json: name, input.{width, beats} and output.{width, beats} are read.
std::string board_top(const Board& board, const nlohmann::json& design);

/// The hand-written modules that board_top.sv needs beside the core's own, relative to the repository's rtl/ folder
/// ("board/power_on_reset.sv"). compile copies them to the design's rtl/ and lists them in design.json under "sources".
std::vector<std::string> board_top_sources();

}  // namespace bitloom
