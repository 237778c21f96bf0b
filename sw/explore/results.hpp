// explore.json and explore.csv (docs/architecture.md, 6).
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "explore/study.hpp"

namespace bitloom {

/// The points side by side: what was asked for, what was measured (null where it was not), and for which costs a point is on the front.
/// `entries`: those of `points` and of the models' accuracies (none, or one for each model), as run_tasks returns them.
nlohmann::json explore_json(const Study& study, const std::vector<Point>& points, const StudyTasks& tasks,
                            const std::vector<nlohmann::json>& entries, const std::vector<nlohmann::json>& accuracies, bool laws);

/// Sets "pareto" of each point: the costs for which no other point of its board is at least as accurate and as cheap, and better in one.
/// Without accuracies "lut4": no other folding of the same model on that board is as fast and smaller, or as small and faster.
void mark_pareto(nlohmann::json& points);

/// The points as a table, a line each, RFC 4180; nested fields as name.field.
std::string explore_csv(const nlohmann::json& explore);

}  // namespace bitloom
