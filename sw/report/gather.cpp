// Finding and reading the result files below a folder (docs/architecture.md, section 6).
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "core/error.hpp"
#include "flow/boards.hpp"
#include "report/gather.hpp"

namespace bitloom {
namespace fs = std::filesystem;
using nlohmann::json;
namespace {

std::vector<std::vector<std::int64_t>> read_confusion(const ResultFile& source) {
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

LayerReport read_layer(const ResultFile& source) {
  LayerReport layer;
  layer.name = source.get<std::string>("name");
  layer.kind = source.get<std::string>("kind");
  if (source.find<std::string>("engine") == "basis") layer.kind = "basis " + layer.kind;  // another engine than the roofline's
  layer.pe = static_cast<int>(source.count("pe"));
  layer.simd = static_cast<int>(source.count("simd"));
  layer.apar = static_cast<int>(source.count("apar"));
  layer.wpar = static_cast<int>(source.find<std::int64_t>("wpar").value_or(1));
  layer.pixels = static_cast<int>(source.find<std::int64_t>("pixels").value_or(1));
  layer.clocks = source.count("clocks");
  layer.macs = source.count("macs");
  layer.weight_bits = source.count("weight_bits");
  layer.bops_uniq = source.get<double>("bops_uniq");
  layer.bops_qonnx = source.get<double>("bops_qonnx");
  return layer;
}

void read_simulation(const fs::path& file, DesignReport& design) {
  const ResultFile source = ResultFile::file(file);
  DesignReport::Simulation simulation;
  simulation.images = static_cast<int>(source.count("images"));
  simulation.bit_exact = source.get<bool>("bit_exact");
  simulation.clocks_per_image = source.find<double>("clocks_per_image").value_or(0);
  simulation.first_image_latency = source.count("first_image_latency");
  simulation.total_clocks = source.count("total_clocks");
  simulation.stall_probability = source.get<double>("stall_probability");
  simulation.tool = source.get<std::string>("tool");
  design.simulation = simulation;
  for (const ResultFile& row : source.list("layers")) {
    const auto name = row.get<std::string>("name");
    const auto layer = std::find_if(design.layers.begin(), design.layers.end(), [&](const LayerReport& l) { return l.name == name; });
    if (layer == design.layers.end()) throw Error(row.where(), fmt::format("the design has no layer '{}'; simulate it again", name));
    layer->busy = row.count("busy");
    layer->starved = row.count("starved");
    layer->stalled = row.count("stalled");
  }
}

void read_synthesis(const fs::path& file, DesignReport& design) {
  design.synthesis = synth_result_from_json(ResultFile::file(file).value(), file.string());
  for (const LayerUse& use : design.synthesis->layers)
    for (LayerReport& layer : design.layers)
      if (layer.name == use.name) layer.use = use.use;
}

/// The boards that come with Bitloom say how many block RAMs the device has and how wide they are.
std::optional<double> ram_bits_per_clock(const std::string& name) {
  const std::vector<std::string> known = list_boards();
  if (std::find(known.begin(), known.end(), name) == known.end()) return std::nullopt;
  const Board board = load_board(name);
  return static_cast<double>(board.bram) * board.bram_width;
}

DesignReport read_design_report(const fs::path& folder, const ResultFile& source) {
  DesignReport design;
  design.board = source.get<std::string>("board");
  design.predicted_clocks_per_image = source.count("predicted_clocks_per_image");
  for (const ResultFile& layer : source.list("layers")) design.layers.push_back(read_layer(layer));
  if (fs::exists(folder / "sim.json")) read_simulation(folder / "sim.json", design);
  const fs::path synthesis = folder / "build" / "synth" / design.board / "synth.json";
  if (fs::exists(synthesis)) read_synthesis(synthesis, design);
  if (fs::exists(folder / "power.json")) design.power = read_power(ResultFile::file(folder / "power.json"));
  design.ram_bits_per_clock = ram_bits_per_clock(design.board);
  return design;
}

WrongImage read_wrong_image(const ResultFile& source) {
  WrongImage image;
  image.index = source.count("image");
  image.label = source.count("label");
  image.answer = source.count("answer");
  image.width = static_cast<int>(source.count("width"));
  image.height = static_cast<int>(source.count("height"));
  image.channels = static_cast<int>(source.count("channels"));
  const auto hex = source.get<std::string>("pixels");
  const std::size_t bytes =
      static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.height) * static_cast<std::size_t>(image.channels);
  if (bytes == 0 || (image.channels != 1 && image.channels != 3) || hex.size() != 2 * bytes ||
      hex.find_first_not_of("0123456789abcdef") != std::string::npos)
    throw Error(source.where(), fmt::format("'pixels' are not {} x {} x {} bytes in hexadecimal; make this result again", image.height,
                                            image.width, image.channels));
  for (std::size_t i = 0; i < bytes; ++i) image.pixels.push_back(static_cast<std::uint8_t>(std::stoi(hex.substr(2 * i, 2), nullptr, 16)));
  return image;
}

void read_run(const ResultFile& source, ModelReport& model) {
  model.data = source.get<std::string>("data");
  model.images = static_cast<int>(source.count("images"));
  model.accuracy = source.fraction("accuracy");
  model.float_accuracy = source.fraction("float_accuracy");
  model.agrees_with_float = source.find<std::int64_t>("agrees_with_float");
  model.confusion = read_confusion(source);
  model.class_names = source.texts("class_names");
  if (model.class_names.size() != model.confusion.size()) model.class_names.clear();
  for (const ResultFile& row : source.find_list("wrong_images")) {
    model.wrong_images.push_back(read_wrong_image(row));
    const auto classes = static_cast<std::int64_t>(model.confusion.size());
    if (model.wrong_images.back().label >= classes || model.wrong_images.back().answer >= classes)
      throw Error(row.where(),
                  fmt::format("'label' or 'answer' is not among the {} classes of 'confusion'; make this result again", classes));
  }
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
    const ResultFile source = ResultFile::file(home / "design.json");
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
    const ResultFile source = ResultFile::file(home / "run.json");
    const auto name = source.get<std::string>("model");
    ModelReport& model = models[key_of_run(models, home, root, name)];
    if (model.name.empty()) model.name = name;
    read_run(source, model);
  }
  ReportData data;
  for (const fs::path& home : folders_with(root, "explore.json"))
    data.sweeps.push_back(read_sweep(ResultFile::file(home / "explore.json")));
  if (models.empty() && data.sweeps.empty())
    throw Error(folder.string(),
                "no design.json, run.json or explore.json found here; make them with bitloom compile, run --result or explore");
  for (auto& [key, model] : models) {
    std::stable_sort(model.designs.begin(), model.designs.end(),
                     [](const DesignReport& a, const DesignReport& b) { return a.board < b.board; });
    data.models.push_back(std::move(model));
  }
  return data;
}

}  // namespace bitloom
