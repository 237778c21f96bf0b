#include "explore/results.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "explore/law.hpp"
#include "flow/boards.hpp"

namespace bitloom {
using nlohmann::json;
namespace {

constexpr const char* kMeasured[] = {"bops_uniq",
                                     "bops_qonnx",
                                     "macs",
                                     "stored_weight_bits",
                                     "clocks",
                                     "clocks_predicted",
                                     "clocks_simulated",
                                     "lut4",
                                     "lut4_estimate",
                                     "lut4_synth",
                                     "lut4_with_board",
                                     "ff",
                                     "bram",
                                     "dsp",
                                     "spram",
                                     "fmax_mhz",
                                     "counted",
                                     "total_mw",
                                     "nj_per_inference",
                                     "fj_per_bit_operation"};
constexpr const char* kCosts[] = {"bops_uniq", "lut4", "clocks", "nj_per_inference"};

bool has(const json& point, const char* name) { return point.at(name).is_number(); }

json row(const Study& study, const Point& point, const Task& task, const json& entry) {
  const StudyModel& model = study.models[point.model];
  const auto bits = [](int value) { return value > 0 ? json(value) : json(); };
  json result = {{"id", task.id},
                 {"model", model.name},
                 {"weight_bits", bits(model.weight_bits)},
                 {"activation_bits", bits(model.activation_bits)},
                 {"engine", point.engine},
                 {"board", point.board},
                 {"device", load_board(point.board).device},
                 {"state", entry.at("state")},
                 {"error", entry.value("error", json())},
                 {"seconds", entry.value("seconds", json())},
                 {"accuracy", nullptr},
                 {"folding", json::object()},
                 {"pareto", json::array()}};
  const json measured = entry.value("result", json::object());
  for (const char* name : kMeasured) result[name] = measured.value(name, json());
  if (measured.contains("folding")) result["folding"] = measured.at("folding");
  return result;
}

/// Whether `other` is at least as good as `point` in both and better in one; `gain` is to be large, `cost` small.
bool dominates(const json& other, const json& point, const char* gain, double sign, const char* cost) {
  if (!has(other, gain) || !has(other, cost)) return false;
  const double g = sign * (other.at(gain).get<double>() - point.at(gain).get<double>());
  const double c = point.at(cost).get<double>() - other.at(cost).get<double>();
  return g >= 0 && c >= 0 && (g > 0 || c > 0);
}

/// Points are compared with others of the same `peers` fields only.
void mark_front(json& points, const std::vector<const char*>& peers, const char* gain, double sign, const char* cost) {
  for (json& point : points) {
    if (!has(point, gain) || !has(point, cost)) continue;
    const bool dominated = std::any_of(points.begin(), points.end(), [&](const json& other) {
      return std::all_of(peers.begin(), peers.end(), [&](const char* name) { return other.at(name) == point.at(name); }) &&
             dominates(other, point, gain, sign, cost);
    });
    if (!dominated) point["pareto"].push_back(cost);
  }
}

std::string csv_field(const json& value) {
  if (value.is_null()) return "";
  std::string text = value.is_string() ? value.get<std::string>() : value.dump();
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

}  // namespace

void mark_pareto(json& points) {
  const bool accuracies = std::any_of(points.begin(), points.end(), [](const json& point) { return has(point, "accuracy"); });
  if (!accuracies) return mark_front(points, {"board", "model"}, "clocks", -1, "lut4");
  for (const char* cost : kCosts) mark_front(points, {"board"}, "accuracy", 1, cost);
}

json explore_json(const Study& study, const std::vector<Point>& points, const StudyTasks& tasks, const std::vector<json>& entries,
                  const std::vector<json>& accuracies, bool laws) {
  std::string models;
  for (const StudyModel& model : study.models) models += (models.empty() ? "" : ", ") + model.name;
  json result = {{"explore", 1},       {"bitloom", BITLOOM_VERSION}, {"model", study.layer ? study.layer->text() : models},
                 {"seed", study.seed}, {"points", json::array()},    {"fits", json::array()}};
  for (std::size_t i = 0; i < points.size(); ++i) {
    json point = row(study, points[i], tasks.points[i], entries[i]);
    if (!accuracies.empty()) point["accuracy"] = accuracies[points[i].model].value("/result/accuracy"_json_pointer, json());
    result["points"].push_back(std::move(point));
  }
  mark_pareto(result["points"]);
  if (laws) result["fits"] = linear_laws(result["points"]);
  return result;
}

std::string explore_csv(const json& explore) {
  std::string text;
  std::vector<json> rows;
  for (const json& point : explore.at("points")) {
    json flat = point;
    const json folding = flat.at("folding");
    flat.erase("folding");
    for (const char* name : {"pe", "simd", "apar", "wpar", "clocks", "fps", "fit"})
      flat[fmt::format("folding.{}", name)] = folding.value(name, json());
    std::string front;
    for (const json& cost : point.at("pareto")) front += (front.empty() ? "" : " ") + cost.get<std::string>();
    flat["pareto"] = front;
    rows.push_back(flat);
  }
  const auto line = [&](const auto& field) {
    bool first = true;
    for (const auto& [name, value] : rows.front().items()) {
      text += (first ? "" : ",") + field(name);
      first = false;
    }
    text += "\r\n";
  };
  if (rows.empty()) return text;
  line([](const std::string& name) { return name; });
  for (const json& entry : rows) line([&](const std::string& name) { return csv_field(entry.at(name)); });
  return text;
}

}  // namespace bitloom
