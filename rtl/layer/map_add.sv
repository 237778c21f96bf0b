// SPDX-License-Identifier: Apache-2.0
// map_add - adds two maps value by value: out = a + b, modulo 2^OUT_BITS
//
//   a_valid    _/~~~\_________
//   b_valid    _____/~~~~~\___     both inputs move in one clock
//   out_valid  _________/~~~\_
//
// Both maps have the same shape and order; the operands are extended by their own signedness, the sum is two's complement.
//
// Latency    one clock.
// Rate       one beat of LANES sums per clock.
// Reset      out_valid only.
// Paths      out_ready and the other input's valid to a_ready and b_ready.
`default_nettype none
module map_add #(
    parameter int LANES    = 1,  // values per beat, >= 1
    parameter int A_BITS   = 4,  // of a value of a, >= 1
    parameter int A_SIGNED = 0,  // two's complement
    parameter int B_BITS   = 4,  // of a value of b, >= 1
    parameter int B_SIGNED = 0,  // two's complement
    parameter int OUT_BITS = 6   // of a sum, two's complement, >= 1
) (
    input  wire                       clk,
    input  wire                       rst,

    input  wire                       a_valid,
    output logic                      a_ready,
    input  wire  [LANES*A_BITS-1:0]   a_data,
    input  wire                       a_last,

    input  wire                       b_valid,
    output logic                      b_ready,
    input  wire  [LANES*B_BITS-1:0]   b_data,
    input  wire                       b_last,

    output logic                      out_valid,
    input  wire                       out_ready,
    output logic [LANES*OUT_BITS-1:0] out_data,
    output logic                      out_last
);
  if (LANES < 1) begin : g_lanes error_LANES_must_be_at_least_1 check (); end
  if (A_BITS < 1 || B_BITS < 1) begin : g_in_bits error_A_BITS_and_B_BITS_must_be_at_least_1 check (); end
  if (OUT_BITS < 1) begin : g_out_bits error_OUT_BITS_must_be_at_least_1 check (); end

  localparam int IN_BITS = A_BITS > B_BITS ? A_BITS : B_BITS;
  localparam int WIDE    = IN_BITS > OUT_BITS ? IN_BITS : OUT_BITS;

  wire slot_free = !out_valid || out_ready;
  assign a_ready = slot_free && b_valid;
  assign b_ready = slot_free && a_valid;

  always_ff @(posedge clk) begin
    if (slot_free) out_valid <= a_valid && b_valid;
    if (rst) out_valid <= 1'b0;
  end
  always_ff @(posedge clk) if (slot_free) out_last <= a_last;

  for (genvar lane = 0; lane < LANES; lane++) begin : g_lane
    wire [A_BITS-1:0] a = a_data[lane*A_BITS+:A_BITS];
    wire [B_BITS-1:0] b = b_data[lane*B_BITS+:B_BITS];
    wire [WIDE-1:0]   a_wide = A_SIGNED != 0 ? WIDE'($signed(a)) : WIDE'(a);
    wire [WIDE-1:0]   b_wide = B_SIGNED != 0 ? WIDE'($signed(b)) : WIDE'(b);
    wire [WIDE-1:0]   sum = a_wide + b_wide;
    always_ff @(posedge clk) if (slot_free) out_data[lane*OUT_BITS+:OUT_BITS] <= sum[OUT_BITS-1:0];
    if (WIDE > OUT_BITS) begin : g_unused
      wire unused = &{1'b0, sum[WIDE-1:OUT_BITS]};
    end
  end

  // Two maps of one shape end together.
`ifdef SYNTHESIS
  wire unused_last = &{1'b0, b_last};
`else
  always @(posedge clk) if (!rst && a_valid && a_ready) assert (a_last == b_last);
`endif

`ifdef FORMAL
  `include "map_add_props.svh"
`endif
endmodule
`default_nettype wire
