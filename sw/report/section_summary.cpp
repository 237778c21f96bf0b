#include <fmt/format.h>

#include <algorithm>

#include "report/cells.hpp"
#include "report/html.hpp"
#include "report/plots.hpp"
#include "report/sections.hpp"

namespace bitloom {
namespace {

using Column = Table::Column;

std::string key_figures(const ReportData& data) {
  int designs = 0, simulated = 0, exact = 0, routed = 0;
  const ModelReport* best = nullptr;
  std::pair<double, std::string> fastest{0, ""}, thriftiest{0, ""};
  std::pair<int, std::string> smallest{0, ""};
  std::string thrift_range;
  for (const ModelReport& model : data.models) {
    if (model.accuracy && (best == nullptr || *model.accuracy > *best->accuracy)) best = &model;
    for (const DesignReport& design : model.designs) {
      const std::string name = model.name + " on " + design.board;
      ++designs;
      simulated += design.simulation ? 1 : 0;
      exact += design.simulation && design.simulation->bit_exact ? 1 : 0;
      routed += design.synthesis ? 1 : 0;
      fastest = std::max(fastest, {design.frames_per_second(), name});
      if (design.synthesis && (smallest.second.empty() || design.synthesis->used.lut4 < smallest.first))
        smallest = {design.synthesis->used.lut4, name};
      if (design.power && design.power->nj_per_inference &&
          (thriftiest.second.empty() || *design.power->nj_per_inference < thriftiest.first)) {
        thriftiest = {*design.power->nj_per_inference, name};
        thrift_range = uncertainty(*design.power);
      }
    }
  }
  KeyFigures figures;
  figures.add("Models", thousands(static_cast<std::int64_t>(data.models.size())),
              fmt::format("{} designs, {} placed and routed", designs, routed));
  if (simulated > 0)
    figures.add("Bit-exact", fmt::format("{} of {}", exact, simulated), "simulated designs that equal the golden model",
                exact == simulated ? "good" : "bad");
  if (best != nullptr)
    figures.add("Best accuracy", percent(*best->accuracy), fmt::format("{}, {} images", best->name, thousands(best->images)));
  if (fastest.first > 0) figures.add("Fastest core", decimal(fastest.first, 0) + "/s", fastest.second + ", at the board's clock");
  if (!smallest.second.empty()) figures.add("Smallest", thousands(smallest.first) + " LUT4", smallest.second);
  if (!thriftiest.second.empty())
    figures.add("Least energy, estimated", short_count(thriftiest.first) + " nJ",
                fmt::format("an image; {}{}{}", thriftiest.second, thrift_range.empty() ? "" : "; ", thrift_range));
  return figures.html();
}

std::string models_table(const ReportData& data) {
  Table table("Models: accuracy and work of one image");
  table.column("Model", Column::Text).column("Images").column("Accuracy").column("Float").column("Agrees").column("Bit-exact");
  table.column("BOPs (UNIQ)").column("BOPs (QONNX)").column("MACs").column("Weight bits");
  for (const ModelReport& model : data.models)
    table.row({model.name, counted(model.images), fraction(model.accuracy), fraction(model.float_accuracy),
               model.agrees_with_float ? thousands(*model.agrees_with_float) : kNone, yes_no(model.bit_exact()), big(model.bops_uniq),
               big(model.bops_qonnx), big(static_cast<double>(model.macs)), counted(model.weight_bits)});
  return table.empty() ? "" : table.html();
}

std::string rates_table(const ReportData& data) {
  Table table("Speed of the core: images per second are calculated from clocks per image");
  table.column("Model", Column::Text)
      .column("Board", Column::Text)
      .column("Clocks/image")

      .column("Latency")
      .column("Clock, MHz");
  table.column("Fmax, MHz").column("Images/s").column("Images/s at Fmax").column("Power, mW").column("nJ/image").column("Simulated");
  for (const ModelReport& model : data.models)
    for (const DesignReport& design : model.designs) {
      const SynthResult* synthesis = design.synthesis ? &*design.synthesis : nullptr;
      const auto* simulation = design.simulation ? &*design.simulation : nullptr;
      table.row({model.name, design.board, clocks(design), simulation != nullptr ? thousands(simulation->first_image_latency) : kNone,
                 synthesis != nullptr ? fmt::format("{}", synthesis->clock_mhz) : kNone,
                 synthesis != nullptr ? decimal(synthesis->fmax_mhz, 2) : kNone,
                 synthesis != nullptr ? decimal(design.frames_per_second(), 0) : kNone,
                 synthesis != nullptr ? decimal(design.frames_per_second_at_fmax(), 0) : kNone,
                 figure_or_none(design.power ? design.power->total_mw : std::nullopt, 2),
                 figure_or_none(design.power ? design.power->nj_per_inference : std::nullopt, 1),
                 simulation != nullptr ? thousands(simulation->images) : kNone});
    }
  return table.empty() ? "" : table.html();
}

std::string devices_figure(const ReportData& data) {
  BarPlot plot{{"devices", "How full each device is", "One row for each design, one panel for each kind of cell, each to 100 %."},
               {{"LUT4, %", 100}, {"FF, %", 100}, {"RAM, %", 100}, {"DSP, %", 100}},
               {}};
  Table table("Data");
  table.column("Model", Column::Text)
      .column("Board", Column::Text)
      .column("LUT4")
      .column("FF")
      .column("RAM")
      .column("DSP")
      .column("Bitstream, bytes")
      .column("Seed");
  const auto full = [](int used, int available) { return std::vector<double>{available > 0 ? 100.0 * used / available : 0}; };
  for (const ModelReport& model : data.models)
    for (const DesignReport& design : model.designs) {
      if (!design.synthesis) continue;
      const CellUse &used = design.synthesis->used, &available = design.synthesis->available;
      table.row({model.name, design.board, of(used.lut4, available.lut4), of(used.ff, available.ff), of(used.bram, available.bram),
                 of(used.dsp, available.dsp), thousands(static_cast<std::int64_t>(design.synthesis->bitstream_bytes)),
                 fmt::format("{}", design.synthesis->seed)});
      plot.rows.push_back(
          {model.name + ", " + design.board,
           {full(used.lut4, available.lut4), full(used.ff, available.ff), full(used.bram, available.bram), full(used.dsp, available.dsp)},
           {"", "", "", ""}});
    }
  if (plot.rows.empty()) return "";
  return figure("devices", plot.text.title, "Cells of the whole board design after place and route, as shares of the device.", "",
                bar_svg(plot), table);
}

}  // namespace

std::string summary_section(const ReportData& data) {
  return "<section id=\"summary\">\n" + key_figures(data) + models_table(data) + rates_table(data) + devices_figure(data) + "</section>\n";
}

}  // namespace bitloom
