// `sim --level tlm`.
#pragma once

#include <cstdint>
#include <filesystem>

namespace bitloom::cli {

/// Runs the transaction-level model of a design, prints what it says and writes DESIGN/sim-tlm.json. Throws Error for a deadlock.
void simulate_system(const std::filesystem::path& folder, std::int64_t images, bool every_image, bool json);

}  // namespace bitloom::cli
