// The HTML page: cards, models side by side, then each model and each of its designs, then what every figure means.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/files.hpp"
#include "report/definitions.hpp"
#include "report/html.hpp"
#include "report/plots.hpp"
#include "report/report.hpp"
#include "report/style.hpp"

namespace bitloom {
namespace {

using Column = Table::Column;

std::string share(std::int64_t part, std::int64_t whole) {
  return whole > 0 ? fmt::format("{:.1f}\u202f%", 100.0 * static_cast<double>(part) / static_cast<double>(whole)) : kNone;
}

std::string counted(std::int64_t value) { return value > 0 ? thousands(value) : kNone; }
std::string big(double value) { return value > 0 ? short_count(value) : kNone; }
std::string yes_no(const std::optional<bool>& value) { return value ? (*value ? "yes" : "NO") : kNone; }
std::string fraction(const std::optional<double>& value) { return value ? percent(*value) : kNone; }

bool is_predicted(const DesignReport& design) {
  return !design.simulation || design.clocks_per_image() != design.simulation->clocks_per_image;
}

std::string clocks(const DesignReport& design) {
  const double value = design.clocks_per_image();
  return decimal(value, value == std::floor(value) ? 0 : 1) + (is_predicted(design) ? " (predicted)" : "");
}

std::string card(const std::string& title, const std::string& value, const std::string& detail, const char* style = "") {
  return fmt::format("<div class=\"card\"><dt>{}</dt><dd class=\"{}\">{}<small>{}</small></dd></div>\n", escape_html(title), style,
                     escape_html(value), escape_html(detail));
}

/// A plot with what it shows above it; its table follows.
std::string figure(const std::string& caption, const std::string& svg, const std::vector<std::string>& legend = {}) {
  std::string out = fmt::format("<figure><figcaption>{}</figcaption>", escape_html(caption));
  if (!legend.empty()) {
    out += "<ul class=\"legend\">";
    for (std::size_t i = 0; i < legend.size(); ++i)
      out += fmt::format("<li><span style=\"background:{}\"></span>{}</li>", kSeriesColours[i], escape_html(legend[i]));
    out += "</ul>";
  }
  return out + fmt::format("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{}\">{}</div></figure>\n",
                           escape_html(caption), svg);
}

std::string summary_cards(const ReportData& data) {
  int designs = 0, simulated = 0, exact = 0, routed = 0;
  const ModelReport* best = nullptr;
  std::pair<double, std::string> fastest{0, ""};
  std::pair<int, std::string> smallest{0, ""};
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
    }
  }
  std::string out = "<dl class=\"cards\">\n";
  out += card("Models", thousands(static_cast<std::int64_t>(data.models.size())),
              fmt::format("{} designs, {} placed and routed", designs, routed));
  if (simulated > 0)
    out += card("Bit-exact", fmt::format("{} of {}", exact, simulated), "simulated designs that equal the golden model",
                exact == simulated ? "good" : "bad");
  if (best != nullptr)
    out += card("Best accuracy", percent(*best->accuracy), fmt::format("{}, {} images", best->name, thousands(best->images)));
  if (fastest.first > 0) out += card("Fastest core", decimal(fastest.first, 0) + "/s", fastest.second + ", at the board's clock");
  if (!smallest.second.empty()) out += card("Smallest", thousands(smallest.first) + " LUT4", smallest.second);
  return out + "</dl>\n";
}

std::string models_table(const ReportData& data) {
  Table table("Models: accuracy and work of one image");
  table.column("Model", Column::Text).column("Images").column("Accuracy").column("Float").column("Agrees").column("Bit-exact");
  table.column("BOPs (UNIQ)").column("BOPs (QONNX)").column("MACs").column("Weight bits");
  for (const ModelReport& model : data.models)
    table.row({model.name, counted(model.images), fraction(model.accuracy), fraction(model.float_accuracy),
               model.agrees_with_float ? thousands(*model.agrees_with_float) : kNone, yes_no(model.bit_exact()), big(model.bops_uniq),
               big(model.bops_qonnx), big(static_cast<double>(model.macs)), counted(model.weight_bits)});
  return table.html();
}

