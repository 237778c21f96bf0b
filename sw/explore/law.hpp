// The linear law: do LUTs, clocks and power grow linearly with bit operations?
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

namespace bitloom {

/// y = slope * x + intercept with the least sum of squares. `r2` = 1 - (sum of squared residuals) / (sum of squares about the mean of y);
/// Both hold at least two different values.
struct Line {
  double slope = 0, intercept = 0, r2 = 0;
  double at(double x) const { return slope * x + intercept; }
};
Line fit_line(const std::vector<double>& x, const std::vector<double>& y);

/// The "fits" of explore.json: for each device, engine and array (PE x SIMD), lut4, clocks and total_mw against bops_uniq and bops_qonnx,
/// where at least three of the points have both, and neither is the same in all.
nlohmann::json linear_laws(const nlohmann::json& points);

}  // namespace bitloom
