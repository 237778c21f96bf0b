// What the commands that simulate a design share.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/network.hpp"
#include "data/dataset.hpp"
#include "sim/simulate.hpp"

namespace bitloom::cli {

/// All images of the data set as the hardware receives them.
std::vector<MapData> network_images(const Network& network, const Dataset& set);

/// Says on stderr why the run of `design` (described by design.json) stopped and at which layer it first differs from golden, and throws
/// ComparisonFailed; nothing when every bit was right.
void require_bit_exact(const std::string& design, const nlohmann::json& description, const SimulationResult& result);

}  // namespace bitloom::cli
