// SPDX-License-Identifier: Apache-2.0
// pixel_order - brings the beats of neighbouring pixels, computed together group by group, into the stream's order
//
//   in      group 0 of pixel 0, group 0 of pixel 1, .., group 1 of pixel 0, ..      a group: BEATS beats
//   out     group 0, 1, .. of pixel 0, group 0, 1, .. of pixel 1, ..
//
// Two blocks of PIXELS*GROUPS*BEATS beats: one is written while the other is read. Of every ROW blocks the last has only SHORT pixels.
//
// Latency    a block, and 1 clock.
// Rate       one beat per clock.
// Reset      control only.
// Paths      out_ready to the memory's read enable.
`default_nettype none
module pixel_order #(
    parameter int WIDTH  = 8,  // bits of a beat
    parameter int PIXELS = 2,
    parameter int GROUPS = 2,
    parameter int BEATS  = 1,
    parameter int ROW    = 1,
    parameter int SHORT  = PIXELS
) (
    input  wire             clk,
    input  wire             rst,

    input  wire             in_valid,
    output wire             in_ready,
    input  wire [WIDTH-1:0] in_data,
    input  wire             in_last,

    output logic            out_valid,
    input  wire             out_ready,
    output wire [WIDTH-1:0] out_data,
    output logic            out_last
);
  if (SHORT < 1 || SHORT > PIXELS) begin : g_short error_SHORT_must_be_1_to_PIXELS check (); end

  localparam int BLOCK      = PIXELS * GROUPS * BEATS;
  localparam int SHORT_BLOCK = SHORT * GROUPS * BEATS;
  localparam int BLOCK_BITS = BLOCK > 1 ? $clog2(BLOCK) : 1;
  localparam int BEAT_BITS  = BEATS > 1 ? $clog2(BEATS) : 1;
  localparam int PIXEL_BITS = PIXELS > 1 ? $clog2(PIXELS) : 1;
  localparam int GROUP_BITS = GROUPS > 1 ? $clog2(GROUPS) : 1;

  // ---- Write: the place of pixel x, group g, beat b is (x*GROUPS + g)*BEATS + b.
  logic                  wr_bank, rd_bank;
  logic [1:0]            filled;           // banks that hold a block
  logic [1:0]            frame_ends;       // by bank: its block is a frame's last
  logic [BLOCK_BITS-1:0] place;
  logic [BLOCK_BITS-1:0] group_place;      // of beat 0 of pixel 0 in this group
  logic [BEAT_BITS-1:0]  beat;
  logic [PIXEL_BITS-1:0] pixel;
  logic [GROUP_BITS-1:0] group;
  wire beat_ends  = BEATS == 1 || beat == BEAT_BITS'(BEATS - 1);
  wire wr_short, rd_short;
  wire pixel_ends = PIXELS == 1 || pixel == (wr_short ? PIXEL_BITS'(SHORT - 1) : PIXEL_BITS'(PIXELS - 1));
  wire group_ends = GROUPS == 1 || group == GROUP_BITS'(GROUPS - 1);
  wire write      = in_valid && in_ready;
  wire fills      = write && beat_ends && pixel_ends && group_ends;
  assign in_ready = !filled[1];

  always_ff @(posedge clk) begin
    if (write) begin
      beat <= beat_ends ? '0 : beat + 1'b1;
      if (beat_ends) pixel <= pixel_ends ? '0 : pixel + 1'b1;
      if (beat_ends && pixel_ends) group <= group_ends ? '0 : group + 1'b1;
      if (!beat_ends) place <= place + 1'b1;
      else if (!pixel_ends) place <= place + BLOCK_BITS'((GROUPS - 1) * BEATS + 1);
      else begin
        place       <= group_ends ? '0 : group_place + BLOCK_BITS'(BEATS);
        group_place <= group_ends ? '0 : group_place + BLOCK_BITS'(BEATS);
      end
      frame_ends[wr_bank] <= in_last;
      if (fills) wr_bank <= !wr_bank;
    end
    if (rst) begin
      beat        <= '0;
      pixel       <= '0;
      group       <= '0;
      place       <= '0;
      group_place <= '0;
      wr_bank     <= 1'b0;
    end
  end

  // ---- Read: one place after the other.
  logic [BLOCK_BITS-1:0] rd_place;
  wire                   read    = filled != 2'd0 && (!out_valid || out_ready);
  wire                   empties = read && (BLOCK == 1 || rd_place == (rd_short ? BLOCK_BITS'(SHORT_BLOCK - 1) : BLOCK_BITS'(BLOCK - 1)));
  always_ff @(posedge clk) begin
    if (read) begin
      rd_place <= empties ? '0 : rd_place + 1'b1;
      out_last <= empties && frame_ends[rd_bank];
      if (empties) rd_bank <= !rd_bank;
    end
    out_valid <= read || (out_valid && !out_ready);
    filled    <= filled + {1'b0, fills} - {1'b0, empties};
    if (rst) begin
      rd_place  <= '0;
      rd_bank   <= 1'b0;
      filled    <= '0;
      out_valid <= 1'b0;
    end
  end

  // ---- Which blocks are short.
  if (SHORT == PIXELS) begin : g_whole
    assign {wr_short, rd_short} = 2'b00;
  end else begin : g_rows
    localparam int ROW_BITS = ROW > 1 ? $clog2(ROW) : 1;
    logic [ROW_BITS-1:0] wr_block, rd_block;
    assign wr_short = ROW == 1 || wr_block == ROW_BITS'(ROW - 1);
    assign rd_short = ROW == 1 || rd_block == ROW_BITS'(ROW - 1);
    always_ff @(posedge clk) begin
      if (fills) wr_block <= wr_short ? '0 : wr_block + 1'b1;
      if (empties) rd_block <= rd_short ? '0 : rd_block + 1'b1;
      if (rst) begin
        wr_block <= '0;
        rd_block <= '0;
      end
    end
`ifdef FORMAL
    // Blocks are counted modulo 16: ROW must divide it.
    always_comb if (f_past_valid && !rst) begin
      assert (4'(wr_block) == f_in_block % 4'(ROW));
      assert (4'(rd_block) == f_read_block % 4'(ROW));
    end
`endif
  end

`ifdef FORMAL
  wire [2*2**BLOCK_BITS*WIDTH-1:0] f_contents;
`endif
  // Never reads and writes one address: the two are in different banks.
  ram_1w1r #(.WIDTH(WIDTH), .DEPTH(2 ** (BLOCK_BITS + 1))) blocks (
      .clk(clk), .wr_en(write), .wr_addr({wr_bank, place}), .wr_data(in_data), .rd_en(read), .rd_addr({rd_bank, rd_place}), .rd_data(out_data)
`ifdef FORMAL
      , .f_contents(f_contents)
`endif
  );
`ifdef FORMAL
  `include "pixel_order_props.svh"
`endif
endmodule
`default_nettype wire
