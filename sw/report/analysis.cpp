#include "report/analysis.hpp"

#include <algorithm>
#include <numeric>

namespace bitloom {

std::vector<std::size_t> pareto_front(const std::vector<std::pair<double, double>>& points, Better x, Better y) {
  const double x_sign = x == Better::Less ? 1 : -1, y_sign = y == Better::Less ? 1 : -1;
  const auto cost = [&](std::size_t i) { return std::pair(x_sign * points[i].first, y_sign * points[i].second); };
  std::vector<std::size_t> order(points.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return cost(a) < cost(b); });
  // By rising cost in x, a point counts when it is cheaper in y than all before it.
  std::vector<std::size_t> front;
  for (const std::size_t i : order)
    if (front.empty() || cost(i).second < cost(front.back()).second || cost(i) == cost(front.back())) front.push_back(i);
  std::stable_sort(front.begin(), front.end(), [&](std::size_t a, std::size_t b) { return points[a] < points[b]; });
  return front;
}

std::vector<std::pair<double, double>> staircase(const std::vector<std::pair<double, double>>& front, Better x) {
  std::vector<std::pair<double, double>> steps;
  for (const auto& point : front) {
    if (!steps.empty()) {
      // Where less is better, what a point reaches holds to its right; where more is, to its left.
      const auto before = steps.back();
      steps.push_back(x == Better::Less ? std::pair(point.first, before.second) : std::pair(before.first, point.second));
    }
    steps.push_back(point);
  }
  return steps;
}

std::vector<EngineRate> engine_rates(const DesignReport& design) {
  std::vector<EngineRate> rates;
  for (const LayerReport& layer : design.layers) {
    if (layer.weight_bits == 0 || layer.kind.starts_with("basis ")) continue;
    EngineRate rate{layer.name, layer.pe, layer.simd, layer.wpar, layer.apar * layer.pixels};
    rate.memory_bits = static_cast<double>(layer.pe) * layer.simd * layer.wpar;
    rate.attainable = rate.memory_bits * rate.apar;
    rate.achieved = design.clocks_per_image() > 0 ? layer.bops_qonnx / design.clocks_per_image() : 0;
    rates.push_back(rate);
  }
  return rates;
}

}  // namespace bitloom
