// bitloom sim on a system of several chips.
#pragma once

#include <filesystem>
#include <string>

#include "chips/chips.hpp"
#include "cli/common.hpp"

namespace bitloom::cli {

/// Runs the Verilated chips of the system in `folder`, writes FOLDER/sim.json (sim-stalled.json with stalls or disturbed links), prints
/// what was found; `out` and `expect` as for one chip. Throws ComparisonFailed when any value differs from golden.
void simulate_chips(const std::filesystem::path& folder, const DataOptions& data, ChipsOptions options, bool quick, const std::string& out,
                    const std::string& expect, bool json);

}  // namespace bitloom::cli
