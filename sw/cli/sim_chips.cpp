#include "cli/sim_chips.hpp"

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/simulated.hpp"
#include "core/files.hpp"
#include "core/process.hpp"
#include "emit/design.hpp"
#include "golden/golden.hpp"
#include "sim/quick.hpp"

namespace bitloom::cli {
namespace {

nlohmann::json to_json(const nlohmann::json& system, const ChipsResult& result, const ChipsOptions& options, const Dataset& set,
                       std::int64_t right) {
  const SimulationResult& run = result.system;
  const bool disturbed = options.stall > 0 || options.noise > 0 || options.loss > 0 || options.hold > 0;
  nlohmann::json report = {
      {"model", system.at("name")},
      {"board", system.at("board")},
      {"devices", system.at("chips").size()},
      {"images", run.images},
      {"bit_exact", run.bit_exact},
      {"accuracy", set.labels ? nlohmann::json(static_cast<double>(right) / static_cast<double>(run.images)) : nlohmann::json()},
      {"clocks_per_image", disturbed || run.clocks_per_image <= 0 ? nlohmann::json() : nlohmann::json(run.clocks_per_image)},
      {"disturbed_clocks_per_image", disturbed && run.clocks_per_image > 0 ? nlohmann::json(run.clocks_per_image) : nlohmann::json()},
      {"predicted_clocks_per_image", system.at("predicted_clocks_per_image")},
      {"first_image_latency", run.first_image_latency},
      {"total_clocks", run.total_clocks},
      {"stall_probability", options.stall},
      {"link_noise", options.noise},
      {"link_loss", options.loss},
      {"link_stall", options.hold},
      {"seed", options.seed},
      {"run_seconds", run.run_seconds},
      {"failure", run.failure},
      {"links", nlohmann::json::array()},
      {"boundaries", nlohmann::json::array()},
      {"tool", tool_version("verilator")}};
  for (const LineTraffic& line : result.lines)
    report["links"].push_back({{"name", line.name},
                               {"reports", line.reports},
                               {"frames", line.frames},
                               {"damaged", line.damaged},
                               {"lost", line.lost},
                               {"held", line.held}});
  for (const BoundaryResult& boundary : run.boundaries)
    report["boundaries"].push_back({{"map", boundary.map}, {"compared", boundary.compared}, {"mismatches", boundary.mismatches}});
  return report;
}

void print(const nlohmann::json& system, const ChipsResult& result, const ChipsOptions& options, const Dataset& set, std::int64_t right) {
  const SimulationResult& run = result.system;
  std::int64_t compared = 0;
  for (const BoundaryResult& boundary : run.boundaries) compared += boundary.compared;
  fmt::print("{} images through {} chips, {} values at {} layer boundaries compared with golden: {}\n", run.images, system.at("chips").size(),
             thousands(static_cast<double>(compared)), run.boundaries.size(), run.bit_exact ? "all equal" : "DIFFERENT");
  if (set.labels) fmt::print("{:.2f} % right\n", 100 * static_cast<double>(right) / static_cast<double>(run.images));
  fmt::print("first image after {} clocks", thousands(static_cast<double>(run.first_image_latency)));
  if (run.clocks_per_image > 0)
    fmt::print(", then one every {:.1f} ({} predicted)", run.clocks_per_image, system.at("predicted_clocks_per_image").get<std::int64_t>());
  fmt::print("; {} clocks in {:.1f} s, seed {}\n", thousands(static_cast<double>(run.total_clocks)), run.run_seconds, options.seed);
  fmt::print("{:<16} {:>10} {:>8} {:>8} {:>8}\n", "link", "frames", "damaged", "lost", "held up");
  for (const LineTraffic& line : result.lines)
    fmt::print("{:<16} {:>10} {:>8} {:>8} {:>8}\n", line.name + (line.reports ? " reports" : ""), thousands(static_cast<double>(line.frames)),
               line.damaged, line.lost, line.held);
}

/// Says which map of which layer belongs to a boundary, as design.json of one chip does.
nlohmann::json all_boundaries(const std::filesystem::path& folder, const nlohmann::json& system) {
  nlohmann::json all = {{"boundaries", nlohmann::json::array()}};
  for (const auto& chip : system.at("chips")) {
    const nlohmann::json design = read_design(folder / chip.at("folder").get<std::string>());
    for (const auto& boundary : design.at("boundaries")) all["boundaries"].push_back(boundary);
  }
  return all;
}

}  // namespace

void simulate_chips(const std::filesystem::path& folder, const DataOptions& data, ChipsOptions options, bool quick, const std::string& out,
                    const std::string& expect, bool json) {
  const nlohmann::json system = read_system(folder);
  const auto [graph, network, inputs] = design_model(folder, system);
  const Dataset set = data.load(inputs);
  const std::vector<MapData> images = network_images(network, set);
  const Golden golden(network);
  if (quick) {
    options.quick = folder / "build" / "runtime";
    prepare_quick_runtime(options.quick);
  }
  ChipsResult result;
  {
    Progress progress("simulating");
    options.progress = [&](std::int64_t done, std::int64_t total) { progress(done, total); };
    result = bitloom::simulate_chips(
        folder, network, images, [&](const MapData& image) { return golden.run(image); }, options);
  }
  std::vector<OutputValues> outputs(network.outputs.size());
  std::int64_t right = 0, complete = 0;
  for (const std::vector<MapData>& maps : result.system.outputs) {
    const bool whole =
        maps.size() == network.outputs.size() && static_cast<std::int64_t>(maps.back().values.size()) == maps.back().shape.size();
    if (!whole) break;
    for (std::size_t o = 0; o < maps.size(); ++o) outputs[o].push_back(real_output(network.outputs[o], maps[o]));
    right += set.labels && predicted_class(outputs[0].back()) == (*set.labels)[static_cast<std::size_t>(complete)] ? 1 : 0;
    ++complete;
  }
  const nlohmann::json report = to_json(system, result, options, set, right);
  const bool disturbed = options.stall > 0 || options.noise > 0 || options.loss > 0 || options.hold > 0;
  write_file_atomically(folder / (disturbed ? "sim-stalled.json" : "sim.json"), report.dump(2) + "\n");
  if (!out.empty() && complete == static_cast<std::int64_t>(images.size())) write_outputs(out, network, outputs);
  if (json)
    fmt::print("{}\n", report.dump(2));
  else
    print(system, result, options, set, right);
  require_bit_exact(folder.string(), all_boundaries(folder, system), result.system);
  if (!expect.empty()) compare_outputs(expect, network, outputs);
}

}  // namespace bitloom::cli
