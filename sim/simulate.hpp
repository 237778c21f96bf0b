// Cycle-accurate simulation of an emitted design: images are streamed in back to back, and every feature map that leaves a stage is
// compared with the golden model's, value by value.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/network.hpp"

namespace bitloom {

struct SimulationOptions {
  double stall = 0.0;           ///< probability that the source withholds, or the sink refuses, a beat in a clock
  unsigned seed = 1;            ///< of stalls and of the model's initial state
  std::filesystem::path trace;  ///< FST file; empty for none
  std::filesystem::path quick;  ///< a prepared runtime (sim/quick.hpp): the model is built quickly and runs slowly; empty for the other way
  bool count = false;           ///< count what every net of a netlist does (SwitchingActivity); needs a design of netlist_design
  std::function<void(std::int64_t done, std::int64_t total)> progress;  ///< called now and then; may be empty
};

/// The first value of a boundary that differs from golden.
struct Difference {
  std::string map;
  std::int64_t image = 0;
  int y = 0, x = 0, channel = 0;
  std::int64_t expected = 0, found = 0;
  std::string to_string() const;
};

struct BoundaryResult {
  std::string map;
  std::int64_t compared = 0, mismatches = 0;
  std::optional<Difference> first;
};

/// Clocks of a compute layer in the steady-state span: a word executed, waiting for input, waiting for room at the output, or neither
/// (nothing to do is counted as starved).
struct LayerActivity {
  std::string name;
  std::int64_t busy = 0, starved = 0, stalled = 0;
};

/// What the nets did between the ends of two images in steady state, sampled once a clock when all is settled: no glitches.
struct SwitchingActivity {
  std::int64_t first_clock = 0;         ///< the first sampled clock, counted from the end of the reset
  std::int64_t clocks = 0, images = 0;  ///< of the window; 0 when the run was too short for one
  std::vector<std::uint64_t> toggles;   ///< for each bit of the port `toggles`: how often it differs from the clock before
  std::vector<std::uint64_t> accesses;  ///< for each bit of the port `accesses`: in how many clocks it is 1
};

struct SimulationResult {
  std::int64_t images = 0;
  bool bit_exact = false;
  std::int64_t total_clocks = 0;
  std::int64_t first_image_latency = 0;  ///< from the first input beat to the last output beat of image 0, in clocks
  double clocks_per_image = 0;           ///< mean interval between results in the steady-state span; 0 with fewer than 3 images
  std::int64_t span_clocks = 0;          ///< the steady-state span
  std::vector<BoundaryResult> boundaries;
  std::vector<LayerActivity> layers;
  SwitchingActivity switching;                ///< with SimulationOptions::count
  std::vector<std::vector<MapData>> outputs;  ///< per image, as the hardware gave it: a map for each output of the network
  double seconds = 0, run_seconds = 0;  ///< in all, and without building the model
  std::string failure;  ///< why the run was stopped (no progress, a wrong `last`); empty when it completed
};

/// Builds (once per design, Verilator and g++) and runs the model. `golden` returns every map of image i; called in order, once per image.
/// Throws Error when a tool is missing or the design does not build.
SimulationResult simulate(const std::filesystem::path& design_folder, const Network& network, const std::vector<MapData>& images,
                          const std::function<std::vector<MapData>(const MapData&)>& golden, const SimulationOptions& options);

}  // namespace bitloom
