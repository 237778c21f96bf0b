// Several chips at once: every core Verilated by itself, and the wires between them, as SystemC modules. Every feature map on every chip,
// and what comes back to the host, is compared with golden.
#pragma once

#include <filesystem>
#include <functional>
#include <vector>

#include "sim/simulate.hpp"

namespace bitloom {

struct ChipsOptions {
  double stall = 0;   ///< probability that the source withholds, or the sink refuses, a beat in a clock
  double noise = 0;   ///< probability that a frame on a link, or a report, is damaged
  double loss = 0;    ///< ... or does not come at all
  double hold = 0;    ///< ... or is held up, by up to 100 clocks
  unsigned seed = 1;  ///< of all these and of the models' initial state
  std::filesystem::path quick;                                          ///< as in SimulationOptions
  std::function<void(std::int64_t done, std::int64_t total)> progress;  ///< called now and then; may be empty
};

/// What happened on one bundle of wires.
struct LineTraffic {
  std::string name;  ///< of the link; its reports go the other way
  bool reports = false;
  std::int64_t frames = 0, damaged = 0, lost = 0, held = 0;
};

struct ChipsResult {
  SimulationResult system;  ///< of all chips; without layers' activity
  std::vector<LineTraffic> lines;
};

/// Builds (once per chip) and runs the system in `folder`. Once in a process: SystemC cannot begin anew.
ChipsResult simulate_chips(const std::filesystem::path& folder, const Network& network, const std::vector<MapData>& images,
                           const std::function<std::vector<MapData>(const MapData&)>& golden, const ChipsOptions& options);

}  // namespace bitloom
