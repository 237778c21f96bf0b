// From counts to milliwatts, by hand.
#include <cmath>
#include <nlohmann/json.hpp>

#include "catch2.hpp"
#include "core/error.hpp"
#include "power/estimate.hpp"

using namespace bitloom;
using nlohmann::json;

namespace {

/// All at 2 V, so that V^2 = 4.
PowerCoefficients coefficients() {
  PowerCoefficients c;
  c.lut = {100, 0.4, "a"};
  c.carry = {50, 0.4, "a"};
  c.ff = {80, 0.4, "a"};
  c.wire = {200, 0.4, "a"};
  c.pin = {10, 0.4, "a"};
  c.ff_clock = {5, 0.1, "a"};
  c.ram_clock = {60, 0.1, "a"};
  c.ram_read = {1000, 1, "a"};
  c.ram_write = {3000, 1, "a"};
  c.glitch = {1.5, 0.3, "a"};
  c.pll_ma = {0.5, 0.5, "a"};
  c.voltage = {2, 0, "a"};
  c.static_ma = {0.25, 0.2, "a"};
  c.clock_tree = {10000, 0.1, "a"};
  return c;
}

PowerConditions conditions() {
  PowerConditions result;
  result.clock_mhz = 10;
  result.layers = {"conv"};
  result.bit_operations = 1000;
  return result;
}

SwitchingActivity activity(std::vector<std::uint64_t> toggles, std::vector<std::uint64_t> accesses = {}) {
  return {.first_clock = 0, .clocks = 100, .images = 2, .toggles = std::move(toggles), .accesses = std::move(accesses)};
}

double kind(const PowerEstimate& estimate, const std::string& name) {
  for (const KindPower& k : estimate.kinds)
    if (k.kind == name) return k.mw;
  FAIL("no kind " << name);
  return 0;
}

bool near(double a, double b) { return std::abs(a - b) < 1e-12; }

}  // namespace

TEST_CASE("a toggle costs half of C V^2, a clock and an access all of it") {
  // 1 fF * 4 V^2 * 10 MHz = 40 nW.
  const double unit = 40e-6;
  NetlistPoints points;
  points.nets = {{"n1", "a", Driver::lut, 0, 3},
                 {"n2", "b", Driver::ff, 0, 0},
                 {"n3", "c", Driver::carry, 0, 0},
                 {"n4", "d", Driver::input, 1, 2},
                 {"n5", "e", Driver::memory, 0, 1}};
  points.accesses = {{"x", "ram0", false, 0}, {"y", "ram0", true, 0}};
  const PowerEstimate estimate = estimate_power(points, activity({50, 20, 10, 40, 100}, {30, 10}), coefficients(), conditions());
  CHECK(near(kind(estimate, "lut"), 0.5 * 0.5 * 100 * 1.5 * unit));
  CHECK(near(kind(estimate, "ff"), 0.2 * 0.5 * 80 * unit));
  CHECK(near(kind(estimate, "carry"), 0.1 * 0.5 * 50 * 1.5 * unit));
  // Only what logic drives glitches.
  CHECK(near(kind(estimate, "routing"), 0.5 * unit * (0.5 * (200 + 30) * 1.5 + 0.4 * (200 + 20) + 1.0 * (200 + 10))));
  CHECK(near(kind(estimate, "block RAM"), (0.3 * 1000 + 0.1 * 3000) * unit));
  CHECK(near(kind(estimate, "clock network"), (10000 + 5 + 60) * unit));
  CHECK(near(kind(estimate, "static"), 0.5));
  CHECK(near(estimate.static_mw + estimate.dynamic_mw, estimate.total_mw));
  CHECK(estimate.layers.size() == 3);
  CHECK(near(estimate.layers[1].mw, 0.5 * 0.4 * 220 * unit));  // the link drives n4
  CHECK(near(estimate.layers[2].mw, 0.5 + 10000 * unit));
  CHECK(near(estimate.layers[0].mw + estimate.layers[1].mw + estimate.layers[2].mw, estimate.total_mw));
  // 50 clocks of 100 ns: 200,000 images per second.
  CHECK(estimate.clocks_per_image == 50);
  CHECK(near(estimate.frames_per_second, 200000));
  CHECK(near(estimate.nj_per_inference, estimate.total_mw * 5));
  CHECK(near(estimate.fj_per_bit_operation, estimate.nj_per_inference * 1000));
}

TEST_CASE("power follows the clock, static power does not; a PLL adds its own") {
  NetlistPoints points;
  points.nets = {{"n1", "", Driver::lut, 0, 1}};
  PowerConditions fast = conditions();
  const PowerEstimate slow = estimate_power(points, activity({100}), coefficients(), fast);
  fast.clock_mhz = 20;
  const PowerEstimate twice = estimate_power(points, activity({100}), coefficients(), fast);
  CHECK(near(twice.dynamic_mw, 2 * slow.dynamic_mw));
  CHECK(near(twice.static_mw, slow.static_mw));
  fast.pll = true;
  CHECK(near(estimate_power(points, activity({100}), coefficients(), fast).total_mw, twice.total_mw + 1.0));
}

