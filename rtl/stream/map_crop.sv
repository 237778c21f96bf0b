// SPDX-License-Identifier: Apache-2.0
// map_crop - passes on some of a row's pixels: every STRIDE-th from FIRST on, OUT_WIDTH in all
//
//   in       0 1 2 3 4 5 6 7 | 0 1 ..       IN_WIDTH = 8, FIRST = 1, STRIDE = 2, OUT_WIDTH = 3
//   out        1   3   5     |   1 ..       out_last with the last of ROWS rows
//
// Latency    none: beats pass through.
// Rate       one beat per clock.
// Reset      starts a frame.
// Paths      all inputs to all outputs.
`default_nettype none
module map_crop #(
    parameter int WIDTH     = 8,  // bits of a beat
    parameter int CHUNKS    = 1,  // beats of a pixel
    parameter int IN_WIDTH  = 8,
    parameter int FIRST     = 1,
    parameter int STRIDE    = 2,
    parameter int OUT_WIDTH = 3,
    parameter int ROWS      = 2
) (
    input  wire             clk,
    input  wire             rst,

    input  wire             in_valid,
    output wire             in_ready,
    input  wire [WIDTH-1:0] in_data,
    input  wire             in_last,

    output wire             out_valid,
    input  wire             out_ready,
    output wire [WIDTH-1:0] out_data,
    output wire             out_last
);
  if (FIRST + (OUT_WIDTH - 1) * STRIDE >= IN_WIDTH) begin : g_width error_the_pixels_must_lie_within_IN_WIDTH check (); end

  localparam int CHUNK_BITS = CHUNKS > 1 ? $clog2(CHUNKS) : 1;
  localparam int X_BITS     = IN_WIDTH > 1 ? $clog2(IN_WIDTH) : 1;
  localparam int UNTIL_BITS = $clog2(FIRST + STRIDE + 1);
  localparam int LEFT_BITS  = $clog2(OUT_WIDTH + 1);
  localparam int Y_BITS     = ROWS > 1 ? $clog2(ROWS) : 1;

  logic [CHUNK_BITS-1:0] chunk;
  logic [X_BITS-1:0]     x;
  logic [UNTIL_BITS-1:0] until_kept;  // pixels before the next that is passed on
  logic [LEFT_BITS-1:0]  left;        // of the row
  logic [Y_BITS-1:0]     y;
  wire chunk_ends = CHUNKS == 1 || chunk == CHUNK_BITS'(CHUNKS - 1);
  wire x_ends     = IN_WIDTH == 1 || x == X_BITS'(IN_WIDTH - 1);
  wire y_ends     = ROWS == 1 || y == Y_BITS'(ROWS - 1);
  wire keep       = until_kept == '0 && left != '0;
  wire pixel      = in_valid && in_ready && chunk_ends;

  assign in_ready  = !keep || out_ready;
  assign out_valid = in_valid && keep;
  assign out_data  = in_data;
  assign out_last  = keep && chunk_ends && y_ends && left == LEFT_BITS'(1);

  always_ff @(posedge clk) begin
    if (in_valid && in_ready) chunk <= chunk_ends ? '0 : chunk + 1'b1;
    if (pixel) begin
      x <= x_ends ? '0 : x + 1'b1;
      if (x_ends) begin
        y          <= y_ends ? '0 : y + 1'b1;
        until_kept <= UNTIL_BITS'(FIRST);
        left       <= LEFT_BITS'(OUT_WIDTH);
      end else if (keep) begin
        until_kept <= UNTIL_BITS'(STRIDE - 1);
        left       <= left - 1'b1;
      end else if (until_kept != '0) until_kept <= until_kept - 1'b1;
    end
    if (rst) begin
      chunk      <= '0;
      x          <= '0;
      y          <= '0;
      until_kept <= UNTIL_BITS'(FIRST);
      left       <= LEFT_BITS'(OUT_WIDTH);
    end
  end

  // The frame's end follows from counting.
  wire unused = &{1'b0, in_last};
endmodule
`default_nettype wire
