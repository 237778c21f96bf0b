// A scatter plot with its Pareto front, for designs and for the points of a sweep.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "report/analysis.hpp"

namespace bitloom {

struct Candidate {
  std::string label;
  std::string series;  ///< how it is marked
  std::string group;   ///< what it is compared with: each group has a front of its own
  double x = 0, y = 0;
  std::optional<std::pair<double, double>> x_range;  ///< uncertainty of an estimate
};

struct FrontPlot {
  std::string id, title, caption;
  std::string x_axis, y_axis;
  Better x_better = Better::Less, y_better = Better::More;
  bool y_logarithmic = false;
  int x_decimals = 0, y_decimals = 2;      ///< in the table
  std::vector<Candidate> candidates = {};  ///< those with an x that no logarithmic axis holds are left out
};

/// The figure; empty when there are no candidates. Fronts of more than four groups are told in the table alone.
std::string front_figure(const FrontPlot& plot);

}  // namespace bitloom
