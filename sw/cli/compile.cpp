#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "cli/commands.hpp"
#include "cli/common.hpp"
#include "cli/fifos.hpp"
#include "emit/design.hpp"
#include "flow/board_top.hpp"
#include "flow/boards.hpp"
#include "map/channel_order.hpp"
#include "map/plan.hpp"

namespace bitloom::cli {
namespace {

struct Compile {
  ModelOptions model;
  std::string board, out;
  double fps = 0, fit = 0.7;
  std::int64_t clocks = 0;
  std::vector<std::string> fold;
  int baud = 1'000'000;
  std::string fifos = "counted";
  std::string devices = "1";
  LinkSpec link;
  bool json = false;

  void operator()() const {
    const Board target = load_board(board);
    if (fit <= 0 || fit > 1) throw Error("--fit", fmt::format("{} given; a share of the device from above 0 to 1 expected", fit));
    if (fps < 0 || clocks < 0) throw Error(fps < 0 ? "--fps" : "--clocks", "a positive number expected");
    const Network whole = order_channels(load_model(model.model, model.lowering()).network);
    check_baud(target, baud);
    Budget budget = device_budget(target, fit);
    if (device_count() != 1) budget.loads_weights = false;  // each chip would need a flash of its own
    auto [network, splits, design] = make_system(whole, budget, {fps, clocks, fold_rules(fold)}, {device_count(), link});
    fit_fifos(fifos, network, design, budget);
    const Plan& plan = design.plan;
    DesignOptions options;
    options.board = target.name;
    options.model = model.model;
    const LowerOptions lowering = model.lowering();
    options.scale = lowering.input_scale;
    options.shift = lowering.input_shift;
    options.argmax = lowering.argmax;
    options.input = model.input;
    options.baud = baud;
    options.fps = fps;
    options.clocks = clocks;
    options.fit = fit;
    options.fold = fold;
    if (!plan.chips.empty()) {
      options.devices = static_cast<int>(plan.chips.size());
      options.link = link;
      options.splits = splits;
      return write_chips(network, design, target, budget, options);
    }
    const nlohmann::json description = describe(network, design, options, {});
    const std::filesystem::path folder = out.empty() ? std::filesystem::path(network.name + "-" + target.name) : std::filesystem::path(out);
    write_design(folder, network, design, options, board_top(target, description));
    if (json) {
      fmt::print("{}\n", description.dump(2));
      return;
    }
    fmt::print("{:<16} {:<12} {:>5} {:>6} {:>5} {:>5} {:>6} {:>6} {:>12} {:>10} {:>8}\n", "layer", "kind", "PE", "SIMD", "APAR", "WPAR",
               "pixels", "lanes", "clocks/image", "LUT4 est.", "RAM est.");
    for (const Stage& stage : plan.stages)
      fmt::print("{:<16} {:<12} {:>5} {:>6} {:>5} {:>5} {:>6} {:>6} {:>12} {:>10.0f} {:>8}\n", stage.name,
                 kind_name(network.layers[static_cast<std::size_t>(stage.layer)].op), stage.folding.pe, stage.folding.simd,
                 stage.folding.apar, stage.folding.wpar, stage.folding.pixels, stage.folding.lanes,
                 thousands(static_cast<double>(stage.clocks)), stage.cost.lut4, stage.cost.block_rams);
    for (const Stage& stage : plan.stages)
      if (!stage.choice.empty()) fmt::print("{}: {}\n", stage.name, stage.choice);
    for (const Stage& stage : plan.stages)
      if (stage.weights_loaded) fmt::print("{}: weights in single-port RAM, loaded from the board's flash after reset\n", stage.name);
    fmt::print(
        "{} clocks per image, set by {}: {:.0f} images/s at {}'s {} MHz. {} bit operations executed for an image ({:.4g} by UNIQ, {} by "
        "QONNX).\nEstimated {:.0f} LUT4 of {}, {} block RAMs of {}, {} multipliers of {}{}.\n{}Design: {}\n",
        thousands(static_cast<double>(plan.clocks_per_image)), plan.bottleneck,
        budget.clock_hz / static_cast<double>(plan.clocks_per_image), target.name, target.clock_mhz,
        thousands(description.at("bit_operations").get<double>()), description.at("bops_uniq").get<double>(),
        thousands(description.at("bops_qonnx").get<double>()), plan.cost.lut4, target.lut4, plan.cost.block_rams, target.bram,
        plan.cost.dsps, target.dsp,
        target.spram > 0 ? fmt::format(", {} single-port RAMs of {}", plan.cost.sprams, target.spram) : "", plan.binding.empty() ? "" : fmt::format("Faster does not fit: {}.\n", plan.binding),
        folder.string());
  }

  int device_count() const {
    if (devices == "auto") return 0;
    int count = 0;
    const auto [end, failed] = std::from_chars(devices.data(), devices.data() + devices.size(), count);
    if (failed != std::errc() || end != devices.data() + devices.size() || count < 1)
      throw Error("--devices", fmt::format("'{}' given; a number from 1 on, or auto, expected", devices));
    return count;
  }

