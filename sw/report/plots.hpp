// Plots as inline SVG: drawn by gnuplot, then made to follow the page's text colour and to share a page with other plots.
#pragma once

#include <string>
#include <vector>

namespace bitloom {

/// Colours of series, legible on light and on dark ground.
inline constexpr const char* kSeriesColours[] = {"#3b82c4", "#c9751c", "#868e99", "#2a9d8f"};

struct Bar {
  std::string label;
  std::vector<double> parts;  ///< one value for each series, stacked
  std::string note;           ///< at the bar's end
};

/// Horizontal stacked bars, first bar on top.
struct BarPlot {
  std::string id;     ///< unique on the page: letters, digits, '-'
  std::string title;  ///< what the plot shows, for screen readers
  std::string axis;   ///< label of the value axis with its unit
  double limit = 0;   ///< end of the value axis; 0: by the data
  std::vector<Bar> bars;
};
std::string bar_svg(const BarPlot& plot);

struct Point {
  std::string label;
  double x = 0, y = 0;
};

/// Points with their names; x on a logarithmic axis.
struct PointPlot {
  std::string id, title, x_axis, y_axis;
  std::vector<Point> points;
};
std::string point_svg(const PointPlot& plot);

/// gnuplot's SVG made fit for a page: no prolog, ids that start with `id`, sentinel colours turned into currentColor, a title for screen
/// readers.
std::string inline_svg(const std::string& svg, const std::string& id, const std::string& title);

}  // namespace bitloom
