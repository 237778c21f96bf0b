// One point, measured by running the program's own commands in a scratch folder.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace bitloom {

struct Point;
struct Study;
struct StudyModel;

/// What `compile` is told beside the model and where to put the design.
std::vector<std::string> compile_options(const Study& study, const Point& point);

/// The measured part of a point of explore.json (docs/architecture.md, 6). Throws Error with the failing command's own words.
nlohmann::json measure_point(const Study& study, const Point& point, const std::string& program, const std::filesystem::path& scratch);

/// {"accuracy", "images"} of the golden model.
nlohmann::json measure_accuracy(const Study& study, const StudyModel& model, const std::string& program,
                                const std::filesystem::path& scratch);

}  // namespace bitloom
