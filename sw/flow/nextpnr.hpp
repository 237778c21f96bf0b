// Reading what nextpnr says: utilization, the routed clock, and whose cells are whose.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "flow/synth.hpp"

namespace bitloom {

struct Utilization {
  int used = 0, available = 0;
  bool operator==(const Utilization&) const = default;
};

/// Cell type -> use, from the lines "ICESTORM_LC:  6003/ 5280   113%" of a log.
std::map<std::string, Utilization> log_utilization(const std::string& log);
/// The same from the file that --report writes. Throws Error naming `where` when it is not such a report.
std::map<std::string, Utilization> report_utilization(const nlohmann::json& report, const std::string& where);

/// The resources that a log shows as overfull, as a sentence: "ICESTORM_LC: 6003 needed, 5280 available"; "" when none is.
std::string overfull(const std::string& log);

/// The slowest routed clock in MHz. Throws Error when the report names none.
double report_fmax(const nlohmann::json& report, const std::string& where);

/// What one placed cell uses; parameters as nextpnr writes them. Zero for pads and buffers.
CellUse cell_use(const std::string& type, const nlohmann::json& parameters);

/// The placed netlist that nextpnr --write makes.
nlohmann::json read_placed(const std::filesystem::path& file);

/// The one module of a netlist in Yosys' JSON.
nlohmann::json read_netlist(const std::filesystem::path& file);

/// Name of the row for what belongs to no layer.
inline constexpr const char* kOutsideLayers = "link and board";

/// For each of `cells`, in their order, the index of its layer in `design` ("layers": name, instances), or their number for none. A cell
/// belongs to the instance in its name, <core><instance>.; a nameless cell of a carry chain to the cells that it feeds or that feed it.
std::vector<int> cell_owners(const nlohmann::json& cells, const nlohmann::json& design, const std::string& core = "core.");

/// Each of `cells` counted by `use` for exactly one instance of `design`, in the order of its layers, or for kOutsideLayers, which comes last.
std::vector<LayerUse> use_by_instance(const nlohmann::json& cells, const nlohmann::json& design, const std::string& core,
                                      const std::function<CellUse(const nlohmann::json& cell)>& use);
/// The same of the netlist that nextpnr placed.
std::vector<LayerUse> use_by_instance(const nlohmann::json& placed, const nlohmann::json& design);

/// What the layers of `design` take, from such a count; kOutsideLayers last.
std::vector<LayerUse> use_by_layer(const std::vector<LayerUse>& instances, const nlohmann::json& design);

}  // namespace bitloom
