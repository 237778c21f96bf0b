#include "cli/simulated.hpp"

#include <fmt/format.h>

#include "cli/common.hpp"

namespace bitloom::cli {
namespace {

std::string layer_of(const nlohmann::json& description, const std::string& map) {
  for (const auto& boundary : description.at("boundaries"))
    if (boundary.at("map").get<std::string>() == map) return boundary.at("layer");
  return map;
}

}  // namespace

std::vector<MapData> network_images(const Network& network, const Dataset& set) {
  std::vector<MapData> images;
  for (std::int64_t i = 0; i < set.count; ++i) images.push_back(network_image(network, set, i));
  return images;
}

void require_bit_exact(const std::string& design, const nlohmann::json& description, const SimulationResult& result) {
  if (!result.failure.empty()) fmt::print(stderr, "bitloom: {}: {}\n", design, result.failure);
  for (const BoundaryResult& boundary : result.boundaries)
    if (boundary.first)
      fmt::print(stderr, "bitloom: {}: layer {} differs from golden: {}\n", design, layer_of(description, boundary.map),
                 boundary.first->to_string());
  if (!result.bit_exact) throw ComparisonFailed{};
}

}  // namespace bitloom::cli
