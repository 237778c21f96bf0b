// SPDX-License-Identifier: Apache-2.0
// map_concat - sends A_BEATS beats of a, then B_BEATS beats of b, and so on
//
//   out         a0 a1 b0 a2 a3 b1 ..        A_BEATS = 2, B_BEATS = 1; out_last with b_last
//
// With the beats of a pixel it puts the channels of b behind those of a; with the beats of a frame it sends whole frames in turn.
// A frame ends with b: out_last is b_last, in the last beat of b's turn; a_last is ignored.
//
// Latency    one clock.
// Rate       one beat per clock.
// Reset      to a's turn.
// Paths      out_ready to a_ready and b_ready. A skid_buffer cuts it.
`default_nettype none
module map_concat #(
    parameter int WIDTH   = 8,  // bits of a beat, >= 1
    parameter int A_BEATS = 1,  // in a's turn, >= 1
    parameter int B_BEATS = 1   // in b's turn, >= 1
) (
    input  wire              clk,
    input  wire              rst,

    input  wire              a_valid,
    output logic             a_ready,
    input  wire  [WIDTH-1:0] a_data,
    input  wire              a_last,

    input  wire              b_valid,
    output logic             b_ready,
    input  wire  [WIDTH-1:0] b_data,
    input  wire              b_last,

    output logic             out_valid,
    input  wire              out_ready,
    output logic [WIDTH-1:0] out_data,
    output logic             out_last
);
  if (WIDTH < 1) begin : g_width error_WIDTH_must_be_at_least_1 check (); end
  if (A_BEATS < 1) begin : g_a_beats error_A_BEATS_must_be_at_least_1 check (); end
  if (B_BEATS < 1) begin : g_b_beats error_B_BEATS_must_be_at_least_1 check (); end

  localparam int BEATS      = A_BEATS > B_BEATS ? A_BEATS : B_BEATS;
  localparam int BEAT_BITS  = BEATS > 1 ? $clog2(BEATS) : 1;
  localparam logic [BEAT_BITS-1:0] A_END = BEAT_BITS'(A_BEATS - 1);
  localparam logic [BEAT_BITS-1:0] B_END = BEAT_BITS'(B_BEATS - 1);

  logic                 turn_b;
  logic [BEAT_BITS-1:0] beat;  // in this turn

  wire slot_free = !out_valid || out_ready;
  wire step      = slot_free && (turn_b ? b_valid : a_valid);
  wire turn_ends = beat == (turn_b ? B_END : A_END);

  assign a_ready = slot_free && !turn_b;
  assign b_ready = slot_free && turn_b;

  always_ff @(posedge clk) begin
    if (step) begin
      beat   <= turn_ends ? '0 : beat + 1'b1;
      turn_b <= turn_b ^ turn_ends;
    end
    if (slot_free) out_valid <= step;
    if (rst) begin
      beat      <= '0;
      turn_b    <= 1'b0;
      out_valid <= 1'b0;
    end
  end

  always_ff @(posedge clk)
    if (slot_free) begin
      out_data <= turn_b ? b_data : a_data;
      out_last <= turn_b && turn_ends && b_last;
    end

  wire unused_last = &{1'b0, a_last};
`ifndef SYNTHESIS
  always @(posedge clk) if (!rst && b_valid && b_ready && b_last) assert (turn_ends);  // a frame is a number of turns
`endif

`ifdef FORMAL
  `include "map_concat_props.svh"
`endif
endmodule
`default_nettype wire
