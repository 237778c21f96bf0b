// The last carry of an iCE40's adder, where nothing but a flip-flop reads it.
//
// Yosys 0.52 connects such a flip-flop, a sum's top bit, to the carry itself. nextpnr 0.7 then takes two logic cells: one that leads the carry out of its
// chain, one for the flip-flop. With a LUT between them that passes the carry on, both and the end of the chain are one logic cell.
#pragma once

#include <nlohmann/json.hpp>

namespace bitloom {

/// Puts that LUT in front of every such flip-flop. `module`: a flat netlist of Yosys. Returns how many.
int buffer_carry_ends(nlohmann::json& module);

}  // namespace bitloom
