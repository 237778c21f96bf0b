#include "flow/synth.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "cli/commands.hpp"
#include "cli/common.hpp"
#include "emit/design.hpp"
#include "flow/vendor.hpp"

namespace bitloom::cli {
namespace {

struct Synth {
  std::string design;
  SynthOptions options;
  bool json = false, estimate = false;

  void operator()() const {
    if (estimate) return print(estimate_synthesis(design));
    if (is_vendor_tool(options.tool)) {
      const VendorProject project = write_vendor_project(design, options.tool);
      fmt::print("project: {} ({} files). In that folder: {}\n", project.folder.string(), project.files.size(), project.command);
      return;
    }
    SynthOptions with_progress = options;
    if (isatty(2) != 0)
      with_progress.progress = [](int step, int steps, const std::string& what) { fmt::print(stderr, "[{}/{}] {}\n", step, steps, what); };
    const SynthResult result = synthesize(design, with_progress);
    if (json) {
      fmt::print("{}\n", to_json(result).dump(2));
      return;
    }
    const std::string row = "{:<20} {:>7} {:>7} {:>6} {:>5}\n";
    fmt::print(fmt::runtime(row), "layer", "LUT4", "FF", "RAM", "DSP");
    for (const LayerUse& layer : result.layers)
      fmt::print(fmt::runtime(row), layer.name, layer.use.lut4, layer.use.ff, layer.use.bram, layer.use.dsp);
    fmt::print(fmt::runtime(row), "total", result.used.lut4, result.used.ff, result.used.bram, result.used.dsp);
    fmt::print(fmt::runtime(row), "available", result.available.lut4, result.available.ff, result.available.bram, result.available.dsp);
    fmt::print("Fmax {:.1f} MHz after routing (the board's clock is {} MHz), seed {}, {:.0f} s\n", result.fmax_mhz, result.clock_mhz,
               result.seed, result.seconds);
    if (!result.bitstream.empty()) {
      fmt::print("bitstream: {}/{}\n", design, result.bitstream.string());
      print_weights_file(read_design(design), load_board(result.board), design);
    }
  }

  void print(const SynthEstimate& result) const {
    if (json) return fmt::print("{}\n", to_json(result).dump(2));
    fmt::print("bitloom_core as mapped by {} in {:.0f} s, before packing: {} LUT4, {} flip-flops, {} block RAMs, {} DSPs\n", result.yosys,
               result.seconds, result.used.lut4, result.used.ff, result.used.bram, result.used.dsp);
  }
};

}  // namespace

void add_synth(CLI::App& program) {
  auto synth = std::make_shared<Synth>();
  CLI::App* app = program.add_subcommand("synth", "Yosys and nextpnr: bitstream, LUT/FF/RAM/DSP and Fmax, by layer");
  app->footer("Example: bitloom synth digits");
  app->add_option("DESIGN", synth->design, "a folder made by bitloom compile")->required();
  app->add_option("--tool", synth->options.tool,
                  "open: Yosys and nextpnr; vivado, quartus, radiant, diamond: write a project for it (default: open)");
  app->add_option("--seed", synth->options.seed, "of nextpnr's placement")->capture_default_str();
  app->add_option("--seeds", synth->options.seeds, "place with so many seeds, from --seed on, and keep the fastest")->capture_default_str();
  app->add_option("--freq", synth->options.frequency, "clock in MHz to aim at (default: the board's)");
  app->add_option("--jobs", synth->options.jobs, "threads")->capture_default_str();
  app->add_option("--router", synth->options.router, "nextpnr's: router1 or router2 (default: nextpnr's choice)");
  app->add_flag("--alone", synth->options.alone, "the core alone, without link and pins: its Fmax and cells, no bitstream");
  app->add_flag("--estimate", synth->estimate, "Yosys alone, and only the core without link and board: its cells, no bitstream");
  app->add_flag("--patchable", synth->options.patchable, "keep weights and thresholds exchangeable by bitloom patch");
  app->add_flag("--keep", synth->options.keep, "keep the intermediate netlists");
  app->add_flag("--json", synth->json, "print JSON");
  app->callback([synth] { (*synth)(); });
}

}  // namespace bitloom::cli
