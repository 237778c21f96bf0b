// SPDX-License-Identifier: Apache-2.0
// window_reader - a circular buffer of stream words, read by a program that names words relative to a sliding window
//
// The window's first word stands at `base`; program word j reads word base + offset(j). After the last program word of a window base moves on: by STEP_X
// words within a row of windows, by STEP_ROW to the next row's first window, by STEP_FRAME to the next frame's. A window may be read when EXTENT words from base
// on are written; a word is accepted while it does not overwrite one from base on. Kernel size, dilation and skipped words exist only in the program.
//
//   written ........................base+EXTENT............
//           | free |  base ... window ... |  ahead  | free |
//
// The program of one window is GROUPS groups of PROGRAM_WORDS/GROUPS words, each word issued PASSES times in a row. A group starts only when `credit` is high;
// once started it is issued in consecutive clocks. control word j mod CONTROL_WORDS: {last, double, negate, offset}.
//
// Latency    issue to word_valid: 5 clocks. word_index comes 2 clocks before word_valid, early enough to address a ROM with a register behind it.
// Rate       one word per clock; no idle clock between groups, windows and frames while words and credit are there.
// Reset      empties the buffer and starts a frame; data is not reset.
// Paths      credit to busy and stalled.
`default_nettype none
module window_reader #(
    parameter int WIDTH         = 8,   // bits per word
    parameter int DEPTH         = 4,   // words that must find room, >= 2 and >= EXTENT and every STEP; the buffer holds a few more, see BUFFER
    parameter int EXTENT        = 1,   // words from base to the window's last
    parameter int OUT_HEIGHT    = 1,   // rows of windows in a frame
    parameter int OUT_WIDTH     = 1,   // windows in a row
    parameter int STEP_X        = 1,   // words, see above
    parameter int STEP_ROW      = 1,
    parameter int STEP_FRAME    = 1,
    parameter int PROGRAM_WORDS = 1,   // program words of a window, a multiple of GROUPS
    parameter int CONTROL_WORDS = 1,   // control words, dividing PROGRAM_WORDS
    parameter int GROUPS        = 1,
    parameter int PASSES        = 1,   // clocks per program word
    parameter int OFFSET_BITS   = 1,
    parameter     CONTROL_INIT  = "",
    parameter int CONTROL_STYLE = 0,   // of the ROM, see rom
    localparam int INDEX_BITS = PROGRAM_WORDS > 1 ? $clog2(PROGRAM_WORDS) : 1,
    localparam int PASS_BITS  = PASSES > 1 ? $clog2(PASSES) : 1
) (
    input  wire                   clk,
    input  wire                   rst,

    input  wire                   in_valid,
    output logic                  in_ready,
    input  wire  [WIDTH-1:0]      in_data,

    input  wire                   credit,       // a group may start
    output logic                  group_start,  // a group starts in this clock

    output logic [INDEX_BITS-1:0] word_index,   // program word, 2 clocks ahead of the rest

    output logic                  word_valid,
    output logic [WIDTH-1:0]      word_data,
    output logic [PASS_BITS-1:0]  word_pass,
    output logic                  word_first,   // first clock of a group
    output logic                  word_last,    // last clock of a group
    output logic                  word_double,  // first pass of a word that doubles
    output logic                  word_negate,
    output logic                  word_frame,   // with word_last: the frame's last group

    output logic                  busy,         // a word is issued
    output logic                  starved,      // none, for want of input
    output logic                  stalled       // none, for want of credit
);
  localparam int GROUP_WORDS = PROGRAM_WORDS / GROUPS;
  // A place is free again five clocks after its word came, at the earliest: that many words more keep the full rate with the smallest DEPTH. Up to 256 words,
  // which a block RAM holds anyway, a power of two saves the wrap of addresses. Beyond, the extra words never cross the next power of two.
  localparam int POWER       = 2 ** $clog2(DEPTH + 6);
  localparam int BUFFER      = POWER <= 256 ? POWER : 2 ** $clog2(DEPTH) < DEPTH + 6 ? 2 ** $clog2(DEPTH) : DEPTH + 6;
  localparam int ADDR_BITS   = $clog2(BUFFER);
  localparam bit WRAPS       = BUFFER == 2 ** ADDR_BITS;  // addresses wrap by themselves
  localparam int MAX_STEP    = STEP_FRAME > STEP_ROW ? (STEP_FRAME > STEP_X ? STEP_FRAME : STEP_X) : (STEP_ROW > STEP_X ? STEP_ROW : STEP_X);
  localparam int FILL_BITS   = $clog2(BUFFER + MAX_STEP + 1) + 2;  // fill counts, signed
  localparam int CTRL_BITS   = CONTROL_WORDS > 1 ? $clog2(CONTROL_WORDS) : 1;
  localparam int X_BITS      = OUT_WIDTH > 1 ? $clog2(OUT_WIDTH) : 1;
  localparam int Y_BITS      = OUT_HEIGHT > 1 ? $clog2(OUT_HEIGHT) : 1;
  localparam int WORD_BITS   = GROUP_WORDS > 1 ? $clog2(GROUP_WORDS) : 1;

  if (DEPTH < EXTENT) begin : g_depth error_DEPTH_must_hold_EXTENT check (); end
  if (DEPTH < MAX_STEP) begin : g_step error_DEPTH_must_hold_every_STEP check (); end
  if (PROGRAM_WORDS % GROUPS != 0) begin : g_groups error_GROUPS_must_divide_PROGRAM_WORDS check (); end
  if (PROGRAM_WORDS % CONTROL_WORDS != 0 || CONTROL_WORDS % GROUP_WORDS != 0) begin : g_control
    error_CONTROL_WORDS_must_be_whole_groups_and_divide_PROGRAM_WORDS check ();
  end
  if (2 ** OFFSET_BITS < EXTENT) begin : g_offset error_OFFSET_BITS_must_hold_EXTENT check (); end

  // ---- Where the sequencer stands: pass, word of the group, word of the window, window.
  logic                  in_group;  // a group has started and is not issued to its end
  logic [PASS_BITS-1:0]  pass;
  logic [WORD_BITS-1:0]  word;
  logic [CTRL_BITS-1:0]  control;
  logic [INDEX_BITS-1:0] index;
  logic [X_BITS-1:0]     x;
  logic [Y_BITS-1:0]     y;

  wire pass_ends   = PASSES == 1 || pass == PASS_BITS'(PASSES - 1);
  wire word_ends   = GROUP_WORDS == 1 || word == WORD_BITS'(GROUP_WORDS - 1);
  wire index_ends  = PROGRAM_WORDS == 1 || index == INDEX_BITS'(PROGRAM_WORDS - 1);
  wire x_ends      = OUT_WIDTH == 1 || x == X_BITS'(OUT_WIDTH - 1);
  wire y_ends      = OUT_HEIGHT == 1 || y == Y_BITS'(OUT_HEIGHT - 1);
  wire group_ends  = pass_ends && word_ends;
  wire window_ends = pass_ends && index_ends;

  // slack = fill - EXTENT: the window is there when it is not negative. Signs are ready conditions: no comparator stands in the loop.
  logic signed [FILL_BITS-1:0] slack;
  logic signed [FILL_BITS-1:0] room;   // words that may be written, minus 1
  wire window_there = !slack[FILL_BITS-1];

  assign busy        = in_group || (window_there && credit);
  assign starved     = !in_group && !window_there;
  assign stalled     = !in_group && window_there && !credit;
  assign group_start = busy && !in_group;
  wire   advance     = busy && window_ends;

  always_ff @(posedge clk) begin
    if (busy) begin
      in_group <= !group_ends;
      pass     <= pass_ends ? '0 : pass + 1'b1;
      if (pass_ends) begin
        word    <= word_ends ? '0 : word + 1'b1;
        index   <= index_ends ? '0 : index + 1'b1;
        control <= CONTROL_WORDS == 1 || control == CTRL_BITS'(CONTROL_WORDS - 1) ? '0 : control + 1'b1;
        if (index_ends) begin
          x <= x_ends ? '0 : x + 1'b1;
          if (x_ends) y <= y_ends ? '0 : y + 1'b1;
        end
      end
    end
    if (rst) begin
      in_group <= 1'b0;
      pass     <= '0;
      word     <= '0;
      index    <= '0;
      control  <= '0;
      x        <= '0;
      y        <= '0;
    end
  end

  // ---- Buffer: write side, and the window's base.
  logic [ADDR_BITS-1:0] wr_addr, base;
  wire                  write = in_valid && in_ready;
  wire [ADDR_BITS:0]    step  = !x_ends ? (ADDR_BITS + 1)'(STEP_X) : !y_ends ? (ADDR_BITS + 1)'(STEP_ROW) : (ADDR_BITS + 1)'(STEP_FRAME);

  // a + b modulo BUFFER for a < BUFFER, b <= BUFFER: both sums side by side, one selects.
  wire [ADDR_BITS+1:0] base_sum     = {2'b0, base} + {1'b0, step};
  wire [ADDR_BITS+1:0] base_wrapped = base_sum - (ADDR_BITS + 2)'(BUFFER);
  wire [ADDR_BITS-1:0] base_next    = WRAPS || base_wrapped[ADDR_BITS+1] ? base_sum[ADDR_BITS-1:0] : base_wrapped[ADDR_BITS-1:0];

  // Words of a window that has been issued are read up to 3 clocks later: they are given free with that delay.
  logic [2:0]                freed;
  logic [3*(ADDR_BITS+1)-1:0] freed_step;

  wire signed [FILL_BITS-1:0] taken = advance ? FILL_BITS'({1'b0, step}) : '0;
  wire signed [FILL_BITS-1:0] given = freed[2] ? FILL_BITS'({1'b0, freed_step[2*(ADDR_BITS+1)+:ADDR_BITS+1]}) : '0;

  assign in_ready = !room[FILL_BITS-1];

  always_ff @(posedge clk) begin
    if (write) wr_addr <= WRAPS || wr_addr != ADDR_BITS'(BUFFER - 1) ? wr_addr + 1'b1 : '0;
    if (advance) base <= base_next;
    slack      <= slack - taken + (write ? FILL_BITS'(1) : '0);
    room       <= room + given - (write ? FILL_BITS'(1) : '0);
    freed      <= {freed[1:0], advance};
    freed_step <= {freed_step[2*(ADDR_BITS+1)-1:0], step};
    if (rst) begin
      wr_addr <= '0;
      base    <= '0;
      slack   <= FILL_BITS'(-EXTENT);
      room    <= FILL_BITS'(BUFFER - 1);
      freed   <= '0;
    end
  end

  // ---- Pipeline: control word (1, 2), address (3), buffer (4), register (5).
  wire [OFFSET_BITS+2:0] control_word;
  rom #(.WIDTH(OFFSET_BITS + 3), .DEPTH(CONTROL_WORDS), .INIT(CONTROL_INIT), .STYLE(CONTROL_STYLE)) control_rom (
      .clk(clk), .rd_addr(control), .rd_data(control_word)
  );

  localparam int INFO_BITS = PASS_BITS + 3;  // {frame, first, pass_ends, pass}
  wire [INFO_BITS-1:0] info = {index_ends && x_ends && y_ends, group_start, pass_ends, pass};

  logic [4:0]               valid;
  logic [5*INFO_BITS-1:0]   info_pipe;     // stage s at [s*INFO_BITS +: INFO_BITS]
  logic [3*INDEX_BITS-1:0]  index_pipe;
  logic [2*ADDR_BITS-1:0]   base_pipe;
  logic [OFFSET_BITS+2:0]   control_2;
  logic [3*3-1:0]           flags_pipe;    // {last, double, negate} in stages 3, 4, 5
  logic [ADDR_BITS-1:0]     rd_addr;
  wire  [WIDTH-1:0]         rd_data;

  localparam int SUM_BITS = (ADDR_BITS > OFFSET_BITS ? ADDR_BITS : OFFSET_BITS) + 2;
  wire [SUM_BITS-1:0] sum     = SUM_BITS'(base_pipe[ADDR_BITS+:ADDR_BITS]) + SUM_BITS'(control_2[OFFSET_BITS-1:0]);
  wire [SUM_BITS-1:0] wrapped = sum - SUM_BITS'(BUFFER);

  always_ff @(posedge clk) begin
    valid      <= {valid[3:0], busy};
    info_pipe  <= {info_pipe[4*INFO_BITS-1:0], info};
    index_pipe <= {index_pipe[2*INDEX_BITS-1:0], index};
    base_pipe  <= {base_pipe[ADDR_BITS-1:0], base};
    control_2  <= control_word;
    rd_addr    <= WRAPS || wrapped[SUM_BITS-1] ? sum[ADDR_BITS-1:0] : wrapped[ADDR_BITS-1:0];
    flags_pipe <= {flags_pipe[5:0], control_2[OFFSET_BITS+:3]};
    word_data  <= rd_data;
    if (rst) valid <= '0;
  end

  ram_1w1r #(.WIDTH(WIDTH), .DEPTH(BUFFER)) words (
      .clk(clk), .wr_en(write), .wr_addr(wr_addr), .wr_data(in_data), .rd_en(valid[2]), .rd_addr(rd_addr), .rd_data(rd_data)
  );

  wire word_pass_ends = info_pipe[4*INFO_BITS+PASS_BITS];
  wire word_pass_first = PASSES == 1 || word_pass == '0;
  assign word_index  = index_pipe[2*INDEX_BITS+:INDEX_BITS];
  assign word_valid  = valid[4];
  assign word_pass   = info_pipe[4*INFO_BITS+:PASS_BITS];
  assign word_first  = info_pipe[4*INFO_BITS+PASS_BITS+1];
  assign word_frame  = info_pipe[4*INFO_BITS+PASS_BITS+2];
  assign word_last   = flags_pipe[8] && word_pass_ends;
  assign word_double = flags_pipe[7] && word_pass_first;
  assign word_negate = flags_pipe[6];
endmodule
`default_nettype wire
