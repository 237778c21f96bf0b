#include "report/html.hpp"

#include <fmt/format.h>

#include <cmath>
#include <iterator>

#include "core/error.hpp"
#include "report/report.hpp"

namespace bitloom {

std::string escape_html(const std::string& text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&': result += "&amp;"; break;
      case '<': result += "&lt;"; break;
      case '>': result += "&gt;"; break;
      case '"': result += "&quot;"; break;
      case '\'': result += "&#39;"; break;
      default: result += c;
    }
  }
  return result;
}

std::string thousands(std::int64_t value) {
  std::string digits = fmt::format("{}", value);
  const std::ptrdiff_t first = value < 0 ? 1 : 0;
  for (auto i = static_cast<std::ptrdiff_t>(digits.size()) - 3; i > first; i -= 3) digits.insert(static_cast<std::size_t>(i), "\u202f");
  return digits;
}

std::string decimal(double value, int decimals) {
  if (!std::isfinite(value)) return kNone;
  const std::string text = fmt::format("{:.{}f}", value, decimals);
  const std::size_t point = text.find('.');
  const std::string whole = text.substr(0, point);
  if (whole.size() > 18) return fmt::format("{:.3g}", value);
  const std::string grouped = (whole == "-0" ? "-" : "") + thousands(std::stoll(whole));
  return point == std::string::npos ? grouped : grouped + text.substr(point);
}

std::string short_count(double value) {
  static constexpr const char* kUnits[] = {"", "\u202fk", "\u202fM", "\u202fG", "\u202fT", "\u202fP"};
  std::size_t unit = 0;
  while (std::abs(value) >= 999.5 && unit + 1 < std::size(kUnits)) {
    value /= 1000;
    ++unit;
  }
  const double size = std::abs(value);
  const int decimals = unit == 0 && value == std::floor(value) ? 0 : size < 9.995 ? 2 : size < 99.95 ? 1 : 0;
  return fmt::format("{:.{}f}{}", value, decimals, kUnits[unit]);
}

std::string percent(double fraction, int decimals) { return fmt::format("{:.{}f}\u202f%", 100 * fraction, decimals); }

Table& Table::column(const std::string& name, Column kind) {
  columns_.emplace_back(name, kind);
  return *this;
}

Table& Table::row(const std::vector<std::string>& cells) {
  if (cells.size() != columns_.size())
    throw Error(caption_, fmt::format("a row has {} cells, the table {} columns", cells.size(), columns_.size()));
  rows_.push_back({cells, false});
  return *this;
}

Table& Table::total(const std::vector<std::string>& cells) {
  row(cells);
  rows_.back().is_total = true;
  return *this;
}

std::string Table::html() const { return fmt::format("<p class=\"caption\">{}</p>{}", escape_html(caption_), grid()); }

std::string Table::folded() const {
  static constexpr std::size_t kLong = 60;
  return fmt::format("<details class=\"data{}\"><summary>{}</summary>{}</details>\n", rows_.size() > kLong ? " long" : "",
                     escape_html(caption_), grid());
}

std::string Table::grid() const {
  // The caption stands outside the scrolling container: it stays in view and wraps at the page's width.
  std::string out =
      fmt::format("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{0}\"><table aria-label=\"{0}\"><thead><tr>",
                  escape_html(caption_));
  for (const auto& [name, kind] : columns_)
    out += fmt::format("<th scope=\"col\"{}>{}</th>", kind == Column::Number ? " class=\"n\"" : "", escape_html(name));
  out += "</tr></thead><tbody>\n";
  for (const Row& row : rows_) {
    out += row.is_total ? "<tr class=\"total\">" : "<tr>";
    for (std::size_t i = 0; i < row.cells.size(); ++i) {
      const char* number = columns_[i].second == Column::Number ? " class=\"n\"" : "";
      out += i == 0 ? fmt::format("<th scope=\"row\"{}>{}</th>", number, escape_html(row.cells[i]))
                    : fmt::format("<td{}>{}</td>", number, escape_html(row.cells[i]));
    }
    out += "</tr>\n";
  }
  return out + "</tbody></table></div>\n";
}

KeyFigures& KeyFigures::add(const std::string& title, const std::string& value, const std::string& detail, const char* style) {
  items_ += fmt::format("<div><dt>{}</dt><dd class=\"{}\">{}<small>{}</small></dd></div>\n", escape_html(title), style, escape_html(value),
                        escape_html(detail));
  return *this;
}

std::string KeyFigures::html() const { return "<dl class=\"figures\">\n" + items_ + "</dl>\n"; }

std::string legend(const std::vector<std::pair<std::string, std::string>>& marks_and_names) {
  std::string out = "<ul class=\"legend\">";
  for (const auto& [mark, name] : marks_and_names) out += fmt::format("<li>{}{}</li>", mark, escape_html(name));
  return out + "</ul>";
}

std::string figure(const std::string& id, const std::string& title, const std::string& caption, const std::string& legend,
                   const std::string& svg, const Table& data) {
  return fmt::format("<figure id=\"{}\"><figcaption><b>{}.</b> {}</figcaption>{}{}{}</figure>\n", id, escape_html(title),
                     escape_html(caption), legend, svg, data.folded());
}

}  // namespace bitloom
