// The report: results of golden, simulation and synthesis side by side, as one self-contained HTML page and as summary.json.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "flow/synth.hpp"

namespace bitloom {

/// One layer of one design. Clock counters are over the whole simulation; -1: not observed.
struct LayerReport {
  std::string name, kind;
  int pe = 0, simd = 0, apar = 0;
  std::int64_t clocks = 0;  ///< of one image, as the schedule has it
  std::int64_t busy = -1, starved = -1, stalled = -1;
  std::int64_t macs = 0, weight_bits = 0;
  double bops_uniq = 0, bops_qonnx = 0;
  std::optional<CellUse> use;  ///< from synthesis
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
  std::vector<LayerReport> layers;
  /// Clocks that one image takes: simulated where there is a simulation, else predicted.
  double clocks_per_image() const;
  /// Images per second of the core at the board's clock, and at the routed Fmax; 0 without synthesis.
  double frames_per_second() const;
  double frames_per_second_at_fmax() const;
};

struct ModelReport {
  std::string name, data;
  int images = 0;  ///< of the golden run; 0: no run.json
  std::optional<double> accuracy, float_accuracy;
  std::optional<std::int64_t> agrees_with_float;
  std::vector<std::vector<std::int64_t>> confusion;  ///< [true class][predicted class]
  std::int64_t macs = 0, weight_bits = 0;
  double bops_uniq = 0, bops_qonnx = 0;
  std::vector<DesignReport> designs;  ///< by board name
  /// True when every design was simulated and matched golden; empty when none was simulated.
  std::optional<bool> bit_exact() const;
};

struct ReportData {
  std::string title = "Bitloom report";
  std::vector<ModelReport> models;
};

/// Reads FOLDER/**/{design.json, run.json, sim.json, build/synth/<board>/synth.json}; docs/architecture.md section 6 has the layout.
/// Throws Error naming file and field when one is malformed, or when there is nothing to report.
ReportData gather_report(const std::filesystem::path& folder);

nlohmann::json summary_json(const ReportData& data);
/// summary_json as a file, written atomically.
void write_summary(const std::filesystem::path& file, const ReportData& data);
/// The HTML page, written atomically. Runs gnuplot; throws Error naming the package when it is missing.
void write_report(const std::filesystem::path& file, const ReportData& data);

/// `text` with & < > " ' as HTML entities.
std::string escape_html(const std::string& text);

}  // namespace bitloom