TEST_CASE("the uncertainty is that of the parts, weighted, and grows with the supply's") {
  const NetlistPoints nothing;
  PowerCoefficients c = coefficients();
  // Clock tree 0.4 mW within 10 %, static 0.5 mW within 20 %.
  CHECK(near(estimate_power(nothing, activity({}), c, conditions()).uncertainty, (0.4 * 0.1 + 0.5 * 0.2) / 0.9));
  c.voltage.uncertainty = 0.1;
  CHECK(near(estimate_power(nothing, activity({}), c, conditions()).uncertainty, (0.4 * std::sqrt(0.01 + 0.04) + 0.5 * 0.2) / 0.9));
}

TEST_CASE("nothing is estimated from nothing") {
  NetlistPoints points;
  points.nets = {{"n1", "", Driver::lut, 0, 1}};
  SwitchingActivity none = activity({1});
  none.images = 0;
  CHECK_THROWS_WITH(estimate_power(points, none, coefficients(), conditions()), contains_text("--images"));
  CHECK_THROWS_WITH(estimate_power(points, activity({}), coefficients(), conditions()), contains_text("synthesize the design again"));
  NetlistPoints other = points;
  other.nets[0].layer = 2;  // of a design with more layers than this one
  CHECK_THROWS_WITH(estimate_power(other, activity({1}), coefficients(), conditions()), contains_text("n1 belongs to layer 2 of 1"));
  PowerConditions stopped = conditions();
  stopped.clock_mhz = 0;
  CHECK_THROWS_WITH(estimate_power(points, activity({1}), coefficients(), stopped), contains_text("--clock"));
}

TEST_CASE("bit operations are those of all layers") {
  const json design = {{"layers", {{{"bit_operations", 1920}}, {{"bit_operations", 0}}, {{"bit_operations", 80}}}}};
  CHECK(executed_bit_operations(design) == 2000);
}

TEST_CASE("every device that the open tools place has coefficients, each with a source") {
  for (const std::string& name : list_boards()) {
    const Board board = load_board(name);
    CAPTURE(name);
    if (board.family == "ice40" || board.family == "ecp5") {
      const PowerCoefficients c = load_power_coefficients(board);
      CHECK(c.voltage.value > 1);
      CHECK(c.lut.value > 0);
      CHECK(sources_of(c).size() == 14);
    } else {
      CHECK_THROWS_WITH(load_power_coefficients(board), contains_text("no coefficients of power"));
    }
  }
}

TEST_CASE("a coefficient without source, or in another unit, is refused by name") {
  const auto entry = [](double value, const char* unit) {
    return json{{"value", value}, {"unit", unit}, {"uncertainty", 0.1}, {"source", "here"}};
  };
  json file = {{"coefficients", json::object()},
               {"devices", {{"up5k", {{"voltage", entry(1.2, "V")}, {"static", entry(0.1, "mA")}, {"clock_tree", entry(3, "fF")}}}}}};
  for (const char* name : {"lut", "carry", "ff", "wire", "pin", "ff_clock", "ram_clock", "ram_read", "ram_write"})
    file["coefficients"][name] = entry(1, "fF");
  file["coefficients"]["glitch"] = entry(1, "");
  file["coefficients"]["pll"] = entry(1, "mA");
  CHECK(power_coefficients_from_json(file, "up5k", "f.json").voltage.value == 1.2);
  CHECK_THROWS_WITH(power_coefficients_from_json(file, "lp1k", "f.json"), contains_text("f.json") && contains_text("lp1k"));
  json other = file;
  other["coefficients"]["pin"]["unit"] = "pF";
  CHECK_THROWS_WITH(power_coefficients_from_json(other, "up5k", "f.json"), contains_text("'pin' is in 'pF', 'fF' expected"));
  other = file;
  other["coefficients"]["lut"]["source"] = "";
  CHECK_THROWS_WITH(power_coefficients_from_json(other, "up5k", "f.json"), contains_text("'lut'") && contains_text("source"));
  other = file;
  other["devices"]["up5k"].erase("static");
  CHECK_THROWS_WITH(power_coefficients_from_json(other, "up5k", "f.json"), contains_text("up5k: 'static' is missing"));
}

TEST_CASE("the list of nets is read as it was written") {
  NetlistPoints points;
  points.nets = {{"n1", "core.conv.a[3]", Driver::carry, 0, 0}, {"t2", "", Driver::lut, 1, 4}};
  points.accesses = {{"n1 & n3", "ram", true, 0}};
  CHECK(netlist_points_from_json(to_json(points), "x") == points);
  json damaged = to_json(points);
  damaged["nets"][0][2] = "dsp";
  CHECK_THROWS_WITH(netlist_points_from_json(damaged, "nets.json"), contains_text("nets.json") && contains_text("dsp"));
  CHECK_THROWS_WITH(netlist_points_from_json(json::object(), "nets.json"), contains_text("synthesize the design again"));
}
