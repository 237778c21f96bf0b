// SPDX-License-Identifier: Apache-2.0
// credit_counter - how many more results may be under way towards a FIFO
//
// Starts at CREDITS; `take` removes one, `give` returns one. available is a register: the sign of a count, so that no comparator stands behind it.
//
// Latency    available follows take and give after one clock.
// Reset      to CREDITS.
`default_nettype none
module credit_counter #(
    parameter int CREDITS = 4  // >= 1
) (
    input  wire  clk,
    input  wire  rst,
    input  wire  take,       // only while available
    input  wire  give,
    output logic available
);
  if (CREDITS < 1) begin : g_credits error_CREDITS_must_be_at_least_1 check (); end

  localparam int BITS = $clog2(CREDITS + 1) + 1;
  logic [BITS-1:0] left;  // credits minus 1, two's complement
  assign available = !left[BITS-1];
  always_ff @(posedge clk) begin
    if (take && !give) left <= left - 1'b1;
    if (give && !take) left <= left + 1'b1;
    if (rst) left <= BITS'(CREDITS - 1);
  end

`ifdef FORMAL
  `include "credit_counter_props.svh"
`endif
endmodule
`default_nettype wire
