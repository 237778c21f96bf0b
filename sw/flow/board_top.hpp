// The top module of a design on a board: pins, power-on reset, serial link, bitloom_core, LEDs.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "flow/boards.hpp"

namespace bitloom {

/// The text of board_top.sv. `design` is design.json: name, hash, link.baud, input.{width, beats} and output.{width, beats} are read.
/// Names that cannot be written into Verilog, and pins that are used twice, throw Error.
std::string board_top(const Board& board, const nlohmann::json& design);

/// Throws Error when the serial link cannot run at this rate on the board.
void check_baud(const Board& board, int baud);

}  // namespace bitloom
