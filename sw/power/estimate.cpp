#include "power/estimate.hpp"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "flow/nextpnr.hpp"

namespace bitloom {
using nlohmann::json;
namespace {

enum Kind { kLut, kCarry, kFf, kRouting, kRam, kClock, kStatic };
constexpr const char* kKinds[] = {"lut", "carry", "ff", "routing", "block RAM", "clock network", "static"};

/// Adds up power by kind and by layer, and how far all of it may be off together.
class Sum {
 public:
  Sum(const PowerConditions& conditions, const Coefficient& volts)
      : scale_(conditions.clock_mhz * volts.value * volts.value * 1e-6), volts_spread_(4 * volts.uncertainty * volts.uncertainty) {
    for (const char* kind : kKinds) result.kinds.push_back({kind, 0, 0});
    for (const std::string& layer : conditions.layers) result.layers.push_back({layer, 0});
    result.layers.push_back({kOutsideLayers, 0});
    result.layers.push_back({kWholeChip, 0});
  }

  /// A capacitance in fF that is charged `per_clock` times a clock. `factor` multiplies it, with an uncertainty of its own.
  void charge(Kind kind, std::size_t layer, const Coefficient& capacitance, double per_clock, const Coefficient& factor = {1, 0, ""}) {
    const double spread = capacitance.uncertainty * capacitance.uncertainty + factor.uncertainty * factor.uncertainty + volts_spread_;
    add(kind, layer, capacitance.value * factor.value * per_clock * scale_, std::sqrt(spread));
  }
  void add(Kind kind, std::size_t layer, double mw, double uncertainty) {
    result.kinds[kind].mw += mw;
    result.layers[layer].mw += mw;
    result.total_mw += mw;
    off_ += mw * uncertainty;
  }
  void events(Kind kind, std::uint64_t count) { result.kinds[kind].toggles += count; }
  std::size_t chip() const { return result.layers.size() - 1; }
  double uncertainty() const { return result.total_mw > 0 ? off_ / result.total_mw : 0; }

  PowerEstimate result;

