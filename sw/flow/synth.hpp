// Synthesis, place and route of a design folder with the open tools: Yosys, nextpnr, icepack or ecppack.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace bitloom {

struct SynthOptions {
  std::string tool;        ///< "open" (Yosys and nextpnr); empty: the board's
  std::uint32_t seed = 1;  ///< nextpnr's
  int seeds = 1;           ///< placements, of as many seeds from `seed` on; the fastest is kept
  int jobs = 1;            ///< threads of nextpnr
  std::string router;      ///< nextpnr's; empty: its default
  double frequency =
      0;  ///< target in MHz; 0: the board's clock. A routed clock below the board's is an error, below a higher target is not
  bool patchable = false;  ///< weights and thresholds in cells that `bitloom patch` can rewrite (sw/flow/patch.hpp)
  bool alone = false;      ///< bitloom_core alone, without link and pins: no bitstream, and no clock that it must reach
  bool keep = false;       ///< keep the intermediate netlists (large); logs are always kept
  std::function<void(int step, int steps, const std::string& what)> progress = {};  ///< called as each step begins; may be empty
};

/// What a part of the design takes after place and route, in the device's own cells.
struct CellUse {
  int lut4 = 0;  ///< ICESTORM_LC, or TRELLIS_COMB (a logic cell used for anything: LUT, carry, or a register alone on iCE40)
  int ff = 0;
  int bram = 0;
  int dsp = 0;
  int spram = 0;
  CellUse& operator+=(const CellUse& other);
  bool operator==(const CellUse&) const = default;
};

struct LayerUse {
  std::string name;  ///< of design.json's layers or instances, or "link and board" for everything outside them
  CellUse use;
  bool operator==(const LayerUse&) const = default;
};

struct SynthResult {
  std::string design, board, device;
  std::map<std::string, std::string> tools;  ///< program -> version
  std::uint32_t seed = 1;
  double target_mhz = 0;  ///< given to nextpnr
  double fmax_mhz = 0;    ///< of the clock, after routing
  std::map<std::string, double> fmax_by_seed;  ///< of every placement; `seed` is the fastest
  double clock_mhz = 0;   ///< that the board runs at
  CellUse used, available;
  std::vector<LayerUse> layers;            ///< adds up to `used`; "link and board" comes last
  std::vector<LayerUse> instances;         ///< the same, by instance: a layer's width adapters, padding, array and FIFO apart
  std::map<std::string, int> yosys_cells;  ///< cell type -> count after synthesis, before packing
  std::filesystem::path bitstream;         ///< relative to the design folder
  std::uint64_t bitstream_bytes = 0;
  double seconds = 0;  ///< wall time of all tools
};

nlohmann::json to_json(const SynthResult& result);
/// Throws Error(where, ...) naming the field that is missing or of the wrong type.
SynthResult synth_result_from_json(const nlohmann::json& json, const std::string& where);

/// Builds DESIGN/build/synth/<board>/{yosys.log, nextpnr.log, pack.log, design.bin or design.bit, synth.json}, `alone` in build/alone/<board>; synth.json
/// is written last.
/// Throws Error when a tool is missing or fails (naming the log and its last lines), when the design does not fit (resource, needed,
/// available), when the routed clock is below the board's, or when logic of a layer with weights was swept away.
SynthResult synthesize(const std::filesystem::path& design_folder, const SynthOptions& options = {});

/// What Yosys alone makes of bitloom_core, without link and board: seconds instead of minutes, and no need to fit.
struct SynthEstimate {
  std::string design, board, device;
  std::string yosys;                       ///< its version
  CellUse used;                            ///< see mapped_cell_use
  std::vector<LayerUse> layers;            ///< sums of `instances`
  std::vector<LayerUse> instances;         ///< see packed_by_instance
  std::map<std::string, int> yosys_cells;  ///< cell type -> count
  double seconds = 0;
};
nlohmann::json to_json(const SynthEstimate& estimate);

/// Writes DESIGN/build/synth/<board>/{estimate.ys, estimate.log, estimate.json}. Throws Error when Yosys is missing or fails, or when the
/// board's family has no open place and route to compare with.
SynthEstimate estimate_synthesis(const std::filesystem::path& design_folder);

/// What one cell of Yosys takes after packing, as cell_use counts it: a LUT4 each; a CCU2C two, a TRELLIS_DPR16X4 four and two at its write
/// port. Packing also uses logic cells for registers and carries alone (iCE40), see packed_by_instance, and as feed-throughs, which cannot be known before.
CellUse mapped_cell_use(const std::string& type);

}  // namespace bitloom
