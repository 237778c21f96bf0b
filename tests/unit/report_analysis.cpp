// What the report computes: Pareto fronts, axes, the roofline of a design's engines.
#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "catch2.hpp"
#include "core/error.hpp"
#include "report/analysis.hpp"
#include "report/scale.hpp"

using namespace bitloom;
using Points = std::vector<std::pair<double, double>>;

namespace {

/// The definition, point by point: beaten is who finds another at least as good in both and better in one.
std::vector<std::size_t> front_by_definition(const Points& points, Better x, Better y) {
  const auto better = [](double a, double b, Better which) { return which == Better::Less ? a < b : a > b; };
  std::vector<std::size_t> front;
  for (std::size_t i = 0; i < points.size(); ++i) {
    bool beaten = false;
    for (const auto& [ox, oy] : points) {
      const bool no_worse = !better(points[i].first, ox, x) && !better(points[i].second, oy, y);
      beaten = beaten || (no_worse && (better(ox, points[i].first, x) || better(oy, points[i].second, y)));
    }
    if (!beaten) front.push_back(i);
  }
  return front;
}

}  // namespace

TEST_CASE("a Pareto front holds what nothing beats") {
  const Points points = {{1, 5}, {2, 7}, {2, 6}, {3, 7}, {4, 9}, {4, 9}, {5, 8}};
  CHECK(pareto_front(points, Better::Less, Better::More) == std::vector<std::size_t>{0, 1, 4, 5});
  CHECK(pareto_front(points, Better::More, Better::More) == std::vector<std::size_t>{4, 5, 6});
  CHECK(pareto_front(points, Better::Less, Better::Less) == std::vector<std::size_t>{0});
  CHECK(pareto_front({}, Better::Less, Better::More).empty());
}

TEST_CASE("random Pareto fronts equal the definition's") {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    Points points(random() % 20);
    for (auto& [x, y] : points) x = static_cast<double>(random() % 6), y = static_cast<double>(random() % 6);  // many ties
    for (const Better x : {Better::Less, Better::More})
      for (const Better y : {Better::Less, Better::More}) {
        std::vector<std::size_t> front = pareto_front(points, x, y);
        CHECK(std::is_sorted(front.begin(), front.end(), [&](std::size_t a, std::size_t b) { return points[a] < points[b]; }));
        std::sort(front.begin(), front.end());
        CHECK(front == front_by_definition(points, x, y));
      }
  }
}

TEST_CASE("the staircase turns where a front's point stops holding") {
  CHECK(staircase({{1, 5}, {2, 7}}, Better::Less) == Points{{1, 5}, {2, 5}, {2, 7}});
  CHECK(staircase({{1, 7}, {2, 5}}, Better::More) == Points{{1, 7}, {1, 5}, {2, 5}});
  CHECK(staircase({{1, 5}}, Better::Less) == Points{{1, 5}});
}

TEST_CASE("linear axes have round ends around the data") {
  const Scale scale = linear_scale(95.83, 98.89);
  CHECK(scale.ticks == std::vector<double>{95, 96, 97, 98, 99});
  CHECK(scale.place(95) == 0);
  CHECK(scale.place(97) == 0.5);
  CHECK(scale.place(99) == 1);
  CHECK(scale.place(200) == 1);
  const Scale fractions = linear_scale(0, 0.3);
  CHECK(fractions.ticks.size() == 4);
  CHECK(fractions.high == Catch::Approx(0.3));
  const Scale one = linear_scale(50, 50);
  CHECK(one.low < 50);
  CHECK(one.high > 50);
  const Scale zero = linear_scale(0, 0);
  CHECK(zero.low == 0);
  CHECK(zero.high == 1);
  CHECK_THROWS_AS(linear_scale(2, 1), Error);
  CHECK_THROWS_AS(linear_scale(0, std::numeric_limits<double>::infinity()), Error);
}

TEST_CASE("logarithmic axes have ticks at 1, 2 and 5, over more than two decades at 1 alone") {
  CHECK(log_scale(3e3, 4e4).ticks == std::vector<double>{2e3, 5e3, 1e4, 2e4, 5e4});
  CHECK(log_scale(3, 4e4).ticks == std::vector<double>{1, 10, 100, 1e3, 1e4, 1e5});
  CHECK(log_scale(100, 100).ticks.size() >= 2);
  CHECK(log_scale(1, 1).ticks.size() >= 2);
  CHECK(log_scale(1, 100).place(10) == Catch::Approx(0.5));
  CHECK(log_scale(1, 100).place(0) == 0);  // beyond the end
  CHECK_THROWS_WITH(log_scale(0, 1), contains_text("above 0"));
}

TEST_CASE("random axes hold their data, with a few rising ticks within the ends") {
  std::mt19937 random(11);
  std::uniform_real_distribution<double> exponent(-6, 12);
  for (int round = 0; round < 500; ++round) {
    double a = std::pow(10, exponent(random)), b = round % 10 == 0 ? a : std::pow(10, exponent(random));
    if (a > b) std::swap(a, b);
    struct Case {
      Scale scale;
      double low, high, slack;
    };
    for (const auto& [scale, low, high, slack] :
         {Case{linear_scale(a, b), a, b, 1e-8 * (b - a)}, Case{linear_scale(-b, a), -b, a, 1e-8 * (a + b)},
          Case{log_scale(a, b), a, b, 1e-8 * a}}) {
      CAPTURE(low, high, scale.logarithmic);
      CHECK(scale.low <= low + slack);
      CHECK(scale.high >= high - slack);
      CHECK(scale.ticks.size() >= 2);
      CHECK(scale.ticks.size() <= 22);
      CHECK(std::is_sorted(scale.ticks.begin(), scale.ticks.end()));
      CHECK(scale.ticks.front() >= scale.low);
      CHECK(scale.ticks.back() <= scale.high);
      CHECK(scale.place(low) <= scale.place(high));
    }
  }
}

TEST_CASE("ticks are labelled as people write them") {
  CHECK(tick_label(0) == "0");
  CHECK(tick_label(250000) == "250\u202fk");
  CHECK(tick_label(2e6) == "2\u202fM");
  CHECK(tick_label(95.5) == "95.5");
  CHECK(tick_label(0.05) == "0.05");
  CHECK(tick_label(-15) == "\u221215");
}

TEST_CASE("an engine's roof is its weight bits per clock times the activation bits that each meets") {
  // conv1 of digits-w2a2 on the iCEBreaker: 2 x 16 cells, both weight planes and both activation bits at once, 589,824 bit operations.
  LayerReport conv;
  conv.name = "conv1";
  conv.pe = 2, conv.simd = 16, conv.wpar = 2, conv.apar = 2;
  conv.weight_bits = 4608;
  conv.bops_qonnx = 589824;
  LayerReport pool;
  pool.name = "pool0";
  DesignReport design;
  design.predicted_clocks_per_image = 4608;
  design.layers = {conv, pool};
  const std::vector<EngineRate> rates = engine_rates(design);
  REQUIRE(rates.size() == 1);  // a pool reads no weights
  CHECK(rates[0].layer == "conv1");
  CHECK(rates[0].memory_bits == 64);
  CHECK(rates[0].attainable == 128);
  CHECK(rates[0].achieved == 128);  // it is the bottleneck: busy in every clock
  design.predicted_clocks_per_image = 9216;
  CHECK(engine_rates(design)[0].achieved == 64);
}
