// SPDX-License-Identifier: Apache-2.0
// map_upsample - nearest-neighbour upsampling: every pixel UP_WIDTH times, every row UP_HEIGHT times
//
//   in          A B | C D                        HEIGHT = 2, MAP_WIDTH = 2, CHUNKS = 1, UP_HEIGHT = 2, UP_WIDTH = 2
//   out         A A B B | A A B B | C C D D | C C D D     out_last with the final D; the next frame follows without a gap
//
// A circular buffer of two rows, or of two pixels if rows are not repeated: the next one enters while one is repeated. A word is sent as soon as it has come.
//
// Latency    two clocks.
// Rate       one output beat per clock while words come.
// Reset      starts a new frame.
// Infers     see ram_1w1r.
// Paths      none.
`default_nettype none
module map_upsample #(
    parameter int WIDTH     = 8,  // bits of a beat, >= 1
    parameter int CHUNKS    = 1,  // beats of a pixel, >= 1
    parameter int HEIGHT    = 4,  // rows of an input frame, >= 1
    parameter int MAP_WIDTH = 4,  // pixels of an input row, >= 1
    parameter int UP_HEIGHT = 2,  // copies of a row, >= 1
    parameter int UP_WIDTH  = 2   // copies of a pixel, >= 1
) (
    input  wire              clk,
    input  wire              rst,

    input  wire              in_valid,
    output logic             in_ready,
    input  wire  [WIDTH-1:0] in_data,
    input  wire              in_last,

    output logic             out_valid,
    input  wire              out_ready,
    output wire  [WIDTH-1:0] out_data,
    output logic             out_last
);
  if (WIDTH < 1) begin : g_width error_WIDTH_must_be_at_least_1 check (); end
  if (CHUNKS < 1) begin : g_chunks error_CHUNKS_must_be_at_least_1 check (); end
  if (HEIGHT < 1) begin : g_height error_HEIGHT_must_be_at_least_1 check (); end
  if (MAP_WIDTH < 1) begin : g_map_width error_MAP_WIDTH_must_be_at_least_1 check (); end
  if (UP_HEIGHT < 1 || UP_WIDTH < 1) begin : g_factors error_factors_must_be_at_least_1 check (); end

  localparam int DEPTH      = 2 * CHUNKS * (UP_HEIGHT > 1 ? MAP_WIDTH : 1);
  localparam int ADDR_BITS  = $clog2(DEPTH);
  localparam int LEVEL_BITS = $clog2(DEPTH + 1);
  localparam bit WRAPS      = DEPTH == 2 ** ADDR_BITS;  // addresses wrap by themselves
  localparam int CHUNK_BITS = CHUNKS > 1 ? $clog2(CHUNKS) : 1;
  localparam int X_BITS     = MAP_WIDTH > 1 ? $clog2(MAP_WIDTH) : 1;
  localparam int Y_BITS     = HEIGHT > 1 ? $clog2(HEIGHT) : 1;
  localparam int COPY_BITS  = UP_WIDTH > 1 ? $clog2(UP_WIDTH) : 1;
  localparam int ROW_COPY_BITS = UP_HEIGHT > 1 ? $clog2(UP_HEIGHT) : 1;
  localparam logic [ADDR_BITS-1:0] LAST_ADDR = ADDR_BITS'(DEPTH - 1);

  // ---- The next word to send: chunk of a copy of pixel x in a copy of row y.
  logic [CHUNK_BITS-1:0]    chunk;
  logic [COPY_BITS-1:0]     copy;
  logic [X_BITS-1:0]        x;
  logic [ROW_COPY_BITS-1:0] row_copy;
  logic [Y_BITS-1:0]        y;

  wire chunk_is_last    = chunk == CHUNK_BITS'(CHUNKS - 1);
  wire copy_is_last     = copy == COPY_BITS'(UP_WIDTH - 1);
  wire row_copy_is_last = row_copy == ROW_COPY_BITS'(UP_HEIGHT - 1);
  wire pixel_ends       = chunk_is_last && copy_is_last;
  wire row_ends         = pixel_ends && x == X_BITS'(MAP_WIDTH - 1);
  wire rows_end         = row_ends && row_copy_is_last;
  wire frame_ends       = rows_end && y == Y_BITS'(HEIGHT - 1);

  // ---- The buffer. `level` counts the words that must still be sent; words before rd_addr in this row (this pixel) are at most half of it, so a full
  // buffer holds the word at rd_addr even where that is wr_addr. A word that has been sent once is there.
  logic [LEVEL_BITS-1:0] level;
  logic [ADDR_BITS-1:0]  wr_addr, rd_addr, pixel_addr, row_addr;  // the last two: where this pixel and this row begin
  wire  [ADDR_BITS-1:0]  next_addr  = WRAPS || rd_addr != LAST_ADDR ? rd_addr + 1'b1 : '0;
  wire  [ADDR_BITS-1:0]  again_addr = CHUNKS > 1 ? pixel_addr : rd_addr;
  wire                   is_first   = copy == '0 && row_copy == '0;
  wire                   is_there   = !is_first || rd_addr != wr_addr || !in_ready;
  wire                   slot_free  = !out_valid || out_ready;
  wire                   step       = slot_free && is_there;
  wire                   write      = in_valid && in_ready;
  wire                   leave      = step && copy_is_last && row_copy_is_last;  // a word is sent for the last time

  assign in_ready = level != LEVEL_BITS'(DEPTH);

  always_ff @(posedge clk) begin
    if (write) wr_addr <= WRAPS || wr_addr != LAST_ADDR ? wr_addr + 1'b1 : '0;
    if (write && !leave) level <= level + 1'b1;
    if (leave && !write) level <= level - 1'b1;
    if (step) begin
      chunk <= chunk_is_last ? '0 : chunk + 1'b1;
      if (chunk_is_last) copy <= copy_is_last ? '0 : copy + 1'b1;
      if (pixel_ends) x <= row_ends ? '0 : x + 1'b1;
      if (row_ends) row_copy <= row_copy_is_last ? '0 : row_copy + 1'b1;
      if (rows_end) y <= frame_ends ? '0 : y + 1'b1;

      rd_addr <= row_ends && !row_copy_is_last ? row_addr : chunk_is_last && !copy_is_last ? again_addr : next_addr;
      if (pixel_ends) pixel_addr <= row_ends && !row_copy_is_last ? row_addr : next_addr;
      if (rows_end) row_addr <= next_addr;
    end
    if (slot_free) out_valid <= step;
    if (rst) begin
      wr_addr    <= '0;
      rd_addr    <= '0;
      pixel_addr <= '0;
      row_addr   <= '0;
      level      <= '0;
      chunk      <= '0;
      copy       <= '0;
      x          <= '0;
      row_copy   <= '0;
      y          <= '0;
      out_valid  <= 1'b0;
    end
  end
  always_ff @(posedge clk) if (slot_free) out_last <= frame_ends;

`ifdef FORMAL
  wire [DEPTH*WIDTH-1:0] f_contents;
`endif
  // Never reads and writes one address: a word is read the clock after it was written, or later, and none is written over one that must still be sent.
  ram_1w1r #(.WIDTH(WIDTH), .DEPTH(DEPTH)) words (
      .clk(clk), .wr_en(write), .wr_addr(wr_addr), .wr_data(in_data), .rd_en(step), .rd_addr(rd_addr), .rd_data(out_data)
`ifdef FORMAL
      , .f_contents(f_contents)
`endif
  );
`ifdef FORMAL
  `include "map_upsample_props.svh"
`endif

  // The frame's end follows from counting.
`ifdef SYNTHESIS
  wire unused = &{1'b0, in_last};
`else
  logic [31:0] in_count;
  wire         input_ends = in_count == 32'(HEIGHT * MAP_WIDTH * CHUNKS - 1);
  always_ff @(posedge clk) begin
    if (write) in_count <= input_ends ? 32'd0 : in_count + 32'd1;
    if (rst) in_count <= 32'd0;
  end
  always @(posedge clk) if (!rst && write) assert (in_last == input_ends);
`endif
endmodule
`default_nettype wire
