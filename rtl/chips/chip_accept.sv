// SPDX-License-Identifier: Apache-2.0
// chip_accept - words from another chip, each once and in order: the receiving half of a link's protocol (go-back-N)
//
// A word of a frame is stored when its number is that of the next word wanted and there is room, so words that come again, or that follow one that was lost, are passed over. What a frame
// has brought counts when the frame proves good; else it is written over. `retry` changes at the first sign of a loss, a bad frame or a number that is too high, and not again before a
// word has arrived.
//
// Latency    two clocks from the end of a frame to the output of its first word.
// Infers     see ram_1w1r.
`default_nettype none
module chip_accept #(
    parameter int WIDTH = 64,  // bits of a word
    parameter int DEPTH = 64   // words, a power of two from 4 to 32768; the sender's
) (
    input  wire                    clk,
    input  wire                    rst,

    input  wire                    frame_begin,
    input  wire  [$clog2(DEPTH):0] frame_number,  // of the first word, with frame_begin
    input  wire                    word_valid,
    input  wire  [WIDTH-1:0]       word,
    input  wire                    frame_end,
    input  wire                    frame_good,    // with frame_end; only if there was a frame_begin

    output logic [$clog2(DEPTH):0] wanted,        // number of the next word
    output logic [$clog2(DEPTH):0] room,          // for words from there on
    output logic                   retry,         // changes: send again from there on

    output logic                   out_valid,
    input  wire                    out_ready,
    output logic [WIDTH-1:0]       out_data
);
  if (DEPTH < 4 || DEPTH > 32768 || (DEPTH & (DEPTH - 1)) != 0) begin : g_depth error_DEPTH_must_be_a_power_of_two_from_4_to_32768 check (); end

  localparam int ADDR_BITS = $clog2(DEPTH);

  logic [ADDR_BITS:0] next;      // where the frame's next word goes, if it is good
  logic [ADDR_BITS:0] coming;    // number of the frame's next word
  logic [ADDR_BITS:0] rd_next;   // the next to leave the RAM
  logic               gap;       // the frame begins behind what is wanted
  logic               asked;     // no word since retry changed

  wire [ADDR_BITS:0] distance = frame_number - wanted;
  wire               full   = next == {!rd_next[ADDR_BITS], rd_next[ADDR_BITS-1:0]};
  wire               write  = word_valid && coming == next && !full;
  wire               fetch  = rd_next != wanted && (!out_valid || out_ready);
  wire               brings = frame_end && frame_good && next != wanted;
  wire               misses = frame_end && (!frame_good || gap) && !brings;

  // DEPTH - (wanted - rd_next), modulo 2*DEPTH
  wire [ADDR_BITS:0] free = rd_next - wanted;
  assign room = {!free[ADDR_BITS], free[ADDR_BITS-1:0]};

  always_ff @(posedge clk) begin
    if (frame_begin) begin
      next   <= wanted;
      coming <= frame_number;
      gap    <= distance != '0 && !distance[ADDR_BITS];
    end
    if (word_valid) coming <= coming + 1'b1;
    if (write) next <= next + 1'b1;
    if (brings) wanted <= next;
    if (brings) asked <= 1'b0;
    if (misses && !asked) begin
      asked <= 1'b1;
      retry <= !retry;
    end
    if (fetch) rd_next <= rd_next + 1'b1;
    if (!out_valid || out_ready) out_valid <= rd_next != wanted;
    if (rst) begin
      next      <= '0;
      wanted    <= '0;
      rd_next   <= '0;
      out_valid <= 1'b0;
      asked     <= 1'b0;
      retry     <= 1'b0;
    end
  end

`ifdef FORMAL
  wire [DEPTH*WIDTH-1:0] f_contents;
`endif
  // Never reads and writes one address: what is read counts as arrived, and a word is written only where none is kept.
  ram_1w1r #(.WIDTH(WIDTH), .DEPTH(DEPTH)) words (
      .clk    (clk),
      .wr_en  (write),
      .wr_addr(next[ADDR_BITS-1:0]),
      .wr_data(word),
      .rd_en  (fetch),
      .rd_addr(rd_next[ADDR_BITS-1:0]),
      .rd_data(out_data)
`ifdef FORMAL
      , .f_contents(f_contents)
`endif
  );
`ifdef FORMAL
  `include "chip_accept_props.svh"
`endif
endmodule
`default_nettype wire
