// SPDX-License-Identifier: Apache-2.0
// map_scale - multiplies every value by a constant and adds another: out = in*SCALE + OFFSET, modulo 2^OUT_BITS
//
// A bipolar map, one bit with 0 for -1, becomes the integers -s and +s with SCALE = 2s and OFFSET = -s. A single bit chooses between two constants; numbers
// are multiplied by one addition for each set bit of SCALE, since `*` would take a multiplier of the chip for every lane.
//
// Latency    one clock.
// Rate       one beat of LANES values per clock.
// Reset      out_valid only.
// Paths      out_ready to in_ready. A skid_buffer cuts it.
`default_nettype none
module map_scale #(
    parameter int LANES     = 1,   // values per beat, >= 1
    parameter int IN_BITS   = 1,   // of an input value, >= 1
    parameter int IN_SIGNED = 0,   // two's complement
    parameter int SCALE     = 2,
    parameter int OFFSET    = -1,
    parameter int OUT_BITS  = 2    // of a result, two's complement, >= 1
) (
    input  wire                       clk,
    input  wire                       rst,

    input  wire                       in_valid,
    output logic                      in_ready,
    input  wire  [LANES*IN_BITS-1:0]  in_data,
    input  wire                       in_last,

    output logic                      out_valid,
    input  wire                       out_ready,
    output logic [LANES*OUT_BITS-1:0] out_data,
    output logic                      out_last
);
  if (LANES < 1) begin : g_lanes error_LANES_must_be_at_least_1 check (); end
  if (IN_BITS < 1) begin : g_in_bits error_IN_BITS_must_be_at_least_1 check (); end
  if (OUT_BITS < 1) begin : g_out_bits error_OUT_BITS_must_be_at_least_1 check (); end

  localparam int WIDE = IN_BITS > OUT_BITS ? IN_BITS : OUT_BITS;

  assign in_ready = !out_valid || out_ready;

  always_ff @(posedge clk) begin
    if (in_ready) out_valid <= in_valid;
    if (rst) out_valid <= 1'b0;
  end
  always_ff @(posedge clk) if (in_ready) out_last <= in_last;

  for (genvar lane = 0; lane < LANES; lane++) begin : g_lane
    wire [OUT_BITS-1:0] result;
    if (IN_BITS == 1) begin : g_bit
      localparam int ONE = IN_SIGNED != 0 ? OFFSET - SCALE : OFFSET + SCALE;
      assign result = in_data[lane] ? OUT_BITS'(ONE) : OUT_BITS'(OFFSET);
    end else begin : g_number
      localparam logic [WIDE-1:0] FACTOR = SCALE < 0 ? WIDE'(-SCALE) : WIDE'(SCALE);
      wire  [IN_BITS-1:0] code  = in_data[lane*IN_BITS+:IN_BITS];
      wire  [WIDE-1:0]    value = IN_SIGNED != 0 ? WIDE'($signed(code)) : WIDE'(code);
      logic [WIDE-1:0]    product;
      always_comb begin
        product = '0;
        for (int i = 0; i < WIDE; i++) if (FACTOR[i]) product = product + (value << i);
      end
      wire [WIDE-1:0] whole = SCALE < 0 ? WIDE'(OFFSET) - product : WIDE'(OFFSET) + product;
      assign result = whole[OUT_BITS-1:0];
      if (WIDE > OUT_BITS) begin : g_unused
        wire unused = &{1'b0, whole[WIDE-1:OUT_BITS]};
      end
    end
    always_ff @(posedge clk) if (in_ready) out_data[lane*OUT_BITS+:OUT_BITS] <= result;
  end
endmodule
`default_nettype wire
