// The output registers of ECP5's block RAMs.
//
// A word leaves a block 5.8 ns after the clock, or 0.5 ns after it from the block's own output register (speed grade 6, nextpnr 0.7). Yosys 0.52 does not use
// that register: what the RTL writes behind a memory becomes flip-flops beside the block.
#pragma once

#include <nlohmann/json.hpp>

namespace bitloom {

/// Moves flip-flops into the block whose data outputs they alone read, on the block's clock, without enable or reset, starting at 0, and of the block's own instance; port by port, only
/// where that holds for every output of a port that is read. `module`: a flat netlist of Yosys. Returns the flip-flops that went.
int absorb_output_registers(nlohmann::json& module);

}  // namespace bitloom
