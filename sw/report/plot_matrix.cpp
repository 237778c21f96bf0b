#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "core/error.hpp"
#include "report/svg.hpp"

namespace bitloom {
namespace {
constexpr double kLongestLabel = 84, kSmallestWithNumber = 20, kLargestCell = 36;
}

std::string matrix_svg(const MatrixPlot& plot) {
  const std::size_t size = plot.cells.size();
  if (size == 0 || plot.labels.size() != size)
    throw Error(plot.text.title, fmt::format("a matrix of {} rows needs as many labels, found {}", size, plot.labels.size()));
  double label = 0;
  for (const std::string& text : plot.labels) label = std::max(label, text_width(text));
  label = std::min(label, kLongestLabel);
  const double left = label + 10;
  const double cell = std::min(kLargestCell, (kPlotWidth - left - 1) / static_cast<double>(size));
  const bool slanted = label > cell, numbers = cell >= kSmallestWithNumber;
  const double top = 22 + (slanted ? 0.8 * label + 8 : 16);

  Svg svg(plot.text, top + cell * static_cast<double>(size) + 2);
  svg.text(0, 12, plot.row_axis + " ↓, " + plot.column_axis + " →", "soft");
  for (std::size_t r = 0; r < size; ++r) {
    const auto& row = plot.cells[r];
    if (row.size() != size) throw Error(plot.text.title, fmt::format("row {} has {} cells, the matrix {} columns", r, row.size(), size));
    const double y = top + cell * static_cast<double>(r), x = left + cell * static_cast<double>(r);
    svg.text(left - 6, y + cell / 2 + 4, shortened(plot.labels[r], kLongestLabel), "end");
    if (slanted)
      svg.slanted_text(x + cell / 2, top - 5, shortened(plot.labels[r], kLongestLabel));
    else
      svg.text(x + cell / 2, top - 6, plot.labels[r], "mid");
    const auto total = static_cast<double>(std::accumulate(row.begin(), row.end(), std::int64_t{0}));
    for (std::size_t c = 0; c < size; ++c) {
      const double share = total > 0 ? static_cast<double>(row[c]) / total : 0;
      // Four depths. Errors are few: their colour is raised, or a confusion of 5 % would not be seen.
      const double depth = r == c ? share : 4 * share;
      const int shade = row[c] == 0 ? 0 : depth < 0.25 ? 1 : depth < 0.5 ? 2 : depth < 0.75 ? 3 : 4;
      const double cell_x = left + cell * static_cast<double>(c);
      svg.bar(cell_x, y, cell - 1, cell - 1, shade == 0 ? "cell" : fmt::format("{} d{} shade", r == c ? "s0" : "s1", shade),
              row[c] == 0 ? "" : fmt::format("{} as {}: {}", plot.labels[r], plot.labels[c], row[c]));
      if (numbers && row[c] > 0) svg.text(cell_x + (cell - 1) / 2, y + cell / 2 + 4, fmt::format("{}", row[c]), "mid");
    }
  }
  return svg.str();
}

}  // namespace bitloom
