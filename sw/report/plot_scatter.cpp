#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.hpp"
#include "report/html.hpp"
#include "report/scale.hpp"
#include "report/svg.hpp"

namespace bitloom {
namespace {

constexpr double kHeight = 290, kLeft = 54, kRight = 14, kTop = 30, kBottom = 46;
constexpr std::size_t kMostLabels = 14;  // beyond, labels would hide the points

struct Box {
  double left, top, right, bottom;
  bool meets(const Box& other) const { return left < other.right && other.left < right && top < other.bottom && other.top < bottom; }
};

/// Where labels may stand: beside what is drawn, never on it.
class Labels {
 public:
  void keep_free(const Box& box) { taken_.push_back(box); }
  /// Lines are crossed only where there is no other place.
  void avoid(double x1, double y1, double x2, double y2) {
    const int steps = static_cast<int>(std::hypot(x2 - x1, y2 - y1) / 6) + 1;
    for (int i = 0; i <= steps; ++i) {
      const double x = x1 + (x2 - x1) * i / steps, y = y1 + (y2 - y1) * i / steps;
      crossed_.push_back({x - 1, y - 1, x + 1, y + 1});
    }
  }
  /// At the first free of four places beside a point; nowhere when none is.
  void place(Svg& svg, double x, double y, const std::string& text) {
    if (!place(svg, x, y, text, true)) place(svg, x, y, text, false);
  }

 private:
  bool place(Svg& svg, double x, double y, const std::string& text, bool beside_lines) {
    const double width = text_width(text), gap = 8;
    const bool right_half = x > kPlotWidth / 2;
    for (const int side : right_half ? std::vector<int>{1, 0, 2, 3} : std::vector<int>{0, 1, 2, 3}) {
      const double left = side == 0 ? x + gap : side == 1 ? x - gap - width : std::clamp(x - width / 2, kLeft + 2, kPlotWidth - width);
      const double base = side == 2 ? y - gap : side == 3 ? y + gap + kTextSize - 2 : y + 4;
      const Box box{left, base - kTextSize + 1, left + width, base + 3};
      const bool inside = box.left >= kLeft + 1 && box.right <= kPlotWidth && box.top >= kTop - 8 && box.bottom <= kHeight - kBottom;
      const auto hits = [&](const Box& other) { return box.meets(other); };
      if (!inside || std::any_of(taken_.begin(), taken_.end(), hits)) continue;
      if (beside_lines && std::any_of(crossed_.begin(), crossed_.end(), hits)) continue;
      svg.text(left, base, text, "label");
      taken_.push_back(box);
      return true;
    }
    return false;
  }
  std::vector<Box> taken_, crossed_;
};

struct Range {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  void take(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
};

Scale scale_of(const ScatterPlot& plot, const Axis& axis, const Range& range) {
  if (axis.logarithmic && !(range.low > 0))
    throw Error(plot.text.title, fmt::format("'{}' is a logarithmic axis, which needs values above 0; found {}", axis.label, range.low));
  return axis.logarithmic ? log_scale(range.low, range.high) : linear_scale(range.low, range.high);
}

}  // namespace

std::string scatter_svg(const ScatterPlot& plot) {
  Range x_range, y_range;
  std::size_t marks = 0;
  for (const Series& series : plot.series)
    for (const Mark& mark : series.marks) {
      if (!std::isfinite(mark.x) || !std::isfinite(mark.y))
        throw Error(plot.text.title, fmt::format("'{}' is at {}, {}: finite values are needed", mark.label, mark.x, mark.y));
      x_range.take(mark.x);
      y_range.take(mark.y);
      if (mark.x_range && (!plot.x.logarithmic || mark.x_range->first > 0)) x_range.take(mark.x_range->first);
      if (mark.x_range) x_range.take(mark.x_range->second);
      ++marks;
    }
  for (const Line& line : plot.lines)
    for (const auto& [x, y] : line.points) x_range.take(x), y_range.take(y);
  if (marks == 0) throw Error(plot.text.title, "a plot needs at least one point");
  const Scale x_scale = scale_of(plot, plot.x, x_range), y_scale = scale_of(plot, plot.y, y_range);
  const auto x_of = [&](double x) { return kLeft + 8 + x_scale.place(x) * (kPlotWidth - kRight - kLeft - 16); };
  const auto y_of = [&](double y) { return kHeight - kBottom - 8 - y_scale.place(y) * (kHeight - kBottom - kTop - 16); };

  Svg svg(plot.text, kHeight);
  const double floor = kHeight - kBottom;
  for (const double tick : x_scale.ticks) {
    svg.line(x_of(tick), kTop, x_of(tick), floor, "grid");
    svg.text(x_of(tick), floor + 16, tick_label(tick), "mid soft");
  }
  for (const double tick : y_scale.ticks) {
    svg.line(kLeft, y_of(tick), kPlotWidth - kRight, y_of(tick), "grid");
    svg.text(kLeft - 6, y_of(tick) + 4, tick_label(tick), "end soft");
  }
  svg.line(kLeft, floor, kPlotWidth - kRight, floor, "axis");
  svg.line(kLeft, kTop, kLeft, floor, "axis");
  svg.text(0, 14, shortened(plot.y.label, kPlotWidth));
  svg.text(kPlotWidth - kRight, kHeight - 8, shortened(plot.x.label, kPlotWidth - kRight), "end");

  Labels labels;
  for (const Line& line : plot.lines) {
    std::vector<std::pair<double, double>> points;
    for (const auto& [x, y] : line.points) points.emplace_back(x_of(x), y_of(y));
    svg.polyline(points, line.dashed ? "line dashed" : "line");
    for (std::size_t i = 1; i < points.size(); ++i)
      labels.avoid(points[i - 1].first, points[i - 1].second, points[i].first, points[i].second);
  }
  for (const Series& series : plot.series)
    for (const Mark& mark : series.marks) {
      const double x = x_of(mark.x), y = y_of(mark.y);
      labels.keep_free({x - 5, y - 5, x + 5, y + 5});
      if (mark.x_range) labels.keep_free({x_of(mark.x_range->first), y - 2, x_of(mark.x_range->second), y + 2});
    }
  for (std::size_t s = 0; s < plot.series.size(); ++s)
    for (const Mark& mark : plot.series[s].marks) {
      const double x = x_of(mark.x), y = y_of(mark.y);
      if (mark.x_range)
        svg.line(x_of(mark.x_range->first), y, x_of(mark.x_range->second), y, fmt::format("s{} range", s % kSeries).c_str());
      svg.marker(s, x, y, mark.open, fmt::format("{}: {}, {}", mark.label, short_count(mark.x), short_count(mark.y)));
    }
  for (const Series& series : plot.series)
    for (const Mark& mark : series.marks)
      if (marks <= kMostLabels && !mark.open) labels.place(svg, x_of(mark.x), y_of(mark.y), shortened(mark.label, 150));
  for (const Line& line : plot.lines)
    if (!line.label.empty()) labels.place(svg, x_of(line.points.back().first), y_of(line.points.back().second), line.label);
  return svg.str();
}

}  // namespace bitloom
