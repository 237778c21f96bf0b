#include "sim/simulate.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "cli/commands.hpp"
#include "cli/common.hpp"
#include "cli/sim_chips.hpp"
#include "cli/sim_system.hpp"
#include "cli/simulated.hpp"
#include "core/files.hpp"
#include "core/process.hpp"
#include "emit/design.hpp"
#include "flow/netlist.hpp"
#include "golden/golden.hpp"
#include "sim/quick.hpp"

namespace bitloom::cli {
namespace {

constexpr std::int64_t kSystemImages = 20;  // with --level tlm, unless --images says otherwise

struct Sim {
  std::string design, trace, out, expect, netlist, level = "rtl";
  DataOptions data;
  double stall = 0;
  ChipsOptions chips;  // of links, for a system of several chips
  unsigned seed = 1;
  bool json = false, quick = false, every_image = false;

  void operator()() const {
    if (level == "tlm") {
      if (stall > 0 || !trace.empty() || !out.empty() || !expect.empty() || !netlist.empty())
        throw Error("--level tlm", "carries no data and no pauses: --stall, --trace, --out, --expect and --netlist are for --level rtl");
      return simulate_system(design, data.images > 0 ? data.images : kSystemImages, every_image, json);
    }
    if (data.data.empty()) throw Error("--data", "is missing: --level rtl compares every value with golden; name a data set, digits say");
    if (is_system(design)) {
      if (!trace.empty() || !netlist.empty()) throw Error(design, "is a system of several chips: --trace and --netlist are for one");
      ChipsOptions options = chips;
      options.stall = stall;
      options.seed = seed;
      return simulate_chips(design, data, std::move(options), quick, out, expect, json);
    }
    if (chips.noise > 0 || chips.loss > 0 || chips.hold > 0) throw Error(design, "is one chip and has no links; compile with --devices");
    const nlohmann::json description = read_design(design);
    const std::filesystem::path folder(design);
    const auto [graph, network, inputs] = design_model(folder, description);
    const Dataset set = data.load(inputs);
    const std::vector<MapData> images = network_images(network, set);

    const Golden golden(network);
    SimulationOptions options;
    options.stall = stall;
    options.seed = seed;
    options.trace = trace;
    if (quick) {
      options.quick = folder / "build" / "runtime";
      prepare_quick_runtime(options.quick);
    }
    SimulationResult result;
    {
      Progress progress("simulating");
      options.progress = [&](std::int64_t done, std::int64_t total) { progress(done, total); };
      result = simulate(
          netlist.empty() ? folder : netlist_design(folder, netlist), network, images,
          [&](const MapData& image) { return golden.run(image); }, options);
    }

    std::vector<OutputValues> outputs(network.outputs.size());
    std::int64_t right = 0, complete = 0;
    for (const std::vector<MapData>& maps : result.outputs) {
      const bool whole =
          maps.size() == network.outputs.size() && static_cast<std::int64_t>(maps.back().values.size()) == maps.back().shape.size();
      if (!whole) break;
      for (std::size_t o = 0; o < maps.size(); ++o) outputs[o].push_back(real_output(network.outputs[o], maps[o]));
      right += set.labels && predicted_class(outputs[0].back()) == (*set.labels)[static_cast<std::size_t>(complete)] ? 1 : 0;
      ++complete;
    }
    const nlohmann::json report = to_json(description, result, set, right);
    // A stalled run says nothing of clocks per image: it has a file of its own.
    const std::string kind = !netlist.empty() ? "-" + netlist : stall > 0 ? "-stalled" : "";
    write_file_atomically(folder / ("sim" + kind + ".json"), report.dump(2) + "\n");
    if (!out.empty() && complete == static_cast<std::int64_t>(images.size())) write_outputs(out, network, outputs);
    if (json)
      fmt::print("{}\n", report.dump(2));
    else
      print(description, result, set, right);
    require_bit_exact(design, description, result);
    if (!expect.empty()) compare_outputs(expect, network, outputs);
  }

  nlohmann::json to_json(const nlohmann::json& description, const SimulationResult& result, const Dataset& set, std::int64_t right) const {
    nlohmann::json report = {
        {"model", description.at("name")},
        {"board", description.at("board")},
        {"images", result.images},
        {"bit_exact", result.bit_exact},
        {"accuracy", set.labels ? nlohmann::json(static_cast<double>(right) / static_cast<double>(result.images)) : nlohmann::json()},
        {"clocks_per_image", stall > 0 || result.clocks_per_image <= 0 ? nlohmann::json() : nlohmann::json(result.clocks_per_image)},
        {"predicted_clocks_per_image", description.at("predicted_clocks_per_image")},
        {"first_image_latency", result.first_image_latency},
        {"total_clocks", result.total_clocks},
        {"span_clocks", result.span_clocks},
        {"stall_probability", stall},
        {"seed", seed},
        {"run_seconds", result.run_seconds},
        {"failure", result.failure},
        {"netlist", netlist.empty() ? nlohmann::json() : nlohmann::json(netlist)},
        {"layers", nlohmann::json::array()},
        {"boundaries", nlohmann::json::array()},
        {"tool", tool_version("verilator")}};
    for (const LayerActivity& layer : result.layers)
      report["layers"].push_back({{"name", layer.name}, {"busy", layer.busy}, {"starved", layer.starved}, {"stalled", layer.stalled}});
    for (const BoundaryResult& boundary : result.boundaries)
      report["boundaries"].push_back({{"map", boundary.map}, {"compared", boundary.compared}, {"mismatches", boundary.mismatches}});
    return report;
  }

