// A floorplan of block RAMs for designs that take most of a chip's.
//
// nextpnr's analytic placer starts with everything in the middle of the chip and pulls cells apart to where sites are. With most of the block RAMs in use that
// leaves each layer's scattered over the whole chip, and wires twice as long as they need be: CNV-W1A1 with 181 of 208 blocks was placed with 355,000 units
// of wire and not routed in 40 minutes; with this floorplan it took 174,000 and was routed in two (nextpnr 0.7).
#pragma once

#include <nlohmann/json.hpp>

namespace bitloom {

/// The attribute by which floorplan_block_rams.py (run by nextpnr) finds the order.
inline constexpr const char* kBlockRamOrder = "block_ram_order";

/// Numbers the block RAMs of `module`, a flat netlist of Yosys for ECP5, in the order of the network's layers (design.json), the link's first; in a layer the
/// window buffers and tables in the middle of the weights. Returns how many there are.
int order_block_rams(nlohmann::json& module, const nlohmann::json& design);

}  // namespace bitloom
