#include "cli/sim_system.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/common.hpp"
#include "core/files.hpp"
#include "emit/design.hpp"
#include "system/system.hpp"

namespace bitloom::cli {
namespace {

nlohmann::json to_json(const nlohmann::json& design, const SystemResult& result) {
  nlohmann::json report = {{"model", design.at("name")},
                           {"board", design.at("board")},
                           {"level", "tlm"},
                           {"images", result.images},
                           {"simulated_images", result.simulated},
                           {"steady_after", result.steady_after},
                           {"clocks_per_image", result.clocks_per_image > 0 ? nlohmann::json(result.clocks_per_image) : nlohmann::json()},
                           {"predicted_clocks_per_image", design.at("predicted_clocks_per_image")},
                           {"first_image_latency", result.first_image_latency},
                           {"total_clocks", result.total_clocks},
                           {"bottleneck", result.bottleneck},
                           {"bottleneck_share", result.bottleneck_share},
                           {"failure", result.failure},
                           {"layers", nlohmann::json::array()},
                           {"fifos", nlohmann::json::array()},
                           {"beats", result.beats},
                           {"run_seconds", result.seconds}};
  for (const SystemLayer& layer : result.layers)
    report["layers"].push_back({{"name", layer.name}, {"busy", layer.busy}, {"starved", layer.starved}, {"stalled", layer.stalled}});
  for (const SystemFifo& fifo : result.fifos) report["fifos"].push_back({{"name", fifo.name}, {"depth", fifo.depth}, {"most", fifo.most}});
  return report;
}

void print(const nlohmann::json& design, const SystemResult& result) {
  fmt::print("first image after {} clocks", thousands(static_cast<double>(result.first_image_latency)));
  if (result.clocks_per_image > 0)
    fmt::print(", then one every {:.1f} ({} predicted)", result.clocks_per_image,
               design.at("predicted_clocks_per_image").get<std::int64_t>());
  fmt::print("; bottleneck {} ({:.1f} % of the clocks)\n", result.bottleneck, 100 * result.bottleneck_share);
  fmt::print("{} images{}: {} clocks, {} beats in {:.3f} s\n", result.images,
             result.steady_after > 0 ? fmt::format(" ({} simulated, all alike after {})", result.simulated, result.steady_after) : "",
             thousands(static_cast<double>(result.total_clocks)), thousands(static_cast<double>(result.beats)), result.seconds);
  fmt::print("{:<24} {:>8} {:>9} {:>9}\n", "layer", "busy", "starved", "stalled");
  for (const SystemLayer& layer : result.layers) {
    const auto all = static_cast<double>(std::max<std::int64_t>(1, layer.busy + layer.starved + layer.stalled));
    const auto share = [&](std::int64_t clocks) { return 100.0 * static_cast<double>(clocks) / all; };
    fmt::print("{:<24} {:>7.1f}% {:>8.1f}% {:>8.1f}%\n", layer.name, share(layer.busy), share(layer.starved), share(layer.stalled));
  }
  if (!result.fifos.empty()) fmt::print("{:<24} {:>8} {:>9}\n", "FIFO", "depth", "most");
  for (const SystemFifo& fifo : result.fifos) fmt::print("{:<24} {:>8} {:>9}\n", fifo.name, fifo.depth, fifo.most);
}

}  // namespace

void simulate_system(const std::filesystem::path& folder, std::int64_t images, bool every_image, bool json) {
  const nlohmann::json design = is_system(folder) ? read_system(folder) : read_design(folder);  // of several chips: all of them, links included
  System system(design);
  SystemOptions options;
  options.images = images;
  options.extrapolate = !every_image;
  const SystemResult result = system.run(options);
  const nlohmann::json report = to_json(design, result);
  write_file_atomically(folder / "sim-tlm.json", report.dump(2) + "\n");
  if (json)
    fmt::print("{}\n", report.dump(2));
  else if (result.failure.empty())
    print(design, result);
  if (!result.failure.empty()) throw Error(folder.string(), result.failure);
}

}  // namespace bitloom::cli
