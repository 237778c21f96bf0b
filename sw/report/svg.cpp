#include "report/svg.hpp"

#include <fmt/format.h>

#include <cmath>

#include "report/html.hpp"
#include "report/report.hpp"

namespace bitloom {
namespace {

bool starts_character(char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }

std::string tipped(const std::string& element, const std::string& tip) {
  return tip.empty() ? element + "/>\n"
                     : fmt::format("{}><title>{}</title></{}>\n", element, escape_html(tip), element.substr(1, element.find(' ') - 1));
}

}  // namespace

double text_width(const std::string& text) {
  double characters = 0;
  for (const char c : text) characters += starts_character(c) ? 1 : 0;
  return 0.62 * kTextSize * characters;
}

std::string shortened(const std::string& text, double width) {
  if (text_width(text) <= width) return text;
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (starts_character(text[i]) && text_width(result) + text_width("ab") > width) break;
    result += text[i];
  }
  return result + "\u2026";
}

Svg::Svg(const PlotText& text, double height)
    : body_(fmt::format("<svg class=\"plot\" role=\"img\" viewBox=\"0 0 {0} {1:.0f}\" aria-labelledby=\"{2}-title {2}-desc\"><title "
                        "id=\"{2}-title\">{3}</title>"
                        "<desc id=\"{2}-desc\">{4}</desc>\n",
                        kPlotWidth, height, text.id, escape_html(text.title), escape_html(text.description))) {}

void Svg::line(double x1, double y1, double x2, double y2, const char* style) {
  body_ += fmt::format("<line class=\"{}\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>\n", style, x1, y1, x2, y2);
}

void Svg::polyline(const std::vector<std::pair<double, double>>& points, const char* style) {
  body_ += fmt::format("<polyline class=\"{}\" points=\"", style);
  for (const auto& [x, y] : points) body_ += fmt::format("{:.1f},{:.1f} ", x, y);
  body_ += "\"/>\n";
}

void Svg::bar(double x, double y, double width, double height, const std::string& style, const std::string& tip) {
  body_ += tipped(
      fmt::format("<rect class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"", style, x, y, width, height), tip);
}

void Svg::text(double x, double y, const std::string& text, const char* style) {
  body_ += fmt::format("<text class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", style, x, y, escape_html(text));
}

void Svg::slanted_text(double x, double y, const std::string& text) {
  body_ += fmt::format("<text transform=\"translate({:.1f} {:.1f}) rotate(-50)\">{}</text>\n", x, y, escape_html(text));
}

void Svg::marker(std::size_t series, double x, double y, bool open, const std::string& tip) {
  const std::string shape = marker_shape(series, x, y);
  const std::size_t name = shape.find(' ');
  body_ += tipped(
      fmt::format("{} class=\"s{} {}\"{}", shape.substr(0, name), series % kSeries, open ? "open" : "solid", shape.substr(name)), tip);
}

std::string marker_shape(std::size_t series, double x, double y) {
  // Areas alike, so that no shape looks heavier.
  switch (series % kSeries) {
    case 0: return fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4.5\"", x, y);
    case 1: return fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"8\" height=\"8\"", x - 4, y - 4);
    case 2: return fmt::format("<path d=\"M{:.1f},{:.1f}l5.4,9.3h-10.8z\"", x, y - 5.6);
    case 3: return fmt::format("<path d=\"M{:.1f},{:.1f}l5.6,5.6l-5.6,5.6l-5.6,-5.6z\"", x, y - 5.6);
    case 4: return fmt::format("<path d=\"M{:.1f},{:.1f}l5.4,-9.3h-10.8z\"", x, y + 5.6);
    default: return fmt::format("<path d=\"M{:.1f},{:.1f}h3v3.5h3.5v3h-3.5v3.5h-3v-3.5h-3.5v-3h3.5z\"", x - 1.5, y - 5);
  }
}

std::string marker_key(std::size_t series, bool open) {
  return fmt::format("<svg class=\"plot key s{}\" viewBox=\"0 0 14 14\" aria-hidden=\"true\"><g class=\"{}\">{}/></g></svg>",
                     series % kSeries, open ? "open" : "solid", marker_shape(series, 7, 7));
}

std::string bar_key(std::size_t series) {
  return fmt::format(
      "<svg class=\"plot key s{}\" viewBox=\"0 0 14 14\" aria-hidden=\"true\"><rect class=\"solid\" x=\"1\" y=\"1\" width=\"12\" "
      "height=\"12\"/></svg>",
      series % kSeries);
}

}  // namespace bitloom
