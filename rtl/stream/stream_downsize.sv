// SPDX-License-Identifier: Apache-2.0
// stream_downsize - splits a beat into RATIO beats, low bits first
//
//   clk        _/~\_/~\_/~\_/~\_/~\_/~\_
//   in_valid   _/~~~~~~~~~~~\___________     RATIO = 2
//   in_ready   ~~~~~\___/~~~\___/~~~~~~~
//   in_data    -< BA><  DC   >----------
//   out_valid  _____/~~~~~~~~~~~~~~~\___
//   out_data   -----< A >< B >< C >< D >
//
// out_last goes with the last part of a beat that came with in_last.
//
// Latency    one clock.
// Rate       one output beat per clock.
// Reset      drops what is left of a beat; data is not reset.
// Paths      out_ready to in_ready. A skid_buffer cuts it.
`default_nettype none
module stream_downsize #(
    parameter int WIDTH = 8,  // bits of an output beat, >= 1
    parameter int RATIO = 2   // output beats per input beat, >= 2
) (
    input  wire                    clk,
    input  wire                    rst,

    input  wire                    in_valid,
    output logic                   in_ready,
    input  wire  [RATIO*WIDTH-1:0] in_data,
    input  wire                    in_last,

    output logic                   out_valid,
    input  wire                    out_ready,
    output logic [WIDTH-1:0]       out_data,
    output logic                   out_last
);
  if (WIDTH < 1) begin : g_width error_WIDTH_must_be_at_least_1 check (); end
  if (RATIO < 2) begin : g_ratio error_RATIO_must_be_at_least_2 check (); end

  localparam int COUNT_BITS = $clog2(RATIO);
  localparam int LAST = RATIO - 1;

  logic [COUNT_BITS-1:0]  count;  // parts of the current beat that are out
  logic [RATIO*WIDTH-1:0] data;
  logic                   frame_end;
  wire                    final_part = count == LAST[COUNT_BITS-1:0];

  assign in_ready = !out_valid || (out_ready && final_part);
  assign out_data = data[WIDTH-1:0];
  assign out_last = frame_end && final_part;

  always_ff @(posedge clk) begin
    if (out_valid && out_ready) count <= final_part ? '0 : count + 1'b1;
    if (in_ready) out_valid <= in_valid;
    if (rst) begin
      count     <= '0;
      out_valid <= 1'b0;
    end
  end

  always_ff @(posedge clk) begin
    if (in_ready) frame_end <= in_last;
    if (in_ready) data <= in_data;
    else if (out_ready) data <= {data[RATIO*WIDTH-1-:WIDTH], data[RATIO*WIDTH-1:WIDTH]};
  end

`ifdef FORMAL
  `include "stream_downsize_props.svh"
`endif
endmodule
`default_nettype wire
