// SPDX-License-Identifier: Apache-2.0
// map_pad - puts a border of constant pixels around every frame
//
//   in          A B C D                    HEIGHT = 1, MAP_WIDTH = 4, CHUNKS = 1, LEFT = 1, RIGHT = 2, BOTTOM = 1
//   out         P A B C D P P | P P P P P P P        out_last with the final P; the next frame follows without a gap
//
// The border above a frame is sent before the frame arrives.
//
// Latency    one clock.
// Rate       one output beat per clock; the input waits while border is sent.
// Reset      starts a new frame.
// Paths      out_ready to in_ready. A skid_buffer cuts it.
`default_nettype none
module map_pad #(
    parameter int               WIDTH     = 8,  // bits of a beat, >= 1
    parameter int               CHUNKS    = 1,  // beats of a pixel, >= 1
    parameter int               HEIGHT    = 4,  // rows of a frame without border, >= 1
    parameter int               MAP_WIDTH = 4,  // pixels of a row without border, >= 1
    parameter int               TOP       = 1,  // border rows above the frame, >= 0
    parameter int               LEFT      = 1,  // border pixels before a row, >= 0
    parameter int               BOTTOM    = 1,  // border rows below the frame, >= 0
    parameter int               RIGHT     = 1,  // border pixels behind a row, >= 0
    parameter logic [WIDTH-1:0] PAD_VALUE = '0  // a beat of border
) (
    input  wire              clk,
    input  wire              rst,

    input  wire              in_valid,
    output logic             in_ready,
    input  wire  [WIDTH-1:0] in_data,
    input  wire              in_last,

    output logic             out_valid,
    input  wire              out_ready,
    output logic [WIDTH-1:0] out_data,
    output logic             out_last
);
  if (WIDTH < 1) begin : g_width error_WIDTH_must_be_at_least_1 check (); end
  if (CHUNKS < 1) begin : g_chunks error_CHUNKS_must_be_at_least_1 check (); end
  if (HEIGHT < 1) begin : g_height error_HEIGHT_must_be_at_least_1 check (); end
  if (MAP_WIDTH < 1) begin : g_map_width error_MAP_WIDTH_must_be_at_least_1 check (); end
  if (TOP < 0 || LEFT < 0 || BOTTOM < 0 || RIGHT < 0) begin : g_border error_border_must_not_be_negative check (); end

  // Coordinates of the map without border: border pixels have y or x < 0, y >= HEIGHT or x >= MAP_WIDTH.
  localparam int Y_BITS = $clog2(TOP + HEIGHT + BOTTOM + 1) + 1;
  localparam int X_BITS = $clog2(LEFT + MAP_WIDTH + RIGHT + 1) + 1;
  localparam int CHUNK_BITS = CHUNKS > 1 ? $clog2(CHUNKS) : 1;
  localparam int LAST_CHUNK = CHUNKS - 1;
  localparam logic signed [Y_BITS-1:0] FIRST_Y = Y_BITS'(-TOP);
  localparam logic signed [Y_BITS-1:0] LAST_Y = Y_BITS'(HEIGHT + BOTTOM - 1);
  localparam logic signed [Y_BITS-1:0] END_Y = Y_BITS'(HEIGHT);
  localparam logic signed [X_BITS-1:0] FIRST_X = X_BITS'(-LEFT);
  localparam logic signed [X_BITS-1:0] LAST_X = X_BITS'(MAP_WIDTH + RIGHT - 1);
  localparam logic signed [X_BITS-1:0] END_X = X_BITS'(MAP_WIDTH);

  logic signed [Y_BITS-1:0]     y;
  logic signed [X_BITS-1:0]     x;
  logic        [CHUNK_BITS-1:0] chunk;

  wire inside_map  = !y[Y_BITS-1] && !x[X_BITS-1] && y < END_Y && x < END_X;
  wire pixel_ends  = chunk == LAST_CHUNK[CHUNK_BITS-1:0];
  wire row_ends    = pixel_ends && x == LAST_X;
  wire frame_ends  = row_ends && y == LAST_Y;
  wire slot_free   = !out_valid || out_ready;
  wire step        = slot_free && (!inside_map || in_valid);

  assign in_ready = slot_free && inside_map;

  always_ff @(posedge clk) begin
    if (step) begin
      chunk <= pixel_ends ? '0 : chunk + 1'b1;
      if (pixel_ends) x <= row_ends ? FIRST_X : x + 1'b1;
      if (row_ends) y <= frame_ends ? FIRST_Y : y + 1'b1;
    end
    if (slot_free) out_valid <= step;
    if (rst) begin
      chunk     <= '0;
      x         <= FIRST_X;
      y         <= FIRST_Y;
      out_valid <= 1'b0;
    end
  end

  always_ff @(posedge clk)
    if (slot_free) begin
      out_data <= inside_map ? in_data : PAD_VALUE;
      out_last <= frame_ends;
    end

  // The frame's end follows from counting.
`ifdef SYNTHESIS
  wire unused = &{1'b0, in_last};
`else
  wire input_ends = pixel_ends && x == X_BITS'(MAP_WIDTH - 1) && y == Y_BITS'(HEIGHT - 1);
  always @(posedge clk) if (!rst && in_valid && in_ready) assert (in_last == input_ends);
`endif
endmodule
`default_nettype wire
