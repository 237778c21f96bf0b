#include "explore/law.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <string>
#include <tuple>

namespace bitloom {
using nlohmann::json;
namespace {

constexpr std::size_t kLeastPoints = 3, kOutliers = 5;

/// One law over the points that have both quantities; null where there are too few.
json law(const std::vector<const json*>& group, const std::string& x_name, const std::string& y_name) {
  std::vector<const json*> points;
  std::vector<double> x, y;
  for (const json* point : group) {
    const auto number = [&](const std::string& name) { return point->contains(name) && point->at(name).is_number(); };
    if (!number(x_name) || !number(y_name)) continue;
    points.push_back(point);
    x.push_back(point->at(x_name));
    y.push_back(point->at(y_name));
  }
  const auto constant = [](const std::vector<double>& v) {
    return *std::min_element(v.begin(), v.end()) == *std::max_element(v.begin(), v.end());
  };
  if (points.size() < kLeastPoints || constant(x) || constant(y)) return nullptr;
  const Line line = fit_line(x, y);
  std::vector<std::size_t> order(points.size());
  std::iota(order.begin(), order.end(), 0);
  const auto residual = [&](std::size_t i) { return y[i] - line.at(x[i]); };
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return std::abs(residual(a)) > std::abs(residual(b)); });
  double squares = 0;
  for (std::size_t i = 0; i < points.size(); ++i) squares += residual(i) * residual(i);
  json result = {{"x", x_name},
                 {"y", y_name},
                 {"slope", line.slope},
                 {"intercept", line.intercept},
                 {"r2", line.r2},
                 {"points", points.size()},
                 {"rms_residual", std::sqrt(squares / static_cast<double>(points.size()))},
                 {"outliers", json::array()}};
  order.resize(std::min(order.size(), kOutliers));
  for (const std::size_t i : order)
    result["outliers"].push_back({{"id", points[i]->at("id")},
                                  {"weight_bits", points[i]->at("weight_bits")},
                                  {"activation_bits", points[i]->at("activation_bits")},
                                  {"y", y[i]},
                                  {"residual", residual(i)}});
  return result;
}

}  // namespace

Line fit_line(const std::vector<double>& x, const std::vector<double>& y) {
  const auto n = static_cast<double>(x.size());
  const double mean_x = std::accumulate(x.begin(), x.end(), 0.0) / n, mean_y = std::accumulate(y.begin(), y.end(), 0.0) / n;
  double xx = 0, xy = 0, yy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    xx += (x[i] - mean_x) * (x[i] - mean_x);
    xy += (x[i] - mean_x) * (y[i] - mean_y);
    yy += (y[i] - mean_y) * (y[i] - mean_y);
  }
  Line line;
  line.slope = xy / xx;
  line.intercept = mean_y - line.slope * mean_x;
  double residuals = 0;
  for (std::size_t i = 0; i < x.size(); ++i) residuals += std::pow(y[i] - line.at(x[i]), 2);
  line.r2 = 1 - residuals / yy;
  return line;
}

json linear_laws(const json& points) {
  std::map<std::tuple<std::string, std::string, int, int>, std::vector<const json*>> groups;
  for (const json& point : points)
    if (point.at("state") == "done")
      groups[{point.at("device"), point.at("engine"), point.at("folding").value("pe", 0), point.at("folding").value("simd", 0)}].push_back(
          &point);
  json laws = json::array();
  for (const auto& [key, group] : groups)
    for (const char* y : {"lut4", "clocks", "total_mw"})
      for (const char* x : {"bops_uniq", "bops_qonnx"}) {
        json found = law(group, x, y);
        if (found.is_null()) continue;
        found["device"] = std::get<0>(key);
        found["engine"] = std::get<1>(key);
        if (std::get<2>(key) > 0) found["pe"] = std::get<2>(key), found["simd"] = std::get<3>(key);
        laws.push_back(std::move(found));
      }
  return laws;
}

}  // namespace bitloom
