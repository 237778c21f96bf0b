// Finding and reading the result files below a folder (docs/architecture.md, section 6).
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "core/error.hpp"
#include "core/files.hpp"
#include "report/report.hpp"

namespace bitloom {
namespace fs = std::filesystem;
using nlohmann::json;
namespace {

/// A result file, or an object in it; complaints name the file and the field.
class Source {
 public:
  Source(json value, std::string where) : value_(std::move(value)), where_(std::move(where)) {
    if (!value_.is_object()) throw Error(where_, "a JSON object expected");
  }
  static Source file(const fs::path& path) {
    json value = json::parse(read_text_file(path), nullptr, false);
    if (value.is_discarded()) throw Error(path.string(), "is not valid JSON; make this result again");
    return {std::move(value), path.string()};
  }
  /// A field that must be there.
  template <class Value>
  Value get(const char* name) const {
    if (!value_.contains(name)) throw Error(where_, fmt::format("the field '{}' is missing; make this result again", name));
    return convert<Value>(name);
  }
  /// A field that may be missing or null.
  template <class Value>
  std::optional<Value> find(const char* name) const {
    if (!value_.contains(name) || value_.at(name).is_null()) return std::nullopt;
    return convert<Value>(name);
  }
  std::vector<Source> list(const char* name) const {
    const json rows = get<json>(name);
    if (!rows.is_array()) throw Error(where_, fmt::format("'{}' is not a list; make this result again", name));
    std::vector<Source> result;
    for (std::size_t i = 0; i < rows.size(); ++i) result.emplace_back(rows[i], fmt::format("{}: {}[{}]", where_, name, i));
    return result;
  }
  std::int64_t count(const char* name) const {
    const auto value = get<std::int64_t>(name);
    if (value < 0) throw Error(where_, fmt::format("'{}' is {}, a count expected", name, value));
    return value;
  }
  std::optional<double> fraction(const char* name) const {
    const auto value = find<double>(name);
    if (value && (*value < 0 || *value > 1)) throw Error(where_, fmt::format("'{}' is {}, a fraction of 1 expected", name, *value));
    return value;
  }
  const json& value() const { return value_; }
  const std::string& where() const { return where_; }

