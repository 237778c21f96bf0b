// The cells that a design will take once it is packed, counted from Yosys' netlist, by instance: seconds instead of a placement's minutes.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "flow/synth.hpp"

namespace bitloom {

/// use_by_instance of `module`, the flat bitloom_core. As mapped_cell_use, but for iCE40, where a flip-flop shares a logic cell with the LUT that it alone follows, and a carry with the LUT beside it: each that finds
/// none takes a cell of its own.
std::vector<LayerUse> packed_by_instance(const nlohmann::json& module, const nlohmann::json& design);

}  // namespace bitloom
