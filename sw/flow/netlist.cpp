#include "flow/netlist.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/error.hpp"
#include "core/files.hpp"
#include "core/resources.hpp"
#include "emit/design.hpp"
#include "emit/loads.hpp"
#include "flow/netlist_points.hpp"
#include "flow/netlist_writer.hpp"
#include "flow/nextpnr.hpp"

namespace bitloom {
namespace fs = std::filesystem;
using nlohmann::json;
namespace {

struct CorePort {
  const char* name;
  bool is_input;
};
std::vector<CorePort> core_ports(const json& design) {
  std::vector<CorePort> ports = {{"rst", true},        {"in_valid", true},  {"in_ready", false}, {"in_data", true},  {"in_last", true},
                                 {"out_valid", false}, {"out_ready", true}, {"out_data", false}, {"out_last", false}};
  if (design.contains("loaded_weights")) ports.insert(ports.end(), {{"load_start", true}, {"load_valid", true}, {"load_data", true}});
  return ports;
}

int port_width(const std::string& port, const json& design) {
  if (port == "in_data") return design.at("input").at("width").get<int>();
  if (port == "out_data") return design.at("output").at("width").get<int>();
  if (port == "load_data") return 16;
  return 1;
}

}  // namespace

CoreNets core_nets(const json& module, const json& design, const std::string& core) {
  const json& nets = module.at("netnames");
  std::map<std::int64_t, std::vector<std::string>> aliases;
  for (const auto& [name, net] : nets.items()) {
    const json& bits = net.at("bits");
    for (std::size_t i = 0; i < bits.size(); ++i)
      if (bits[i].is_number()) aliases[bits[i].get<std::int64_t>()].push_back(bits.size() == 1 ? name : fmt::format("{}[{}]", name, i));
  }
  const auto names_of = [&](const std::string& signal, int bit) -> std::vector<std::string> {
    const auto found = nets.find("core." + signal);
    if (found == nets.end() || static_cast<std::size_t>(bit) >= found->at("bits").size()) return {};
    const json& value = found->at("bits")[static_cast<std::size_t>(bit)];
    return value.is_number() ? aliases.at(value.get<std::int64_t>()) : std::vector<std::string>{value == "1" ? "1" : "0"};
  };
  CoreNets result;
  for (const CorePort& port : core_ports(design))
    for (int i = 0; i < port_width(port.name, design); ++i) result[port.name].push_back(names_of(port.name, i));
  // "  assign probe_valid[2] = s5_valid;"
  for (std::size_t b = 0; b < design.at("boundaries").size(); ++b) {
    const std::string key = fmt::format("assign probe_valid[{}] = ", b);
    const std::size_t at = core.find(key);
    const std::string stream = at == std::string::npos ? "" : core.substr(at + key.size(), core.find("_valid;", at) - at - key.size());
    for (const char* signal : {"valid", "ready", "last"})
      result[std::string("probe_") + signal].push_back(names_of(stream + "_" + signal, 0));
    for (int i = 0; i < design.at("boundaries")[b].at("width").get<int>(); ++i)
      result["probe_data"].push_back(names_of(stream + "_data", i));
  }
  return result;
}

NetlistText netlist_text(const json& module, const CoreNets& nets, const Board& board, const json& design, const std::string& where) {
  NetlistWriter writer(module, where);
  writer.at_layer(static_cast<int>(design.at("layers").size()));  // the link drives the core's ports
  std::string outputs;
  for (const CorePort& port : core_ports(design)) {
    const auto& bits = nets.at(port.name);
    for (std::size_t i = 0; i < bits.size(); ++i) {
      const std::string name = bits.size() > 1 ? fmt::format("{}[{}]", port.name, i) : port.name;
      const json bit = writer.find(bits[i]);
      if (bit.is_null()) {
        const std::string base = port.name;
        if (base == "in_last" || base == "in_data" || base == "load_data") continue;  // the core does not use it
        if (base == "out_last") {                              // without a LED for it nothing uses this one: it is counted
          outputs += fmt::format(
              "  reg [31:0] out_beat = 0;\n  assign out_last = out_beat == {};\n"
              "  always @(posedge clk) if (rst) out_beat <= 0; else if (out_valid & out_ready) out_beat <= out_last ? 0 : out_beat + 1;\n",
              design.at("output").at("beats").get<std::int64_t>() - 1);
          continue;
        }
        throw Error(where, fmt::format("the core's {} is not a net of it; this version of the tools is not supported", name));
      }
      if (port.is_input)
        writer.cut(bit, name);
      else
        outputs += fmt::format("  assign {} = {};\n", name, writer.read(bit));
    }
  }
  // The streams between layers. Where nothing uses a stream's `last`, it is counted.
  const json& boundaries = design.at("boundaries");
  const auto probe = [&](const char* signal, std::size_t bit) {
    const json found = writer.find(nets.at(signal).at(bit));
    return found.is_null() ? std::string("1'b0") : writer.read(found);
  };
  int probe_bits = 0;
  std::vector<int> unused;
  for (std::size_t b = 0; b < boundaries.size(); ++b) {
    outputs +=
        fmt::format("  assign probe_valid[{0}] = {1}, probe_ready[{0}] = {2};\n", b, probe("probe_valid", b), probe("probe_ready", b));
    if (const json last = writer.find(nets.at("probe_last").at(b)); writer.is_driven(last)) {
      outputs += fmt::format("  assign probe_last[{}] = {};\n", b, writer.read(last));
    } else {
      outputs += fmt::format(
          "  reg [31:0] beat{0} = 0;\n  assign probe_last[{0}] = beat{0} == {1};\n"
          "  always @(posedge clk) if (rst) beat{0} <= 0; else if (probe_valid[{0}] & probe_ready[{0}]) beat{0} <= probe_last[{0}] ? 0 : "
          "beat{0} + 1;\n",
          b, boundaries[b].at("beats").get<std::int64_t>() - 1);
    }
    for (int i = 0; i < boundaries[b].at("width").get<int>(); ++i, ++probe_bits) {
      const int bit = boundaries[b].at("data_offset").get<int>() + i;
      outputs += fmt::format("  assign probe_data[{}] = {};\n", bit, probe("probe_data", static_cast<std::size_t>(probe_bits)));
      const json found = writer.find(nets.at("probe_data").at(static_cast<std::size_t>(probe_bits)));
      if (found.is_null() || (found.is_number() && !writer.is_driven(found))) unused.push_back(bit);
    }
  }
  const std::vector<int> owners = cell_owners(module.at("cells"), design);
  std::size_t owner = 0;
  for (const auto& [name, cell] : module.at("cells").items()) writer.cell(name, cell, owners[owner++]);
  const std::string body = writer.body();
  const PointsText points = points_text(writer.points());
  std::string text = fmt::format(
      "// bitloom_core - a netlist of {} for {}, cut out of board_top and written by `bitloom synth` for simulation\n"
      "module bitloom_core (\n"
      "    input wire clk, input wire rst,\n"
      "    input wire in_valid, output wire in_ready, input wire [{}:0] in_data, input wire in_last,\n"
      "    output wire out_valid, input wire out_ready, output wire [{}:0] out_data, output wire out_last,\n{}"
      "    output wire [{}:0] probe_valid, probe_ready, probe_last, output wire [{}:0] probe_data, output wire activity\n"
      "{});\n"
      "  assign activity = 1'b0;\n"
      "  wire [{}:0] open;\n{}{}{}endmodule\n",
      design.at("name").get<std::string>(), board.name, port_width("in_data", design) - 1, port_width("out_data", design) - 1,
      design.contains("loaded_weights") ? "    input wire load_start, input wire load_valid, input wire [15:0] load_data,\n" : "",
      std::max<std::size_t>(1, boundaries.size()) - 1, std::max(1, probe_bits) - 1, points.ports, std::max(1, writer.open()) - 1, outputs,
      body, points.body);
  return {std::move(text), writer.points(), std::move(unused)};
}

void write_netlist(const fs::path& design_folder, const std::string& which, const json& module, const CoreNets& nets, const Board& board,
                   const json& design, const std::string& where) {
  const NetlistText netlist = netlist_text(module, nets, board, design, where);
  fs::path file = netlist_file(design_folder, board.name, which);
  write_file_atomically(file, netlist.verilog);
  json points = to_json(netlist.points);
  points["unused"] = netlist.unused;
  write_file_atomically(file.replace_extension(".json"), points.dump());
}

fs::path netlist_file(const fs::path& design_folder, const std::string& board, const std::string& which) {
  return design_folder / "build" / "synth" / board / ("netlist_" + which + ".v");
}

fs::path netlist_design(const fs::path& design_folder, const std::string& which) {
  json design = read_design(design_folder);
  const Board board = load_board(design.at("board").get<std::string>());
  const fs::path netlist = netlist_file(design_folder, board.name, which);
  if (!fs::exists(netlist))
    throw Error(design_folder.string(),
                fmt::format("no {} netlist is here yet; make it with: bitloom synth {}", which, design_folder.string()));
  const fs::path folder = design_folder / "build" / "netlist" / which;
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw Error(folder.string(), fmt::format("the folder cannot be made ({})", error.message()));
  design["sources"] = json::array({fs::absolute(resource("sim/cells/" + board.family + ".sv")).string()});
  for (json& layer : design["layers"]) layer["activity"] = -1;
  const json points = json::parse(read_text_file(fs::path(netlist).replace_extension(".json")));
  for (json& boundary : design["boundaries"]) {
    const int first = boundary.at("data_offset"), width = boundary.at("width");
    boundary["unused_bits"] = json::array();
    for (const int bit : points.value("unused", std::vector<int>()))
      if (bit >= first && bit < first + width) boundary["unused_bits"].push_back(bit - first);
  }
  if (design.contains("loaded_weights")) write_file_atomically(folder / kWeightsFile, read_file(design_folder / kWeightsFile));
  write_file_atomically(folder / "bitloom_core.sv", read_text_file(netlist));
  write_file_atomically(folder / "design.json", design.dump(2) + "\n");
  return folder;
}

}  // namespace bitloom
