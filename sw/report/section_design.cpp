#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "report/analysis.hpp"
#include "report/cells.hpp"
#include "report/html.hpp"
#include "report/plots.hpp"
#include "report/sections.hpp"

namespace bitloom {
namespace {

using Column = Table::Column;

std::string key_figures(const DesignReport& design) {
  KeyFigures figures;
  figures.add("Clocks per image", clocks(design), fmt::format("{} predicted", thousands(design.predicted_clocks_per_image)));
  if (design.simulation) {
    figures.add("Bit-exact", design.simulation->bit_exact ? "yes" : "NO",
                fmt::format("{} images simulated", thousands(design.simulation->images)), design.simulation->bit_exact ? "good" : "bad");
    figures.add("Latency", thousands(design.simulation->first_image_latency), "clocks, first image");
  }
  if (design.synthesis) {
    const SynthResult& synthesis = *design.synthesis;
    figures.add("LUT4", thousands(synthesis.used.lut4),
                fmt::format("{} of {}", share(synthesis.used.lut4, synthesis.available.lut4), thousands(synthesis.available.lut4)));
    figures.add("Fmax", decimal(synthesis.fmax_mhz, 1) + " MHz",
                fmt::format("routed, seed {}; board runs at {} MHz", synthesis.seed, synthesis.clock_mhz));
    figures.add("Images per second", decimal(design.frames_per_second(), 0), decimal(design.frames_per_second_at_fmax(), 0) + " at Fmax");
  }
  if (design.power && design.power->total_mw)
    figures.add("Power, estimated", decimal(*design.power->total_mw, 2) + " mW", uncertainty(*design.power));
  if (design.power && design.power->nj_per_inference)
    figures.add("Energy, estimated", short_count(*design.power->nj_per_inference) + " nJ",
                design.power->fj_per_bit_operation
                    ? fmt::format("an image; {} fJ a bit operation", decimal(*design.power->fj_per_bit_operation, 0))
                    : "an image");
  return figures.html();
}

std::string clocks_figure(const DesignReport& design, const std::string& id) {
  BarPlot plot{{id, "Clocks by layer", "Horizontal bars, one for each layer, in clocks of one image."}, {{"clocks of one image", 0}}, {}};
  Table table("Data");
  table.column("Layer", Column::Text).column("Scheduled clocks").column("Busy").column("Starved").column("Stalled");
  const bool simulated = design.simulation.has_value();
  for (const LayerReport& layer : design.layers) {
    const auto all = static_cast<double>(layer.busy + layer.starved + layer.stalled);
    const bool seen = simulated && layer.busy >= 0 && all > 0;
    table.row({layer.name, counted(layer.clocks), seen ? share(static_cast<double>(layer.busy), all) : kNone,
               seen ? share(static_cast<double>(layer.starved), all) : kNone,
               seen ? share(static_cast<double>(layer.stalled), all) : kNone});
    if (seen) {
      const double image = design.clocks_per_image() / all;
      plot.rows.push_back({layer.name,
                           {{image * static_cast<double>(layer.busy), image * static_cast<double>(layer.starved),
                             image * static_cast<double>(layer.stalled)}},
                           {""}});
    } else if (!simulated && layer.clocks > 0) {
      plot.rows.push_back({layer.name, {{static_cast<double>(layer.clocks)}}, {thousands(layer.clocks)}});
    }
  }
  if (plot.rows.empty()) return "";
  return figure(
      id, plot.text.title,
      simulated ? "How each layer spends the clocks of one image in steady state, simulated."
                : "The schedule's clocks; this design was not simulated.",
      simulated ? legend({{bar_key(0), "busy"}, {bar_key(1), "starved (no input)"}, {bar_key(2), "stalled (output blocked)"}}) : "",
      bar_svg(plot), table);
}

/// Engines by weight bits read per clock (x) and bit operations per clock (y): the roofs are one line for each number of activation bits
/// that a weight bit meets.
std::string roofline_figure(const DesignReport& design, const std::string& id) {
  const std::vector<EngineRate> rates = engine_rates(design);
  if (rates.empty()) return "";
  ScatterPlot plot{{id, "Roofline of the engines", ""},
                   {"weight bits read per clock", true},
                   {"bit operations per clock", true},
                   {{"attainable", {}}, {"achieved", {}}},
                   {}};
  Table table("Data");
  table.column("Layer", Column::Text)
      .column("PE")
      .column("SIMD")
      .column("WPAR")
      .column("APAR")
      .column("Weight bits/clock")
      .column("Attainable, bit op./clock")
      .column("Achieved")
      .column("Share");
  double bits = 0, attainable = 0, achieved = 0;
  std::map<int, std::pair<double, double>> reach;  // by APAR: least and largest x
  for (const EngineRate& rate : rates) {
    plot.series[0].marks.push_back({rate.layer, rate.memory_bits, rate.attainable, {}, true});
    if (rate.achieved > 0) {
      plot.series[1].marks.push_back({rate.layer, rate.memory_bits, rate.achieved, {}, false});
      plot.lines.push_back({"", {{rate.memory_bits, rate.achieved}, {rate.memory_bits, rate.attainable}}, false});
    }
    table.row({rate.layer, thousands(rate.pe), thousands(rate.simd), thousands(rate.wpar), thousands(rate.apar),
               decimal(rate.memory_bits, 0), decimal(rate.attainable, 0), decimal(rate.achieved, 2),
               share(rate.achieved, rate.attainable)});
    bits += rate.memory_bits;
    attainable += rate.attainable;
    achieved += rate.achieved;
  }
  double lowest = rates[0].memory_bits, highest = design.ram_bits_per_clock.value_or(bits), floor = rates[0].attainable;
  for (const EngineRate& rate : rates) {
    lowest = std::min(lowest, rate.memory_bits);
    highest = std::max(highest, rate.memory_bits);
    if (rate.achieved > 0) floor = std::min(floor, rate.achieved);
    reach[rate.apar];
  }
  double ceiling = 0;
  for (const auto& [apar, ends] : reach) {
    plot.lines.push_back({fmt::format("× {}", apar), {{lowest, lowest * apar}, {highest, highest * apar}}, true});
    ceiling = std::max(ceiling, highest * apar);
  }
  std::string limit;
  if (design.ram_bits_per_clock) {
    plot.lines.push_back({"", {{*design.ram_bits_per_clock, floor}, {*design.ram_bits_per_clock, ceiling}}, true});
    limit = fmt::format(" The upright line: all block RAMs of the device deliver {} bits a clock; all engines together read {} ({}).",
                        thousands(std::llround(*design.ram_bits_per_clock)), decimal(bits, 0), share(bits, *design.ram_bits_per_clock));
  }
  table.total({"all", "", "", "", "", decimal(bits, 0), decimal(attainable, 0), decimal(achieved, 2), share(achieved, attainable)});
  plot.text.description =
      fmt::format("{} engines; together they attain {:.0f} bit operations a clock and achieve {:.1f}.", rates.size(), attainable, achieved);
  return figure(id, plot.text.title,
                "An engine reads one weight word a clock, PE × SIMD × WPAR bits, and each bit meets APAR activation bits: that is its roof "
                "(outlined; the slanted lines are APAR). "
                "Below it what the layer achieves, idle clocks and all." +
                    limit,
                legend({{marker_key(0, true), "attainable"}, {marker_key(1), "achieved"}}), scatter_svg(plot), table);
}

std::string cells_figure(const DesignReport& design, const std::string& id) {
  if (!design.synthesis) return "";
  const SynthResult& synthesis = *design.synthesis;
  BarPlot plot{
      {id, "Cells by layer", "One row for each layer, one panel for each kind of cell."}, {{"LUT4", 0}, {"FF", 0}, {"RAM", 0}}, {}};
  const bool has_dsp = synthesis.used.dsp > 0;
  if (has_dsp) plot.panels.push_back({"DSP", 0});
  Table table("Data");
  table.column("Layer", Column::Text).column("LUT4").column("Share").column("FF").column("RAM").column("DSP").column("SPRAM");
  const auto cells = [&](const std::string& name, const CellUse& use) {
    return std::vector<std::string>{name,
                                    thousands(use.lut4),
                                    share(use.lut4, synthesis.used.lut4),
                                    thousands(use.ff),
                                    thousands(use.bram),
                                    thousands(use.dsp),
                                    thousands(use.spram)};
  };
  for (const LayerUse& layer : synthesis.layers) {
    const CellUse& use = layer.use;
    table.row(cells(layer.name, use));
    BarRow row{layer.name,
               {{static_cast<double>(use.lut4)}, {static_cast<double>(use.ff)}, {static_cast<double>(use.bram)}},
               {thousands(use.lut4), thousands(use.ff), thousands(use.bram)}};
    if (has_dsp) {
      row.parts.push_back({static_cast<double>(use.dsp)});
      row.notes.push_back(thousands(use.dsp));
    }
    plot.rows.push_back(std::move(row));
  }
  table.total(cells("all", synthesis.used));
  return figure(id, plot.text.title,
                fmt::format("After place and route. The design takes {} of the LUT4, {} of the FF and {} of the RAM of the {}.",
                            share(synthesis.used.lut4, synthesis.available.lut4), share(synthesis.used.ff, synthesis.available.ff),
                            share(synthesis.used.bram, synthesis.available.bram), synthesis.device),
                "", bar_svg(plot), table);
}

std::string layers_table(const DesignReport& design) {
  Table table("Layers: folding, clocks, work of one image and cells");
  table.column("Layer", Column::Text)
      .column("Kind", Column::Text)
      .column("PE")
      .column("SIMD")
      .column("APAR")
      .column("WPAR")
      .column("Clocks")
      .column("MACs");
  table.column("BOPs (UNIQ)").column("BOPs (QONNX)").column("Weight bits").column("LUT4").column("FF").column("RAM").column("DSP");
  std::int64_t macs = 0, weight_bits = 0;
  double uniq = 0, qonnx = 0;
  for (const LayerReport& layer : design.layers) {
    const auto use = [&](int CellUse::*cell) { return layer.use ? thousands(layer.use.value().*cell) : kNone; };
    const bool engine = layer.weight_bits > 0;
    table.row({layer.name, layer.kind, counted(layer.pe), counted(layer.simd), counted(layer.apar), engine ? counted(layer.wpar) : kNone,
               counted(layer.clocks), big(static_cast<double>(layer.macs)), big(layer.bops_uniq), big(layer.bops_qonnx),
               counted(layer.weight_bits), use(&CellUse::lut4), use(&CellUse::ff), use(&CellUse::bram), use(&CellUse::dsp)});
    macs += layer.macs;
    weight_bits += layer.weight_bits;
    uniq += layer.bops_uniq;
    qonnx += layer.bops_qonnx;
  }
  const auto total = [&](int CellUse::*cell) { return design.synthesis ? thousands(design.synthesis->used.*cell) : kNone; };
  if (design.synthesis)
    for (const LayerUse& use : design.synthesis->layers)
      if (std::none_of(design.layers.begin(), design.layers.end(), [&](const LayerReport& layer) { return layer.name == use.name; }))
        table.row({use.name, kNone, kNone, kNone, kNone, kNone, kNone, kNone, kNone, kNone, kNone, thousands(use.use.lut4),
                   thousands(use.use.ff), thousands(use.use.bram), thousands(use.use.dsp)});
  table.total({"all", "", "", "", "", "", clocks(design), big(static_cast<double>(macs)), big(uniq), big(qonnx), counted(weight_bits),
               total(&CellUse::lut4), total(&CellUse::ff), total(&CellUse::bram), total(&CellUse::dsp)});
  return table.html();
}

}  // namespace

std::string design_section(const DesignReport& design, const std::string& id) {
  std::string out =
      fmt::format("<section id=\"{}\"><h3>On {}</h3>\n{}{}", id, escape_html(design.board), key_figures(design), layers_table(design));
  out += fmt::format("<div class=\"plots\">\n{}{}{}{}</div>\n", clocks_figure(design, id + "-clocks"), cells_figure(design, id + "-cells"),
                     roofline_figure(design, id + "-roofline"), design.power ? power_figures(*design.power, id) : "");
  if (!design.synthesis) out += "<p class=\"soft\">Not placed and routed: no figures of the device.</p>\n";
  if (design.power) out += power_note(*design.power);
  return out + "</section>\n";
}

}  // namespace bitloom