 private:
  template <class Value>
  Value convert(const char* name) const {
    const json& field = value_.at(name);
    // JSON would turn true into 1 and 2.5 into 2 without a word.
    const bool fits = std::is_same_v<Value, json> || (std::is_same_v<Value, bool> && field.is_boolean()) ||
                      (std::is_same_v<Value, std::string> && field.is_string()) || (std::is_floating_point_v<Value> && field.is_number()) ||
                      (std::is_integral_v<Value> && !std::is_same_v<Value, bool> && field.is_number_integer());
    if (!fits) throw Error(where_, fmt::format("'{}' is {}, which is not of its type; make this result again", name, field.dump()));
    return field.get<Value>();
  }
  json value_;
  std::string where_;
};

std::vector<std::vector<std::int64_t>> read_confusion(const Source& source) {
  std::vector<std::vector<std::int64_t>> matrix;
  const auto rows = source.find<json>("confusion");
  if (!rows) return matrix;
  bool good = rows->is_array();
  for (const json& row : good ? *rows : json::array()) {
    good = good && row.is_array() && row.size() == rows->size();
    matrix.emplace_back();
    for (const json& cell : good ? row : json::array()) {
      good = good && cell.is_number_integer() && cell >= 0;
      matrix.back().push_back(good ? cell.get<std::int64_t>() : 0);
    }
  }
  if (!good) throw Error(source.where(), "'confusion' is not a square matrix of counts; make this result again");
  return matrix;
}

LayerReport read_layer(const Source& source) {
  LayerReport layer;
  layer.name = source.get<std::string>("name");
  layer.kind = source.get<std::string>("kind");
  layer.pe = static_cast<int>(source.count("pe"));
  layer.simd = static_cast<int>(source.count("simd"));
  layer.apar = static_cast<int>(source.count("apar"));
  layer.clocks = source.count("clocks");
  layer.macs = source.count("macs");
  layer.weight_bits = source.count("weight_bits");
  layer.bops_uniq = source.get<double>("bops_uniq");
  layer.bops_qonnx = source.get<double>("bops_qonnx");
  return layer;
}

void read_simulation(const fs::path& file, DesignReport& design) {
  const Source source = Source::file(file);
  DesignReport::Simulation simulation;
  simulation.images = static_cast<int>(source.count("images"));
  simulation.bit_exact = source.get<bool>("bit_exact");
  simulation.clocks_per_image = source.find<double>("clocks_per_image").value_or(0);
  simulation.first_image_latency = source.count("first_image_latency");
  simulation.total_clocks = source.count("total_clocks");
  simulation.stall_probability = source.get<double>("stall_probability");
  simulation.tool = source.get<std::string>("tool");
  design.simulation = simulation;
  for (const Source& row : source.list("layers")) {
    const auto name = row.get<std::string>("name");
    const auto layer = std::find_if(design.layers.begin(), design.layers.end(), [&](const LayerReport& l) { return l.name == name; });
    if (layer == design.layers.end()) throw Error(row.where(), fmt::format("the design has no layer '{}'; simulate it again", name));
    layer->busy = row.count("busy");
    layer->starved = row.count("starved");
    layer->stalled = row.count("stalled");
  }
}

void read_synthesis(const fs::path& file, DesignReport& design) {
  design.synthesis = synth_result_from_json(Source::file(file).value(), file.string());
  for (const LayerUse& use : design.synthesis->layers)
    for (LayerReport& layer : design.layers)
      if (layer.name == use.name) layer.use = use.use;
}

DesignReport read_design_report(const fs::path& folder, const Source& source) {
  DesignReport design;
  design.board = source.get<std::string>("board");
  design.predicted_clocks_per_image = source.count("predicted_clocks_per_image");
  for (const Source& layer : source.list("layers")) design.layers.push_back(read_layer(layer));
  if (fs::exists(folder / "sim.json")) read_simulation(folder / "sim.json", design);
  const fs::path synthesis = folder / "build" / "synth" / design.board / "synth.json";
  if (fs::exists(synthesis)) read_synthesis(synthesis, design);
  return design;
}

void read_run(const Source& source, ModelReport& model) {
  model.data = source.get<std::string>("data");
  model.images = static_cast<int>(source.count("images"));
  model.accuracy = source.fraction("accuracy");
  model.float_accuracy = source.fraction("float_accuracy");
  model.agrees_with_float = source.find<std::int64_t>("agrees_with_float");
  model.confusion = read_confusion(source);
}

/// Folders below and including `root` that hold `name`, sorted; build folders and hidden ones are not entered.
std::vector<fs::path> folders_with(const fs::path& root, const char* name) {
  std::vector<fs::path> found;
  if (fs::exists(root / name)) found.push_back(root);
  for (auto entry = fs::recursive_directory_iterator(root); entry != fs::recursive_directory_iterator(); ++entry) {
    if (!entry->is_directory()) continue;
    const std::string folder = entry->path().filename().string();
    if (folder == "build" || folder.rfind('.', 0) == 0) {
      entry.disable_recursion_pending();
    } else if (fs::exists(entry->path() / name)) {
      found.push_back(entry->path());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

/// A model is known by its folder and its name: the designs of several models may stand side by side.
using ModelKey = std::pair<fs::path, std::string>;

ModelKey key_of_run(const std::map<ModelKey, ModelReport>& models, const fs::path& folder, const fs::path& root, const std::string& name) {
  for (const fs::path& home : {folder, folder == root ? folder : folder.parent_path()}) {
    if (models.count({home, name}) != 0) return {home, name};
    std::vector<ModelKey> here;
    for (const auto& [key, model] : models)
      if (key.first == home) here.push_back(key);
    if (home == folder && here.size() == 1) return here.front();
  }
  return {folder, name};
}

}  // namespace

ReportData gather_report(const fs::path& folder) {
  if (!fs::is_directory(folder)) throw Error(folder.string(), "no such folder; name one that holds designs or results");
  const fs::path root = fs::absolute(folder).lexically_normal();
  std::map<ModelKey, ModelReport> models;
  for (const fs::path& home : folders_with(root, "design.json")) {
    const Source source = Source::file(home / "design.json");
    const auto name = source.get<std::string>("name");
    ModelReport& model = models[{home == root ? root : home.parent_path(), name}];
    model.name = name;
    model.macs = source.count("macs");
    model.weight_bits = source.count("weight_bits");
    model.bops_uniq = source.get<double>("bops_uniq");
    model.bops_qonnx = source.get<double>("bops_qonnx");
    model.designs.push_back(read_design_report(home, source));
  }
  for (const fs::path& home : folders_with(root, "run.json")) {
    const Source source = Source::file(home / "run.json");
    const auto name = source.get<std::string>("model");
    ModelReport& model = models[key_of_run(models, home, root, name)];
    if (model.name.empty()) model.name = name;
    read_run(source, model);
  }
  if (models.empty())
    throw Error(folder.string(), "no design.json and no run.json found here; make them with bitloom compile and bitloom run --result");
  ReportData data;
  for (auto& [key, model] : models) {
    std::stable_sort(model.designs.begin(), model.designs.end(),
                     [](const DesignReport& a, const DesignReport& b) { return a.board < b.board; });
    data.models.push_back(std::move(model));
  }
  return data;
}

}  // namespace bitloom
