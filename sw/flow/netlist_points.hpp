// What `bitloom power` counts in a simulated netlist: every net with the kind of cell that drives it, and every access to a block RAM.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace bitloom {

/// What drives a net. `input`: a port of the core, which the link drives on the board. `global`: a buffer of a global network.
enum class Driver { lut, carry, ff, memory, global, input };
const char* name_of(Driver driver);

struct CountedNet {
  std::string signal;  ///< in the netlist's Verilog: n12, or t12 for a LUT's output inside a logic cell
  std::string name;    ///< as Yosys or nextpnr name it; empty inside a cell
  Driver driver = Driver::lut;
  int layer = 0;   ///< index into design.json's layers; their number for the link and the board
  int fanout = 0;  ///< pins that routing leads it to; 0 where it stays inside a logic cell
  bool operator==(const CountedNet&) const = default;
};

/// An access in each clock in which `signal` is 1. A block that is read at two ports has two of them.
struct CountedAccess {
  std::string signal;  ///< an expression in the netlist's Verilog
  std::string cell;
  bool is_write = false;
  int layer = 0;
  bool operator==(const CountedAccess&) const = default;
};

/// In the order of the bits of the netlist's ports `toggles` and `accesses`, which it has under `ifdef BITLOOM_ACTIVITY.
struct NetlistPoints {
  std::vector<CountedNet> nets;
  std::vector<CountedAccess> accesses;
  bool operator==(const NetlistPoints&) const = default;
};

/// The pins that a net leads to, without those that are wired inside the logic cells or belong to the clock network.
struct Load {
  int pins = 0;
  bool register_only = false;  ///< the one pin is a flip-flop's data: a LUT reaches it inside the cell
  int routed_from(Driver driver) const { return driver == Driver::carry || (driver == Driver::lut && register_only) ? 0 : pins; }
};
/// For each bit of `module`, a netlist in JSON.
std::vector<Load> loads_of(const nlohmann::json& module);

/// The ports and their assignments as Verilog; empty parts for no points.
struct PointsText {
  std::string ports, body;
};
PointsText points_text(const NetlistPoints& points);

nlohmann::json to_json(const NetlistPoints& points);
/// Throws Error naming `where` for what to_json does not write.
NetlistPoints netlist_points_from_json(const nlohmann::json& json, const std::string& where);

/// Those of a netlist of DESIGN that `bitloom synth` wrote. Throws Error when there are none yet.
NetlistPoints read_netlist_points(const std::filesystem::path& design_folder, const std::string& board, const std::string& which);

}  // namespace bitloom
