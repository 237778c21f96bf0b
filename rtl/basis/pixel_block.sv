// SPDX-License-Identifier: Apache-2.0
// pixel_block - PIXELS neighbouring pixels become words of one channel each: channel 0 of all pixels, channel 1 of all pixels, ..
//
//   in      pixel 0, pixel 1, ..        a pixel: CHANNELS/LANES beats, channel 0 in the low bits
//   out     channel 0 {.., pixel 1, pixel 0}, channel 1, ..        out_last with channel CHANNELS-1
//
// A memory keeps the pixels before the last: each beat of a pixel is put on top of those of the pixels before it, so that the words are complete, and leave, while
// the last pixel comes.
//
// Latency    one clock from the last pixel's beat.
// Rate       a beat per clock; LANES clocks for a beat of the last pixel: CHANNELS*(1 + (PIXELS-1)/LANES) clocks for a block.
// Reset      control only.
// Paths      out_ready to in_ready.
`default_nettype none
module pixel_block #(
    parameter int LANES    = 1,  // channels per beat, divides CHANNELS
    parameter int A_BITS   = 4,
    parameter int CHANNELS = 4,
    parameter int PIXELS   = 2,
    localparam int BEAT_BITS = LANES * A_BITS
) (
    input  wire                      clk,
    input  wire                      rst,

    input  wire                      in_valid,
    output wire                      in_ready,
    input  wire  [BEAT_BITS-1:0]     in_data,

    output logic                     out_valid,
    input  wire                      out_ready,
    output logic [PIXELS*A_BITS-1:0] out_data,
    output logic                     out_last
);
  if (CHANNELS % LANES != 0) begin : g_lanes error_LANES_must_divide_CHANNELS check (); end

  localparam int CHUNKS     = CHANNELS / LANES;
  localparam int CHUNK_BITS = CHUNKS > 1 ? $clog2(CHUNKS) : 1;
  localparam int PIXEL_BITS = PIXELS > 1 ? $clog2(PIXELS) : 1;
  localparam int LANE_BITS  = LANES > 1 ? $clog2(LANES) : 1;

  logic [CHUNK_BITS-1:0] chunk;
  logic [PIXEL_BITS-1:0] pixel;
  logic [LANE_BITS-1:0]  lane;
  wire chunk_ends = CHUNKS == 1 || chunk == CHUNK_BITS'(CHUNKS - 1);
  wire pixel_ends = PIXELS == 1 || pixel == PIXEL_BITS'(PIXELS - 1);
  wire lane_ends  = LANES == 1 || lane == LANE_BITS'(LANES - 1);
  wire slot_free  = !out_valid || out_ready;
  wire gives      = in_valid && pixel_ends && slot_free;
  wire takes      = in_valid && in_ready;
  assign in_ready = !pixel_ends || (slot_free && lane_ends);

  wire [CHUNK_BITS-1:0] chunk_next = chunk_ends ? '0 : chunk + 1'b1;
  always_ff @(posedge clk) begin
    if (gives) lane <= lane_ends ? '0 : lane + 1'b1;
    if (takes) chunk <= chunk_next;
    if (takes && chunk_ends) pixel <= pixel_ends ? '0 : pixel + 1'b1;
    if (slot_free) out_valid <= gives;
    if (rst) begin
      lane      <= '0;
      chunk     <= '0;
      pixel     <= '0;
      out_valid <= 1'b0;
    end
  end
  always_ff @(posedge clk) if (slot_free) out_last <= chunk_ends && lane_ends;

  wire [A_BITS-1:0] newest = in_data[lane*A_BITS+:A_BITS];
  if (PIXELS > 1) begin : g_older
    localparam int OLDER = (PIXELS - 1) * A_BITS;  // bits of a channel's pixels before the last
    wire [LANES*OLDER-1:0] older, stacked;
    for (genvar i = 0; i < LANES; i++) begin : g_lane
      wire [OLDER+A_BITS-1:0] whole = {in_data[i*A_BITS+:A_BITS], older[i*OLDER+:OLDER]};
      assign stacked[i*OLDER+:OLDER] = whole[OLDER+A_BITS-1:A_BITS];
      wire unused = &{1'b0, whole[A_BITS-1:0]};
    end
    wire writes = takes && !pixel_ends;
    if (CHUNKS == 1) begin : g_register
      logic [LANES*OLDER-1:0] held;
      always_ff @(posedge clk) if (writes) held <= stacked;
      assign older = held;
    end else begin : g_memory  // read a beat ahead: never the address that is written
      ram_1w1r #(.WIDTH(LANES * OLDER), .DEPTH(CHUNKS), .STYLE(LANES * OLDER * CHUNKS > 1024 ? 1 : 0)) pixels (
          .clk(clk), .wr_en(writes), .wr_addr(chunk), .wr_data(stacked), .rd_en(takes), .rd_addr(chunk_next), .rd_data(older)
      );
    end
    always_ff @(posedge clk) if (slot_free) out_data <= {newest, older[lane*OLDER+:OLDER]};
  end else begin : g_one
    always_ff @(posedge clk) if (slot_free) out_data <= newest;
  end
endmodule
`default_nettype wire
