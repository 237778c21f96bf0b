// power.json: the estimate of a design's power.
#include <algorithm>

#include "report/gather.hpp"

namespace bitloom {
namespace {

std::vector<PowerReport::Part> read_parts(const ResultFile& source, const char* list, const char* name) {
  std::vector<PowerReport::Part> parts;
  for (const ResultFile& row : source.find_list(list))
    parts.push_back({row.get<std::string>(name), row.get<double>("mw"), row.find<double>("toggles")});
  return parts;
}

/// A source is a text, or an object of texts.
std::string source_text(const nlohmann::json& source) {
  if (source.is_string()) return source.get<std::string>();
  if (!source.is_object()) return source.dump();
  std::string text;
  for (const auto& [name, value] : source.items())
    text += (text.empty() ? "" : "; ") + name + ": " + (value.is_string() ? value.get<std::string>() : value.dump());
  return text;
}

}  // namespace

PowerReport read_power(const ResultFile& source) {
  PowerReport power;
  power.static_mw = source.find<double>("static_mw");
  power.dynamic_mw = source.find<double>("dynamic_mw");
  power.total_mw = source.find<double>("total_mw");
  power.voltage = source.find<double>("voltage");
  power.clock_mhz = source.find<double>("clock_mhz");
  power.nj_per_inference = source.find<double>("nj_per_inference");
  power.fj_per_bit_operation = source.find<double>("fj_per_bit_operation");
  power.frames_per_second = source.find<double>("frames_per_second");
  power.netlist = source.find<std::string>("netlist").value_or("");
  power.images = static_cast<int>(source.find<std::int64_t>("images").value_or(0));
  const auto uncertainty = source.find<nlohmann::json>("uncertainty");
  if (uncertainty && uncertainty->is_number()) {
    power.uncertainty = uncertainty->get<double>();
    if (*power.uncertainty < 0)
      throw Error(source.where(), fmt::format("'uncertainty' is {}, a share of the total expected", *power.uncertainty));
  } else if (uncertainty) {
    power.note = source_text(*uncertainty);
  }
  power.kinds = read_parts(source, "kinds", "kind");
  power.layers = read_parts(source, "layers", "name");
  for (const auto& entry : source.find<nlohmann::json>("sources").value_or(nlohmann::json::array()))
    power.sources.push_back(source_text(entry));
  return power;
}

std::optional<std::pair<double, double>> PowerReport::range(double value) const {
  if (!uncertainty) return std::nullopt;
  return std::pair(value * std::max(0.0, 1 - *uncertainty), value * (1 + *uncertainty));
}

}  // namespace bitloom
