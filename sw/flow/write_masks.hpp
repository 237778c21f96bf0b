// Write masks of iCE40's block RAMs that say what the clock enable says already.
//
// Yosys 0.52 makes a write enable twice: as WCLKE, and inverted as MASK of every bit. A memory whose words are written whole needs the first only; the second costs a
// LUT and, from wherever the LUT is, a wire to sixteen pins of each block: it was the slowest path of an HX8K's engine.
#pragma once

#include <nlohmann/json.hpp>

namespace bitloom {

/// Ties MASK bits to 0 that are 0 whenever WCLKE is 1, and removes LUTs that nothing reads then. `module`: a flat netlist of Yosys. Returns how many bits.
int free_write_masks(nlohmann::json& module);

}  // namespace bitloom
