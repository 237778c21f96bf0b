#include <fmt/format.h>

#include "report/cells.hpp"
#include "report/html.hpp"
#include "report/plots.hpp"
#include "report/sections.hpp"

namespace bitloom {
namespace {

std::string parts_figure(const std::vector<PowerReport::Part>& parts, const std::string& id, const std::string& title,
                         const std::string& what, const std::string& caption) {
  if (parts.empty()) return "";
  BarPlot plot{{id, title, "Horizontal bars, one for each " + what + ", in milliwatts."}, {{"mW, estimated", 0}}, {}};
  Table table("Data");
  table.column(what, Table::Column::Text).column("mW").column("Share").column("Toggles");
  double all = 0;
  for (const auto& part : parts) all += part.mw;
  for (const auto& part : parts) {
    plot.rows.push_back({part.name, {{part.mw}}, {fmt::format("{:.3g}", part.mw)}});
    table.row({part.name, fmt::format("{:.4g}", part.mw), share(part.mw, all), part.toggles ? decimal(*part.toggles, 0) : kNone});
  }
  return figure(id, title, caption, "", bar_svg(plot), table);
}

}  // namespace

std::string power_figures(const PowerReport& power, const std::string& id) {
  const std::string range = uncertainty(power);
  const std::string caption =
      "An estimate" + (range.empty() ? "" : " (" + range + ")") + " from the toggles of the netlist on real images.";
  return parts_figure(power.layers, id + "-power-layers", "Power by layer", "layer", caption) +
         parts_figure(power.kinds, id + "-power-kinds", "Power by kind of resource", "kind", caption);
}

std::string power_note(const PowerReport& power) {
  const auto milliwatts = [](const std::optional<double>& mw) { return mw ? fmt::format("{:.3g} mW", *mw) : std::string(kNone); };
  std::string out = fmt::format("<p class=\"soft\">Power is an estimate: {} dynamic and {} static", milliwatts(power.dynamic_mw),
                                milliwatts(power.static_mw));
  if (power.voltage) out += fmt::format(" at {:.3g} V", *power.voltage);
  if (power.clock_mhz) out += fmt::format(" and {:.4g} MHz", *power.clock_mhz);
  if (const std::string range = uncertainty(power); !range.empty()) out += "; " + escape_html(range);
  if (power.images > 0)
    out += fmt::format(". Toggles were counted over {} image{} in the {} netlist", power.images, power.images == 1 ? "" : "s",
                       escape_html(power.netlist));
  out += ".</p>\n";
  if (power.sources.empty()) return out;
  out += "<details><summary>Sources of the coefficients</summary><ul class=\"soft\">";
  for (const std::string& source : power.sources) out += "<li>" + escape_html(source) + "</li>";
  return out + "</ul></details>\n";
}

}  // namespace bitloom
