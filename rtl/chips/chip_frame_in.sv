// SPDX-License-Identifier: Apache-2.0
// chip_frame_in - takes the frames of chip_frame_out off a bundle of lanes, and says which are whole
//
// A frame begins when the line becomes valid and ends when it is sampled invalid. Words are told as they come: only at frame_end is it known whether they count.
// Whatever is on the line, the next undamaged frame after an invalid symbol is received.
// Symbols are sampled in their middle, as a UART does: with CLOCKS >= 4 the two ends may run from clocks of their own, as long as they do not drift by half a
// symbol within a frame; with fewer they share a clock. Lanes may not be skewed by more than half a symbol (CLOCKS = 1: by nothing that a register sees).
//
// Latency    5 clocks from the line's last symbol to frame_end (CLOCKS = 1), two of them in the pins' synchronizer.
`default_nettype none
module chip_frame_in #(
    parameter int LANES  = 8,   // as chip_frame_out
    parameter int CLOCKS = 1,
    parameter int HEADER = 16,
    parameter int WIDTH  = 64,
    parameter int COUNT_BITS = 5,  // the low bits of the header that count the words,
    parameter bit WORDS = 1        // if there are any
) (
    input  wire               clk,
    input  wire               rst,

    input  wire  [LANES:0]    line,         // {valid, lanes}

    output logic              frame_begin,  // header is there; it stays until the next
    output logic [HEADER-1:0] header,
    output logic              word_valid,
    output logic [WIDTH-1:0]  word,
    output logic              frame_end,    // comes after every frame, also after one that has had no frame_begin
    output logic              frame_good    // with frame_end
);
  localparam int HEADER_SYMBOLS = (HEADER + LANES - 1) / LANES;
  localparam int WORD_SYMBOLS   = (WIDTH + LANES - 1) / LANES;
  localparam int CHECK_SYMBOLS  = (32 + LANES - 1) / LANES;
  localparam int LONGER         = HEADER_SYMBOLS > WORD_SYMBOLS ? HEADER_SYMBOLS : WORD_SYMBOLS;
  localparam int MOST           = LONGER > CHECK_SYMBOLS ? LONGER : CHECK_SYMBOLS;
  localparam int LEFT_BITS      = $clog2(MOST + 1);
  localparam int CLOCK_BITS     = CLOCKS > 1 ? $clog2(CLOCKS) : 1;
  localparam int BITS           = LONGER * LANES;
  localparam int HEADER_LEFT = HEADER_SYMBOLS - 1, WORD_LEFT = WORD_SYMBOLS - 1, CHECK_LEFT = CHECK_SYMBOLS - 1;
  localparam int CLOCKS_LEFT = CLOCKS - 1, MIDDLE = CLOCKS / 2;
  if (LANES < 1 || LANES > 8) begin : g_lanes error_LANES_must_be_from_1_to_8 check (); end
  if (CLOCKS < 1) begin : g_clocks error_CLOCKS_must_be_at_least_1 check (); end
  if (COUNT_BITS > HEADER) begin : g_header error_HEADER_must_hold_COUNT_BITS check (); end

  logic [LANES:0] pins, seen;  // two registers: the pins belong to another clock
  always_ff @(posedge clk) begin
    pins <= line;
    seen <= pins;
  end

  logic                  in_frame;
  logic [CLOCK_BITS-1:0] clocks;  // to the next sample
  wire             active = in_frame || seen[LANES];
  wire             sample = active && clocks == '0;
  wire             take   = sample && seen[LANES];
  wire             close  = sample && !seen[LANES];
  wire [LANES-1:0] symbol = seen[LANES-1:0];

  localparam logic [2:0] StHeader = 3'd0, StWord = 3'd1, StCheck = 3'd2, StWhole = 3'd3, StExcess = 3'd4;
  logic [2:0]            state, state_next;
  logic [LEFT_BITS-1:0]  left, left_next;  // symbols of the item after the next one
  logic [COUNT_BITS-1:0] words, words_next;
  logic [BITS-1:0]       bits;             // the last symbols
  logic [31:0]           crc;
  wire                   ends = left == '0;

  // The item that ends with this symbol stands in the high bits.
  wire [BITS+LANES-1:0]  with_symbol = {symbol, bits};
  wire [BITS-1:0]        bits_next = with_symbol[BITS+LANES-1:LANES];
  wire                   unused = &{1'b0, with_symbol[LANES-1:0]};
  wire [HEADER-1:0]      header_next = bits_next[BITS-HEADER_SYMBOLS*LANES+:HEADER];
  wire [COUNT_BITS-1:0]  count = WORDS ? header_next[COUNT_BITS-1:0] : '0;

  always_comb begin
    state_next = state;
    left_next  = left - 1'b1;
    words_next = words;
    unique case (state)
      StHeader, StWord:
        if (ends) begin
          words_next = state == StHeader ? count : words - 1'b1;
          state_next = words_next == '0 ? StCheck : StWord;
          left_next  = words_next == '0 ? CHECK_LEFT[LEFT_BITS-1:0] : WORD_LEFT[LEFT_BITS-1:0];
        end
      StCheck: if (ends) state_next = StWhole;
      default: state_next = StExcess;
    endcase
  end

  always_ff @(posedge clk) begin
    if (!active || close) clocks <= MIDDLE[CLOCK_BITS-1:0];
    else clocks <= sample ? CLOCKS_LEFT[CLOCK_BITS-1:0] : clocks - 1'b1;
    if (sample) in_frame <= seen[LANES];
    else if (seen[LANES]) in_frame <= 1'b1;
    if (take) begin
      state <= state_next;
      left  <= left_next;
      words <= words_next;
    end
    frame_begin <= take && state == StHeader && ends;
    word_valid  <= take && state == StWord && ends;
    frame_end   <= close;
    if (close || rst) begin
      state <= StHeader;
      left  <= HEADER_LEFT[LEFT_BITS-1:0];
    end
    if (rst) begin
      in_frame    <= 1'b0;
      clocks      <= MIDDLE[CLOCK_BITS-1:0];
      frame_begin <= 1'b0;
      word_valid  <= 1'b0;
      frame_end   <= 1'b0;
    end
  end

  always_ff @(posedge clk) begin
    if (take) bits <= bits_next;
    if (take && state == StHeader && ends) header <= header_next;
    frame_good <= state == StWhole && crc == '0;
  end
  assign word = bits[BITS-WORD_SYMBOLS*LANES+:WIDTH];

  chip_crc #(.LANES(LANES)) check (
      .clk   (clk),
      .clear (close || rst),
      .step  (take),
      .symbol(symbol),
      .crc   (crc)
  );
endmodule
`default_nettype wire
