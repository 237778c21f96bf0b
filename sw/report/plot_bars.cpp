#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "core/error.hpp"
#include "report/scale.hpp"
#include "report/svg.hpp"

namespace bitloom {
namespace {

constexpr double kRow = 22, kBar = 13, kHead = 22, kFoot = 24, kGap = 14, kWidestLabel = 172;

double sum(const std::vector<double>& parts) { return std::accumulate(parts.begin(), parts.end(), 0.0); }

void require_shape(const BarPlot& plot) {
  if (plot.rows.empty() || plot.panels.empty()) throw Error(plot.text.title, "a plot needs at least one bar");
  for (const BarRow& row : plot.rows) {
    if (row.parts.size() != plot.panels.size() || row.notes.size() != plot.panels.size())
      throw Error(plot.text.title, fmt::format("the row '{}' has {} bars and {} notes, the plot {} panels", row.label, row.parts.size(),
                                               row.notes.size(), plot.panels.size()));
    for (const auto& parts : row.parts)
      for (const double part : parts)
        if (!(part >= 0))
          throw Error(plot.text.title, fmt::format("the row '{}' has a part of {}; a bar's parts are 0 or more", row.label, part));
  }
}

}  // namespace

std::string bar_svg(const BarPlot& plot) {
  require_shape(plot);
  double labels = 0;
  for (const BarRow& row : plot.rows) labels = std::max(labels, text_width(row.label));
  const double left = std::min(labels, kWidestLabel) + 8;
  const auto panels = static_cast<double>(plot.panels.size());
  const double panel_width = (kPlotWidth - left - kGap * (panels - 1)) / panels;
  const double floor = kHead + kRow * static_cast<double>(plot.rows.size());

  Svg svg(plot.text, floor + kFoot);
  for (std::size_t r = 0; r < plot.rows.size(); ++r)
    svg.text(left - 8, kHead + kRow * static_cast<double>(r) + 15, shortened(plot.rows[r].label, kWidestLabel), "end");
  for (std::size_t p = 0; p < plot.panels.size(); ++p) {
    const BarPanel& panel = plot.panels[p];
    const double start = left + static_cast<double>(p) * (panel_width + kGap);
    double largest = 0, notes = 0;
    for (const BarRow& row : plot.rows) {
      largest = std::max(largest, sum(row.parts[p]));
      notes = std::max(notes, text_width(row.notes[p]));
    }
    Scale scale = linear_scale(0, panel.limit > 0 ? panel.limit : largest, plot.panels.size() == 1 ? 5 : 2);
    // The bars take all the room there is: the axis ends with the longest, not at a round number.
    if (panel.limit > 0 || largest > 0) scale.high = panel.limit > 0 ? panel.limit : largest;
    while (scale.ticks.back() > scale.high * 1.0001) scale.ticks.pop_back();
    const double length = panel_width - (notes > 0 ? notes + 4 : 10);
    const auto x_of = [&](double value) { return start + scale.place(value) * length; };
    svg.text(start, 12, shortened(panel.axis, panel_width + kGap), "soft");
    // Panels side by side have room for the ends of the axis alone.
    for (const double tick : plot.panels.size() == 1 ? scale.ticks : std::vector<double>{0, scale.ticks.back()}) {
      svg.line(x_of(tick), kHead, x_of(tick), floor, "grid");
      svg.text(x_of(tick), floor + 15, tick_label(tick), "mid soft");
    }
    for (std::size_t r = 0; r < plot.rows.size(); ++r) {
      const BarRow& row = plot.rows[r];
      const double top = kHead + kRow * static_cast<double>(r) + (kRow - kBar) / 2;
      double end = 0;
      for (std::size_t s = 0; s < row.parts[p].size(); ++s) {
        const double from = end;
        end += row.parts[p][s];
        if (end > from)
          svg.bar(x_of(from), top, x_of(end) - x_of(from), kBar, fmt::format("s{} solid", s % kSeries),
                  fmt::format("{}: {:.6g}", row.label, row.parts[p][s]));
      }
      if (!row.notes[p].empty()) svg.text(x_of(end) + 4, top + 10.5, row.notes[p]);
    }
    svg.line(start, kHead, start, floor, "axis");
  }
  return svg.str();
}

}  // namespace bitloom