std::string accuracy_plot(const ReportData& data) {
  PointPlot plot{"accuracy", "Accuracy against bit operations", "BOPs per image (UNIQ's definition)", "accuracy, %", {}};
  for (const ModelReport& model : data.models)
    if (model.accuracy && model.bops_uniq > 0) plot.points.push_back({model.name, model.bops_uniq, 100 * *model.accuracy});
  if (plot.points.empty()) return "";
  return figure("Accuracy of each model against the bit operations of one image. Accuracies of different data sets are not comparable.",
                point_svg(plot));
}

/// Used and available as one cell: "3 120 of 5 280 (59.1 %)".
std::string of(int used, int available) {
  return available > 0 ? fmt::format("{} of {} ({})", thousands(used), thousands(available), share(used, available)) : kNone;
}

std::string boards_section(const ReportData& data) {
  BarPlot plot{"boards", "LUT4 of each design as a share of its device", "LUT4 used, % of the device", 100, {}};
  Table rates("Speed of the core: images per second are calculated from clocks per image");
  rates.column("Model", Column::Text)
      .column("Board", Column::Text)
      .column("Clocks/image")
      .column("Predicted")
      .column("Latency")
      .column("Clock, MHz")
      .column("Fmax, MHz");
  rates.column("Images/s").column("Images/s at Fmax").column("Simulated images");
  Table cells("Devices after place and route");
  cells.column("Model", Column::Text)
      .column("Board", Column::Text)
      .column("LUT4")
      .column("FF")
      .column("RAM")
      .column("DSP")
      .column("Bitstream, bytes")
      .column("Seed");
  bool any = false;
  for (const ModelReport& model : data.models) {
    for (const DesignReport& design : model.designs) {
      any = true;
      const SynthResult* synthesis = design.synthesis ? &*design.synthesis : nullptr;
      const auto* simulation = design.simulation ? &*design.simulation : nullptr;
      rates.row({model.name, design.board, clocks(design), thousands(design.predicted_clocks_per_image),
                 simulation != nullptr ? thousands(simulation->first_image_latency) : kNone,
                 synthesis != nullptr ? fmt::format("{}", synthesis->clock_mhz) : kNone,
                 synthesis != nullptr ? decimal(synthesis->fmax_mhz, 2) : kNone,
                 synthesis != nullptr ? decimal(design.frames_per_second(), 0) : kNone,
                 synthesis != nullptr ? decimal(design.frames_per_second_at_fmax(), 0) : kNone,

                 simulation != nullptr ? thousands(simulation->images) : kNone});
      if (synthesis == nullptr) continue;
      const CellUse &used = synthesis->used, &available = synthesis->available;
      cells.row({model.name, design.board, of(used.lut4, available.lut4), of(used.ff, available.ff), of(used.bram, available.bram),
                 of(used.dsp, available.dsp), thousands(static_cast<std::int64_t>(synthesis->bitstream_bytes)),
                 fmt::format("{}", synthesis->seed)});
      if (available.lut4 > 0)
        plot.bars.push_back({model.name + ", " + design.board, {100.0 * used.lut4 / available.lut4}, thousands(used.lut4)});
    }
  }
  if (!any) return "";
  std::string out = "<h3>Boards</h3>\n" + rates.html();
  if (!plot.bars.empty())
    out += figure("LUT4 of the whole board design, as a share of the device; the number is the count.", bar_svg(plot)) + cells.html();
  return out;
}

