#include <fmt/format.h>

#include "emit/design.hpp"

namespace bitloom {
namespace {

std::string vector(int width) { return width == 1 ? std::string(9, ' ') : fmt::format("{:<9}", fmt::format("[{}:0]", width - 1)); }

std::string instance_text(const Instance& instance, std::size_t index, int activity) {
  std::string text = fmt::format("  {} #(\n", instance.module);
  for (std::size_t i = 0; i < instance.parameters.size(); ++i)
    text += fmt::format("      .{}({}){}\n", instance.parameters[i].first, instance.parameters[i].second,
                        i + 1 < instance.parameters.size() ? "," : "");
  text += fmt::format("  ) {} (\n      .clk(clk), .rst(rst),\n", instance.name);
  text += fmt::format("      .in_valid(s{0}_valid), .in_ready(s{0}_ready), .in_data(s{0}_data), .in_last(s{0}_last),\n", index);
  text += fmt::format("      .out_valid(s{0}_valid), .out_ready(s{0}_ready), .out_data(s{0}_data), .out_last(s{0}_last)", index + 1);
  if (instance.has_activity)
    text += fmt::format(",\n      .busy(activity_bits[{}]), .starved(activity_bits[{}]), .stalled(activity_bits[{}])", 3 * activity,
                        3 * activity + 1, 3 * activity + 2);
  return text + "\n  );\n\n";
}

}  // namespace

std::string core_text(const Design& design) {
  const std::size_t count = design.instances.size();
  int activities = 0;
  for (const Instance& instance : design.instances) activities += instance.has_activity ? 1 : 0;
  const int probe_bits = design.boundaries.back().data_offset + design.boundaries.back().width;

  std::string text = fmt::format(
      "// bitloom_core - {}: a chain of Bitloom's modules, written by `bitloom compile`\n"
      "//\n"
      "// Streams in: {} bits a beat; out: {} bits a beat. Predicted {} clocks per image, set by {}.\n"
      "`default_nettype none\n"
      "module bitloom_core (\n"
      "    input  wire           clk,\n"
      "    input  wire           rst,\n"
      "    input  wire           in_valid,\n"
      "    output logic          in_ready,\n"
      "    input  wire {} in_data,\n"
      "    input  wire           in_last,\n"
      "    output logic          out_valid,\n"
      "    input  wire           out_ready,\n"
      "    output logic {}out_data,\n"
      "    output logic          out_last\n",
      design.name, design.input_width, design.output_width, design.plan.clocks_per_image, design.plan.bottleneck,
      vector(design.input_width), vector(design.output_width));
  text += fmt::format(
      "`ifdef BITLOOM_PROBES  // one entry per feature map, for simulation\n"
      "    , output logic [{0}:0] probe_valid, probe_ready, probe_last\n"
      "    , output logic [{1}:0] probe_data\n"
      "    , output logic [{2}:0] activity  // {{stalled, starved, busy}} of each compute layer\n"
      "`endif\n"
      ");\n",
      design.boundaries.size() - 1, probe_bits - 1, std::max(1, 3 * activities) - 1);

  for (std::size_t i = 0; i <= count; ++i) {
    const int width = i == 0 ? design.input_width : design.instances[i - 1].out_width;
    text += fmt::format("  wire s{0}_valid, s{0}_ready, s{0}_last;\n  wire {1}s{0}_data;\n", i, vector(width));
  }
  if (activities > 0) text += fmt::format("  wire [{}:0] activity_bits;\n", 3 * activities - 1);
  text += fmt::format(
      "\n  assign s0_valid = in_valid;\n  assign in_ready = s0_ready;\n  assign s0_data = in_data;\n  assign s0_last = in_last;\n"
      "  assign out_valid = s{0}_valid;\n  assign s{0}_ready = out_ready;\n  assign out_data = s{0}_data;\n  assign out_last = "
      "s{0}_last;\n\n",
      count);

  int activity = 0;
  for (std::size_t i = 0; i < count; ++i) {
    text += instance_text(design.instances[i], i, activity);
    activity += design.instances[i].has_activity ? 1 : 0;
  }

  text += "`ifdef BITLOOM_PROBES\n";
  for (std::size_t b = 0; b < design.boundaries.size(); ++b) {
    const Boundary& boundary = design.boundaries[b];
    text += fmt::format(
        "  assign probe_valid[{0}] = s{1}_valid;\n  assign probe_ready[{0}] = s{1}_ready;\n  assign probe_last[{0}] = s{1}_last;\n"
        "  assign probe_data[{2} +: {3}] = s{1}_data;\n",
        b, boundary.instance + 1, boundary.data_offset, boundary.width);
  }
  text += activities > 0 ? "  assign activity = activity_bits;\n" : "  assign activity = 1'b0;\n";
  if (activities > 0) text += "`else\n  wire unused_activity = &{1'b0, activity_bits};\n";
  return text + "`endif\nendmodule\n`default_nettype wire\n";
}

}  // namespace bitloom
