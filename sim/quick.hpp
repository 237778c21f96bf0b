// Simulation models that are made in about a second and run slowly: for thousands of small designs.
#pragma once

#include <filesystem>

namespace bitloom {

/// Compiles, once, what all quick models share into `folder`: Verilator's runtime and its precompiled header. Safe to call from several
/// processes at once. Throws Error when Verilator or the compiler is missing or fails.
void prepare_quick_runtime(const std::filesystem::path& folder);

/// As build_model, but in one unoptimized compilation against the runtime in `runtime`, which must be prepared.
std::filesystem::path build_quick_model(const std::filesystem::path& design_folder, const std::filesystem::path& runtime);

}  // namespace bitloom