std::string confusion_table(const ModelReport& model) {
  if (model.confusion.empty()) return "";
  std::string out =
      "<h3>Confusion</h3>\n<p class=\"caption\">Images by true class (row) and answer (column); deeper colour is a larger share of the "
      "row, errors in "
      "orange</p><div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Confusion matrix\"><table "
      "class=\"confusion\"><thead><tr><th "
      "scope=\"col\">true</th>";
  for (std::size_t c = 0; c < model.confusion.size(); ++c) out += fmt::format("<th scope=\"col\">{}</th>", c);
  out += "<th scope=\"col\">right</th></tr></thead><tbody>\n";
  for (std::size_t r = 0; r < model.confusion.size(); ++r) {
    const auto& row = model.confusion[r];
    std::int64_t total = 0;
    for (const std::int64_t cell : row) total += cell;
    out += fmt::format("<tr><th scope=\"row\">{}</th>", r);
    for (std::size_t c = 0; c < row.size(); ++c) {
      const double part = total > 0 ? static_cast<double>(row[c]) / static_cast<double>(total) : 0;
      // Errors are few: their colour is raised, or a confusion of 5 % would not be seen.
      const double depth = r == c ? 0.6 * part : std::min(0.75, 4 * part);
      out += row[c] == 0 ? "<td class=\"soft\">0</td>"
                         : fmt::format("<td style=\"background:rgba({},{:.2f})\">{}</td>", r == c ? "59,130,196" : "217,120,40", depth,
                                       thousands(row[c]));
    }
    out += fmt::format("<td>{}</td></tr>\n", share(row[r], total));
  }
  return out + "</tbody></table></div>\n";
}

std::string layers_table(const DesignReport& design) {
  Table table("Layers: folding, clocks and work of one image. Busy, starved and stalled are shares of the simulated clocks");
  table.column("Layer", Column::Text)
      .column("Kind", Column::Text)
      .column("PE")
      .column("SIMD")
      .column("APAR")
      .column("Clocks")
      .column("Busy")
      .column("Starved")
      .column("Stalled");
  table.column("MACs").column("BOPs (UNIQ)").column("BOPs (QONNX)").column("Weight bits");
  for (const LayerReport& layer : design.layers) {
    const bool seen = layer.busy >= 0;
    const std::int64_t all = layer.busy + layer.starved + layer.stalled;
    table.row({layer.name, layer.kind, counted(layer.pe), counted(layer.simd), counted(layer.apar), counted(layer.clocks),
               seen ? share(layer.busy, all) : kNone, seen ? share(layer.starved, all) : kNone, seen ? share(layer.stalled, all) : kNone,
               big(static_cast<double>(layer.macs)), big(layer.bops_uniq), big(layer.bops_qonnx), counted(layer.weight_bits)});
  }
  return table.html();
}

std::string activity_figure(const DesignReport& design, const std::string& id) {
  BarPlot plot{id + "-clocks", "Busy, starved and stalled clocks by layer", "% of the simulated clocks", 100, {}};
  for (const LayerReport& layer : design.layers) {
    const double all = static_cast<double>(layer.busy + layer.starved + layer.stalled);
    if (layer.busy < 0 || all <= 0) continue;
    plot.bars.push_back({layer.name,
                         {100 * static_cast<double>(layer.busy) / all, 100 * static_cast<double>(layer.starved) / all,
                          100 * static_cast<double>(layer.stalled) / all},
                         ""});
  }
  if (plot.bars.empty()) return "";
  return figure("How each layer spends its clocks in steady state.", bar_svg(plot),
                {"busy", "starved (no input)", "stalled (output blocked)"});
}

std::string resources(const DesignReport& design, const std::string& id) {
  if (!design.synthesis) return "<p class=\"soft\">Not placed and routed: no figures of the device.</p>\n";
  const SynthResult& synthesis = *design.synthesis;
  BarPlot plot{id + "-luts", "LUT4 by layer", "LUT4 after place and route", 0, {}};
  Table table("Cells by layer after place and route");
  table.column("Layer", Column::Text).column("LUT4").column("Share").column("FF").column("RAM").column("DSP").column("SPRAM");
  const auto cells = [&](const CellUse& use) {
    return std::vector<std::string>{thousands(use.lut4), share(use.lut4, synthesis.used.lut4),
                                    thousands(use.ff),   thousands(use.bram),
                                    thousands(use.dsp),  thousands(use.spram)};
  };
  const auto row = [&](const std::string& name, const CellUse& use) {
    std::vector<std::string> result = cells(use);
    result.insert(result.begin(), name);
    return result;
  };
  for (const LayerUse& layer : synthesis.layers) {
    table.row(row(layer.name, layer.use));
    plot.bars.push_back({layer.name, {static_cast<double>(layer.use.lut4)}, thousands(layer.use.lut4)});
  }
  table.total(row("total", synthesis.used));
  return figure("Logic by layer.", bar_svg(plot)) + table.html();
}

