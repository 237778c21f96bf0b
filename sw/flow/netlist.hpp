// A netlist of a design as Verilog that `bitloom sim` runs in the place of bitloom_core: what Yosys synthesized, or what nextpnr placed.
//
// The netlist is board_top's, flat. The nets of the core's streams and of its reset are cut from their drivers and become ports of a module
// bitloom_core, every clock pin gets the port clk; the link's cells stay and drive nothing. So each cell of the core is simulated as it is
// in the bitstream, without the serial line between it and the images.
#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "flow/boards.hpp"
#include "flow/netlist_points.hpp"

namespace bitloom {

/// For each port of the core and bit, the names that its net has in the synthesized netlist: "core.in_valid", "core.in_data[3]". nextpnr
/// keeps one of them. A constant is "0" or "1"; ports that synthesis found unused have none. The streams between layers are
/// "probe_valid", "probe_ready", "probe_last" (a bit for each boundary of design.json) and "probe_data".
using CoreNets = std::map<std::string, std::vector<std::vector<std::string>>>;

/// From the module board_top of the JSON netlist that Yosys writes, and bitloom_core.sv, which says whose streams the probes are.
CoreNets core_nets(const nlohmann::json& module, const nlohmann::json& design, const std::string& core);

struct NetlistText {
  std::string verilog;
  NetlistPoints points;  ///< what can be counted in it
  std::vector<int> unused;  ///< bits of probe_data that synthesis removed, because nothing reads them: a sum's lowest where a requantizer drops them
};

/// The Verilog of `module` (of Yosys' JSON, or of nextpnr's). Throws Error naming `where` for a port whose net is not there, and for a
/// type of cell that has no simulation model.
NetlistText netlist_text(const nlohmann::json& module, const CoreNets& nets, const Board& board, const nlohmann::json& design,
                         const std::string& where);

/// The files of the netlists in build/synth/<board>/, by what --netlist calls them.
inline constexpr const char* kNetlists[] = {"synthesized", "placed"};
std::filesystem::path netlist_file(const std::filesystem::path& design_folder, const std::string& board, const std::string& which);

/// netlist_text in that file, and its points beside it, as .json.
void write_netlist(const std::filesystem::path& design_folder, const std::string& which, const nlohmann::json& module, const CoreNets& nets,
                   const Board& board, const nlohmann::json& design, const std::string& where);

/// A folder that simulate() takes as a design: DESIGN/build/netlist/<which>, with the netlist as bitloom_core.sv and Yosys' models of the
/// device's cells as sources. Throws Error when the design was not synthesized since it was compiled.
std::filesystem::path netlist_design(const std::filesystem::path& design_folder, const std::string& which);

}  // namespace bitloom
