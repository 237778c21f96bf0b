// The report: results of golden, simulation and synthesis side by side, as one self-contained HTML page and as summary.json.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "flow/synth.hpp"

namespace bitloom {

/// One layer of one design. Clock counters are over the whole simulation; -1: not observed.
struct LayerReport {
  std::string name, kind;
  int pe = 0, simd = 0, apar = 0, wpar = 1, pixels = 1;
  std::int64_t clocks = 0;  ///< of one image, as the schedule has it
  std::int64_t busy = -1, starved = -1, stalled = -1;
  std::int64_t macs = 0, weight_bits = 0;
  double bops_uniq = 0, bops_qonnx = 0;
  std::optional<CellUse> use;  ///< from synthesis
};

/// The estimate of `bitloom power`. Whatever the file does not say is empty.
struct PowerReport {
  struct Part {
    std::string name;
    double mw = 0;
    std::optional<double> toggles;
  };
  std::optional<double> static_mw, dynamic_mw, total_mw, voltage, clock_mhz;
  std::optional<double> nj_per_inference, fj_per_bit_operation, frames_per_second;
  std::optional<double> uncertainty;  ///< of the total, as a share of it
  std::string netlist, note;          ///< note: an uncertainty that is said in words
  int images = 0;
  std::vector<Part> kinds, layers;
  std::vector<std::string> sources;
  /// Between what and what a figure of this estimate lies; empty where the uncertainty is not a number.
  std::optional<std::pair<double, double>> range(double value) const;
};

/// One design folder: a model folded for a board.
struct DesignReport {
  std::string board;
  std::int64_t predicted_clocks_per_image = 0;
  struct Simulation {
    int images = 0;
    bool bit_exact = false;
    double clocks_per_image = 0;
    std::int64_t first_image_latency = 0, total_clocks = 0;
    double stall_probability = 0;
    std::string tool;
  };
  std::optional<Simulation> simulation;
  std::optional<SynthResult> synthesis;
  std::optional<PowerReport> power;
  /// Bits that all block RAMs of the board's device can deliver in a clock; empty for a board that is not known here.
  std::optional<double> ram_bits_per_clock;
  std::vector<LayerReport> layers;
  /// Clocks that one image takes: simulated where there is a simulation, else predicted.
  double clocks_per_image() const;
  /// Images per second of the core at the board's clock, and at the routed Fmax; 0 without synthesis.
  double frames_per_second() const;
  double frames_per_second_at_fmax() const;
};

/// An image of the data set with a wrong answer. Pixels row by row, `channels` (1 or 3) bytes each.
struct WrongImage {
  std::int64_t index = 0, label = 0, answer = 0;
  int width = 0, height = 0, channels = 1;
  std::vector<std::uint8_t> pixels;
};

struct ModelReport {
  std::string name, data;
  int images = 0;  ///< of the golden run; 0: no run.json
  std::optional<double> accuracy, float_accuracy;
  std::optional<std::int64_t> agrees_with_float;
  std::vector<std::vector<std::int64_t>> confusion;  ///< [true class][predicted class]
  std::vector<std::string> class_names;              ///< empty: numbered
  std::vector<WrongImage> wrong_images;
  std::int64_t macs = 0, weight_bits = 0;
  double bops_uniq = 0, bops_qonnx = 0;
  std::vector<DesignReport> designs;  ///< by board name
  /// True when every design was simulated and matched golden; empty when none was simulated.
  std::optional<bool> bit_exact() const;
};

/// One point of a sweep (`bitloom explore`); what was not measured is empty.
struct SweepPoint {
  std::string id, model, engine, folding, board, device, error;  ///< error: empty for what was measured
  std::optional<int> pe, simd;                                   ///< of the only layer with weights
  std::optional<double> weight_bits, activation_bits, bops_uniq, bops_qonnx, clocks, lut4, ff, bram, dsp, fmax_mhz, accuracy, total_mw,
      nj_per_inference;
  /// A figure by its field's name in explore.json, `frames_per_second` (at Fmax) included; empty where there is none.
  std::optional<double> figure(const std::string& name) const;
};

/// A straight line through a sweep's points: y = intercept + slope * x.
struct SweepFit {
  std::string device, engine, x, y;  ///< x, y: fields of a point
  std::optional<int> pe, simd;
  double slope = 0, intercept = 0, r2 = 0;
  std::vector<std::pair<double, double>> points;
  std::vector<std::size_t> members;  ///< the sweep's points that these are; empty where the fit brought its own
};

struct SweepReport {
  std::string model;
  std::vector<SweepPoint> points;
  std::vector<SweepFit> fits;
};

struct ReportData {
  std::string title = "Bitloom report";
  std::vector<ModelReport> models;
  std::vector<SweepReport> sweeps;
};

/// Reads FOLDER/**/{design.json, run.json, sim.json, power.json, explore.json, build/synth/<board>/synth.json}; docs/architecture.md
/// section 6 has the layout. Throws Error naming file and field when one is malformed, or when there is nothing to report.
ReportData gather_report(const std::filesystem::path& folder);

nlohmann::json summary_json(const ReportData& data);
/// summary_json as a file, written atomically.
void write_summary(const std::filesystem::path& file, const ReportData& data);
/// The HTML page, written atomically.
void write_report(const std::filesystem::path& file, const ReportData& data);

/// `text` with & < > " ' as HTML entities.
std::string escape_html(const std::string& text);

}  // namespace bitloom
