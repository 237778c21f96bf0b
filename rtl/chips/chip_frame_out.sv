// SPDX-License-Identifier: Apache-2.0
// chip_frame_out - puts frames on a bundle of lanes: a header, words, a check
//
//   start        _/~\_______________________________________
//   word_take    _________/~\_____/~\_______________________     count = 2, two symbols a word
//   line valid   _____/~~~~~~~~~~~~~~~~~~~~~~~~~~~\_________
//   line lanes   -----<header><w  w><w  w><c  c  c c>-------
//
// Header, each word and the check begin with a symbol of their own, low bits first. A symbol is LANES bits and lasts CLOCKS clocks; between frames the line is
// invalid for one symbol or longer.
//
// Latency    two clocks from start to the first symbol (CLOCKS = 1), at the pins' registers.
// Rate       ceil(HEADER/LANES) + count * ceil(WIDTH/LANES) + ceil(32/LANES) + 1 symbols a frame.
`default_nettype none
module chip_frame_out #(
    parameter int LANES  = 8,   // bits of a symbol, 1 to 8
    parameter int CLOCKS = 1,   // clocks of a symbol, >= 1
    parameter int HEADER = 16,  // bits of a header, >= 1
    parameter int WIDTH  = 64,  // bits of a word, >= 1
    parameter int COUNT_BITS = 5
) (
    input  wire                   clk,
    input  wire                   rst,

    output logic                  idle,       // a frame may be started
    input  wire                   start,      // with idle only
    input  wire  [HEADER-1:0]     header,     // when started
    input  wire  [COUNT_BITS-1:0] count,      // words to follow, when started
    output logic                  word_take,  // word is taken in this clock: it has to be there
    input  wire  [WIDTH-1:0]      word,

    output logic [LANES:0]        line        // {valid, lanes}
);
  localparam int HEADER_SYMBOLS = (HEADER + LANES - 1) / LANES;
  localparam int WORD_SYMBOLS   = (WIDTH + LANES - 1) / LANES;
  localparam int CHECK_SYMBOLS  = (32 + LANES - 1) / LANES;
  localparam int LONGER         = HEADER_SYMBOLS > WORD_SYMBOLS ? HEADER_SYMBOLS : WORD_SYMBOLS;
  localparam int MOST           = LONGER > CHECK_SYMBOLS ? LONGER : CHECK_SYMBOLS;
  localparam int LEFT_BITS      = $clog2(MOST + 1);
  localparam int CLOCK_BITS     = CLOCKS > 1 ? $clog2(CLOCKS) : 1;
  localparam int BITS           = LONGER * LANES;
  localparam int HEADER_LEFT = HEADER_SYMBOLS - 1, WORD_LEFT = WORD_SYMBOLS - 1, CHECK_LEFT = CHECK_SYMBOLS - 1, CLOCKS_LEFT = CLOCKS - 1;
  if (LANES < 1 || LANES > 8) begin : g_lanes error_LANES_must_be_from_1_to_8 check (); end
  if (CLOCKS < 1) begin : g_clocks error_CLOCKS_must_be_at_least_1 check (); end

  localparam logic [1:0] StIdle = 2'd0, StBody = 2'd1, StCheck = 2'd2;
  logic [1:0]            state;
  logic [CLOCK_BITS-1:0] clocks;  // left of the symbol on the line
  logic [LEFT_BITS-1:0]  left;    // symbols of the item after the one to be sent next
  logic [COUNT_BITS-1:0] words;   // of the frame after the item under way
  logic [BITS-1:0]       bits;    // of the item
  logic [31:0]           crc;

  wire              tick    = clocks == '0;
  wire              sends   = tick && state != StIdle;
  wire              ends    = left == '0;
  wire [LANES-1:0]  symbol  = state == StCheck ? crc[LANES-1:0] : bits[LANES-1:0];

  assign idle      = state == StIdle && tick;
  assign word_take = sends && state == StBody && ends && words != '0;

  always_ff @(posedge clk) begin
    if (!tick) clocks <= clocks - 1'b1;
    else if (start || sends) clocks <= CLOCKS_LEFT[CLOCK_BITS-1:0];
    if (tick) begin
      line[LANES] <= sends;
      left        <= left - 1'b1;
      if (start) begin
        state <= StBody;
        words <= count;
        left  <= HEADER_LEFT[LEFT_BITS-1:0];
      end else if (word_take) begin
        words <= words - 1'b1;
        left  <= WORD_LEFT[LEFT_BITS-1:0];
      end else if (sends && ends) begin
        state <= state == StBody ? StCheck : StIdle;
        left  <= CHECK_LEFT[LEFT_BITS-1:0];
      end
    end
    if (rst) begin
      state       <= StIdle;
      clocks      <= '0;
      line[LANES] <= 1'b0;
    end
  end

  always_ff @(posedge clk)
    if (tick) begin
      line[LANES-1:0] <= symbol;
      bits            <= start ? BITS'(header) : word_take ? BITS'(word) : bits >> LANES;
    end

  chip_crc #(.LANES(LANES)) check (
      .clk   (clk),
      .clear (start),
      .step  (sends),
      .symbol(symbol),
      .crc   (crc)
  );
  wire unused = &{1'b0, crc[31:LANES]};
endmodule
`default_nettype wire