  void write_chips(const Network& network, const Design& system, const Board& target, const Budget& budget,
                   const DesignOptions& options) const {
    const std::filesystem::path folder =
        out.empty() ? std::filesystem::path(fmt::format("{}-{}x{}", network.name, system.plan.chips.size(), target.name)) : std::filesystem::path(out);
    write_system(folder, network, system, options, [&](const nlohmann::json& chip) { return board_top(target, chip); });
    if (json)
      fmt::print("{}\n", describe_system(network, system, options).dump(2));
    else
      print_system(system, target, budget, folder);
  }

  static void print_system(const Design& system, const Board& target, const Budget& budget, const std::filesystem::path& folder) {
    const Plan& plan = system.plan;
    fmt::print("{:<7} {:<36} {:>12} {:>10} {:>8} {:>7}\n", "chip", "layers", "clocks/image", "LUT4 est.", "RAM est.", "share");
    for (std::size_t c = 0; c < plan.chips.size(); ++c) {
      const ChipPlan& chip = plan.chips[c];
      std::int64_t slowest = 0;
      for (std::size_t i = chip.first; i < chip.last; ++i) slowest = std::max(slowest, plan.stages[i].clocks);
      fmt::print("chip{:<3} {:<36} {:>12} {:>10.0f} {:>8} {:>6.0f}%\n", c,
                 fmt::format("{} .. {} ({})", plan.stages[chip.first].name, plan.stages[chip.last - 1].name, chip.last - chip.first),
                 thousands(static_cast<double>(slowest)), chip.cost.lut4, chip.cost.block_rams, 100 * chip.share);
    }
    fmt::print("{:<7} {:<5} {:<30} {:>9} {:>12} {:>10} {:>8} {:>7}\n", "link", "", "map", "bits/word", "clocks/image", "words", "buffer", "load");
    for (const ChipLink& one : plan.links)
      fmt::print("{:<7} {:<5} {:<30} {:>9} {:>12} {:>10} {:>8} {:>6.1f}%\n", one.name, fmt::format("{}>{}", one.from, one.to),
                 one.map < 0 ? "outputs" : link_map(system, one), one.word_bits, thousands(static_cast<double>(one.clocks)),
                 thousands(static_cast<double>(one.words)), one.depth,
                 100 * static_cast<double>(one.clocks) / static_cast<double>(plan.clocks_per_image));
    fmt::print("{} clocks per image, set by {}: {:.0f} images/s at {} MHz on {} x {}.\nSystem: {}\n",
               thousands(static_cast<double>(plan.clocks_per_image)), plan.bottleneck,
               budget.clock_hz / static_cast<double>(plan.clocks_per_image), target.clock_mhz, plan.chips.size(), target.name, folder.string());
  }

  /// The stage that a link's map comes from.
  static std::string link_map(const Design& system, const ChipLink& link) {
    for (const Stage& stage : system.plan.stages)
      if (stage.out_map == link.map) return "of " + stage.name;
    return "input";
  }
};

}  // namespace

void add_compile(CLI::App& program) {
  auto compile = std::make_shared<Compile>();
  CLI::App* app = program.add_subcommand("compile", "the design folder: Verilog, memory images, design.json");
  app->footer("Example: bitloom compile sw/train/models/digits-w1a1.onnx --board icebreaker --argmax --out digits");
  compile->model.add_to(*app);
  app->add_option("--board", compile->board, "a folder of constraints/, such as icebreaker or ulx3s-85f (all: docs/boards.md)")->required();
  app->add_option("--out", compile->out, "design folder (default: <model>-<board>)");
  app->add_option("--fps", compile->fps, "images per second at the board's clock (default: as many as --fit allows)");
  app->add_option("--clocks", compile->clocks, "the same as clocks per image");
  app->add_option("--fit", compile->fit, "share of the device's LUTs that may be planned for")->capture_default_str();
  app->add_option(
         "--fold", compile->fold,
         "LAYER:pe=N,simd=N,apar=N,wpar=N,pixels=N, or a part of it: the folding that a layer (*: every layer with weights) must have; "
         "apar and wpar may be 'all'; products=blocks or products=logic, with wpar=all; of decomposed layers also engine=plane or engine=basis, and sparse=N,rows=N; may be repeated")
      ->take_all();
  app->add_option("--baud", compile->baud, "bits per second of the serial link, at most a quarter of the clock and 3,000,000")
      ->capture_default_str();
  app->add_option("--devices", compile->devices, "so many of this board, joined by links; auto: as few as it fits (docs/chips.md)")->capture_default_str();
  app->add_option("--link-lanes", compile->link.lanes, "wires of a link between chips that carry data, 1 to 8")->capture_default_str();
  app->add_option("--link-clock-ratio", compile->link.clock_ratio,
                  "clocks of the cores to a symbol on these wires; from 4 on every chip may have a clock of its own")
      ->capture_default_str();
  app->add_option("--link-latency", compile->link.latency, "clocks from a chip's pins to the next chip's")->capture_default_str();
  app->add_option("--fifos", compile->fifos,
                  "depths of FIFOs in front of joins: counted (no deadlock, by counting beats), enough or smallest (no clocks lost, by one or many runs of "
                  "the transaction-level model)")
      ->check(CLI::IsMember({"counted", "enough", "smallest"}))
      ->capture_default_str();
  app->add_flag("--json", compile->json, "print design.json, or system.json");
  app->callback([compile] { (*compile)(); });
}

}  // namespace bitloom::cli
