#include <fmt/format.h>

#include <algorithm>

#include "report/fronts.hpp"
#include "report/html.hpp"
#include "report/sections.hpp"

namespace bitloom {
namespace {

/// Accuracies of different data sets are not comparable: each has fronts of its own.
std::string fronts_of(const ReportData& data, const std::string& set, const std::string& id) {
  FrontPlot bops{id + "-bops", "Accuracy against bit operations", "The dashed line is the Pareto front: no point above it or to its left.",
                 "BOPs per image (UNIQ)", "accuracy, %"};
  FrontPlot luts{id + "-lut4", "Accuracy against logic", "LUT4 of the whole board design after place and route; each board has its front.",
                 "LUT4", "accuracy, %"};
  FrontPlot energy{id + "-energy", "Accuracy against energy", "Estimated energy of one image; the lines are the estimate's uncertainty.",
                   "nJ per image (estimate)", "accuracy, %"};
  FrontPlot rate{id + "-rate", "Accuracy against rate",
                 "Images per second of the core at the board's clock: more is better, so the front lies at the upper right.",
                 "images per second", "accuracy, %"};
  rate.x_better = Better::More;
  energy.x_decimals = 1;
  for (const ModelReport& model : data.models) {
    if (!model.accuracy || model.data != set) continue;
    const double accuracy = 100 * *model.accuracy;
    bops.candidates.push_back({model.name, "", "", model.bops_uniq, accuracy, {}});
    for (const DesignReport& design : model.designs) {
      if (design.synthesis)
        luts.candidates.push_back({model.name, design.board, design.board, static_cast<double>(design.synthesis->used.lut4), accuracy, {}});
      rate.candidates.push_back({model.name, design.board, design.board, design.frames_per_second(), accuracy, {}});
      if (design.power && design.power->nj_per_inference)
        energy.candidates.push_back({model.name, design.board, design.board, *design.power->nj_per_inference, accuracy,
                                     design.power->range(*design.power->nj_per_inference)});
    }
  }
  std::string plots;
  for (const FrontPlot& plot : {bops, luts, energy, rate}) plots += front_figure(plot);
  return plots.empty() ? "" : fmt::format("<div class=\"plots\">\n{}</div>\n", plots);
}

}  // namespace

std::string fronts_section(const ReportData& data) {
  std::vector<std::string> sets;
  for (const ModelReport& model : data.models)
    if (model.accuracy && std::find(sets.begin(), sets.end(), model.data) == sets.end()) sets.push_back(model.data);
  std::string out;
  for (std::size_t s = 0; s < sets.size(); ++s) {
    if (sets.size() > 1) out += fmt::format("<h3>On {}</h3>\n", escape_html(sets[s]));
    out += fronts_of(data, sets[s], fmt::format("fronts{}", s));
  }
  if (out.empty()) return "";
  return "<section id=\"fronts\"><h2>What accuracy costs</h2>\n" + out + "</section>\n";
}

}  // namespace bitloom
