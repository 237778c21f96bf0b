// From what the nets of a design do to what it draws: an estimate, of the core's supply in steady state.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "flow/netlist_points.hpp"
#include "power/coefficients.hpp"
#include "sim/simulate.hpp"

namespace bitloom {

struct PowerConditions {
  double clock_mhz = 0;
  bool pll = false;                 ///< whether a PLL makes that clock
  std::vector<std::string> layers;  ///< their names, by index of NetlistPoints
  double bit_operations = 0;        ///< for each image
};

struct KindPower {
  std::string kind;  ///< "lut", "carry", "ff", "routing", "block RAM", "clock network", "static"
  double mw = 0;
  std::uint64_t toggles = 0;  ///< counted events: toggles without glitches, accesses, clocks; 0 for static
};

struct LayerPower {
  std::string name;
  double mw = 0;
};

struct PowerEstimate {
  double static_mw = 0, dynamic_mw = 0, total_mw = 0;
  double uncertainty = 0;  ///< of the total, relative: the coefficients' own, as if all erred in one direction
  double clocks_per_image = 0, frames_per_second = 0;
  double nj_per_inference = 0, fj_per_bit_operation = 0;  ///< of the total; 0 without bit operations
  std::vector<KindPower> kinds;                           ///< adds up to the total
  std::vector<LayerPower>
      layers;  ///< adds up to the total; the last two are the link and board's, and the chip's (static, clock tree, PLL)
};

/// The row of LayerPower for what a chip draws whatever is in it.
inline constexpr const char* kWholeChip = "static and clock tree";

/// Throws Error when the counts do not belong to the points, or the window holds no image.
PowerEstimate estimate_power(const NetlistPoints& points, const SwitchingActivity& activity, const PowerCoefficients& coefficients,
                             const PowerConditions& conditions);

/// Products of a weight's bit and an activation's that a design executes for an image: the sum of its layers' (docs/architecture.md, 4).
double executed_bit_operations(const nlohmann::json& design);

/// kinds and layers (with "share"), powers and energies, as power.json has them.
nlohmann::json to_json(const PowerEstimate& estimate);

}  // namespace bitloom
