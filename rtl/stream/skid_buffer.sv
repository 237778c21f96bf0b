// SPDX-License-Identifier: Apache-2.0
// skid_buffer - register slice that cuts every path of a stream, in both directions
//
//   clk        _/~\_/~\_/~\_/~\_/~\_/~\_
//   in_valid   _/~~~~~~~~~~~\___________
//   in_data    -< A >< B >< C >---------
//   out_valid  _____/~~~~~~~~~~~~~~~\___
//   out_data   -----< A >< B  B >< C >--     (out_ready low for one clock)
//
// Latency    one clock.
// Rate       one word per clock.
// Reset      empties it; data registers are not reset.
// Paths      none. Where only depth matters, stream_fifo is the alternative.
`default_nettype none
module skid_buffer #(
    parameter int WIDTH = 8  // bits per word, >= 1
) (
    input  wire              clk,
    input  wire              rst,

    input  wire              in_valid,
    output logic             in_ready,
    input  wire  [WIDTH-1:0] in_data,

    output logic             out_valid,
    input  wire              out_ready,
    output logic [WIDTH-1:0] out_data
);
  if (WIDTH < 1) begin : g_width error_WIDTH_must_be_at_least_1 check (); end

  // A word that arrived in the clock in which out_ready fell waits here.
  logic             spare_valid;
  logic [WIDTH-1:0] spare_data;

  assign in_ready = !spare_valid;

  always_ff @(posedge clk) begin
    if (out_ready || !out_valid) begin
      out_valid   <= spare_valid || in_valid;
      spare_valid <= 1'b0;
    end else if (in_valid) begin
      spare_valid <= 1'b1;
    end
    if (rst) begin
      out_valid   <= 1'b0;
      spare_valid <= 1'b0;
    end
  end

  always_ff @(posedge clk) begin
    if (in_ready) spare_data <= in_data;
    if (out_ready || !out_valid) out_data <= spare_valid ? spare_data : in_data;
  end

`ifdef FORMAL
  `include "skid_buffer_props.svh"
`endif
endmodule
`default_nettype wire
