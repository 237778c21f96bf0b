// The page's sections, as HTML. Ids: "summary", "fronts", "sweep-N", "model-N", "definitions"; within a design "mNdM-...".
#pragma once

#include <string>

#include "report/report.hpp"

namespace bitloom {

/// Key figures, all models and all designs.
std::string summary_section(const ReportData& data);
/// Accuracy against BOPs, LUTs, energy and rate; empty where no model has an accuracy.
std::string fronts_section(const ReportData& data);
/// The points of one sweep, their fronts, and the lines fitted to them.
std::string sweep_section(const SweepReport& sweep, std::size_t index);
/// One model: its designs, layer by layer, and its confusion matrix.
std::string model_section(const ModelReport& model, std::size_t index);
/// Clocks, roofline, cells and power of a design; `id` starts the ids of its figures.
std::string design_section(const DesignReport& design, const std::string& id);
std::string power_figures(const PowerReport& power, const std::string& id);
/// "17.0 mW (estimate, ±40 %)" and what it rests on.
std::string power_note(const PowerReport& power);
std::string confusion_section(const ModelReport& model, const std::string& id);
/// What every figure means, and the programs that made them.
std::string definitions_section(const ReportData& data);

}  // namespace bitloom
