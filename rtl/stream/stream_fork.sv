// SPDX-License-Identifier: Apache-2.0
// stream_fork - gives every word to every output
//
// Outputs take a word independently, each in its own clock; the input moves on when the last one has it. The data port is shared: all outputs see the
// same word.
//
//   clk           _/~\_/~\_/~\_/~\_
//   in_valid      _/~~~~~~~~~~~\___
//   in_ready      _____/~~~~~~~~~~~
//   out_valid[0]  _/~~~\___/~~~\___     out_ready[0] high
//   out_valid[1]  _/~~~~~~~~~~~\___     out_ready[1] low in the first clock
//
// Latency    none.
// Rate       one word per clock.
// Reset      forgets which outputs have the current word.
// Paths      in_valid, in_data to out_valid, out_data; out_ready to in_ready. Valid never depends on ready.
`default_nettype none
module stream_fork #(
    parameter int WIDTH   = 8,  // bits per word, >= 1
    parameter int OUTPUTS = 2   // >= 2
) (
    input  wire                clk,
    input  wire                rst,

    input  wire                in_valid,
    output logic               in_ready,
    input  wire  [WIDTH-1:0]   in_data,

    output logic [OUTPUTS-1:0] out_valid,
    input  wire  [OUTPUTS-1:0] out_ready,
    output logic [WIDTH-1:0]   out_data
);
  if (WIDTH < 1) begin : g_width error_WIDTH_must_be_at_least_1 check (); end
  if (OUTPUTS < 2) begin : g_outputs error_OUTPUTS_must_be_at_least_2 check (); end

  logic [OUTPUTS-1:0] done;  // outputs that have the current word already

  assign in_ready  = &(done | out_ready);
  assign out_valid = {OUTPUTS{in_valid}} & ~done;
  assign out_data  = in_data;

  always_ff @(posedge clk) begin
    if (in_valid) done <= in_ready ? '0 : done | out_ready;
    if (rst) done <= '0;
  end

`ifdef FORMAL
  `include "stream_fork_props.svh"
`endif
endmodule
`default_nettype wire
