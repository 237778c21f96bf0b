// SPDX-License-Identifier: Apache-2.0
// threshold_layer - quantizes a stream of integers by per-channel thresholds (see threshold_search)
//
// Latency    2*SEARCH_BITS + 2 clocks and the FIFO's.
// Rate       one beat of LANES channels per clock.
// Reset      control only.
`default_nettype none
module threshold_layer #(
    parameter int LANES           = 1,   // channels per beat
    parameter int IN_BITS         = 8,   // of an input value
    parameter int IN_SIGNED       = 0,   // two's complement
    parameter int CHANNELS        = 0,   // channels of a pixel, a multiple of LANES; 0: one table serves all
    parameter int THRESHOLD_BITS  = 10,  // signed bits that hold every input value and one beyond
    parameter int SEARCH_BITS     = 1,
    parameter int LEVELS          = 1,
    parameter int LOW             = 0,
    parameter int STEP            = 1,
    parameter int OUT_BITS        = 1,
    parameter int LUT_BITS        = 1024, // of threshold_search
    parameter     ACTIVATION_INIT = ""
) (
    input  wire                      clk,
    input  wire                      rst,

    input  wire                      in_valid,
    output wire                      in_ready,
    input  wire  [LANES*IN_BITS-1:0] in_data,
    input  wire                      in_last,

    output wire                      out_valid,
    input  wire                      out_ready,
    output wire [LANES*OUT_BITS-1:0] out_data,
    output wire                      out_last
);
  localparam int BEATS     = CHANNELS == 0 ? 1 : CHANNELS / LANES;
  localparam int BEAT_BITS = BEATS > 1 ? $clog2(BEATS) : 1;
  localparam int LATENCY   = 2 * SEARCH_BITS + 1;
  localparam int CREDITS   = LATENCY + 4;

  if (CHANNELS % LANES != 0) begin : g_channels error_LANES_must_divide_CHANNELS check (); end
  if (THRESHOLD_BITS < IN_BITS + (IN_SIGNED != 0 ? 0 : 1)) begin : g_bits error_THRESHOLD_BITS_must_hold_the_input check (); end

  wire take = in_valid && in_ready;
  credit_counter #(.CREDITS(CREDITS)) credits (.clk(clk), .rst(rst), .take(take), .give(out_valid && out_ready), .available(in_ready));

  logic [BEAT_BITS-1:0] beat;
  always_ff @(posedge clk) begin
    if (take) beat <= BEATS == 1 || beat == BEAT_BITS'(BEATS - 1) ? '0 : beat + 1'b1;
    if (rst) beat <= '0;
  end

  wire [LANES*THRESHOLD_BITS-1:0] values;
  for (genvar lane = 0; lane < LANES; lane++) begin : g_lane
    assign values[lane*THRESHOLD_BITS+:THRESHOLD_BITS] = {
      {(THRESHOLD_BITS - IN_BITS) {IN_SIGNED != 0 && in_data[lane*IN_BITS+IN_BITS-1]}}, in_data[lane*IN_BITS+:IN_BITS]
    };
  end

  wire [LANES*OUT_BITS-1:0] codes;
  threshold_search #(.LANES(LANES), .BEATS(BEATS), .VALUE_BITS(THRESHOLD_BITS), .SEARCH_BITS(SEARCH_BITS), .LEVELS(LEVELS), .LOW(LOW), .STEP(STEP),
                     .OUT_BITS(OUT_BITS), .LUT_BITS(LUT_BITS), .INIT(ACTIVATION_INIT)) search (
      .clk(clk), .beat(beat), .values(values), .codes(codes)
  );

  logic [LATENCY-1:0] valid, last;
  always_ff @(posedge clk) begin
    valid <= {valid[LATENCY-2:0], take};
    last  <= {last[LATENCY-2:0], in_last};
    if (rst) valid <= '0;
  end

  wire fifo_ready;
  stream_fifo #(.WIDTH(LANES * OUT_BITS + 1), .DEPTH(CREDITS)) results (
      .clk(clk), .rst(rst), .in_valid(valid[LATENCY-1]), .in_ready(fifo_ready), .in_data({last[LATENCY-1], codes}), .out_valid(out_valid),
      .out_ready(out_ready), .out_data({out_last, out_data})
  );
`ifndef SYNTHESIS
  always_ff @(posedge clk) if (!rst && valid[LATENCY-1]) assert (fifo_ready);  // credits keep room
`else
  wire unused_ready = fifo_ready;
`endif
endmodule
`default_nettype wire
