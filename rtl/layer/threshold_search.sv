// SPDX-License-Identifier: Apache-2.0
// threshold_search - output codes from values and per-channel thresholds, by a pipelined binary search
//
// A channel has LEVELS ascending thresholds; n = #{ i : value >= T_i }; code = LOW + STEP * (falling ? LEVELS - n : n) modulo 2^OUT_BITS.
// Level j finds bit SEARCH_BITS-1-j of n by one comparison. Each lane and level has a ROM of its own with the file
// <INIT>_level<j>_lane<ll>.mem (ll: two digits), addressed by {beat, bits of n found so far}; its words are thresholds of VALUE_BITS bits, on level 0
// with `falling` above them. Places beyond LEVELS hold a value that is never reached.
//
// REGISTERED: a register stands between ROM and comparison, for devices whose block RAMs are slow to give their word (ECP5: 5.6 ns).
//
// Latency    (2 + REGISTERED)*SEARCH_BITS + 1 clocks.
// Rate       LANES channels per clock.
// Reset      none: no control inside; the caller delays valid by the latency.
`default_nettype none
module threshold_search #(
    parameter int LANES       = 1,   // channels per clock, 1 to 100
    parameter int BEATS       = 1,   // beats of different channels: the range of `beat`
    parameter int VALUE_BITS  = 16,  // signed values and thresholds
    parameter int SEARCH_BITS = 1,   // comparisons, 1 to 8
    parameter int LEVELS      = 1,   // thresholds per channel, up to 2^SEARCH_BITS - 1
    parameter int LOW         = 0,   // code of n = 0 in a rising channel
    parameter int STEP        = 1,   // code difference between neighbours
    parameter int OUT_BITS    = 1,
    parameter int REGISTERED  = 0,
    parameter int LUT_BITS    = 1024,  // ROMs of up to so many bits, or 16 words, are logic
    parameter     INIT        = "",
    localparam int BEAT_BITS = BEATS > 1 ? $clog2(BEATS) : 1
) (
    input  wire                        clk,
    input  wire [BEAT_BITS-1:0]        beat,
    input  wire [LANES*VALUE_BITS-1:0] values,
    output wire [LANES*OUT_BITS-1:0]   codes
);
  if (SEARCH_BITS < 1 || SEARCH_BITS > 8) begin : g_bits error_SEARCH_BITS_must_be_1_to_8 check (); end
  if (LANES > 100) begin : g_lanes error_LANES_must_be_at_most_100 check (); end
  if (LEVELS > 2 ** SEARCH_BITS - 1) begin : g_levels error_LEVELS_must_fit_SEARCH_BITS check (); end

  // The beat of each level: the ROM is read in the first of the level's clocks.
  localparam int CLOCKS = 2 + REGISTERED;  // of a level
  logic [CLOCKS*SEARCH_BITS*BEAT_BITS-1:0] beats;
  wire  [(CLOCKS*SEARCH_BITS+1)*BEAT_BITS-1:0] beats_shifted = {beats, beat};
  always_ff @(posedge clk) beats <= beats_shifted[CLOCKS*SEARCH_BITS*BEAT_BITS-1:0];
  wire unused_beat = &{1'b0, beats_shifted[(CLOCKS*SEARCH_BITS+1)*BEAT_BITS-1-:CLOCKS*BEAT_BITS]};

  for (genvar lane = 0; lane < LANES; lane++) begin : g_lane
    localparam logic [7:0] TENS = 8'd48 + 8'(lane / 10);
    localparam logic [7:0] ONES = 8'd48 + 8'(lane % 10);

    for (genvar level = 0; level < SEARCH_BITS; level++) begin : g_level
      localparam int FOUND      = level > 0 ? level : 1;  // bits of n before this level; level 0 carries one dead bit
      localparam int WORD_BITS  = VALUE_BITS + (level == 0 ? 1 : 0);
      localparam int ROM_WORDS  = BEATS * 2 ** level;
      localparam int ADDR_BITS  = ROM_WORDS > 1 ? $clog2(ROM_WORDS) : 1;
      localparam logic [7:0] DIGIT = 8'd48 + 8'(level);
      localparam FILE = INIT == "" ? "" : {INIT, "_level", DIGIT, "_lane", TENS, ONES, ".mem"};

      wire [VALUE_BITS-1:0] value;    // in the level's first clock
      wire [FOUND-1:0]      found;
      wire                  falling;
      wire [BEAT_BITS-1:0]  at = beats_shifted[CLOCKS*level*BEAT_BITS+:BEAT_BITS];
      wire [ADDR_BITS-1:0]  addr;
      wire [WORD_BITS-1:0]  read, word;

      if (level == 0) begin : g_first
        assign value   = values[lane*VALUE_BITS+:VALUE_BITS];
        assign found   = '0;
        assign falling = 1'b0;
        assign addr    = ADDR_BITS'(at);
      end else begin : g_next
        assign value   = g_level[level-1].value_out;
        assign found   = g_level[level-1].found_out[FOUND-1:0];
        assign falling = g_level[level-1].falling_out;
        assign addr    = BEATS > 1 ? ADDR_BITS'({at, found}) : ADDR_BITS'(found);
      end

      rom #(.WIDTH(WORD_BITS), .DEPTH(ROM_WORDS), .INIT(FILE),
            .STYLE(ROM_WORDS <= 16 || ROM_WORDS * WORD_BITS <= LUT_BITS ? 2 : 1)) thresholds (
          .clk(clk), .rd_en(1'b1), .rd_addr(addr), .rd_data(read)
      );

      // What the ROM's word meets, delayed as the word is.
      localparam int MID_BITS = VALUE_BITS + FOUND + 1;
      logic [MID_BITS-1:0]   first;
      wire  [VALUE_BITS-1:0] value_mid;
      wire  [FOUND-1:0]      found_mid;
      wire                   falling_mid;
      always_ff @(posedge clk) first <= {value, found, falling};
      if (REGISTERED != 0) begin : g_register
        logic [MID_BITS-1:0]  second;
        logic [WORD_BITS-1:0] held;
        always_ff @(posedge clk) {second, held} <= {first, read};
        assign {value_mid, found_mid, falling_mid, word} = {second, held};
      end else begin : g_direct
        assign {value_mid, found_mid, falling_mid, word} = {first, read};
      end

      logic [VALUE_BITS-1:0] value_out;
      logic [FOUND:0]        found_out;
      logic                  falling_out;
      wire                   reached = $signed(value_mid) >= $signed(word[VALUE_BITS-1:0]);
      always_ff @(posedge clk) begin
        value_out   <= value_mid;
        found_out   <= {found_mid, reached};
        falling_out <= level == 0 ? word[WORD_BITS-1] : falling_mid;
      end
      wire unused_dead = level == 0 && found_out[FOUND];
    end

    wire [SEARCH_BITS-1:0] n       = g_level[SEARCH_BITS-1].found_out[SEARCH_BITS-1:0];
    wire                   falling = g_level[SEARCH_BITS-1].falling_out;
    localparam int CODE_BITS = OUT_BITS > SEARCH_BITS ? OUT_BITS : SEARCH_BITS;
    wire [CODE_BITS-1:0]   steps   = falling ? CODE_BITS'(LEVELS) - CODE_BITS'(n) : CODE_BITS'(n);
    logic [OUT_BITS-1:0]   code;
    always_ff @(posedge clk) code <= OUT_BITS'(LOW) + OUT_BITS'(STEP) * OUT_BITS'(steps);
    assign codes[lane*OUT_BITS+:OUT_BITS] = code;
    wire unused = &{1'b0, g_level[SEARCH_BITS-1].value_out, g_level[SEARCH_BITS-1].found_out, steps};
  end
endmodule
`default_nettype wire
