// SPDX-License-Identifier: Apache-2.0
// stream_upsize - joins RATIO beats into one, the first in the low bits
//
//   clk        _/~\_/~\_/~\_/~\_/~\_/~\_
//   in_valid   _/~~~~~~~~~~~~~~~\_______     RATIO = 2
//   in_data    -< A >< B >< C >< D >----
//   out_valid  _________/~~~\___/~~~\___
//   out_data   ---------< BA>---< DC>---
//
// out_last is the in_last of the group's last beat; frames are a whole number of groups.
//
// Latency    one clock from the group's last beat.
// Rate       one input beat per clock.
// Reset      drops a begun group; data is not reset.
// Paths      out_ready to in_ready: the group is stored once only. A skid_buffer behind it cuts the path.
`default_nettype none
module stream_upsize #(
    parameter int WIDTH = 8,  // bits of an input beat, >= 1
    parameter int RATIO = 2   // input beats per output beat, >= 2
) (
    input  wire                    clk,
    input  wire                    rst,

    input  wire                    in_valid,
    output logic                   in_ready,
    input  wire  [WIDTH-1:0]       in_data,
    input  wire                    in_last,

    output logic                   out_valid,
    input  wire                    out_ready,
    output wire  [RATIO*WIDTH-1:0] out_data,
    output logic                   out_last
);
  if (WIDTH < 1) begin : g_width error_WIDTH_must_be_at_least_1 check (); end
  if (RATIO < 2) begin : g_ratio error_RATIO_must_be_at_least_2 check (); end

  localparam int COUNT_BITS = $clog2(RATIO);
  localparam int LAST = RATIO - 1;

  logic [COUNT_BITS-1:0] count;  // beats of the current group that are in
  wire                   push = in_valid && in_ready;
  wire                   complete = count == LAST[COUNT_BITS-1:0];

  assign in_ready = !out_valid || out_ready;

  always_ff @(posedge clk) begin
    if (push) count <= complete ? '0 : count + 1'b1;
    if (in_ready) out_valid <= push && complete;
    if (rst) begin
      count     <= '0;
      out_valid <= 1'b0;
    end
  end

  // The newest beat stands before the others, and moves on to them in the clock after it has come, unless it completes the group: what enables the wide part is
  // a register. Straight from out_ready, through a global buffer, it was the slowest path of an engine on iCE40.
  logic                       moves;
  logic [WIDTH-1:0]           newest;
  logic [(RATIO-1)*WIDTH-1:0] others;
  assign out_data = {newest, others};
  always_ff @(posedge clk) begin
    if (push) newest <= in_data;
    if (push) out_last <= in_last;
    if (moves) others <= out_data[RATIO*WIDTH-1:WIDTH];
    moves <= push && !complete;
    if (rst) moves <= 1'b0;
  end

`ifndef SYNTHESIS
  // A frame ends with a group.
  always @(posedge clk) if (!rst && push && in_last) assert (complete);
`endif
`ifdef FORMAL
  `include "stream_upsize_props.svh"
`endif
endmodule
`default_nettype wire
