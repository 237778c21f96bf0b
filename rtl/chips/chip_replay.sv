// SPDX-License-Identifier: Apache-2.0
// chip_replay - words on their way to another chip, kept until they have arrived: the sending half of a link's protocol (go-back-N)
//
// Words are numbered modulo 2*DEPTH. A frame carries the next few words and the number of the first. The receiver tells, again and again, the number of the next
// word that it wants (all before have arrived), for how many from there on it has room, and a bit that changes whenever it wants to be sent those words again. When it has been silent for TIMEOUT
// clocks although words are under way, they are sent again too. What the receiver tells takes effect between frames.
//
//   written     next word to come in
//   sent        next word to go out: falls back to confirmed for a repetition
//   confirmed   next word that the receiver wants; confirmed <= sent <= written <= confirmed + DEPTH, sent <= limit <= confirmed + DEPTH
//
// Latency    four clocks from a word to the frame that carries it.
// Infers     see ram_1w1r.
`default_nettype none
module chip_replay #(
    parameter int WIDTH   = 64,    // bits of a word
    parameter int DEPTH   = 64,    // words, a power of two from 4 to 32768
    parameter int FRAME   = 16,    // words of a frame, at most; 1 to DEPTH
    parameter int TIMEOUT = 1024   // clocks: longer than the way there and back, two frames and two reports take
) (
    input  wire                         clk,
    input  wire                         rst,

    input  wire                         in_valid,
    output logic                        in_ready,
    input  wire  [WIDTH-1:0]            in_data,

    input  wire                         idle,      // a frame may be started
    output logic                        start,
    output logic [$clog2(DEPTH):0]      number,    // of the first word, when started
    output logic [$clog2(FRAME+1)-1:0]  count,     // of words, when started
    input  wire                         word_take,
    output logic [WIDTH-1:0]            word,

    input  wire                         report_valid,
    input  wire  [$clog2(DEPTH):0]      report_number,  // next word that the receiver wants
    input  wire  [$clog2(DEPTH):0]      report_room,    // for words from there on
    input  wire                         report_retry    // changes: send again
);
  if (DEPTH < 4 || DEPTH > 32768 || (DEPTH & (DEPTH - 1)) != 0) begin : g_depth error_DEPTH_must_be_a_power_of_two_from_4_to_32768 check (); end
  if (FRAME < 1 || FRAME > DEPTH) begin : g_frame error_FRAME_must_be_from_1_to_DEPTH check (); end
  if (TIMEOUT < 4) begin : g_timeout error_TIMEOUT_must_be_at_least_4 check (); end

  localparam int ADDR_BITS  = $clog2(DEPTH);
  localparam int COUNT_BITS = $clog2(FRAME + 1);
  localparam int TIME_BITS  = $clog2(TIMEOUT + 1);
  localparam int MOST = FRAME, LAST = TIMEOUT;

  logic [ADDR_BITS:0] written, fetched, sent, confirmed, limit;
  logic               word_valid;  // the RAM's register holds the word `sent`
  logic               retry;       // as last told
  logic               told, told_retry;
  logic [ADDR_BITS:0] told_number, told_room;
  logic [TIME_BITS-1:0] waited;
  logic               settled;     // todo is of the present pointers

  wire [ADDR_BITS:0] held     = written - confirmed;
  wire [ADDR_BITS:0] under_way = sent - confirmed;
  wire [ADDR_BITS:0] gained   = told_number - confirmed;
  wire               write    = in_valid && in_ready;
  wire               expired  = waited == LAST[TIME_BITS-1:0];
  wire               apply    = idle && told;
  wire               rewind   = apply ? told_retry != retry || gained > under_way : idle && expired;
  wire [ADDR_BITS:0] origin   = apply ? told_number : confirmed;
  wire               unread   = fetched != written;
  wire               fetch    = unread && (!word_valid || word_take) && !rewind;

  // Words that a frame may carry, a clock late.
  wire [ADDR_BITS:0] unsent   = written - sent;
  wire [ADDR_BITS:0] allowed  = limit - sent;
  wire [ADDR_BITS:0] possible = unsent < allowed ? unsent : allowed;
  logic [COUNT_BITS-1:0] todo;

  assign in_ready = !held[ADDR_BITS];
  assign start    = idle && settled && !told && !expired && todo != '0;
  assign number   = sent;
  assign count    = todo;

  always_ff @(posedge clk) begin
    if (write) written <= written + 1'b1;
    if (fetch) fetched <= fetched + 1'b1;
    if (word_take) sent <= sent + 1'b1;
    if (!word_valid || word_take) word_valid <= unread;
    if (apply) begin
      confirmed <= told_number;
      limit     <= told_number + told_room;
      retry     <= told_retry;
      told      <= 1'b0;
    end
    if (rewind) begin
      sent       <= origin;
      fetched    <= origin;
      word_valid <= 1'b0;
    end
    if (report_valid) told <= 1'b1;

    if (under_way == '0 || rewind || (apply && gained != '0)) waited <= '0;
    else if (!expired) waited <= waited + 1'b1;
    settled <= !(apply || rewind || word_take);
    todo    <= possible > MOST[ADDR_BITS:0] ? MOST[COUNT_BITS-1:0] : possible[COUNT_BITS-1:0];
    if (rst) begin
      written    <= '0;
      fetched    <= '0;
      sent       <= '0;
      confirmed  <= '0;
      limit      <= '0;
      word_valid <= 1'b0;
      retry      <= 1'b0;
      told       <= 1'b0;
      waited     <= '0;
      settled    <= 1'b0;
    end
  end

  always_ff @(posedge clk)
    if (report_valid) begin
      told_number <= report_number;
      told_room   <= report_room;
      told_retry  <= report_retry;
    end

`ifdef FORMAL
  wire [DEPTH*WIDTH-1:0] f_contents;
`endif
  // Never reads and writes one address: a word is read the clock after it was written, or later, and one that is not confirmed is not overwritten.
  ram_1w1r #(.WIDTH(WIDTH), .DEPTH(DEPTH)) words (
      .clk    (clk),
      .wr_en  (write),
      .wr_addr(written[ADDR_BITS-1:0]),
      .wr_data(in_data),
      .rd_en  (fetch),
      .rd_addr(fetched[ADDR_BITS-1:0]),
      .rd_data(word)
`ifdef FORMAL
      , .f_contents(f_contents)
`endif
  );
`ifdef FORMAL
  `include "chip_replay_props.svh"
`endif
endmodule
`default_nettype wire