 private:
  double scale_, volts_spread_, off_ = 0;
};

void check(const NetlistPoints& points, const SwitchingActivity& activity, const PowerConditions& conditions) {
  if (activity.images < 1 || activity.clocks < 1)
    throw Error("--images", "no image begins and ends in steady state, so there is nothing to count; simulate more images");
  if (activity.toggles.size() < points.nets.size() || activity.accesses.size() < points.accesses.size())
    throw Error("netlist", fmt::format("{} nets and {} accesses counted, {} and {} expected; synthesize the design again",
                                       activity.toggles.size(), activity.accesses.size(), points.nets.size(), points.accesses.size()));
  const auto outside = static_cast<int>(conditions.layers.size());
  for (const CountedNet& net : points.nets)
    if (net.layer < 0 || net.layer > outside)
      throw Error("netlist", fmt::format("{} belongs to layer {} of {}; synthesize the design again", net.signal, net.layer, outside));
  for (const CountedAccess& access : points.accesses)
    if (access.layer < 0 || access.layer > outside)
      throw Error("netlist", fmt::format("{} belongs to layer {} of {}; synthesize the design again", access.cell, access.layer, outside));
  if (!(conditions.clock_mhz > 0)) throw Error("--clock", fmt::format("{} MHz given; a positive number expected", conditions.clock_mhz));
}

}  // namespace

PowerEstimate estimate_power(const NetlistPoints& points, const SwitchingActivity& activity, const PowerCoefficients& c,
                             const PowerConditions& conditions) {
  check(points, activity, conditions);
  const auto clocks = static_cast<double>(activity.clocks);
  const double volts = c.voltage.value;
  Sum sum(conditions, c.voltage);
  const Coefficient settled{1, 0, ""};

  std::string ram;  // the cell of the access before: a block RAM has several, one after the other, and one clock load
  for (std::size_t i = 0; i < points.nets.size(); ++i) {
    const CountedNet& net = points.nets[i];
    const auto layer = static_cast<std::size_t>(net.layer);
    const std::uint64_t toggles = activity.toggles[i];
    const double charges = 0.5 * static_cast<double>(toggles) / clocks;  // every other toggle charges
    const bool glitches = net.driver == Driver::lut || net.driver == Driver::carry;
    const Coefficient& factor = glitches ? c.glitch : settled;
    if (net.driver == Driver::lut) sum.charge(kLut, layer, c.lut, charges, factor), sum.events(kLut, toggles);
    if (net.driver == Driver::carry) sum.charge(kCarry, layer, c.carry, charges, factor), sum.events(kCarry, toggles);
    if (net.driver == Driver::ff) {
      sum.charge(kFf, layer, c.ff, charges);
      sum.events(kFf, toggles);
      sum.charge(kClock, layer, c.ff_clock, 1);
    }
    if (net.fanout > 0) {
      sum.charge(kRouting, layer, c.wire, charges, factor);
      sum.charge(kRouting, layer, c.pin, charges * net.fanout, factor);
      sum.events(kRouting, toggles);
    }
  }
  for (std::size_t i = 0; i < points.accesses.size(); ++i) {
    const CountedAccess& access = points.accesses[i];
    const auto layer = static_cast<std::size_t>(access.layer);
    sum.charge(kRam, layer, access.is_write ? c.ram_write : c.ram_read, static_cast<double>(activity.accesses[i]) / clocks);
    sum.events(kRam, activity.accesses[i]);
    if (access.cell != ram) sum.charge(kClock, layer, c.ram_clock, 1);
    ram = access.cell;
  }
  sum.charge(kClock, sum.chip(), c.clock_tree, 1);
  sum.events(kClock, static_cast<std::uint64_t>(activity.clocks));
  if (conditions.pll) sum.add(kClock, sum.chip(), c.pll_ma.value * volts, c.pll_ma.uncertainty);
  sum.add(kStatic, sum.chip(), c.static_ma.value * volts, c.static_ma.uncertainty);

  PowerEstimate result = sum.result;
  result.uncertainty = sum.uncertainty();
  result.static_mw = result.kinds[kStatic].mw;
  result.dynamic_mw = result.total_mw - result.static_mw;
  result.clocks_per_image = clocks / static_cast<double>(activity.images);
  result.frames_per_second = conditions.clock_mhz * 1e6 / result.clocks_per_image;
  result.nj_per_inference = result.total_mw * 1e6 / result.frames_per_second;
  if (conditions.bit_operations > 0) result.fj_per_bit_operation = result.nj_per_inference * 1e6 / conditions.bit_operations;
  return result;
}

double executed_bit_operations(const json& design) {
  double total = 0;
  for (const json& layer : design.at("layers")) total += layer.value("bit_operations", 0.0);
  return total;
}

json to_json(const PowerEstimate& estimate) {
  json result = {{"static_mw", estimate.static_mw},
                 {"dynamic_mw", estimate.dynamic_mw},
                 {"total_mw", estimate.total_mw},
                 {"uncertainty", estimate.uncertainty},
                 {"clocks_per_image", estimate.clocks_per_image},
                 {"frames_per_second", estimate.frames_per_second},
                 {"nj_per_inference", estimate.nj_per_inference},
                 {"fj_per_bit_operation", estimate.fj_per_bit_operation > 0 ? json(estimate.fj_per_bit_operation) : json()},
                 {"dynamic_nj_per_inference", estimate.nj_per_inference * estimate.dynamic_mw / estimate.total_mw},
                 {"kinds", json::array()},
                 {"layers", json::array()},
                 {"estimate", true}};
  for (const KindPower& kind : estimate.kinds) result["kinds"].push_back({{"kind", kind.kind}, {"mw", kind.mw}, {"toggles", kind.toggles}});
  for (const LayerPower& layer : estimate.layers)
    result["layers"].push_back({{"name", layer.name}, {"mw", layer.mw}, {"share", layer.mw / estimate.total_mw}});
  return result;
}

}  // namespace bitloom
