// SPDX-License-Identifier: Apache-2.0
// lane_shifter - takes COUNT values at once and gives them out LANES at a time, the lowest first
//
// So that few comparators or adders serve many values while the next ones are computed. INFO goes with every beat of its values. Of values that come with in_short,
// only the lowest SHORT are given out.
//
//   clk        _/~\_/~\_/~\_/~\_/~\_
//   in_valid   _/~~~\_______________    COUNT = 2 * LANES
//   out_valid  _____/~~~~~~~\_______
//   out_last   _________/~~~\_______
//
// Latency    one clock to the first beat; none if LANES = COUNT.
// Rate       values may come COUNT/LANES clocks apart, no closer; SHORT/LANES behind short ones.
// Reset      valid only.
`default_nettype none
module lane_shifter #(
    parameter int COUNT     = 4,
    parameter int LANES     = 1,   // divides COUNT
    parameter int BITS      = 8,
    parameter int INFO_BITS = 1,
    parameter int SHORT     = COUNT  // likewise
) (
    input  wire                  clk,
    input  wire                  rst,
    input  wire                  in_valid,
    input  wire                  in_short,
    input  wire [INFO_BITS-1:0]  in_info,
    input  wire [COUNT*BITS-1:0] in_values,
    output wire                  out_valid,
    output wire                  out_last,    // the values' last beat
    output wire [INFO_BITS-1:0]  out_info,
    output wire [LANES*BITS-1:0] out_values
);
  if (COUNT % LANES != 0) begin : g_lanes error_LANES_must_divide_COUNT check (); end

  if (SHORT % LANES != 0 || SHORT > COUNT) begin : g_short error_LANES_must_divide_SHORT check (); end

  localparam int BEATS = COUNT / LANES;
  if (BEATS == 1) begin : g_direct
    assign {out_valid, out_last, out_info, out_values} = {in_valid, 1'b1, in_info, in_values};
    wire unused = &{1'b0, clk, rst, in_short};
  end else begin : g_hold
    logic [COUNT*BITS-1:0] held;
    logic [BEATS-1:0]      left;  // one bit per beat that is still to come
    wire  [BEATS-1:0]      all = in_short ? {BEATS{1'b1}} >> (BEATS - SHORT / LANES) : {BEATS{1'b1}};
    logic [INFO_BITS-1:0]  info;
    always_ff @(posedge clk) begin
      held <= in_valid ? in_values : held >> (LANES * BITS);
      left <= in_valid ? all : left >> 1;
      if (in_valid) info <= in_info;
      if (rst) left <= '0;
    end
    assign {out_valid, out_last, out_info, out_values} = {left[0], !left[1], info, held[LANES*BITS-1:0]};
`ifndef SYNTHESIS
    always_ff @(posedge clk) if (!rst && in_valid) assert (!left[1]);  // the values before are out
`endif
  end
endmodule
`default_nettype wire
