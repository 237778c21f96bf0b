// SPDX-License-Identifier: Apache-2.0
// activation - turns the accumulators of a finished group into output codes, LANES channels per clock
//
// Accumulators come COUNT at a time, are held, and shifted out while the array computes the next group, so that a few comparators serve all channels. In all they
// come in the order: group 0's PE channels of each of PIXELS pixels, then group 1's; there are GROUPS groups. Codes leave in that order. Of accumulators that come with
// in_short only the first SHORT count.
//
// Latency    from in_valid to the first code: that of threshold_search or score_bias, and 1 if LANES < COUNT.
// Rate       accumulators may come COUNT/LANES clocks apart, no closer.
// Reset      control only.
`default_nettype none
module activation #(
    parameter int COUNT       = 4,    // a multiple of LANES
    parameter int PE          = 4,    // a multiple of LANES
    parameter int PIXELS      = 1,
    parameter int GROUPS      = 1,
    parameter int ACC_BITS    = 16,
    parameter int LANES       = 1,
    parameter bit SCORES      = 0,    // 0: thresholds; 1: scores
    parameter int ALPHA_SHIFT = 0,    // scores only, see score_bias
    parameter int SEARCH_BITS = 1,    // thresholds only, see threshold_search
    parameter int LEVELS      = 1,
    parameter int LOW         = 0,
    parameter int STEP        = 1,
    parameter int OUT_BITS    = 1,
    parameter int REGISTERED  = 0,    // threshold_search
    parameter int LUT_BITS    = 1024, // of both
    parameter     INIT        = "",
    parameter int SHORT       = COUNT // a multiple of PE
) (
    input  wire                      clk,
    input  wire                      rst,
    input  wire                      in_valid,
    input  wire                      in_last,       // the group's last accumulators
    input  wire                      in_frame,      // of the frame's last group
    input  wire                      in_short,
    input  wire [COUNT*ACC_BITS-1:0] in_values,
    output wire                      code_valid,
    output wire [LANES*OUT_BITS-1:0] codes,
    output wire                      code_group,    // the group's last beat
    output wire                      code_frame     // the frame's last beat
);
  if (PE % LANES != 0) begin : g_lanes error_LANES_must_divide_PE check (); end

  localparam int PE_BEATS   = PE / LANES;
  localparam int BEATS      = PE_BEATS * GROUPS;  // of different channels
  localparam int BEAT_BITS  = BEATS > 1 ? $clog2(BEATS) : 1;
  localparam int LATENCY    = SCORES ? 2 : (2 + REGISTERED) * SEARCH_BITS + 1;

  wire                      lane_valid, values_last, group_last, frame_last;
  wire [LANES*ACC_BITS-1:0] lane_values;
  lane_shifter #(.COUNT(COUNT), .LANES(LANES), .BITS(ACC_BITS), .INFO_BITS(2), .SHORT(SHORT)) shifter (
      .clk(clk), .rst(rst), .in_valid(in_valid), .in_short(in_short), .in_info({in_last, in_frame}), .in_values(in_values), .out_valid(lane_valid), .out_last(values_last),
      .out_info({group_last, frame_last}), .out_values(lane_values)
  );
  wire lane_group = values_last && group_last;
  wire lane_frame = lane_group && frame_last;

  // The beat counts channels: back to the group's first for each of its pixels.
  logic [BEAT_BITS-1:0] beat;
  if (PIXELS > 1) begin : g_pixels
    localparam int PE_BEAT_BITS = PE_BEATS > 1 ? $clog2(PE_BEATS) : 1;
    logic [PE_BEAT_BITS-1:0] pe_beat;
    wire pe_ends = PE_BEATS == 1 || pe_beat == PE_BEAT_BITS'(PE_BEATS - 1);
    wire back    = pe_ends && !lane_group;
    always_ff @(posedge clk) begin
      if (lane_valid) pe_beat <= pe_ends ? '0 : pe_beat + 1'b1;
      if (lane_valid) beat <= back ? beat - BEAT_BITS'(PE_BEATS - 1) : BEATS == 1 || beat == BEAT_BITS'(BEATS - 1) ? '0 : beat + 1'b1;
      if (rst) begin
        pe_beat <= '0;
        beat    <= '0;
      end
    end
  end else begin : g_pixel
    // One beat ahead: with an adder at the ROMs' address, Yosys leads words of ROMs in logic through its carries, which it finds to hold what a table can use.
    logic [BEAT_BITS-1:0] ahead;
    always_ff @(posedge clk) begin
      if (lane_valid) begin
        beat  <= ahead;
        ahead <= BEATS == 1 || ahead == BEAT_BITS'(BEATS - 1) ? '0 : ahead + 1'b1;
      end
      if (rst) begin
        beat  <= '0;
        ahead <= BEATS > 1 ? BEAT_BITS'(1) : '0;
      end
    end
  end

  if (SCORES) begin : g_scores
    score_bias #(.LANES(LANES), .BEATS(BEATS), .VALUE_BITS(ACC_BITS), .ALPHA_SHIFT(ALPHA_SHIFT), .OUT_BITS(OUT_BITS), .LUT_BITS(LUT_BITS),
                 .INIT(INIT)) scores (
        .clk(clk), .beat(beat), .values(lane_values), .codes(codes)
    );
  end else begin : g_thresholds
    threshold_search #(.LANES(LANES), .BEATS(BEATS), .VALUE_BITS(ACC_BITS), .SEARCH_BITS(SEARCH_BITS), .LEVELS(LEVELS), .LOW(LOW), .STEP(STEP),
                       .OUT_BITS(OUT_BITS), .REGISTERED(REGISTERED), .LUT_BITS(LUT_BITS), .INIT(INIT)) search (
        .clk(clk), .beat(beat), .values(lane_values), .codes(codes)
    );
  end

  logic [LATENCY-1:0] valid, group, frames;
  always_ff @(posedge clk) begin
    valid  <= {valid[LATENCY-2:0], lane_valid};
    group  <= {group[LATENCY-2:0], lane_group};
    frames <= {frames[LATENCY-2:0], lane_frame};
    if (rst) valid <= '0;
  end
  assign code_valid = valid[LATENCY-1];
  assign code_group = group[LATENCY-1];
  assign code_frame = frames[LATENCY-1];
endmodule
`default_nettype wire
