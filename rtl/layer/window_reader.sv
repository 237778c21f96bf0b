// SPDX-License-Identifier: Apache-2.0
// window_reader - a circular buffer of stream words, read by a program that names words relative to a sliding window
//
// The window's first word stands at `base`; a program word reads word base + offset. After the program's last word base moves on: by STEP_X
// words within a row of windows, by STEP_ROW to the next row's first window, by STEP_FRAME to the next frame's. A window may be read when EXTENT words from base
// on are written; a word is accepted while it does not overwrite one from base on. Kernel size, dilation and skipped words exist only in the program.
//
//   written ........................base+EXTENT............
//           | free |  base ... window ... |  ahead  | free |
//
// PIXELS > 1: that many neighbouring windows, PIXEL_STEP words apart, are read at once, each from a copy of the buffer; base, EXTENT and the steps are of all
// of them together.
//
// A group of the program (program_reader) starts only when `credit` is high; once started it is issued in consecutive clocks.
//
// SHARED: the buffer is a RAM of a single port (ram_1rw), far larger and cheaper where a device has it. Words are written between groups: no group starts while
// one waits and has room. That costs a clock for each word, and one for each group after which words came.
//
// WRITE_LATE: where flip-flops cost nothing (ECP5), so that what decides whether a word is taken need not reach all block RAMs in the same clock. Nothing else
// changes: a word is read two clocks after it counts, and a place is written again later still.
//
// Latency    issue to word_valid: 2 + REGISTERED clocks. word_index comes a clock after issue, early enough to address a ROM, with a register behind if REGISTERED.
// Rate       one word per clock; no idle clock between groups, windows and frames while words and credit are there (but for SHARED).
// Reset      empties the buffer and starts a frame; data is not reset.
// Paths      credit to busy and stalled; SHARED: in_valid to busy, starved and stalled.
`default_nettype none
module window_reader #(
    parameter int WIDTH         = 8,   // bits per word
    parameter int DEPTH         = 4,   // words that must find room, >= 2 and >= EXTENT and every STEP; the buffer holds a few more, see BUFFER
    parameter int EXTENT        = 1,   // words from base to the last that is read
    parameter int OUT_HEIGHT    = 1,   // rows of windows in a frame
    parameter int OUT_WIDTH     = 1,   // steps in a row: windows / PIXELS
    parameter int STEP_X        = 1,   // words, see above
    parameter int STEP_ROW      = 1,
    parameter int STEP_FRAME    = 1,
    parameter int PIXELS        = 1,
    parameter int PIXEL_STEP    = 1,
    parameter int SHARED        = 0,   // 1: the buffer has a single port
    parameter int REGISTERED    = 1,   // a register between buffer and word_data
    parameter int WRITE_LATE    = 0,   // 1: words are written a clock later, from a register (not SHARED)
    parameter int OFFSET_BITS   = 1,   // the program, see program_reader
    parameter int CONTROL_WORDS = 1,
    parameter     CONTROL_INIT  = "",
    parameter int RUNS          = 1,
    parameter int RUN_WORDS     = 1,
    parameter int FIELD_BITS    = 1,
    parameter     RUN_INIT      = "",
    parameter int REPEATS       = 0,
    parameter int WEIGHT_WORDS  = 1,
    parameter int LUT_BITS      = 1024,  // ROMs of up to so many bits are logic; above 1024 the buffer too is made of LUTs up to that size
    localparam int INDEX_BITS = WEIGHT_WORDS > 1 ? $clog2(WEIGHT_WORDS) : 1
) (
    input  wire                     clk,
    input  wire                     rst,

    input  wire                     in_valid,
    output logic                    in_ready,
    input  wire  [WIDTH-1:0]        in_data,

    input  wire                     credit,        // a group may start
    output logic                    group_start,   // a group starts in this clock

    output logic [INDEX_BITS-1:0]   word_index,    // weight word, 1 + REGISTERED clocks ahead of the rest

    output logic                    word_valid,
    output wire  [PIXELS*WIDTH-1:0] word_data,     // window i at [i*WIDTH +: WIDTH]
    output wire                     word_first,    // first word of a run
    output wire                     word_last,     // last word of a run
    output wire                     group_first,   // a word of a group's first run
    output wire                     group_last,    // a word of a group's last run
    output wire                     frame_last,    // a word of the last run of a frame's last window
    output wire  [FIELD_BITS-1:0]   run_fields,

    output logic                    busy,          // a word is issued
    output logic                    starved,       // none, for want of input
    output logic                    stalled        // none, for want of credit
);
  // A place is free again three clocks after its word came, at the earliest: that many words more keep the full rate with the smallest DEPTH. Up to 256 words,
  // which a block RAM holds anyway, a power of two saves the wrap of addresses. Beyond, the extra words never cross the next power of two. SHARED: a power of two in any case.
  localparam int SPARE       = 4;
  localparam int POWER       = 2 ** $clog2(DEPTH + SPARE);
  localparam int BUFFER      = POWER <= 256 || SHARED != 0 ? POWER : 2 ** $clog2(DEPTH) < DEPTH + SPARE ? 2 ** $clog2(DEPTH) : DEPTH + SPARE;
  localparam int ADDR_BITS   = $clog2(BUFFER);
  localparam bit WRAPS       = BUFFER == 2 ** ADDR_BITS;  // addresses wrap by themselves
  localparam int MAX_STEP    = STEP_FRAME > STEP_ROW ? (STEP_FRAME > STEP_X ? STEP_FRAME : STEP_X) : (STEP_ROW > STEP_X ? STEP_ROW : STEP_X);
  localparam int FILL_BITS   = $clog2(BUFFER + MAX_STEP + 1) + 2;  // fill counts, signed
  localparam int X_BITS      = OUT_WIDTH > 1 ? $clog2(OUT_WIDTH) : 1;
  localparam int Y_BITS      = OUT_HEIGHT > 1 ? $clog2(OUT_HEIGHT) : 1;

  if (SHARED != 0 && WRITE_LATE != 0) begin : g_late error_SHARED_writes_without_a_register check (); end
  if (DEPTH < EXTENT) begin : g_depth error_DEPTH_must_hold_EXTENT check (); end
  if (DEPTH < MAX_STEP) begin : g_step error_DEPTH_must_hold_every_STEP check (); end
  if (2 ** OFFSET_BITS < EXTENT - (PIXELS - 1) * PIXEL_STEP) begin : g_offset error_OFFSET_BITS_must_hold_EXTENT check (); end

  // ---- The program's next word.
  wire                   ready, run_first, run_last, program_group_first, program_group_last, program_last;
  wire [OFFSET_BITS-1:0] offset;
  wire [FIELD_BITS-1:0]  fields;
  wire [INDEX_BITS-1:0]  index;
  program_reader #(
      .OFFSET_BITS(OFFSET_BITS), .CONTROL_WORDS(CONTROL_WORDS), .CONTROL_INIT(CONTROL_INIT), .RUNS(RUNS), .RUN_WORDS(RUN_WORDS), .FIELD_BITS(FIELD_BITS),
      .RUN_INIT(RUN_INIT), .REPEATS(REPEATS), .WEIGHT_WORDS(WEIGHT_WORDS), .LUT_BITS(LUT_BITS)
  ) program_words (
      .clk(clk), .rst(rst), .step(busy), .ready(ready), .offset(offset), .run_first(run_first), .run_last(run_last), .group_first(program_group_first),
      .group_last(program_group_last), .window_last(program_last), .fields(fields), .index(index)
  );

  // ---- Sequencer. slack = fill - EXTENT: the window is there when it is not negative. Signs are ready conditions: no comparator stands in the loop.
  logic                        in_group;  // a group has started and is not issued to its end
  logic        [X_BITS-1:0]    x;
  logic        [Y_BITS-1:0]    y;
  logic                        x_ends, y_ends;  // x and y are the last: found one step ahead
  logic                        row_ended;       // y follows a clock later, off the loop of advance: it is asked for at a row's last window, the second or a later one
  logic signed [FILL_BITS-1:0] slack;
  logic signed [FILL_BITS-1:0] room;      // words that may be written, minus 1
  wire window_there = !slack[FILL_BITS-1];

  // SHARED: words that wait are written first. Reading takes the port in the clock after a word is issued.
  logic [(REGISTERED != 0 ? 3 : 2)-1:0] valid;
  wire has_room     = !room[FILL_BITS-1];
  wire may_start    = window_there && ready && !(SHARED != 0 && in_valid && has_room);
  wire port_is_free = SHARED == 0 || (!in_group && !valid[0]);

  assign busy        = in_group || (may_start && credit);
  assign starved     = !in_group && !may_start;
  assign stalled     = !in_group && may_start && !credit;
  assign group_start = busy && !in_group;
  wire   advance     = busy && run_last && program_last;

  always_ff @(posedge clk) begin
    if (busy) in_group <= !(run_last && program_group_last);
    row_ended <= advance && x_ends;
    if (advance) begin
      x      <= x_ends ? '0 : x + 1'b1;
      x_ends <= OUT_WIDTH == 1 || (OUT_WIDTH > 1 && x == X_BITS'(OUT_WIDTH - 2));
    end
    if (OUT_WIDTH > 1 ? row_ended : advance) begin
      y      <= y_ends ? '0 : y + 1'b1;
      y_ends <= OUT_HEIGHT == 1 || (OUT_HEIGHT > 1 && y == Y_BITS'(OUT_HEIGHT - 2));
    end
    if (rst) begin
      in_group  <= 1'b0;
      row_ended <= 1'b0;
      x         <= '0;
      y         <= '0;
      x_ends    <= OUT_WIDTH == 1;
      y_ends    <= OUT_HEIGHT == 1;
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

  // The last word of a window that has been issued is read in the next clock: its words are given free with that delay.
  logic               freed;
  logic [ADDR_BITS:0] freed_step;

  wire signed [FILL_BITS-1:0] taken = advance ? FILL_BITS'({1'b0, step}) : '0;
  wire signed [FILL_BITS-1:0] given = freed ? FILL_BITS'({1'b0, freed_step}) : '0;

  assign in_ready = has_room && port_is_free;

  always_ff @(posedge clk) begin
    if (write) wr_addr <= WRAPS || wr_addr != ADDR_BITS'(BUFFER - 1) ? wr_addr + 1'b1 : '0;
    if (advance) base <= base_next;
    slack      <= slack - taken + (write ? FILL_BITS'(1) : '0);
    room       <= room + given - (write ? FILL_BITS'(1) : '0);
    freed      <= advance;
    freed_step <= step;
    if (rst) begin
      wr_addr <= '0;
      base    <= '0;
      slack   <= FILL_BITS'(-EXTENT);
      room    <= FILL_BITS'(BUFFER - 1);
      freed   <= 1'b0;
    end
  end

  // ---- Pipeline: address (1), buffer (2), register (3).
  localparam int STAGES    = REGISTERED != 0 ? 3 : 2;
  localparam int INFO_BITS = FIELD_BITS + 5;
  wire  [INFO_BITS-1:0]        info = {run_first, run_last, program_group_first, program_group_last, program_last && x_ends && y_ends, fields};
  logic [STAGES*INFO_BITS-1:0] info_pipe;  // stage s at [s*INFO_BITS +: INFO_BITS]
  always_ff @(posedge clk) begin
    valid      <= {valid[STAGES-2:0], busy};
    info_pipe  <= {info_pipe[(STAGES-1)*INFO_BITS-1:0], info};
    word_index <= index;
    if (rst) valid <= '0;
  end
  assign word_valid = valid[STAGES-1];
  assign {word_first, word_last, group_first, group_last, frame_last, run_fields} = info_pipe[(STAGES-1)*INFO_BITS+:INFO_BITS];

  wire                 put;
  wire [ADDR_BITS-1:0] put_addr;
  wire [WIDTH-1:0]     put_data;
  delay_line #(.WIDTH(1 + ADDR_BITS + WIDTH), .CLOCKS(WRITE_LATE)) write_delay (
      .clk(clk), .in_data({write, wr_addr, in_data}), .out_data({put, put_addr, put_data})
  );

  localparam int SUM_BITS = (ADDR_BITS > OFFSET_BITS ? ADDR_BITS : OFFSET_BITS) + 2;
  for (genvar i = 0; i < PIXELS; i++) begin : g_window
    wire [SUM_BITS-1:0] sum     = SUM_BITS'(base) + SUM_BITS'(offset) + SUM_BITS'(i * PIXEL_STEP);
    wire [SUM_BITS-1:0] wrapped = sum - SUM_BITS'(BUFFER);
    logic [ADDR_BITS-1:0] rd_addr;
    wire  [WIDTH-1:0]     rd_data;
    always_ff @(posedge clk) rd_addr <= WRAPS || wrapped[SUM_BITS-1] ? sum[ADDR_BITS-1:0] : wrapped[ADDR_BITS-1:0];
    delay_line #(.WIDTH(WIDTH), .CLOCKS(REGISTERED != 0 ? 1 : 0)) word (.clk(clk), .in_data(rd_data), .out_data(word_data[i*WIDTH+:WIDTH]));
    if (SHARED != 0) begin : g_shared
      ram_1rw #(.WIDTH(WIDTH), .DEPTH(BUFFER)) words (
          .clk(clk), .wr_en(put), .rd_en(valid[0]), .addr(valid[0] ? rd_addr : put_addr), .wr_data(put_data), .rd_data(rd_data)
      );
    end else begin : g_ports
      ram_1w1r #(.WIDTH(WIDTH), .DEPTH(BUFFER), .STYLE(LUT_BITS > 1024 && WIDTH * BUFFER <= LUT_BITS ? 2 : 0)) words (
          .clk(clk), .wr_en(put), .wr_addr(put_addr), .wr_data(put_data), .rd_en(valid[0]), .rd_addr(rd_addr), .rd_data(rd_data)
      );
    end
    if (WRAPS) begin : g_unused
      wire unused = &{1'b0, wrapped, sum};
    end
  end
endmodule
`default_nettype wire
