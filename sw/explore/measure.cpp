#include "explore/measure.hpp"

#include <fmt/format.h>

#include <random>

#include "core/files.hpp"
#include "core/process.hpp"
#include "data/npy.hpp"
#include "explore/study.hpp"

namespace bitloom {
namespace fs = std::filesystem;
using nlohmann::json;
namespace {

/// Runs `bitloom <args> --json` and returns what it prints.
json command(const std::string& program, std::vector<std::string> args, const fs::path& scratch) {
  const std::string name = args.front();
  const fs::path out = scratch / (name + ".json"), err = scratch / (name + ".log");
  args.push_back("--json");
  const int status = run(program, args, {.cwd = {}, .out = out, .err = err, .env = {}});
  if (status != 0) {
    std::string why = last_lines(err, 4);
    if (why.rfind("bitloom: ", 0) == 0) why = why.substr(9);
    throw Error(name, why.empty() ? fmt::format("ended with status {}", status) : why);
  }
  json result = json::parse(read_text_file(out), nullptr, false);
  if (result.is_discarded()) throw Error(name, "did not print JSON");
  return result;
}

fs::path write_model(const StudyModel& model, const fs::path& scratch) {
  const fs::path file = scratch / (model.name + ".onnx");
  write_file_atomically(file, model.content);
  return file;
}

/// Random images for a generated layer, as its input's shape and bits have it.
fs::path random_images(const Study& study, const StudyModel& model, const fs::path& scratch) {
  std::mt19937 random(study.seed);
  const LayerSpec& layer = *study.layer;
  Tensor images = Tensor::ints({study.sim_images, layer.in_channels, layer.height, layer.width}, {});
  for (std::int64_t i = images.size(); i > 0; --i) images.i().push_back(random() >> (32 - model.activation_bits));
  write_npy(scratch / "images.npy", images);
  return scratch / "images.npy";
}

/// Copies fields that may be missing.
void take(json& to, const json& from, std::initializer_list<const char*> names) {
  for (const char* name : names)
    if (from.contains(name)) to[name] = from.at(name);
}

/// The folding of the only layer with weights; of a larger network what was asked for.
json folding(const json& design, const Point& point) {
  std::vector<json> weighted;
  for (const json& layer : design.at("layers"))
    if (layer.at("weight_bits").get<std::int64_t>() > 0) weighted.push_back(layer);
  json result = json::object();
  if (weighted.size() == 1) {
    take(result, weighted[0], {"pe", "simd", "apar", "wpar", "lanes"});
    return result;
  }
  if (point.clocks > 0) result["clocks"] = point.clocks;
  if (point.fps > 0) result["fps"] = point.fps;
  result["fit"] = point.fit;
  return result;
}

}  // namespace

std::vector<std::string> compile_options(const Study& study, const Point& point) {
  std::vector<std::string> options = {"--board", point.board, "--fit", fmt::format("{}", point.fit)};
  if (point.clocks > 0) options.insert(options.end(), {"--clocks", fmt::format("{}", point.clocks)});
  if (point.fps > 0) options.insert(options.end(), {"--fps", fmt::format("{}", point.fps)});
  std::string rule;
  const auto add = [&](const std::string& part) { rule += (rule.empty() ? "*:" : ",") + part; };
  if (point.engine == "parallel") add("apar=all,wpar=all,pixels=1,products=logic");
  if (point.engine == "serial") add("apar=all,wpar=1,pixels=1");
  if (point.engine == "bit-serial") add("apar=1,wpar=1,pixels=1");
  if (point.pe > 0) add(fmt::format("pe={}", point.pe));
  if (point.simd > 0) add(fmt::format("simd={}", point.simd));
  if (!rule.empty()) options.insert(options.end(), {"--fold", rule});
  options.insert(options.end(), study.lowering.begin(), study.lowering.end());
  return options;
}

json measure_point(const Study& study, const Point& point, const std::string& program, const fs::path& scratch) {
  const StudyModel& model = study.models[point.model];
  const std::string design_folder = (scratch / "design").string();
  std::vector<std::string> compile = {"compile", write_model(model, scratch).string(), "--out", design_folder};
  const std::vector<std::string> options = compile_options(study, point);
  compile.insert(compile.end(), options.begin(), options.end());
  const json design = command(program, compile, scratch);
  json result = {{"folding", folding(design, point)},
                 {"clocks", design.at("predicted_clocks_per_image")},
                 {"clocks_predicted", design.at("predicted_clocks_per_image")},
                 {"lut4_estimate", design.at("estimate").at("lut4")},
                 {"bram_estimate", design.at("estimate").at("block_rams")}};
  take(result, design, {"macs", "bops_uniq", "bops_qonnx"});
  result["stored_weight_bits"] = design.at("weight_bits");

  const Measures& measures = study.measures;
  if (measures.synth) {
    const json synth = command(program, {"synth", design_folder, "--estimate"}, scratch);
    take(result, synth, {"device", "lut4", "ff", "bram", "dsp", "spram"});
    result["lut4_synth"] = result["lut4"];
    result["counted"] = "synth";
  }
  if (measures.place) {
    const json synth = command(program, {"synth", design_folder, "--seed", std::to_string(study.seed)}, scratch);
    take(result, synth, {"device", "ff", "bram", "dsp", "spram", "fmax_mhz", "lut4"});
    result["counted"] = "place";
    result["lut4_with_board"] = result["lut4"];
    const json& outside = synth.at("layers").back();  // link and board
    for (const char* count : {"lut4", "ff", "bram", "dsp", "spram"})
      result[count] = result[count].get<int>() - outside.at(count).get<int>();
  }
  if (!measures.sim && !measures.power) return result;
  const std::string data = study.data.empty() ? random_images(study, model, scratch).string() : study.data;
  const std::vector<std::string> images = {"--data", data, "--images", std::to_string(study.sim_images)};
  const auto with_images = [&](std::vector<std::string> args) {
    args.insert(args.end(), images.begin(), images.end());
    return command(program, args, scratch);
  };
  if (measures.sim) {
    const json sim = with_images({"sim", design_folder, "--quick"});
    const json& clocks = sim.at("clocks_per_image");
    if (!clocks.is_null()) result["clocks"] = result["clocks_simulated"] = clocks;
  }
  if (measures.power) take(result, with_images({"power", design_folder}), {"total_mw", "nj_per_inference", "fj_per_bit_operation"});
  return result;
}

json measure_accuracy(const Study& study, const StudyModel& model, const std::string& program, const fs::path& scratch) {
  std::vector<std::string> args = {"run", write_model(model, scratch).string(), "--data", study.data, "--jobs", "1"};
  if (study.images > 0) args.insert(args.end(), {"--images", std::to_string(study.images)});
  args.insert(args.end(), study.lowering.begin(), study.lowering.end());
  const json run_result = command(program, args, scratch);
  return {{"accuracy", run_result.at("accuracy")}, {"images", run_result.at("images")}};
}

}  // namespace bitloom
