// SPDX-License-Identifier: Apache-2.0
// stream_join - takes one word from each input at a time and concatenates them, input 0 in the low bits
//
//   in_valid[0]  _/~~~~~~~\_________
//   in_valid[1]  _____/~~~\_________
//   out_valid    _____/~~~\_________     all inputs move in the clock in which the output does
//   in_ready     _____/~~~\_________
//
// It has no state: clk and rst are there so that all stream modules have the same ports.
//
// Latency    none.
// Rate       one word per clock.
// Paths      in_valid, in_data to out_valid, out_data; out_ready and in_valid to in_ready (an input waits for the others).
`default_nettype none
module stream_join #(
    parameter int WIDTH  = 8,  // bits per input word, >= 1
    parameter int INPUTS = 2   // >= 2
) (
    input  wire                     clk,
    input  wire                     rst,

    input  wire  [INPUTS-1:0]       in_valid,
    output logic [INPUTS-1:0]       in_ready,
    input  wire  [INPUTS*WIDTH-1:0] in_data,

    output logic                    out_valid,
    input  wire                     out_ready,
    output logic [INPUTS*WIDTH-1:0] out_data
);
  if (WIDTH < 1) begin : g_width error_WIDTH_must_be_at_least_1 check (); end
  if (INPUTS < 2) begin : g_inputs error_INPUTS_must_be_at_least_2 check (); end

  wire unused = &{1'b0, clk, rst};

  assign out_valid = &in_valid;
  assign in_ready  = {INPUTS{out_valid && out_ready}};
  assign out_data  = in_data;

`ifdef FORMAL
  `include "stream_join_props.svh"
`endif
endmodule
`default_nettype wire
