#include "report/fronts.hpp"

#include <fmt/format.h>

#include <map>
#include <set>

#include "report/html.hpp"
#include "report/plots.hpp"

namespace bitloom {
namespace {

/// Sorted, so that a series has the same mark in every plot of a page's group.
std::vector<std::string> series_names(const std::vector<Candidate>& candidates) {
  std::set<std::string> names;
  for (const Candidate& candidate : candidates) names.insert(candidate.series);
  return {names.begin(), names.end()};
}

constexpr std::size_t kMostFronts = 4;  // more lines would hide the points

struct Front {
  std::vector<std::size_t> members;  ///< among all candidates
  std::vector<std::pair<double, double>> places;
};

std::vector<Front> fronts_of(const std::vector<Candidate>& candidates, Better x, Better y) {
  std::map<std::string, std::vector<std::size_t>> groups;
  for (std::size_t i = 0; i < candidates.size(); ++i) groups[candidates[i].group].push_back(i);
  std::vector<Front> fronts;
  for (const auto& [name, members] : groups) {
    std::vector<std::pair<double, double>> places;
    for (const std::size_t i : members) places.emplace_back(candidates[i].x, candidates[i].y);
    fronts.emplace_back();
    for (const std::size_t i : pareto_front(places, x, y)) {
      fronts.back().members.push_back(members[i]);
      fronts.back().places.push_back(places[i]);
    }
  }
  return fronts;
}

}  // namespace

std::string front_figure(const FrontPlot& plot) {
  std::vector<Candidate> shown;
  for (const Candidate& candidate : plot.candidates)
    if (candidate.x > 0 && (!plot.y_logarithmic || candidate.y > 0)) shown.push_back(candidate);
  if (shown.empty()) return "";
  const std::vector<Front> fronts = fronts_of(shown, plot.x_better, plot.y_better);
  std::set<std::size_t> best;
  for (const Front& front : fronts) best.insert(front.members.begin(), front.members.end());

  const std::vector<std::string> names = series_names(shown);
  ScatterPlot scatter;
  scatter.text = {plot.id, plot.title, fmt::format("{} points, {} of them on the Pareto front.", shown.size(), best.size())};
  scatter.x = {plot.x_axis, true};
  scatter.y = {plot.y_axis, plot.y_logarithmic};
  std::vector<std::pair<std::string, std::string>> keys;
  for (const std::string& name : names) {
    keys.emplace_back(marker_key(keys.size()), name);
    scatter.series.push_back({name, {}});
    for (const Candidate& candidate : shown)
      if (candidate.series == name)
        scatter.series.back().marks.push_back({candidate.label, candidate.x, candidate.y, candidate.x_range, false});
  }
  if (fronts.size() <= kMostFronts)
    for (const Front& front : fronts) scatter.lines.push_back({"", staircase(front.places, plot.x_better), true});

  Table table("Data");
  table.column("Point", Table::Column::Text)
      .column("Series", Table::Column::Text)
      .column(plot.x_axis)
      .column(plot.y_axis)
      .column("On the front", Table::Column::Text);
  for (std::size_t i = 0; i < shown.size(); ++i)
    table.row({shown[i].label, shown[i].series, decimal(shown[i].x, plot.x_decimals), decimal(shown[i].y, plot.y_decimals),
               best.count(i) != 0 ? "yes" : ""});
  return figure(plot.id, plot.title, plot.caption, keys.size() > 1 || !names[0].empty() ? legend(keys) : "", scatter_svg(scatter), table);
}

}  // namespace bitloom
