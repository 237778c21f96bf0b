#include "report/scale.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "core/error.hpp"

namespace bitloom {
namespace {

constexpr double kSteps[] = {1, 2, 5, 10};
constexpr double kSlack = 1e-9;  // of a step: what rounding may add

void require_range(double low, double high) {
  if (!std::isfinite(low) || !std::isfinite(high) || low > high)
    throw Error("plot", fmt::format("an axis from {} to {} cannot be drawn; finite values in rising order are needed", low, high));
}

}  // namespace

double Scale::place(double value) const {
  const auto measure = [this](double v) { return logarithmic ? std::log(std::max(v, low)) : v; };
  return std::clamp((measure(value) - measure(low)) / (measure(high) - measure(low)), 0.0, 1.0);
}

Scale linear_scale(double low, double high, int about) {
  require_range(low, high);
  if (low == high) {
    const double room = low == 0 ? 1 : 0.1 * std::abs(low);
    return linear_scale(low - (low == 0 ? 0 : room), high + room, about);
  }
  const double rough = (high - low) / std::max(about, 1);
  const double decade = std::pow(10, std::floor(std::log10(rough)));
  const double step =
      decade * *std::find_if(std::begin(kSteps), std::end(kSteps) - 1, [&](double s) { return s * decade >= rough * (1 - kSlack); });
  const double first = std::floor(low / step + kSlack), last = std::ceil(high / step - kSlack);
  Scale scale{false, first * step, last * step, {}};
  for (double i = first; i <= last; ++i) scale.ticks.push_back(i * step);
  return scale;
}

Scale log_scale(double low, double high) {
  require_range(low, high);
  if (!(low > 0)) throw Error("plot", fmt::format("a logarithmic axis needs values above 0, found {}", low));
  const bool narrow = high < 100 * low;
  std::vector<double> ticks;
  for (double exponent = std::floor(std::log10(low)); exponent <= std::ceil(std::log10(high)); ++exponent)
    for (const double step : {1.0, 2.0, 5.0})
      if (step == 1 || narrow) ticks.push_back(step * std::pow(10, exponent));
  // From the last tick at or below the data to the first at or above it; a value on a tick alone keeps a neighbour on each side.
  std::size_t first = 0, last = ticks.size() - 1;
  while (first + 1 < ticks.size() && ticks[first + 1] <= low * (1 + kSlack)) ++first;
  while (last > 0 && ticks[last - 1] >= high * (1 - kSlack)) --last;
  if (last <= first) {
    first -= first > 0 ? 1 : 0;
    last = std::min(last + 1, ticks.size() - 1);
  }
  return {true,
          ticks[first],
          ticks[last],
          {ticks.begin() + static_cast<std::ptrdiff_t>(first), ticks.begin() + static_cast<std::ptrdiff_t>(last) + 1}};
}

std::string tick_label(double value) {
  static constexpr const char* kUnits[] = {"", "\u202fk", "\u202fM", "\u202fG", "\u202fT", "\u202fP"};
  std::size_t unit = 0;
  while (std::abs(value) >= 999.95 && unit + 1 < std::size(kUnits)) {
    value /= 1000;
    ++unit;
  }
  return fmt::format("{}{:.4g}{}", value < 0 ? "\u2212" : "", std::abs(value), kUnits[unit]);
}

}  // namespace bitloom
