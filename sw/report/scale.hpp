// Axes: from the range of the data to round ends, ticks and places.
#pragma once

#include <string>
#include <vector>

namespace bitloom {

struct Scale {
  bool logarithmic = false;
  double low = 0, high = 1;   ///< ends of the axis
  std::vector<double> ticks;  ///< rising, within the ends; at least two
  /// 0 at the low end, 1 at the high end; values beyond an end are drawn on it.
  double place(double value) const;
};

/// Ends and ticks at multiples of 1, 2 or 5 times a power of ten, some `about` of them. One value alone gets room on both sides.
/// Throws Error for a range that is not finite or the wrong way round.
Scale linear_scale(double low, double high, int about = 5);
/// Ticks at powers of ten; over less than two decades also at 2 and 5 times these. Throws Error for values that are not above 0.
Scale log_scale(double low, double high);
/// 250000 as "250 k", 0.05 as "0.05".
std::string tick_label(double value);

}  // namespace bitloom
