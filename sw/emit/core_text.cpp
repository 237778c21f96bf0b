#include <fmt/format.h>

#include <algorithm>

#include "emit/design.hpp"

namespace bitloom {
namespace {

std::string vector(int width) { return width == 1 ? std::string(9, ' ') : fmt::format("{:<9}", fmt::format("[{}:0]", width - 1)); }

/// `.in_valid(s1_valid), .in_ready(..), .in_data(..), .in_last(..)`
std::string stream_ports(const std::string& prefix, std::size_t s) {
  return fmt::format(".{0}_valid(s{1}_valid), .{0}_ready(s{1}_ready), .{0}_data(s{1}_data), .{0}_last(s{1}_last)", prefix, s);
}

/// The same for a module whose data includes last.
std::string payload_ports(const std::string& prefix, std::size_t s) {
  return fmt::format(".{0}_valid(s{1}_valid), .{0}_ready(s{1}_ready), .{0}_data({{s{1}_last, s{1}_data}})", prefix, s);
}

std::string fork_ports(const std::vector<std::size_t>& outputs) {
  std::string valid, ready;
  for (auto s = outputs.rbegin(); s != outputs.rend(); ++s) {
    valid += fmt::format("{}s{}_valid", valid.empty() ? "" : ", ", *s);
    ready += fmt::format("{}s{}_ready", ready.empty() ? "" : ", ", *s);
  }
  return fmt::format(".out_valid({{{0}}}), .out_ready({{{1}}}), .out_data({{s{2}_last, s{2}_data}})", valid, ready, outputs.front());
}

/// The wires of a link: its line, and its reports, at the chip's ports.
std::string link_ports(const Design& design, const Instance& instance) {
  const bool out = instance.ports == Ports::LinkOut;
  int line = 0, status = 0;
  for (const int link : out ? design.links_out : design.links_in) {
    if (link == instance.link) break;
    line += design.plan.links[static_cast<std::size_t>(link)].spec.lanes + 1;
    status += 2;
  }
  const int wires = design.plan.links[static_cast<std::size_t>(instance.link)].spec.lanes + 1;
  return fmt::format(".line({}[{} +: {}]), .status({}[{} +: 2])", out ? "line_out" : "line_in", line, wires, out ? "status_in" : "status_out",
                     status);
}

int wires_of(const Design& design, const std::vector<int>& links) {
  int wires = 0;
  for (const int link : links) wires += design.plan.links[static_cast<std::size_t>(link)].spec.lanes + 1;
  return wires;
}

/// A layer that may take its weights from a load: number `load` of such layers, which passes on what comes behind them.
std::string load_ports(int load) {
  return fmt::format(".load_start(load_start), .load_valid(load{}_valid), .load_data(load_data), .load_next(load{}_valid)", load, load + 1);
}

bool takes_load(const Instance& instance) { return instance.module == "plane_layer"; }

std::string instance_text(const Design& design, const Instance& instance, int activity, int load) {
  std::string text = fmt::format("  {} #(\n", instance.module);
  for (std::size_t i = 0; i < instance.parameters.size(); ++i)
    text += fmt::format("      .{}({}){}\n", instance.parameters[i].first, instance.parameters[i].second,
                        i + 1 < instance.parameters.size() ? "," : "");
  text += fmt::format("  ) {} (\n      .clk(clk), .rst(rst),\n      ", instance.name);
  const std::size_t in = instance.inputs.empty() ? 0 : instance.inputs.front(), out = instance.outputs.empty() ? 0 : instance.outputs.front();
  const std::string separator = ",\n      ";
  switch (instance.ports) {
    case Ports::Stream: text += stream_ports("in", in) + separator + stream_ports("out", out); break;
    case Ports::Payload: text += payload_ports("in", in) + separator + payload_ports("out", out); break;
    case Ports::Fork: text += payload_ports("in", in) + separator + fork_ports(instance.outputs); break;
    case Ports::Join:
      text += stream_ports("a", in) + separator + stream_ports("b", instance.inputs[1]) + separator + stream_ports("out", out);
      break;
    case Ports::LinkOut: text += stream_ports("in", in) + separator + link_ports(design, instance); break;
    case Ports::LinkIn: text += link_ports(design, instance) + separator + stream_ports("out", out); break;
  }
  if (instance.has_activity)
    text += fmt::format(",\n      .busy(activity_bits[{}]), .starved(activity_bits[{}]), .stalled(activity_bits[{}])", 3 * activity,
                        3 * activity + 1, 3 * activity + 2);
  if (takes_load(instance)) text += separator + load_ports(load);
  text += "\n  );\n";
  for (std::size_t i = 1; i < instance.outputs.size(); ++i)
    text += fmt::format("  assign s{0}_data = s{1}_data;\n  assign s{0}_last = s{1}_last;\n", instance.outputs[i], out);
  return text + "\n";
}

}  // namespace

std::string core_text(const Design& design) {
  int activities = 0;
  for (const Instance& instance : design.instances) activities += instance.has_activity ? 1 : 0;
  const int probe_bits = design.boundaries.back().data_offset + design.boundaries.back().width;

  const std::string streams =
      design.host ? fmt::format("Streams in: {} bits a beat; out: {} bits a beat. ", design.streams[0], design.streams[design.output]) : "";
  std::string text = fmt::format(
      "// bitloom_core - {}: Bitloom's modules and the streams between them, written by `bitloom compile`\n"
      "//\n"
      "// {}{}Predicted {} clocks per image, set by {}.\n"
      "`default_nettype none\n"
      "module bitloom_core (\n"
      "    input  wire           clk,\n"
      "    input  wire           rst",
      design.name, design.plan.chips.empty() ? "" : fmt::format("Chip {} of {}. ", design.chip, design.plan.chips.size()), streams,
      design.plan.clocks_per_image, design.plan.bottleneck);
  if (design.host)
    text += fmt::format(
        ",\n    input  wire           in_valid,\n"
        "    output logic          in_ready,\n"
        "    input  wire {} in_data,\n"
        "    input  wire           in_last,\n"
        "    output logic          out_valid,\n"
        "    input  wire           out_ready,\n"
        "    output logic {}out_data,\n"
        "    output logic          out_last",
        vector(design.streams[0]), vector(design.streams[design.output]));
  if (!design.loaded.empty())
    text +=
        ",\n    input  wire           load_start,  // weights after reset (memory/loaded_rom), while rst is high\n"
        "    input  wire           load_valid,\n"
        "    input  wire  [15:0]   load_data";
  if (!design.plan.chips.empty())
    text += fmt::format(
        ",\n    output logic {}line_out,    // of each link to another chip, {{valid, lanes}}\n"
        "    input  wire {} status_in,   // and what it reports, {{valid, lane}}\n"
        "    input  wire {} line_in,     // of each link from another chip\n"
        "    output logic {}status_out",
        vector(wires_of(design, design.links_out)), vector(2 * static_cast<int>(design.links_out.size())),
        vector(wires_of(design, design.links_in)), vector(2 * static_cast<int>(design.links_in.size())));
  text += "\n";
  text += fmt::format(
      "`ifdef BITLOOM_PROBES  // one entry per feature map, for simulation\n"
      "    , output logic [{0}:0] probe_valid, probe_ready, probe_last\n"
      "    , output logic [{1}:0] probe_data\n"
      "    , output logic [{2}:0] activity  // {{stalled, starved, busy}} of each compute layer\n"
      "`endif\n"
      ");\n",
      design.boundaries.size() - 1, probe_bits - 1, std::max(1, 3 * activities) - 1);

  for (std::size_t i = 0; i < design.streams.size(); ++i)
    text += fmt::format("  wire s{0}_valid, s{0}_ready, s{0}_last;\n  wire {1}s{0}_data;\n", i, vector(design.streams[i]));
  if (activities > 0) text += fmt::format("  wire [{}:0] activity_bits;\n", 3 * activities - 1);
  const auto takers = std::count_if(design.instances.begin(), design.instances.end(), takes_load);
  if (takers > 0 && design.loaded.empty()) text += "  wire load_start = 1'b0, load_valid = 1'b0;  // all weights are constants\n  wire [15:0] load_data = 16'd0;\n";
  if (takers > 0) text += "  wire load0_valid = load_valid;\n";
  for (std::ptrdiff_t i = 1; i <= takers; ++i) text += fmt::format("  wire load{}_valid;\n", i);
  if (takers > 0) text += fmt::format("  wire unused_load = load{}_valid;\n", takers);
  text += "\n";
  if (design.host)
    text += fmt::format(
        "  assign s0_valid = in_valid;\n  assign in_ready = s0_ready;\n  assign s0_data = in_data;\n  assign s0_last = in_last;\n"
        "  assign out_valid = s{0}_valid;\n  assign s{0}_ready = out_ready;\n  assign out_data = s{0}_data;\n  assign out_last = "
        "s{0}_last;\n\n",
        design.output);

  int activity = 0, load = 0;
  for (const Instance& instance : design.instances) {
    text += instance_text(design, instance, activity, load);
    activity += instance.has_activity ? 1 : 0;
    load += takes_load(instance) ? 1 : 0;
  }

  text += "`ifdef BITLOOM_PROBES\n";
  for (std::size_t b = 0; b < design.boundaries.size(); ++b) {
    const Boundary& boundary = design.boundaries[b];
    text += fmt::format(
        "  assign probe_valid[{0}] = s{1}_valid;\n  assign probe_ready[{0}] = s{1}_ready;\n  assign probe_last[{0}] = s{1}_last;\n"
        "  assign probe_data[{2} +: {3}] = s{1}_data;\n",
        b, boundary.stream, boundary.data_offset, boundary.width);
  }
  text += activities > 0 ? "  assign activity = activity_bits;\n" : "  assign activity = 1'b0;\n";
  if (activities > 0) text += "`else\n  wire unused_activity = &{1'b0, activity_bits};\n";
  return text + "`endif\nendmodule\n`default_nettype wire\n";
}

}  // namespace bitloom
