// The small pieces of the page: escaped text, numbers, tables.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace bitloom {

/// 1234567 as "1 234 567", with thin spaces that do not break.
std::string thousands(std::int64_t value);
/// A number with `decimals` digits after the point, thousands grouped.
std::string decimal(double value, int decimals);
/// 12 340 000 as "12.3 M": three significant digits.
std::string short_count(double value);
/// 0.9271 as "92.71 %".
std::string percent(double fraction, int decimals = 2);
/// What stands for a figure that was not measured.
inline constexpr const char* kNone = "–";

/// A table that scrolls in its own container. Cells are text and are escaped.
class Table {
 public:
  enum class Column { Text, Number };
  /// `caption` says what the table shows; it is visible above it.
  explicit Table(std::string caption) : caption_(std::move(caption)) {}
  Table& column(const std::string& name, Column kind = Column::Number);
  /// A row: the first cell is its heading.
  Table& row(const std::vector<std::string>& cells);
  Table& total(const std::vector<std::string>& cells);
  bool empty() const { return rows_.empty(); }
  std::size_t size() const { return rows_.size(); }
  /// With its caption above it.
  std::string html() const;
  /// Folded away behind its caption; on paper it is open, unless it is very long.
  std::string folded() const;

 private:
  std::string grid() const;
  struct Row {
    std::vector<std::string> cells;
    bool is_total;
  };
  std::string caption_;
  std::vector<std::pair<std::string, Column>> columns_;
  std::vector<Row> rows_;
};

/// A row of key figures: title, value and what it refers to. `style`: "", "good" or "bad".
class KeyFigures {
 public:
  KeyFigures& add(const std::string& title, const std::string& value, const std::string& detail, const char* style = "");
  std::string html() const;

 private:
  std::string items_;
};

/// Names of a plot's series, each after its mark (HTML: marker_key or bar_key).
std::string legend(const std::vector<std::pair<std::string, std::string>>& marks_and_names);

/// A plot under its caption, its data in a table beneath, folded. `title` and `caption` are text, `legend` and `svg` are HTML.
std::string figure(const std::string& id, const std::string& title, const std::string& caption, const std::string& legend,
                   const std::string& svg, const Table& data);

}  // namespace bitloom
