#include "explore/study.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/hash.hpp"
#include "core/process.hpp"
#include "core/resources.hpp"
#include "explore/fingerprint.hpp"
#include "explore/measure.hpp"
#include "flow/boards.hpp"

namespace bitloom {
namespace fs = std::filesystem;
using nlohmann::json;
namespace {

/// The content of a file, or of every file below a folder with its name.
std::string content_hash(const fs::path& path) {
  ContentHash hash;
  std::set<fs::path> files;
  if (!fs::is_directory(path)) return hash.add(read_file(path)).text();
  for (const auto& entry : fs::recursive_directory_iterator(path))
    if (entry.is_regular_file()) files.insert(entry.path());
  for (const fs::path& file : files) hash.add(fs::relative(file, path).generic_string()).add(read_file(file));
  return hash.text();
}

/// "digits" is built in, and as constant as this program.
std::string data_hash(const std::string& data) { return fs::exists(data) ? content_hash(data) : data; }

std::string rtl_hash() { return content_hash(resource("rtl")); }

/// What stands in every key: another program, other RTL, other tools give other results.
class Environment {
 public:
  explicit Environment(const Study& study) : measures_(study.measures) {
    common_ = {{"bitloom", BITLOOM_VERSION}, {"program", kProgramFingerprint}};
    const Measures& m = study.measures;
    if (m.synth || m.place || m.sim || m.power) common_["rtl"] = rtl_hash();
    if (m.sim || m.power) common_["verilator"] = tool_version("verilator");
    if (m.synth || m.place || m.power) common_["yosys"] = tool_version("yosys");
    for (const std::string& name : study.boards) boards_[name] = of_board(load_board(name));
  }
  const json& common() const { return common_; }
  json board(const std::string& name) const { return boards_.at(name); }

 private:
  json of_board(const Board& board) const {
    json part = {{"files", content_hash(resource("constraints/" + board.name))}};
    if (measures_.place || measures_.power) {
      const Family& of = family(board.family, board.name);
      if (*of.open_tool == '\0')
        throw Error("--board", fmt::format("{} has no open place and route; measure up to synth, or leave it out", board.title));
      part["nextpnr"] = tool_version(of.open_tool);
    }
    return part;
  }
  Measures measures_;
  json common_;
  std::map<std::string, json> boards_;
};

std::string label(const Study& study, const Point& point) {
  std::string text = fmt::format("{} {} {}", study.models[point.model].name, point.engine, point.board);
  if (point.pe > 0) text += fmt::format(" pe={}", point.pe);
  if (point.simd > 0) text += fmt::format(" simd={}", point.simd);
  if (point.clocks > 0) text += fmt::format(" clocks={}", point.clocks);
  if (point.fps > 0) text += fmt::format(" fps={}", point.fps);
  if (study.fit.size() > 1) text += fmt::format(" fit={}", point.fit);
  return text;
}

}  // namespace

Measures parse_measures(const std::vector<std::string>& names) {
  Measures m;
  for (const std::string& name : names) {
    if (name == "synth")
      m.synth = true;
    else if (name == "place")
      m.place = true;
    else if (name == "sim")
      m.sim = true;
    else if (name == "power")
      m.power = m.place = true;
    else if (name != "plan")
      throw Error("--measure", fmt::format("'{}' found; plan, synth, place, sim or power expected", name));
  }
  return m;
}

std::vector<StudyModel> layer_models(const LayerSpec& spec, const std::vector<int>& weight_bits, const std::vector<int>& activation_bits,
                                     std::uint32_t seed) {
  std::vector<StudyModel> models;
  for (const int w : weight_bits)
    for (const int a : activation_bits) models.push_back({fmt::format("conv_w{}a{}", w, a), layer_model(spec, w, a, seed), w, a});
  return models;
}

std::vector<Point> points_of(const Study& study) {
  std::vector<Point> points;
  for (std::size_t model = 0; model < study.models.size(); ++model)
    for (const std::string& engine : study.engines)
      for (const int pe : study.pe)
        for (const int simd : study.simd)
          for (const std::string& board : study.boards)
            for (const std::int64_t clocks : study.clocks)
              for (const double fps : study.fps)
                for (const double fit : study.fit) points.push_back({model, engine, board, pe, simd, clocks, fps, fit});
  return points;
}

StudyTasks tasks_of(const std::shared_ptr<const Study>& study, const std::vector<Point>& points, const std::string& program) {
  const Environment environment(*study);
  const bool uses_data = study->measures.sim || study->measures.power;
  const bool has_data = !study->data.empty();
  if (uses_data && !has_data && !study->layer) throw Error("--data", "sim and power run a model on images; name them");
  const std::string data = has_data ? data_hash(study->data) : "random";
  std::vector<std::string> models;
  for (const StudyModel& model : study->models) models.push_back(ContentHash().add(model.content).text());

  StudyTasks tasks;
  for (const Point& point : points) {
    Task task;
    const Measures& m = study->measures;
    task.key = {{"common", environment.common()},
                {"model", models[point.model]},
                {"name", study->models[point.model].name},
                {"board", point.board},
                {"board_files", environment.board(point.board)},
                {"compile", compile_options(*study, point)},
                {"measures", {m.synth, m.place, m.sim, m.power}}};
    if (m.place) task.key["seed"] = study->seed;
    if (uses_data) task.key["data"] = {data, study->sim_images, study->seed};
    task.id = task_id(task.key);
    task.label = label(*study, point);
    task.compute = [=, rtl = environment.common().value("rtl", "")](const fs::path& scratch) {
      json result = measure_point(*study, point, program, scratch);
      if (!rtl.empty() && rtl != rtl_hash()) throw SweepEnded("rtl", "was changed during the sweep; run it again");
      return result;
    };
    tasks.points.push_back(std::move(task));
  }
  for (std::size_t i = 0; has_data && i < study->models.size(); ++i) {
    Task task;
    task.key = {{"common", {{"bitloom", BITLOOM_VERSION}, {"program", kProgramFingerprint}}},
                {"model", models[i]},
                {"run", study->lowering},
                {"data", {data, study->images}}};
    task.id = task_id(task.key);
    task.label = study->models[i].name + " accuracy";
    task.compute = [=](const fs::path& scratch) { return measure_accuracy(*study, study->models[i], program, scratch); };
    tasks.accuracies.push_back(std::move(task));
  }
  return tasks;
}

}  // namespace bitloom
