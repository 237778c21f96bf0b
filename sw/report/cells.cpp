#include "report/cells.hpp"

#include <fmt/format.h>

#include <cmath>

#include "report/html.hpp"

namespace bitloom {

std::string share(double part, double whole) { return whole > 0 ? percent(part / whole, 1) : kNone; }
std::string counted(std::int64_t value) { return value > 0 ? thousands(value) : kNone; }
std::string big(double value) { return value > 0 ? short_count(value) : kNone; }
std::string yes_no(const std::optional<bool>& value) { return value ? (*value ? "yes" : "NO") : kNone; }
std::string fraction(const std::optional<double>& value) { return value ? percent(*value) : kNone; }
std::string figure_or_none(const std::optional<double>& value, int decimals) { return value ? decimal(*value, decimals) : kNone; }

std::string of(int used, int available) {
  return available > 0 ? fmt::format("{} of {} ({})", thousands(used), thousands(available), share(used, available)) : kNone;
}

std::string clocks(const DesignReport& design) {
  const double value = design.clocks_per_image();
  const bool predicted = !design.simulation || value != design.simulation->clocks_per_image;
  return decimal(value, value == std::floor(value) ? 0 : 1) + (predicted ? " (predicted)" : "");
}

std::string uncertainty(const PowerReport& power) { return power.uncertainty ? "±" + percent(*power.uncertainty, 0) : power.note; }

}  // namespace bitloom
