// What an event in a device costs: constraints/power/<family>.json, each number with its source.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "flow/boards.hpp"

namespace bitloom {

/// A number of the data file. `uncertainty` is relative: 0.4 says that the truth may be 40 % away.
struct Coefficient {
  double value = 0;
  double uncertainty = 0;
  std::string source;
};

/// Capacitances in fF. A net that toggles costs C V^2 / 2; a clock pin in a clock, and an access, C V^2.
struct PowerCoefficients {
  Coefficient lut, carry, ff;  ///< inside the cell, for each toggle of its output
  Coefficient wire, pin;       ///< routing of a net that leaves its cell, and of each pin that it reaches
  Coefficient ff_clock;        ///< clock pin of a flip-flop
  Coefficient ram_clock;       ///< clock pins of a block RAM
  Coefficient ram_read, ram_write;
  Coefficient glitch;  ///< toggles of logic in the device for each one that a simulation without delays sees
  Coefficient pll_ma;  ///< mA from the core's supply, where a PLL makes the clock
  // Of the device
  Coefficient voltage;     ///< V
  Coefficient static_ma;   ///< mA
  Coefficient clock_tree;  ///< the clock network up to the tiles that use it, each clock
};

/// Of the board's device. Throws Error naming the file for a family or device without numbers, and for a field that is missing or wrong.
PowerCoefficients load_power_coefficients(const Board& board);
/// The same from the file's content; `where` names it in errors.
PowerCoefficients power_coefficients_from_json(const nlohmann::json& json, const std::string& device, const std::string& where);

/// "lut: <source>" and so on, for results.
std::vector<std::string> sources_of(const PowerCoefficients& coefficients);

}  // namespace bitloom
