// SPDX-License-Identifier: Apache-2.0
// chunk_buffer - holds the bytes of a packet back until it is known to be good
//
//   wr_valid   __/~~~~~~~~~\______________/~~~~~\_______
//   commit     _______________/~\_______________________      the bytes since the last commit or rollback may leave
//   rollback   ____________________________________/~\__      they are forgotten
//   out_valid  __________________/~~~~~~~~~\____________
//
// A byte that finds no room, or comes with `clear`, is lost, and `lost` says so until commit or rollback: such a packet must be rolled back.
// With commit or rollback no byte may come.
//
// Latency    two clocks from commit to out_valid.
// Reset      `clear` empties it and sets `position` to 0; `rst` also forgets `lost`.
// Infers     see ram_1w1r.
`default_nettype none
module chunk_buffer #(
    parameter int DEPTH = 512  // bytes, a power of two from 4 to 32768
) (
    input  wire         clk,
    input  wire         rst,
    input  wire         clear,   // with rst too

    input  wire         wr_valid,
    input  wire  [7:0]  wr_data,
    input  wire         commit,
    input  wire         rollback,
    output logic        lost,
    output logic [$clog2(DEPTH):0] position,  // bytes committed since `clear`, modulo 2*DEPTH
    output logic [$clog2(DEPTH):0] free,      // bytes that find room

    output logic        out_valid,
    input  wire         out_ready,
    output logic [7:0]  out_data
);
  if (DEPTH < 4 || DEPTH > 32768 || (DEPTH & (DEPTH - 1)) != 0) begin : g_depth error_DEPTH_must_be_a_power_of_two_from_4_to_32768 check (); end

  localparam int ADDR_BITS = $clog2(DEPTH);

  logic [ADDR_BITS:0] next;     // where the next byte goes; those from position on wait for commit
  logic [ADDR_BITS:0] rd_next;  // the next to leave the RAM

  wire full   = next == {!rd_next[ADDR_BITS], rd_next[ADDR_BITS-1:0]};
  wire write  = wr_valid && !full && !clear;
  wire in_ram = rd_next != position;
  wire fetch  = in_ram && (!out_valid || out_ready);

  // DEPTH - (position - rd_next), modulo 2*DEPTH
  wire [ADDR_BITS:0] gap = rd_next - position;
  assign free = {!gap[ADDR_BITS], gap[ADDR_BITS-1:0]};

  always_ff @(posedge clk) begin
    if (wr_valid && !write) lost <= 1'b1;
    if (write) next <= next + 1'b1;
    if (commit) position <= next;
    if (rollback) next <= position;
    if (commit || rollback || rst) lost <= 1'b0;
    if (fetch) rd_next <= rd_next + 1'b1;
    if (!out_valid || out_ready) out_valid <= in_ram;
    if (clear) begin
      next      <= '0;
      position  <= '0;
      rd_next   <= '0;
      out_valid <= 1'b0;
    end
  end

`ifdef FORMAL
  wire [DEPTH*8-1:0] f_contents;
`endif
  // Never reads and writes one address: what is read is committed, and a byte is written only where none is held.
  ram_1w1r #(.WIDTH(8), .DEPTH(DEPTH)) bytes (
      .clk    (clk),
      .wr_en  (write),
      .wr_addr(next[ADDR_BITS-1:0]),
      .wr_data(wr_data),
      .rd_en  (fetch),
      .rd_addr(rd_next[ADDR_BITS-1:0]),
      .rd_data(out_data)
`ifdef FORMAL
      , .f_contents(f_contents)
`endif
  );
`ifdef FORMAL
  `include "chunk_buffer_props.svh"
`endif
endmodule
`default_nettype wire
