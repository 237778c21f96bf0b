// SPDX-License-Identifier: Apache-2.0
// activation - turns the accumulators of a finished group into output codes, LANES channels per clock
//
// A group's PE accumulators are held and shifted out while the array computes the next group, so that a few comparators serve all channels.
// Channels come in order: group 0's PE channels, then group 1's; a window has GROUPS groups.
//
// Latency    from group_valid to the first code: 1 + that of threshold_search or score_bias (0 + .. if PE = LANES).
// Rate       groups may come PE/LANES clocks apart, no closer.
// Reset      control only.
`default_nettype none
module activation #(
    parameter int PE          = 4,
    parameter int GROUPS      = 1,
    parameter int ACC_BITS    = 16,
    parameter int LANES       = 1,    // divides PE
    parameter bit SCORES      = 0,    // 0: thresholds; 1: scores
    parameter int ALPHA_SHIFT = 0,    // scores only, see score_bias
    parameter int SEARCH_BITS = 1,    // thresholds only, see threshold_search
    parameter int LEVELS      = 1,
    parameter int LOW         = 0,
    parameter int STEP        = 1,
    parameter int OUT_BITS    = 1,
    parameter     INIT        = ""
) (
    input  wire                      clk,
    input  wire                      rst,
    input  wire                      group_valid,
    input  wire                      group_frame,   // the frame's last group
    input  wire [PE*ACC_BITS-1:0]    accumulators,
    output wire                      code_valid,
    output wire [LANES*OUT_BITS-1:0] codes,
    output wire                      code_group,    // the group's last beat
    output wire                      code_frame     // the frame's last beat
);
  if (PE % LANES != 0) begin : g_lanes error_LANES_must_divide_PE check (); end

  localparam int GROUP_BEATS = PE / LANES;
  localparam int BEATS       = GROUP_BEATS * GROUPS;
  localparam int BEAT_BITS   = BEATS > 1 ? $clog2(BEATS) : 1;
  localparam int LATENCY     = SCORES ? 2 : 2 * SEARCH_BITS + 1;

  wire                      lane_valid, lane_group, lane_frame;
  wire [LANES*ACC_BITS-1:0] lane_values;
  if (GROUP_BEATS == 1) begin : g_direct
    assign lane_valid  = group_valid;
    assign lane_group  = 1'b1;
    assign lane_frame  = group_frame;
    assign lane_values = accumulators;
  end else begin : g_hold
    logic [PE*ACC_BITS-1:0]  held;
    logic [GROUP_BEATS-1:0]  left;   // one bit per beat that is still to come
    logic                    frame;
    always_ff @(posedge clk) begin
      held <= group_valid ? accumulators : held >> (LANES * ACC_BITS);
      left <= group_valid ? '1 : left >> 1;
      if (group_valid) frame <= group_frame;
      if (rst) left <= '0;
    end
    assign lane_valid  = left[0];
    assign lane_group  = !left[1];
    assign lane_frame  = frame && lane_group;
    assign lane_values = held[LANES*ACC_BITS-1:0];
`ifndef SYNTHESIS
    always_ff @(posedge clk) if (!rst && group_valid) assert (!left[1]);  // the group before is out
`endif
  end

  logic [BEAT_BITS-1:0] beat;
  always_ff @(posedge clk) begin
    if (lane_valid) beat <= BEATS == 1 || beat == BEAT_BITS'(BEATS - 1) ? '0 : beat + 1'b1;
    if (rst) beat <= '0;
  end

  if (SCORES) begin : g_scores
    score_bias #(.LANES(LANES), .BEATS(BEATS), .VALUE_BITS(ACC_BITS), .ALPHA_SHIFT(ALPHA_SHIFT), .OUT_BITS(OUT_BITS), .INIT(INIT)) scores (
        .clk(clk), .beat(beat), .values(lane_values), .codes(codes)
    );
  end else begin : g_thresholds
    threshold_search #(.LANES(LANES), .BEATS(BEATS), .VALUE_BITS(ACC_BITS), .SEARCH_BITS(SEARCH_BITS), .LEVELS(LEVELS), .LOW(LOW), .STEP(STEP),
                       .OUT_BITS(OUT_BITS), .INIT(INIT)) search (
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
