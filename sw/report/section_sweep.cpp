#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "report/cells.hpp"
#include "report/fronts.hpp"
#include "report/html.hpp"
#include "report/plots.hpp"
#include "report/sections.hpp"

namespace bitloom {
namespace {

using Column = Table::Column;

constexpr std::size_t kShortTable = 12;  // longer ones are folded

std::string capital(std::string text) {
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text;
}

std::string field_title(const std::string& field) {
  static const std::map<std::string, std::string> titles = {{"weight_bits", "weight bits"},
                                                            {"activation_bits", "activation bits"},
                                                            {"bops_uniq", "BOPs (UNIQ)"},
                                                            {"bops_qonnx", "BOPs (QONNX)"},
                                                            {"clocks", "clocks per image"},
                                                            {"lut4", "LUT4"},
                                                            {"ff", "FF"},
                                                            {"bram", "RAM blocks"},
                                                            {"dsp", "DSP"},
                                                            {"fmax_mhz", "Fmax, MHz"},
                                                            {"accuracy", "accuracy"},
                                                            {"total_mw", "power, mW (estimate)"},
                                                            {"nj_per_inference", "nJ per image (estimate)"}};
  const auto found = titles.find(field);
  return found == titles.end() ? field : found->second;
}

/// What the marks of a sweep tell apart.
std::string series_of(const SweepPoint& point) {
  return point.engine + (point.engine.empty() || point.board.empty() ? "" : ", ") + point.board;
}

std::string bits_of(const SweepPoint& point) {
  return point.weight_bits && point.activation_bits ? fmt::format("w{:.4g}a{:.4g}", *point.weight_bits, *point.activation_bits) : "";
}

/// Its widths, or what else names it.
std::string short_label(const SweepPoint& point) {
  const std::string bits = bits_of(point);
  return !bits.empty() ? bits : !point.model.empty() ? point.model : point.id;
}

std::string label_of(const SweepPoint& point) { return short_label(point) + (point.folding.empty() ? "" : ", " + point.folding); }

std::string points_table(const SweepReport& sweep) {
  Table table(fmt::format("All {} points", sweep.points.size()));
  table.column("Point", Column::Text)
      .column("W bits")
      .column("A bits")
      .column("Engine", Column::Text)
      .column("Folding", Column::Text)
      .column("Board", Column::Text);
  table.column("BOPs (UNIQ)")
      .column("BOPs (QONNX)")
      .column("Clocks")
      .column("LUT4")
      .column("FF")
      .column("RAM")
      .column("DSP")
      .column("Fmax, MHz")
      .column("Accuracy")
      .column("mW")
      .column("nJ/image");
  for (const SweepPoint& p : sweep.points)
    table.row({p.id, figure_or_none(p.weight_bits, 0), figure_or_none(p.activation_bits, 0), p.engine, p.folding, p.board,
               figure_or_none(p.bops_uniq, 0), figure_or_none(p.bops_qonnx, 0), figure_or_none(p.clocks, 0), figure_or_none(p.lut4, 0),
               figure_or_none(p.ff, 0), figure_or_none(p.bram, 0), figure_or_none(p.dsp, 0), figure_or_none(p.fmax_mhz, 1),
               fraction(p.accuracy), figure_or_none(p.total_mw, 2), figure_or_none(p.nj_per_inference, 1)});
  return sweep.points.size() > kShortTable ? table.folded() : table.html();
}

std::vector<Candidate> candidates(const SweepReport& sweep, const std::string& x, const std::string& y) {
  std::vector<Candidate> result;
  for (const SweepPoint& point : sweep.points) {
    const auto px = point.figure(x), py = point.figure(y);
    if (px && py)
      result.push_back({label_of(point),
                        series_of(point),
                        y == "accuracy" ? point.board : point.board + point.model + bits_of(point),
                        *px,
                        y == "accuracy" ? 100 * *py : *py,
                        {}});
  }
  return result;
}

std::string fronts(const SweepReport& sweep, const std::string& id) {
  std::string plots;
  const auto accuracy = [&](const char* name, const char* title, const char* field, const char* axis, Better better) {
    plots += front_figure(
        {id + "-front-" + name, title, "", axis, "accuracy, %", better, Better::More, false, 1, 2, candidates(sweep, field, "accuracy")});
  };
  accuracy("bops", "Accuracy against bit operations", "bops_uniq", "BOPs per image (UNIQ)", Better::Less);
  accuracy("lut4", "Accuracy against logic", "lut4", "LUT4", Better::Less);
  accuracy("energy", "Accuracy against energy", "nj_per_inference", "nJ per image (estimate)", Better::Less);
  accuracy("rate", "Accuracy against rate", "frames_per_second", "images per second at Fmax", Better::More);
  plots +=
      front_figure({id + "-front-clocks", "Logic against clocks", "What speed costs; only foldings of one model on one board are compared.",
                    "clocks per image", "LUT4", Better::Less, Better::Less, true, 0, 0, candidates(sweep, "clocks", "lut4")});
  return plots.empty() ? "" : "<div class=\"plots\">\n" + plots + "</div>\n";
}

std::string name_of(const SweepFit& fit) {
  std::string name = fit.engine + (fit.engine.empty() || fit.device.empty() ? "" : ", ") + fit.device;
  if (fit.pe && fit.simd) name += fmt::format(", {} × {}", *fit.pe, *fit.simd);
  return name;
}

std::string fit_figures(const SweepReport& sweep, const SweepFit& fit, const std::string& id) {
  if (fit.points.empty()) return "";
  const std::string name = name_of(fit);
  const std::string x = field_title(fit.x), y = field_title(fit.y);
  const auto at = [&](double value) { return fit.intercept + fit.slope * value; };
  ScatterPlot law{{id, capital(y) + " against " + x, ""}, {x, false}, {y, false}, {{name, {}}}, {}};
  ScatterPlot rest{{id + "-residuals", "Residuals of " + y, ""}, {x, false}, {"measured − fitted, " + y, false}, {{name, {}}}, {}};
  Table law_table("Data"), rest_table("Data");
  law_table.column("Point", Column::Text).column(x).column(y).column("fitted");
  rest_table.column("Point", Column::Text).column(x).column("residual").column("of the measured");
  double low = fit.points[0].first, high = low;
  for (std::size_t i = 0; i < fit.points.size(); ++i) {
    const auto [px, py] = fit.points[i];
    const std::string label = i < fit.members.size() ? short_label(sweep.points[fit.members[i]]) : fmt::format("{}", i + 1);
    law.series[0].marks.push_back({label, px, py, {}, false});
    rest.series[0].marks.push_back({label, px, py - at(px), {}, false});
    law_table.row({label, decimal(px, 1), decimal(py, 2), decimal(at(px), 2)});
    rest_table.row({label, decimal(px, 1), decimal(py - at(px), 2), py != 0 ? percent((py - at(px)) / py, 1) : kNone});
    low = std::min(low, px);
    high = std::max(high, px);
  }
  law.lines.push_back({"", {{low, at(low)}, {high, at(high)}}, false});
  rest.lines.push_back({"", {{low, 0}, {high, 0}}, false});
  law.text.description = fmt::format("{} points and the fitted line, R² {:.4f}.", fit.points.size(), fit.r2);
  rest.text.description = fmt::format("{} differences from the fitted line.", fit.points.size());
  return figure(id, law.text.title + (name.empty() ? "" : ": " + name),
                fmt::format("Least squares over {} points: {} = {:.5g} × {} {} {:.5g}, R² {:.4f}.", fit.points.size(), y, fit.slope, x,
                            fit.intercept < 0 ? "−" : "+", std::abs(fit.intercept), fit.r2),
                "", scatter_svg(law), law_table) +
         figure(id + "-residuals", rest.text.title + (name.empty() ? "" : ": " + name),
                "What the line leaves: a pattern here is where the law breaks.", "", scatter_svg(rest), rest_table);
}

/// Lines against UNIQ's bit operations are drawn at once; those against others wait folded away, where there are both.
std::string fits(const SweepReport& sweep, const std::string& id) {
  if (sweep.fits.empty()) return "";
  const auto is_main = [](const SweepFit& fit) { return fit.x == "bops_uniq"; };
  const bool has_main = std::any_of(sweep.fits.begin(), sweep.fits.end(), is_main);
  Table table("Least-squares lines: engine and device, array (PE × SIMD)");
  table.column("Points of", Column::Text)
      .column("y", Column::Text)
      .column("x", Column::Text)
      .column("Slope")
      .column("Intercept")
      .column("R²")
      .column("Points");
  std::string shown, folded;
  for (std::size_t i = 0; i < sweep.fits.size(); ++i) {
    const SweepFit& fit = sweep.fits[i];
    table.row({name_of(fit), field_title(fit.y), field_title(fit.x), fmt::format("{:.5g}", fit.slope), fmt::format("{:.5g}", fit.intercept),
               fmt::format("{:.4f}", fit.r2), thousands(static_cast<std::int64_t>(fit.points.size()))});
    (is_main(fit) || !has_main ? shown : folded) += fit_figures(sweep, fit, fmt::format("{}-fit-{}", id, i));
  }
  std::string out = "<h3>The linear law</h3>\n" + table.html() + "<div class=\"plots\">\n" + shown + "</div>\n";
  if (!folded.empty())
    out +=
        "<details class=\"long\"><summary>The same against other figures</summary><div class=\"plots\">\n" + folded + "</div></details>\n";
  return out;
}

}  // namespace

std::string sweep_section(const SweepReport& sweep, std::size_t index) {
  const std::string id = fmt::format("sweep-{}", index);
  const auto failed = std::count_if(sweep.points.begin(), sweep.points.end(), [](const SweepPoint& point) { return !point.error.empty(); });
  std::string out =
      fmt::format("<section id=\"{}\"><h2>Sweep{}</h2>\n<p class=\"soft\">{} point{}{}.</p>\n", id,
                  sweep.model.empty() ? "" : " of " + escape_html(sweep.model), thousands(static_cast<std::int64_t>(sweep.points.size())),
                  sweep.points.size() == 1 ? "" : "s", failed > 0 ? fmt::format(", of which {} failed", failed) : "");
  return out + fronts(sweep, id) + points_table(sweep) + fits(sweep, id) + "</section>\n";
}

}  // namespace bitloom