std::string design_section(const DesignReport& design, const std::string& id) {
  std::string out = fmt::format("<h3>On {}</h3>\n<dl class=\"cards\">\n", escape_html(design.board));
  out += card("Clocks per image", clocks(design), fmt::format("{} predicted", thousands(design.predicted_clocks_per_image)));
  if (design.simulation) {
    out += card("Bit-exact", design.simulation->bit_exact ? "yes" : "NO",
                fmt::format("{} images simulated", thousands(design.simulation->images)), design.simulation->bit_exact ? "good" : "bad");
    out += card("Latency", thousands(design.simulation->first_image_latency), "clocks, first image");
  }
  if (design.synthesis) {
    const SynthResult& synthesis = *design.synthesis;
    out += card("LUT4", thousands(synthesis.used.lut4),
                fmt::format("{} of {}", share(synthesis.used.lut4, synthesis.available.lut4), thousands(synthesis.available.lut4)));
    out += card("Fmax", decimal(synthesis.fmax_mhz, 1) + " MHz",
                fmt::format("routed, seed {}; board runs at {} MHz", synthesis.seed, synthesis.clock_mhz));
    out += card("Images per second", decimal(design.frames_per_second(), 0), decimal(design.frames_per_second_at_fmax(), 0) + " at Fmax");
  }
  out += "</dl>\n";
  out += activity_figure(design, id) + layers_table(design) + resources(design, id);
  return out;
}

std::string model_section(const ModelReport& model, std::size_t index) {
  std::string out = fmt::format("<section id=\"model-{}\"><h2>{}</h2>\n", index, escape_html(model.name));
  if (!model.data.empty())
    out += fmt::format("<p class=\"soft\">{} images of {}.{}</p>\n", thousands(model.images), escape_html(model.data),
                       model.accuracy ? " Accuracy " + percent(*model.accuracy) + "." : "");
  for (std::size_t d = 0; d < model.designs.size(); ++d) out += design_section(model.designs[d], fmt::format("m{}d{}", index, d));
  return out + confusion_table(model) + "</section>\n";
}

std::string definitions_section(const ReportData& data) {
  std::string out = "<section id=\"definitions\"><h2>What the figures mean, and how each was obtained</h2>\n<dl class=\"definitions\">\n";
  for (const Definition& definition : definitions())
    out += fmt::format("<dt>{}<small>{}</small></dt><dd>{}</dd>\n", escape_html(definition.title), escape_html(definition.origin),
                       escape_html(definition.text));
  out += "</dl>\n";
  Table tools("Programs that made the figures");
  tools.column("Program", Column::Text).column("Version", Column::Text);
  tools.row({"bitloom", BITLOOM_VERSION});
  for (const auto& [program, version] : tools_of(data)) tools.row({program, version});
  return out + tools.html() + "</section>\n";
}

}  // namespace

void write_report(const std::filesystem::path& file, const ReportData& data) {
  std::string navigation;
  std::string models;
  for (std::size_t i = 0; i < data.models.size(); ++i) {
    navigation += fmt::format("<li><a href=\"#model-{}\">{}</a></li>", i, escape_html(data.models[i].name));
    models += model_section(data.models[i], i);
  }
  const std::string page = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, "
      "initial-scale=1\">\n"
      "<title>{0}</title>\n<link rel=\"icon\" href=\"data:,\">\n<style>{1}</style>\n</head>\n<body>\n<header><h1>{0}</h1>\n"
      "<p class=\"soft\">Few-bit networks as hardware: accuracy, clocks and cells. Clocks are simulated, cells and Fmax come from place "
      "and route, rates are calculated from "
      "them; nothing here was measured on a board. <a href=\"#definitions\">What each figure means</a>.</p>\n<nav "
      "aria-label=\"Models\"><ul>{2}</ul></nav></header>\n<main>\n{3}"
      "<section id=\"overview\"><h2>Models side by side</h2>\n{4}{5}{6}</section>\n{7}{8}</main>\n</body>\n</html>\n",
      escape_html(data.title), kReportStyle, navigation, summary_cards(data), accuracy_plot(data), models_table(data), boards_section(data),
      models, definitions_section(data));
  write_file_atomically(file, page);
}

}  // namespace bitloom
