#include "flow/alone_top.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace bitloom {

std::string alone_top(const nlohmann::json& design) {
  const bool loads = design.contains("loaded_weights");
  return fmt::format(R"(// {top} - bitloom_core alone, written by `bitloom synth --alone`
`default_nettype none
module {top} (
    input  wire clk,
    input  wire in,
    output reg  out
);
  localparam int IN = {in}, OUT = {out};
  reg  [IN-1:0]  data;     // a stream word comes bit by bit
  reg  [3:0]     control;  // in_valid, in_last, out_ready, rst
{load}  reg  [OUT+2:0] held;     // what the core says, taken with each result and shifted out
  wire [OUT-1:0] out_data;
  wire           in_ready, out_valid, out_last;
  always @(posedge clk) begin
    {{control, data}} <= {{control[2:0], data, in}};
{shift}    held <= out_valid ? {{in_ready, out_last, out_valid, out_data}} : {{held[OUT+1:0], in_ready}};
    out  <= held[OUT+2];
  end
  bitloom_core core (
      .clk(clk), .rst(control[3]), .in_valid(control[0]), .in_ready(in_ready), .in_data(data), .in_last(control[1]), .out_valid(out_valid),
      .out_ready(control[2]), .out_data(out_data), .out_last(out_last){ports}
  );
endmodule
`default_nettype wire
)",
                     fmt::arg("top", kAloneTop), fmt::arg("in", design.at("input").at("width").get<int>()),
                     fmt::arg("out", design.at("output").at("width").get<int>()),
                     fmt::arg("load", loads ? "  reg  [17:0]    load;     // weights: start, valid, data\n" : ""),
                     fmt::arg("shift", loads ? "    load <= {load[16:0], control[3]};\n" : ""),
                     fmt::arg("ports", loads ? ",\n      .load_start(load[17]), .load_valid(load[16]), .load_data(load[15:0])" : ""));
}

}  // namespace bitloom
