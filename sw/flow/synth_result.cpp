// synth.json: the result of synthesis as a file.
#include <fmt/format.h>

#include "core/error.hpp"
#include "flow/synth.hpp"

namespace bitloom {
using nlohmann::json;
namespace {

/// The resources by their names in synth.json.
struct Resource {
  const char* name;
  int CellUse::*count;
};
constexpr Resource kResources[] = {
    {"lut4", &CellUse::lut4}, {"ff", &CellUse::ff}, {"bram", &CellUse::bram}, {"dsp", &CellUse::dsp}, {"spram", &CellUse::spram}};

/// Reads one field; a complaint names the file and the field.
template <class Value>
void read(const json& object, const std::string& name, Value& value, const std::string& where) {
  if (!object.is_object() || !object.contains(name))
    throw Error(where, fmt::format("the field '{}' is missing; run bitloom synth again", name));
  try {
    object.at(name).get_to(value);
  } catch (const json::exception&) {
    throw Error(where, fmt::format("'{}' is {}, which is not of its type; run bitloom synth again", name, object.at(name).dump()));
  }
}

json layers_json(const std::vector<LayerUse>& layers) {
  json rows = json::array();
  for (const LayerUse& layer : layers) {
    json row = {{"name", layer.name}};
    for (const Resource& resource : kResources) row[resource.name] = layer.use.*resource.count;
    rows.push_back(row);
  }
  return rows;
}

/// The rows of `list`, which must add up to `whole`.
std::vector<LayerUse> read_uses(const json& in, const std::string& list, const CellUse& whole, const std::string& where) {
  json rows;
  read(in, list, rows, where);
  std::vector<LayerUse> result;
  CellUse sum;
  for (const json& row : rows) {
    LayerUse& layer = result.emplace_back();
    read(row, "name", layer.name, where + ": " + list);
    for (const Resource& resource : kResources) read(row, resource.name, layer.use.*resource.count, where + ": " + list);
    sum += layer.use;
  }
  if (sum != whole) throw Error(where, fmt::format("the {} do not add up to the whole; run bitloom synth again", list));
  return result;
}

}  // namespace

CellUse& CellUse::operator+=(const CellUse& other) {
  for (const Resource& resource : kResources) this->*resource.count += other.*resource.count;
  return *this;
}

json to_json(const SynthResult& result) {
  json out = {{"design", result.design},
              {"board", result.board},
              {"device", result.device},
              {"tools", result.tools},
              {"seed", result.seed},
              {"target_mhz", result.target_mhz},
              {"clock_mhz", result.clock_mhz},
              {"fmax_mhz", result.fmax_mhz},
              {"fmax_by_seed", result.fmax_by_seed},
              {"timing_met", result.fmax_mhz >= result.clock_mhz},
              {"yosys_cells", result.yosys_cells},
              {"bitstream", result.bitstream.generic_string()},
              {"bitstream_bytes", result.bitstream_bytes},
              {"seconds", result.seconds}};
  for (const Resource& resource : kResources) {
    out[resource.name] = result.used.*resource.count;
    out[std::string(resource.name) + "_available"] = result.available.*resource.count;
  }
  out["layers"] = layers_json(result.layers);
  if (!result.instances.empty()) out["instances"] = layers_json(result.instances);
  return out;
}

CellUse mapped_cell_use(const std::string& type) {
  const auto starts = [&](const char* name) { return type.rfind(name, 0) == 0; };
  CellUse use;
  if (type == "SB_LUT4" || type == "LUT4") use.lut4 = 1;
  if (type == "CCU2C") use.lut4 = 2;
  if (type == "TRELLIS_DPR16X4") use.lut4 = 6;
  if (starts("SB_DFF") || type == "TRELLIS_FF") use.ff = 1;
  if (starts("SB_RAM40_4K") || type == "DP16KD") use.bram = 1;
  if (type == "SB_MAC16" || type == "MULT18X18D") use.dsp = 1;
  if (type == "SB_SPRAM256KA") use.spram = 1;
  return use;
}

json to_json(const SynthEstimate& estimate) {
  json out = {{"design", estimate.design},           {"board", estimate.board},    {"device", estimate.device}, {"yosys", estimate.yosys},
              {"yosys_cells", estimate.yosys_cells}, {"seconds", estimate.seconds}, {"layers", layers_json(estimate.layers)},
              {"instances", layers_json(estimate.instances)}};
  for (const Resource& resource : kResources) out[resource.name] = estimate.used.*resource.count;
  return out;
}

SynthResult synth_result_from_json(const json& in, const std::string& where) {
  SynthResult result;
  read(in, "design", result.design, where);
  read(in, "board", result.board, where);
  read(in, "device", result.device, where);
  read(in, "tools", result.tools, where);
  read(in, "seed", result.seed, where);
  read(in, "target_mhz", result.target_mhz, where);
  read(in, "clock_mhz", result.clock_mhz, where);
  read(in, "fmax_mhz", result.fmax_mhz, where);
  if (in.contains("fmax_by_seed")) read(in, "fmax_by_seed", result.fmax_by_seed, where);
  read(in, "yosys_cells", result.yosys_cells, where);
  read(in, "bitstream_bytes", result.bitstream_bytes, where);
  read(in, "seconds", result.seconds, where);
  std::string bitstream;
  read(in, "bitstream", bitstream, where);
  result.bitstream = bitstream;
  for (const Resource& resource : kResources) {
    read(in, resource.name, result.used.*resource.count, where);
    read(in, std::string(resource.name) + "_available", result.available.*resource.count, where);
  }
  result.layers = read_uses(in, "layers", result.used, where);
  if (in.contains("instances")) result.instances = read_uses(in, "instances", result.used, where);
  return result;
}

}  // namespace bitloom
