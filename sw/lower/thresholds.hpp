// Thresholds from the function itself: bisection over the exact range of the accumulator, then a check of the table against the function.
#pragma once

#include <string>
#include <vector>

#include "lower/builder.hpp"
#include "lower/symbol.hpp"

namespace bitloom::lowering {

/// The values of a quantized tensor: scale[channel] * code, with code = low, low + step, .. low + step * levels.
struct Grid {
  std::vector<double> scale{1.0};  ///< one, or one per channel
  std::int64_t low = 0;
  std::int64_t step = 1;
  std::int64_t levels = 1;
  ValueType type;
  double scale_of(int c) const { return scale.size() == 1 ? scale[0] : scale[static_cast<std::size_t>(c)]; }
};

/// The table that turns the map of `stream` into codes of `grid` as the stream's steps do. Levels that no channel reaches are left out.
/// Throws Error at `source` when the function is not monotone or leaves the grid.
Threshold find_thresholds(const Stream& stream, const std::vector<Range>& ranges, const Grid& grid, const std::string& source, int opset);

/// Codes of the grid at values y of channel c. Throws Error at `source` when a value is not on the grid.
std::vector<std::int64_t> codes_of(const Grid& grid, int c, const std::vector<float>& y, const std::string& source);

/// Whether a code never falls when the value after the first `position` steps rises: what moving a max pool behind the quantizer needs.
bool rises_after(const Stream& stream, const std::vector<Range>& ranges, std::size_t position, const Grid& grid, const std::string& source,
                 int opset);

}  // namespace bitloom::lowering
