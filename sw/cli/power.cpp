#include "power/estimate.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "cli/commands.hpp"
#include "cli/common.hpp"
#include "cli/simulated.hpp"
#include "core/files.hpp"
#include "core/process.hpp"
#include "emit/design.hpp"
#include "flow/netlist.hpp"
#include "golden/golden.hpp"

namespace bitloom::cli {
namespace {

struct Power {
  std::string design, netlist = "placed", nets;
  DataOptions data{.data = "", .images = 20, .offset = 0};
  double clock = 0;
  unsigned seed = 1;
  bool json = false;

  void operator()() const {
    const std::filesystem::path folder(design);
    const nlohmann::json description = read_design(design);
    const Board board = load_board(description.at("board").get<std::string>());
    const PowerCoefficients coefficients = load_power_coefficients(board);
    const NetlistPoints points = read_netlist_points(folder, board.name, netlist);
    if (clock < 0) throw Error("--clock", fmt::format("{} MHz given; a positive number expected", clock));
    const SimulationResult run = simulate_netlist(folder, description);
    require_bit_exact(design, description, run);

    PowerConditions conditions;
    conditions.clock_mhz = clock > 0 ? clock : board.clock_mhz;
    conditions.pll = conditions.clock_mhz != board.oscillator_mhz;
    for (const auto& layer : description.at("layers")) conditions.layers.push_back(layer.at("name"));
    conditions.bit_operations = executed_bit_operations(description);
    const PowerEstimate estimate = estimate_power(points, run.switching, coefficients, conditions);

    nlohmann::json report = to_json(estimate);
    report.update({{"model", description.at("name")},
                   {"board", board.name},
                   {"device", board.device},
                   {"clock_mhz", conditions.clock_mhz},
                   {"netlist", netlist},
                   {"images", run.images},
                   {"bit_exact", run.bit_exact},
                   {"counted_images", run.switching.images},
                   {"first_counted_clock", run.switching.first_clock},
                   {"counted_clocks", run.switching.clocks},
                   {"nets", points.nets.size()},
                   {"bit_operations", conditions.bit_operations},
                   {"voltage", coefficients.voltage.value},
                   {"glitch", coefficients.glitch.value},
                   {"sources", sources_of(coefficients)},
                   {"tool", tool_version("verilator")}});
    if (!nets.empty()) write_file_atomically(nets, table_of_nets(points, run.switching, conditions.layers));
    write_file_atomically(folder / "power.json", report.dump(2) + "\n");
    if (json)
      fmt::print("{}\n", report.dump(2));
    else
      print(estimate, run, points, conditions);
  }

  SimulationResult simulate_netlist(const std::filesystem::path& folder, const nlohmann::json& description) const {
    const auto [graph, network, inputs] = design_model(folder, description);
    const std::vector<MapData> images = network_images(network, data.load(inputs));
    const Golden golden(network);
    SimulationOptions options;
    options.seed = seed;
    options.count = true;
    Progress progress("counting");
    options.progress = [&](std::int64_t done, std::int64_t total) { progress(done, total); };
    return simulate(
        netlist_design(folder, netlist), network, images, [&](const MapData& image) { return golden.run(image); }, options);
  }

  /// A line for each net: what bitloom_core calls it, its name in the netlist, and what it does.
  static std::string table_of_nets(const NetlistPoints& points, const SwitchingActivity& activity, std::vector<std::string> layers) {
    layers.emplace_back("");
    std::string text = "net,driver,layer,fanout,toggles,name\n";
    for (std::size_t i = 0; i < points.nets.size(); ++i) {
      const CountedNet& net = points.nets[i];
      text += fmt::format("{},{},{},{},{},\"{}\"\n", net.signal, name_of(net.driver), layers[static_cast<std::size_t>(net.layer)],
                          net.fanout, activity.toggles[i], net.name);
    }
    return text;
  }

  void print(const PowerEstimate& estimate, const SimulationResult& run, const NetlistPoints& points,
             const PowerConditions& conditions) const {
    fmt::print("{} images through the {} netlist, equal to golden; {} nets counted over {} clocks of {} images\n", run.images, netlist,
               thousands(static_cast<double>(points.nets.size())), thousands(static_cast<double>(run.switching.clocks)),
               run.switching.images);
    const auto row = [&](const std::string& name, double mw) {
      fmt::print("{:<24} {:>9.3f} mW {:>6.1f} %\n", name, mw, 100 * mw / estimate.total_mw);
    };
    fmt::print("\n");
    for (const LayerPower& layer : estimate.layers) row(layer.name, layer.mw);
    fmt::print("\n");
    for (const KindPower& kind : estimate.kinds) row(kind.kind, kind.mw);
    fmt::print(
        "\nestimate: {:.2f} mW of the core's supply at {} MHz, within {:.0f} % if all coefficients err in one direction (docs/power.md)\n",
        estimate.total_mw, conditions.clock_mhz, 100 * estimate.uncertainty);
    fmt::print("{} images per second: {:.0f} nJ per inference", thousands(estimate.frames_per_second), estimate.nj_per_inference);
    if (estimate.fj_per_bit_operation > 0)
      fmt::print(", {:.0f} fJ for each of its {} bit operations", estimate.fj_per_bit_operation, thousands(conditions.bit_operations));
    fmt::print("\n");
  }
};

}  // namespace

void add_power(CLI::App& program) {
  auto power = std::make_shared<Power>();
  CLI::App* app = program.add_subcommand("power", "an estimate of power: every net's toggles on real images, by layer and kind");
  app->footer(
      "Example: bitloom power digits --data digits --images 20 --clock 20\n"
      "DESIGN must have been synthesized (bitloom synth). The result is also written to\nDESIGN/power.json. What the numbers rest on is in "
      "docs/power.md.");
  app->add_option("DESIGN", power->design, "a folder made by bitloom compile")->required();
  power->data.add_to(*app);
  app->get_option("--images")->description("how many images")->capture_default_str();
  app->add_option("--netlist", power->netlist, "what is counted: synthesized or placed")
      ->capture_default_str()
      ->check(CLI::IsMember(std::vector<std::string>(std::begin(kNetlists), std::end(kNetlists))));
  app->add_option("--clock", power->clock, "clock in MHz (default: the board's)");
  app->add_option("--seed", power->seed, "of the model's initial state")->capture_default_str();
  app->add_option("--nets", power->nets, "write a table of all nets, CSV");
  app->add_flag("--json", power->json, "print JSON");
  app->callback([power] { (*power)(); });
}

}  // namespace bitloom::cli
