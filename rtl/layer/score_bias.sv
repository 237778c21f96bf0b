// SPDX-License-Identifier: Apache-2.0
// score_bias - raw accumulators to scores: (value << ALPHA_SHIFT) + bias of the channel
//
// Each lane has a ROM of its own with the file <INIT>_level0_lane<ll>.mem (ll: two digits), addressed by the beat.
//
// Latency    2 clocks.
// Rate       LANES channels per clock.
// Reset      none: no control inside.
`default_nettype none
module score_bias #(
    parameter int LANES       = 1,   // channels per clock, 1 to 100
    parameter int BEATS       = 1,   // beats of different channels: the range of `beat`
    parameter int VALUE_BITS  = 16,  // signed
    parameter int ALPHA_SHIFT = 0,
    parameter int OUT_BITS    = 16,  // signed scores
    parameter int LUT_BITS    = 1024,  // ROMs of up to so many bits, or 16 words, are logic
    parameter     INIT        = "",
    localparam int BEAT_BITS = BEATS > 1 ? $clog2(BEATS) : 1
) (
    input  wire                        clk,
    input  wire [BEAT_BITS-1:0]        beat,
    input  wire [LANES*VALUE_BITS-1:0] values,
    output wire [LANES*OUT_BITS-1:0]   codes
);
  if (LANES > 100) begin : g_lanes error_LANES_must_be_at_most_100 check (); end

  localparam int WIDE = (VALUE_BITS > OUT_BITS ? VALUE_BITS : OUT_BITS) + ALPHA_SHIFT;
  for (genvar lane = 0; lane < LANES; lane++) begin : g_lane
    localparam logic [7:0] TENS = 8'd48 + 8'(lane / 10);
    localparam logic [7:0] ONES = 8'd48 + 8'(lane % 10);
    localparam FILE = INIT == "" ? "" : {INIT, "_level0_lane", TENS, ONES, ".mem"};
    wire  [OUT_BITS-1:0] bias;
    logic [OUT_BITS-1:0] value, code;
    wire  [WIDE-1:0]     shifted = WIDE'($signed(values[lane*VALUE_BITS+:VALUE_BITS])) << ALPHA_SHIFT;
    rom #(.WIDTH(OUT_BITS), .DEPTH(BEATS), .INIT(FILE),
          .STYLE(BEATS <= 16 || BEATS * OUT_BITS <= LUT_BITS ? 2 : 1)) biases (
        .clk(clk), .rd_en(1'b1), .rd_addr(beat), .rd_data(bias)
    );
    always_ff @(posedge clk) begin
      value <= shifted[OUT_BITS-1:0];
      code  <= value + bias;
    end
    assign codes[lane*OUT_BITS+:OUT_BITS] = code;
    if (WIDE > OUT_BITS) begin : g_unused
      wire unused = &{1'b0, shifted[WIDE-1:OUT_BITS]};
    end
  end
endmodule
`default_nettype wire
