// One random network through the whole chain: import, lowering, both golden models, the float executor, plan, emitted design, RTL.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "core/network.hpp"
#include "random/generator.hpp"
#include "sim/simulate.hpp"

namespace bitloom::test {

struct CheckOptions {
  bool rtl = true;
  int images = 16;                ///< fewer say less of the clocks per image: filling and draining count
  std::filesystem::path folder;   ///< for the design; emptied
  std::filesystem::path runtime;  ///< prepared by prepare_quick_runtime; needed with rtl
  /// Planted faults, for tests of the tests: in the lowered network, in the emitted design (false: it has nothing to damage).
  std::function<void(Network&)> damage_network;
  std::function<bool(const std::filesystem::path&)> damage_design;
  /// Sees the design's folder and its simulation without stalls; throws Error for what is wrong with them.
  std::function<void(const std::filesystem::path&, const SimulationResult&)> observe;
};

/// The schedule's prediction is that of the slowest stage by itself. Stages of nearly its pace whose input or output comes in bursts
/// (padding above all) can slow each other down; beyond these factors it is a failure.
constexpr double kFastest = 0.97, kSlowest = 1.5;

struct CheckResult {
  enum class Outcome { Passed, Refused, Failed };
  Outcome outcome = Outcome::Passed;
  std::string stage;  ///< import, lower, golden, packed, float, plan, emit, build, free, clocks or stalled: where it ended; "" when passed
  std::string message;  ///< what was said there
  std::string kind;     ///< the message without names and numbers: the same for failures of one cause
  int ties = 0;         ///< images that the float executor gives otherwise, proven to be ties within float32 rounding
  bool simulated = false;
  double clocks_ratio = 0;  ///< clocks per image simulated, of those predicted
  std::string layers;       ///< kinds in the network, such as "convolution threshold add"
  double build_seconds = 0, simulation_seconds = 0, seconds = 0;

  bool same_way_as(const CheckResult& other) const { return outcome == other.outcome && stage == other.stage && kind == other.kind; }
};

/// Never throws for what the chain under test does.
CheckResult check_case(const Spec& spec, const CheckOptions& options);

/// A message without names and numbers.
std::string kind_of(const std::string& message);

}  // namespace bitloom::test
