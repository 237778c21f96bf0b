// Derived figures, and summary.json.
#include <algorithm>
#include <utility>

#include "core/files.hpp"
#include "report/definitions.hpp"
#include "report/report.hpp"

namespace bitloom {
using nlohmann::json;
namespace {

json or_null(double value) { return value > 0 ? json(value) : json(); }

template <class Value>
json or_null(const std::optional<Value>& value) {
  return value ? json(*value) : json();
}

json counter(std::int64_t value) { return value >= 0 ? json(value) : json(); }

json layer_json(const LayerReport& layer) {
  json row = {{"name", layer.name},
              {"kind", layer.kind},
              {"pe", layer.pe},
              {"simd", layer.simd},
              {"apar", layer.apar},
              {"clocks", layer.clocks},
              {"busy", counter(layer.busy)},
              {"starved", counter(layer.starved)},
              {"stalled", counter(layer.stalled)},
              {"macs", layer.macs},
              {"bops_uniq", layer.bops_uniq},
              {"bops_qonnx", layer.bops_qonnx},
              {"weight_bits", layer.weight_bits}};
  row["lut4"] = layer.use ? json(layer.use->lut4) : json();
  row["ff"] = layer.use ? json(layer.use->ff) : json();
  row["bram"] = layer.use ? json(layer.use->bram) : json();
  row["dsp"] = layer.use ? json(layer.use->dsp) : json();
  return row;
}

/// The clocks of one design, also shown at the model.
json clocks_json(const DesignReport& design) {
  return {{"clocks_per_image", design.clocks_per_image()},
          {"predicted_clocks_per_image", design.predicted_clocks_per_image},
          {"first_image_latency", design.simulation ? json(design.simulation->first_image_latency) : json()}};
}

json design_json(const DesignReport& design) {
  json out = clocks_json(design);
  out["board"] = design.board;
  out["simulated_images"] = design.simulation ? json(design.simulation->images) : json();
  out["bit_exact"] = design.simulation ? json(design.simulation->bit_exact) : json();
  out["frames_per_second"] = or_null(design.frames_per_second());
  out["frames_per_second_at_fmax"] = or_null(design.frames_per_second_at_fmax());
  for (const char* name : {"lut4", "ff", "bram", "dsp", "spram", "lut4_available", "ff_available", "bram_available", "dsp_available",
                           "spram_available", "fmax_mhz", "clock_mhz", "bitstream", "bitstream_bytes", "seed"})
    out[name] = nullptr;
  if (design.synthesis) {
    const json synthesis = to_json(*design.synthesis);
    for (auto& [name, value] : out.items())
      if (value.is_null() && synthesis.contains(name)) value = synthesis.at(name);
  }
  const PowerReport power = design.power.value_or(PowerReport());
  out["power"] = {{"total_mw", or_null(power.total_mw)},
                  {"nj_per_inference", or_null(power.nj_per_inference)},
                  {"fj_per_bit_operation", or_null(power.fj_per_bit_operation)},
                  {"uncertainty", or_null(power.uncertainty)}};
  out["layers"] = json::array();
  for (const LayerReport& layer : design.layers) out["layers"].push_back(layer_json(layer));
  return out;
}

json model_json(const ModelReport& model) {
  json out = {{"name", model.name},
              {"data", model.data.empty() ? json() : json(model.data)},
              {"images", model.images},
              {"accuracy", or_null(model.accuracy)},
              {"float_accuracy", or_null(model.float_accuracy)},
              {"agrees_with_float", or_null(model.agrees_with_float)},
              {"bit_exact", or_null(model.bit_exact())},
              {"macs", model.macs},
              {"bops_uniq", model.bops_uniq},
              {"bops_qonnx", model.bops_qonnx},
              {"weight_bits", model.weight_bits},
              {"confusion", model.confusion},
              {"reference_board", nullptr},
              {"boards", json::array()}};
  // A simulated rate goes before a predicted one, then the fewest clocks.
  const auto rank = [](const DesignReport& design) { return std::pair(!design.simulation.has_value(), design.clocks_per_image()); };
  const auto fastest = std::min_element(model.designs.begin(), model.designs.end(),
                                        [&](const DesignReport& a, const DesignReport& b) { return rank(a) < rank(b); });
  if (fastest != model.designs.end()) {
    out["reference_board"] = fastest->board;
    out.update(clocks_json(*fastest));
  }
  for (const DesignReport& design : model.designs) out["boards"].push_back(design_json(design));
  return out;
}

}  // namespace

double DesignReport::clocks_per_image() const {
  const bool measured = simulation && simulation->bit_exact && simulation->clocks_per_image > 0 && simulation->stall_probability <= 0;
  return measured ? simulation->clocks_per_image : static_cast<double>(predicted_clocks_per_image);
}

double DesignReport::frames_per_second() const {
  return synthesis && clocks_per_image() > 0 ? synthesis->clock_mhz * 1e6 / clocks_per_image() : 0;
}

double DesignReport::frames_per_second_at_fmax() const {
  return synthesis && clocks_per_image() > 0 ? synthesis->fmax_mhz * 1e6 / clocks_per_image() : 0;
}

std::optional<bool> ModelReport::bit_exact() const {
  if (designs.empty()) return std::nullopt;
  bool all = true;
  for (const DesignReport& design : designs) {
    if (!design.simulation) return std::nullopt;
    all = all && design.simulation->bit_exact;
  }
  return all;
}

std::map<std::string, std::string> tools_of(const ReportData& data) {
  std::map<std::string, std::string> tools;
  for (const ModelReport& model : data.models)
    for (const DesignReport& design : model.designs) {
      if (design.synthesis) tools.insert(design.synthesis->tools.begin(), design.synthesis->tools.end());
      if (design.simulation) tools["simulator"] = design.simulation->tool;
    }
  return tools;
}

json summary_json(const ReportData& data) {
  json out = {{"bitloom", BITLOOM_VERSION},
              {"title", data.title},
              {"definitions", json::object()},
              {"tools", tools_of(data)},
              {"models", json::array()}};
  for (const Definition& definition : definitions()) out["definitions"][definition.key] = definition.text;
  for (const ModelReport& model : data.models) out["models"].push_back(model_json(model));
  return out;
}

void write_summary(const std::filesystem::path& file, const ReportData& data) {
  write_file_atomically(file, summary_json(data).dump(2) + "\n");
}

}  // namespace bitloom
