// SPDX-License-Identifier: Apache-2.0
// replay_buffer - FIFO whose bytes can be read again until they are confirmed
//
//   read       _/~~~~~\________/~~~~~\__________      the next byte is taken (rd_valid and rd_ready)
//   rewind     ___________/~\___________________      reading starts again at the first byte that is not confirmed
//   confirm    ___________________________/~\___      what was read will not be asked for again: its room is free
//
// With rewind or confirm nothing may be read.
//
// Latency    two clocks from a write, a read or a rewind to the next rd_valid.
// Rate       writes: one byte per clock; reads: one in two clocks.
// Reset      `clear` empties it.
// Infers     see ram_1w1r.
`default_nettype none
module replay_buffer #(
    parameter int DEPTH = 512  // bytes, a power of two from 4 to 32768
) (
    input  wire         clk,
    input  wire         clear,

    input  wire         in_valid,
    output logic        in_ready,
    input  wire  [7:0]  in_data,

    output logic        rd_valid,
    input  wire         rd_ready,
    output logic [7:0]  rd_data,
    input  wire         rewind,
    input  wire         confirm,
    output logic [$clog2(DEPTH):0] available  // bytes that are not confirmed
);
  if (DEPTH < 4 || DEPTH > 32768 || (DEPTH & (DEPTH - 1)) != 0) begin : g_depth error_DEPTH_must_be_a_power_of_two_from_4_to_32768 check (); end

  localparam int ADDR_BITS = $clog2(DEPTH);

  logic [ADDR_BITS:0] wr_next, rd_next, confirmed;

  wire [ADDR_BITS:0] held   = wr_next - confirmed;
  wire               write  = in_valid && in_ready;
  wire               read   = rd_valid && rd_ready;
  wire               unread = rd_next != wr_next;

  assign in_ready  = !held[ADDR_BITS];
  assign available = held;

  always_ff @(posedge clk) begin
    if (write) wr_next <= wr_next + 1'b1;
    if (read) rd_next <= rd_next + 1'b1;
    if (rewind) rd_next <= confirmed;
    if (confirm) confirmed <= rd_next;
    rd_valid <= unread && !read && !rewind;  // the RAM's register holds the byte at rd_next
    if (clear) begin
      wr_next   <= '0;
      rd_next   <= '0;
      confirmed <= '0;
      rd_valid  <= 1'b0;
    end
  end

`ifdef FORMAL
  wire [DEPTH*8-1:0] f_contents;
`endif
  // Never reads and writes one address: a byte is read the clock after it was written, or later, and one that is not confirmed is not overwritten.
  ram_1w1r #(.WIDTH(8), .DEPTH(DEPTH)) bytes (
      .clk    (clk),
      .wr_en  (write),
      .wr_addr(wr_next[ADDR_BITS-1:0]),
      .wr_data(in_data),
      .rd_en  (unread),
      .rd_addr(rd_next[ADDR_BITS-1:0]),
      .rd_data(rd_data)
`ifdef FORMAL
      , .f_contents(f_contents)
`endif
  );
`ifdef FORMAL
  `include "replay_buffer_props.svh"
`endif
endmodule
`default_nettype wire
