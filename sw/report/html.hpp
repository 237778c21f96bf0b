// The small pieces of the page: escaped text, numbers, tables.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
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
  std::string html() const;

 private:
  struct Row {
    std::vector<std::string> cells;
    bool is_total;
  };
  std::string caption_;
  std::vector<std::pair<std::string, Column>> columns_;
  std::vector<Row> rows_;
};

}  // namespace bitloom
