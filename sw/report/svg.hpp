// Writing SVG: the few elements that the plots are made of.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "report/plots.hpp"

namespace bitloom {

inline constexpr double kPlotWidth = 420;
inline constexpr double kTextSize = 12;

/// Width of a text in the plots' type, estimated: it is drawn in whatever font the reader has.
double text_width(const std::string& text);
/// The text, or its beginning and an ellipsis, so that it takes at most `width`.
std::string shortened(const std::string& text, double width);

class Svg {
 public:
  Svg(const PlotText& text, double height);
  void line(double x1, double y1, double x2, double y2, const char* style);
  void polyline(const std::vector<std::pair<double, double>>& points, const char* style);
  /// `tip` is shown under the pointer; empty for none.
  void bar(double x, double y, double width, double height, const std::string& style, const std::string& tip = "");
  /// `style`: "", "mid", "end", with "soft" for what stands back. Escapes.
  void text(double x, double y, const std::string& text, const char* style = "");
  void slanted_text(double x, double y, const std::string& text);
  void marker(std::size_t series, double x, double y, bool open, const std::string& tip);
  std::string str() const { return body_ + "</svg>\n"; }

 private:
  std::string body_;
};

/// The shape of a series around a place, as an element without style.
std::string marker_shape(std::size_t series, double x, double y);

}  // namespace bitloom
