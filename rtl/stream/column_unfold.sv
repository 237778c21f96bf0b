// SPDX-License-Identifier: Apache-2.0
// column_unfold - turns each pixel into itself and the COLUMNS-1 pixels to its right, so that one word covers a row of a kernel
//
//   in_data    A B C D | E F G H                 MAP_WIDTH = 4, COLUMNS = 3, one beat per pixel
//   out_data       CBA DCB |     GFE HGF         pixel x in the low bits; MAP_WIDTH - COLUMNS + 1 beats a row
//
// Latency    one clock from the rightmost pixel of a beat.
// Rate       one input pixel per clock.
// Reset      starts a new row; data is not reset.
// Paths      out_ready to in_ready. A skid_buffer cuts it.
`default_nettype none
module column_unfold #(
    parameter int WIDTH     = 8,  // bits of a pixel, >= 1
    parameter int MAP_WIDTH = 4,  // pixels of a row, >= COLUMNS
    parameter int COLUMNS   = 3   // pixels of an output beat, >= 2
) (
    input  wire                      clk,
    input  wire                      rst,

    input  wire                      in_valid,
    output logic                     in_ready,
    input  wire  [WIDTH-1:0]         in_data,
    input  wire                      in_last,

    output logic                     out_valid,
    input  wire                      out_ready,
    output logic [COLUMNS*WIDTH-1:0] out_data,
    output logic                     out_last
);
  if (WIDTH < 1) begin : g_width error_WIDTH_must_be_at_least_1 check (); end
  if (COLUMNS < 2) begin : g_columns error_COLUMNS_must_be_at_least_2 check (); end
  if (MAP_WIDTH < COLUMNS) begin : g_map_width error_MAP_WIDTH_must_be_at_least_COLUMNS check (); end

  localparam int X_BITS = $clog2(MAP_WIDTH);
  localparam int LAST_X = MAP_WIDTH - 1;
  localparam int LAST_PARTIAL = COLUMNS - 2;

  logic [X_BITS-1:0] x;
  logic              complete;  // the pixel at x completes a beat: x >= COLUMNS-1
  wire               push = in_valid && in_ready;
  wire               row_ends = x == LAST_X[X_BITS-1:0];

  assign in_ready = !out_valid || out_ready;

  always_ff @(posedge clk) begin
    if (push) begin
      x <= row_ends ? '0 : x + 1'b1;
      if (x == LAST_PARTIAL[X_BITS-1:0]) complete <= 1'b1;
      if (row_ends) complete <= 1'b0;
    end
    if (in_ready) out_valid <= push && complete;
    if (rst) begin
      x         <= '0;
      complete  <= 1'b0;
      out_valid <= 1'b0;
    end
  end

  always_ff @(posedge clk)
    if (push) begin
      out_data <= {in_data, out_data[COLUMNS*WIDTH-1:WIDTH]};
      out_last <= in_last;
    end

`ifndef SYNTHESIS
  // A frame ends with a row.
  always @(posedge clk) if (!rst && push && in_last) assert (row_ends);
`endif
endmodule
`default_nettype wire