  void print(const nlohmann::json& description, const SimulationResult& result, const Dataset& set, std::int64_t right) const {
    std::int64_t compared = 0;
    for (const BoundaryResult& boundary : result.boundaries) compared += boundary.compared;
    fmt::print("{} images{}, {} values at {} layer boundaries compared with golden: {}\n", result.images,
               netlist.empty() ? "" : " through the " + netlist + " netlist", thousands(static_cast<double>(compared)),
               result.boundaries.size(), result.bit_exact ? "all equal" : "DIFFERENT");
    if (set.labels) fmt::print("{:.2f} % right\n", 100 * static_cast<double>(right) / static_cast<double>(result.images));
    fmt::print("first image after {} clocks", thousands(static_cast<double>(result.first_image_latency)));
    if (stall <= 0 && result.clocks_per_image > 0)
      fmt::print(", then one every {:.1f} ({} predicted)", result.clocks_per_image,
                 description.at("predicted_clocks_per_image").get<std::int64_t>());
    fmt::print("; {} clocks in {:.1f} s, seed {}\n", thousands(static_cast<double>(result.total_clocks)), result.seconds, seed);
    if (result.span_clocks > 0) {
      fmt::print("{:<16} {:>8} {:>9} {:>9}   (share of {} clocks in steady state)\n", "layer", "busy", "starved", "stalled",
                 thousands(static_cast<double>(result.span_clocks)));
      const auto share = [&](std::int64_t clocks) { return 100.0 * static_cast<double>(clocks) / static_cast<double>(result.span_clocks); };
      for (const LayerActivity& layer : result.layers)
        fmt::print("{:<16} {:>7.1f}% {:>8.1f}% {:>8.1f}%\n", layer.name, share(layer.busy), share(layer.starved), share(layer.stalled));
    }
    if (!trace.empty()) fmt::print("trace: {}\n", trace);
  }
};

}  // namespace

void add_sim(CLI::App& program) {
  auto sim = std::make_shared<Sim>();
  CLI::App* app = program.add_subcommand("sim", "cycle-accurate RTL simulation, compared bit by bit with golden; or a fast model of its clocks");
  app->footer(
      "Example: bitloom sim digits --data digits --images 20 --stall 0.3 --seed 7\n"
      "The result is also written to DESIGN/sim.json (sim-stalled.json with --stall,\nsim-synthesized.json and sim-placed.json with "
      "--netlist, sim-tlm.json with --level tlm).");
  app->add_option("DESIGN", sim->design, "a folder made by bitloom compile; several chips: the one with system.json")->required();
  app->add_option("--level", sim->level,
                  "rtl: every clock of the emitted RTL, every value compared; tlm: a transaction-level model of its timing, without data")
      ->check(CLI::IsMember({"rtl", "tlm"}))
      ->capture_default_str();
  sim->data.add_to(*app, false);
  app->add_option("--stall", sim->stall, "probability that source or sink pauses in a clock")->capture_default_str();
  app->add_option("--link-noise", sim->chips.noise, "several chips: probability that a frame on a link, or a report of its arrival, is damaged")
      ->capture_default_str();
  app->add_option("--link-loss", sim->chips.loss, "... or does not come at all")->capture_default_str();
  app->add_option("--link-stall", sim->chips.hold, "... or is held up by up to 100 clocks")->capture_default_str();
  app->add_option("--seed", sim->seed, "of stalls and of the model's initial state")->capture_default_str();
  app->add_option("--netlist", sim->netlist, "run a netlist of bitloom synth instead of the RTL: synthesized or placed")
      ->check(CLI::IsMember(std::vector<std::string>(std::begin(kNetlists), std::end(kNetlists))));
  app->add_option("--trace", sim->trace, "write an FST waveform");
  app->add_option("--out", sim->out, "write the outputs: all, by name, to a file called .npz; a single one as NPY otherwise");
  app->add_option("--expect", sim->expect, "compare the outputs with FILE.npy, FILE.npz (by name or position) or FILE.npz:KEY");
  app->add_flag("--quick", sim->quick, "build the model without optimization: sooner done for a few thousand clocks");
  app->add_flag("--every-image", sim->every_image, "tlm: simulate all images, also when every stream repeats itself from image to image");
  app->add_flag("--json", sim->json, "print JSON");
  app->callback([sim] { (*sim)(); });
}

}  // namespace bitloom::cli
