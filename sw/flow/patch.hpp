// Other weights in a placed design, without place and route.
//
// `bitloom synth --patchable` builds every weight and threshold ROM of device cells (sw/flow/patchable/rom_<family>.sv): block RAMs, or one
// LUT for each 16 words of a bit. What is placed holds no weights but pilots: contents that tell one cell from another and, in a LUT, one
// input from another. The weights, the first ones too, are then written over the pilots in the textual bitstream (.asc, .config). So a cell
// is where nextpnr says it is only if its pilot is found there, and a LUT's inputs may be permuted by the router: the pilot shows how.
#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "flow/boards.hpp"

namespace bitloom {

/// The words of a ROM, bit 0 first.
using RomWords = std::vector<std::vector<bool>>;
/// Reads a $readmemh image as the compiler writes it.
RomWords read_rom(const std::filesystem::path& file);

/// One cell of a ROM.
struct RomCell {
  std::string cell;  ///< its name in the netlist
  std::string type;  ///< SB_LUT4, SB_RAM40_4K, LUT4 or DP16KD
  std::string rom;   ///< the image, "mem/conv1_weights.mem"
  int row = 0, column = 0;
  int bits = 1;        ///< of a word, that the cell holds
  std::string placed;  ///< its name after packing
  std::string bel;     ///< where it is placed, "X14/Y5/lc3"
  bool is_lut() const { return type == "SB_LUT4" || type == "LUT4"; }
};

/// The ROM cells of the synthesized netlist (a module of Yosys' JSON), by their attribute bitloom_rom.
std::vector<RomCell> rom_cells(const nlohmann::json& module);
/// Sets `placed` and `bel` from nextpnr's netlist. Throws Error for a cell that is not there.
void locate(std::vector<RomCell>& cells, const nlohmann::json& placed);

/// The cell's content for the ROM's words, bit by bit as the device numbers them: 16, 4096 or 18432 bits.
std::vector<bool> cell_content(const RomCell& cell, const RomWords& words);
/// What is placed instead. `words` gives the depth only.
std::vector<bool> cell_pilot(const RomCell& cell, const RomWords& words);
/// Writes a content into the parameters of the cell, of Yosys' or of nextpnr's netlist.
void set_content(nlohmann::json& cell, const std::vector<bool>& content);

/// The textual bitstream `config` (.asc of iCE40, .config of ECP5) with `contents` in the places of `pilots`. Throws Error when a pilot is
/// not where its cell is placed.
std::string patch_config(const std::string& family, const std::string& config, const std::vector<RomCell>& cells,
                         const std::vector<std::vector<bool>>& pilots, const std::vector<std::vector<bool>>& contents);

/// What synth keeps for patch in build/synth/<board>/.
inline constexpr const char* kPilotConfig = "pilot.config";  ///< the placed design with pilots, .asc or .config

/// Puts the images of `design_folder`/mem into its placed design: bitstream, netlists for simulation and synth.json. Returns the
/// bitstream's path inside the folder. Throws Error when the design was not placed with --patchable.
std::filesystem::path patch_bitstream(const std::filesystem::path& design_folder);

}  // namespace bitloom
