// The plots, as inline SVG. Colours, fonts and line widths are classes of the page's style sheet, so that a plot follows light, dark and
// paper; markers differ in shape as well as in colour. A plot is 420 units wide, which is a phone: it grows little on a wide screen.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace bitloom {

inline constexpr int kSeries = 6;  ///< colours and shapes that can be told apart; a seventh series looks like the first

/// What every plot says of itself. `id` is unique on the page: letters, digits, '-'.
struct PlotText {
  std::string id;
  std::string title;        ///< what is drawn
  std::string description;  ///< what is to be seen: the text for those who cannot
};

struct Mark {
  std::string label;
  double x = 0, y = 0;
  std::optional<std::pair<double, double>> x_range;  ///< uncertainty, drawn as a line
  bool open = false;                                 ///< drawn as an outline
};
struct Series {
  std::string name;
  std::vector<Mark> marks;
};
struct Line {
  std::string label;
  std::vector<std::pair<double, double>> points;
  bool dashed = false;
};
struct Axis {
  std::string label;  ///< with its unit
  bool logarithmic = false;
};

/// Points in series, and lines such as a front, a fit or a roof. Labels stand beside the points where they are few.
struct ScatterPlot {
  PlotText text;
  Axis x, y;
  std::vector<Series> series;
  std::vector<Line> lines;
};
std::string scatter_svg(const ScatterPlot& plot);

struct BarPanel {
  std::string axis;  ///< title with its unit
  double limit = 0;  ///< end of the axis; 0: by the data
};
struct BarRow {
  std::string label;
  std::vector<std::vector<double>> parts;  ///< for each panel, one value for each series: stacked
  std::vector<std::string> notes;          ///< for each panel, at the bar's end
};
/// Horizontal bars, the first row on top; several panels side by side share the rows.
struct BarPlot {
  PlotText text;
  std::vector<BarPanel> panels;
  std::vector<BarRow> rows;
};
std::string bar_svg(const BarPlot& plot);

/// Counts by row and column; the diagonal in one colour, the rest in another, as deep as their share of the row.
struct MatrixPlot {
  PlotText text;
  std::string row_axis, column_axis;
  std::vector<std::string> labels;  ///< of rows and columns alike
  std::vector<std::vector<std::int64_t>> cells;
};
std::string matrix_svg(const MatrixPlot& plot);

/// The mark of a series for a legend: as in a scatter plot, or as a bar's colour.
std::string marker_key(std::size_t series, bool open = false);
std::string bar_key(std::size_t series);

}  // namespace bitloom
