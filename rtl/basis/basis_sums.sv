// SPDX-License-Identifier: Apache-2.0
// basis_sums - O[k] = sum over m of basis kernel m over S[k][m]: products of sparse_sums' sums with shared kernels, by blocks of PIXELS pixels
//
// Blocks come row by row, BLOCKS for each of MAP_ROWS rows. Behind a row's blocks come empty ones up to GROUPS, behind the rows empty rows up to ALL_ROWS: there is
// nothing to sum, but columns and rows that waited are complete. Output rows are those of stride 1; every STRIDE-th of them from the first on leaves, OUT_ROWS in all. Input row
// FIRST completes the first. In the columns nothing is left out (map_crop does that): the first block ends with column PIXELS - 1, of which the first WIDTH - 1 are incomplete.
//
//   sums_*     as sparse_sums sends them
//   credit     room for the results of PE channels (a group); group_start takes it
//   out        a channel's PIXELS columns at a time, without ready; out_frame with the frame's last, out_short in a row's last block, whose groups of results may
//              follow SHORT_CLOCKS apart
//
// Latency    4 clocks from a channel's last sum, and the multipliers' (registered_multiplier).
// Rate       a sum in HEIGHT/ROWS clocks. Groups that leave are started GROUP_CLOCKS apart or more, and a block takes 6 clocks or more.
// Reset      starts a frame.
// Paths      credit to sums_ready; sums_* to group_start.
`default_nettype none
module basis_sums #(
    parameter int PIXELS     = 2,
    parameter int HEIGHT     = 3,    // of the kernels
    parameter int WIDTH      = 3,
    parameter int ROWS       = 3,    // kernel rows at once: HEIGHT or 1
    parameter int SUM_BITS   = 8,    // signed
    parameter int BASIS_BITS = 8,    // signed
    parameter int KERNELS    = 2,    // shared kernels
    parameter     BASIS_INIT = "",   // image: a word for each kernel and step of ROWS rows, the last rows first: tap (row*WIDTH + s) of the step's rows
    parameter int ACC_BITS   = 20,   // results are modulo 2^ACC_BITS
    parameter int CHANNELS   = 4,    // output channels
    parameter int PE         = 1,    // of a group, divides CHANNELS
    parameter int GROUP_CLOCKS = 1,
    parameter int SHORT_CLOCKS = GROUP_CLOCKS,
    parameter int BLOCKS     = 2,
    parameter int GROUPS     = 3,    // blocks of a row with the empty ones
    parameter int MAP_ROWS   = 4,
    parameter int ALL_ROWS   = 5,
    parameter int FIRST      = 1,    // the first row that completes one
    parameter int STRIDE     = 1,
    parameter int OUT_ROWS   = 4,
    parameter int FABRIC     = 0,    // carry_adders, registered_multiplier
    localparam int KERNEL_BITS = KERNELS > 1 ? $clog2(KERNELS) : 1
) (
    input  wire                       clk,
    input  wire                       rst,

    input  wire                       sums_valid,
    output wire                       sums_ready,
    input  wire [PIXELS*SUM_BITS-1:0] sums_data,
    input  wire [KERNEL_BITS-1:0]     sums_kernel,
    input  wire                       sums_last,
    input  wire                       sums_ends,

    input  wire                       credit,
    output wire                       group_start,

    output wire                       out_valid,
    output wire                       out_frame,
    output wire                       out_short,
    output wire [PIXELS*ACC_BITS-1:0] out_values
);
  if (CHANNELS % PE != 0) begin : g_pe error_PE_must_divide_CHANNELS check (); end

  localparam int STEPS       = HEIGHT / ROWS;
  localparam int STEP_BITS   = STEPS > 1 ? $clog2(STEPS) : 1;
  localparam int CHANNEL_BITS = CHANNELS > 1 ? $clog2(CHANNELS) : 1;
  localparam int PE_BITS     = PE > 1 ? $clog2(PE) : 1;
  localparam int GROUP_BITS  = GROUPS > 1 ? $clog2(GROUPS) : 1;
  localparam int ROW_BITS    = $clog2(ALL_ROWS + STRIDE + 1);
  localparam int OUT_BITS    = $clog2(OUT_ROWS + 1);
  localparam int APART       = 6;  // a channel's last sum and its first of the next block (waiting_sums)
  localparam int PAUSE       = CHANNELS * STEPS < APART ? APART - 1 - (CHANNELS - 1) * STEPS : 0;
  localparam int PAUSE_BITS  = $clog2(APART + 1);
  localparam int PACE_BITS   = $clog2(GROUP_CLOCKS + 1);

  // ---- Where the next sum belongs.
  logic [CHANNEL_BITS-1:0] channel;
  logic [PE_BITS-1:0]      pe;
  logic [GROUP_BITS-1:0]   group;
  logic [ROW_BITS-1:0]     row;
  logic [ROW_BITS-1:0]     until_out;  // rows before the next that completes an output row which leaves
  logic [OUT_BITS-1:0]     left;       // output rows to come
  logic [PAUSE_BITS-1:0]   pause;
  logic [PACE_BITS-1:0]    pace;
  wire channel_ends = CHANNELS == 1 || channel == CHANNEL_BITS'(CHANNELS - 1);
  wire pe_ends      = PE == 1 || pe == PE_BITS'(PE - 1);
  wire group_ends   = GROUPS == 1 || group == GROUP_BITS'(GROUPS - 1);
  wire row_ends     = row == ROW_BITS'(ALL_ROWS - 1);
  // What follows from the counters is kept in registers, so that it does not stand before sums_ready.
  logic real_sums;  // of a block that is not empty
  logic leaves;     // the row completes an output row which leaves: until_out is 0, left is not
  wire [GROUP_BITS-1:0] group_next = group_ends ? '0 : group + 1'b1;
  wire [ROW_BITS-1:0]   row_next   = !group_ends ? row : row_ends ? '0 : row + 1'b1;

  // ---- A sum is held for STEPS clocks.
  logic                 held_valid;
  logic [STEP_BITS-1:0] step;
  wire  held_ends = STEPS == 1 || step == STEP_BITS'(STEPS - 1);
  wire  free      = (!held_valid || held_ends) && pause == '0;
  wire  last      = !real_sums || sums_last;
  wire  closes    = last && pe_ends && leaves;
  wire  may       = free && (!closes || (credit && pace == '0));
  wire  accept    = may && (!real_sums || sums_valid);
  wire  block_end = accept && last && channel_ends;
  assign sums_ready  = may && real_sums;
  assign group_start = accept && closes;
  always_ff @(posedge clk) begin
    if (accept && last) begin
      channel <= channel_ends ? '0 : channel + 1'b1;
      pe      <= pe_ends ? '0 : pe + 1'b1;
    end
    if (block_end) begin
      group     <= group_next;
      row       <= row_next;
      real_sums <= 32'(group_next) < BLOCKS && 32'(row_next) < MAP_ROWS;
    end
    if (block_end && group_ends) begin
      leaves <= 1'b0;
      if (row_ends) begin
        until_out <= ROW_BITS'(FIRST);
        left      <= OUT_BITS'(OUT_ROWS);
        leaves    <= FIRST == 0;
      end else if (leaves) begin
        until_out <= ROW_BITS'(STRIDE - 1);
        left      <= left - 1'b1;
        leaves    <= STRIDE == 1 && left != OUT_BITS'(1);
      end else if (until_out != '0) begin
        until_out <= until_out - 1'b1;
        leaves    <= until_out == ROW_BITS'(1) && left != '0;
      end
    end
    if (PAUSE > 0 && block_end) pause <= PAUSE_BITS'(PAUSE);
    else if (pause != '0) pause <= pause - 1'b1;
    if (group_start) pace <= group_ends ? PACE_BITS'(SHORT_CLOCKS - 1) : PACE_BITS'(GROUP_CLOCKS - 1);
    else if (pace != '0) pace <= pace - 1'b1;
    if (accept) begin
      held_valid <= 1'b1;
      step       <= '0;
    end else begin
      if (held_ends) held_valid <= 1'b0;
      else step <= step + 1'b1;
    end
    if (rst) begin
      channel    <= '0;
      pe         <= '0;
      group      <= '0;
      row        <= '0;
      real_sums  <= 1'b1;
      leaves     <= FIRST == 0;
      until_out  <= ROW_BITS'(FIRST);
      left       <= OUT_BITS'(OUT_ROWS);
      pause      <= '0;
      pace       <= '0;
      held_valid <= 1'b0;
      step       <= '0;
    end
  end

  // ---- The held sum meets its kernel's taps: the memory is read as it is taken, and once for each step.
  localparam int WORD_BITS   = ROWS * WIDTH * BASIS_BITS;
  localparam int WORDS       = KERNELS * STEPS;
  localparam int ADDR_BITS   = WORDS > 1 ? $clog2(WORDS) : 1;
  localparam int INFO_BITS   = 4;  // {leaves, first, short, leaves at the frame's end}
  logic [ADDR_BITS-1:0]       tap_next;
  logic [PIXELS*SUM_BITS-1:0] held, sums;
  logic                       held_real, held_last, held_first, held_row, held_frame, held_leaves, held_short, held_final;
  logic                       starts;  // the next sum is a channel's first
  logic                       sums_in, sums_done;
  logic [INFO_BITS-1:0]       info;
  logic [WORD_BITS-1:0]       taps;
  wire  [WORD_BITS-1:0]       read_taps;
  logic [ADDR_BITS-1:0]       tap_first;  // kernel * STEPS, as a table: a product would become a multiplier
  always_comb begin
    tap_first = '0;
    for (int m = 0; m < KERNELS; m++) if (sums_kernel == KERNEL_BITS'(m)) tap_first = ADDR_BITS'(m * STEPS);
  end
  rom #(.WIDTH(WORD_BITS), .DEPTH(WORDS), .INIT(BASIS_INIT), .STYLE(WORDS <= 16 || WORDS * WORD_BITS <= 1024 ? 2 : 1)) basis (
      .clk(clk), .rd_en(1'b1), .rd_addr(accept ? tap_first : tap_next), .rd_data(read_taps)
  );
  always_ff @(posedge clk) begin
    tap_next <= (accept ? tap_first : tap_next) + 1'b1;
    if (accept) begin
      held        <= sums_data;
      held_real   <= real_sums;
      held_last   <= last;
      held_first  <= starts;
      starts      <= last;
      held_row    <= group == '0;
      held_frame  <= row == '0;
      held_leaves <= leaves;
      held_short  <= group_ends;
      held_final  <= leaves && left == OUT_BITS'(1) && group_ends && channel_ends;
    end
    sums <= held;
    if (!held_real) taps <= '0;  // nothing but what waited
    else taps <= read_taps;
    sums_in   <= held_valid && !rst;
    sums_done <= held_last;
    info      <= {held_leaves, step == '0, held_short, held_final};
    if (rst) starts <= 1'b1;
  end

  localparam int COLUMNS = (PIXELS + WIDTH - 1) * ACC_BITS;  // bits of a kernel row's
  wire [ROWS-1:0]           rows_valid;
  wire [ROWS*INFO_BITS-1:0] rows_info;
  wire [ROWS*COLUMNS-1:0]   columns, waiting;
  for (genvar r = 0; r < ROWS; r++) begin : g_row
    kernel_rows #(.PIXELS(PIXELS), .WIDTH(WIDTH), .RING(STEPS), .SUM_BITS(SUM_BITS), .BASIS_BITS(BASIS_BITS), .ACC_BITS(ACC_BITS), .INFO_BITS(INFO_BITS), .FABRIC(FABRIC)) kernel_row (
        .clk(clk), .rst(rst), .in_valid(sums_in), .in_last(sums_done), .in_info(info), .in_sums(sums), .in_taps(taps[r*WIDTH*BASIS_BITS+:WIDTH*BASIS_BITS]),
        .waiting(waiting[r*COLUMNS+:COLUMNS]), .out_valid(rows_valid[r]), .out_info(rows_info[r*INFO_BITS+:INFO_BITS]), .out_columns(columns[r*COLUMNS+:COLUMNS])
    );
  end
  wire unused_rows = &{1'b0, rows_valid, rows_info};

  // A channel's first sum asks for what waits; both meet in the accumulators. Asking starts as much later as the multipliers take longer than a clock.
  wire [3:0] begins = {held_valid && held_first, held_ends, held_row, held_frame};
  wire [3:0] ask;
  if (FABRIC == 1) begin : g_later
    logic [3:0] later, latest;
    always_ff @(posedge clk) begin
      later  <= begins;
      latest <= later;
      if (rst) {later[3], latest[3]} <= '0;
    end
    assign ask = latest;
  end else begin : g_now
    assign ask = begins;
  end
  wire row_leaves, row_first, row_short, row_final;
  wire total_valid, total_leaves;
  assign {row_leaves, row_first, row_short, row_final} = rows_info[INFO_BITS-1:0];
  waiting_sums #(.PIXELS(PIXELS), .HEIGHT(HEIGHT), .WIDTH(WIDTH), .ROWS(ROWS), .ACC_BITS(ACC_BITS), .CHANNELS(CHANNELS), .GROUPS(GROUPS), .INFO_BITS(3)) wait_for_more (
      .clk(clk), .rst(rst), .ask_valid(ask[3]), .ask_end(ask[2]), .ask_row(ask[1]), .ask_frame(ask[0]), .waiting(waiting),
      .in_valid(rows_valid[0]), .in_first(row_first), .in_info({row_leaves, row_short, row_final}), .in_columns(columns), .out_valid(total_valid),
      .out_info({total_leaves, out_short, out_frame}), .out_values(out_values)
  );
  assign out_valid = total_valid && total_leaves;

`ifndef SYNTHESIS
  always_ff @(posedge clk) if (!rst && accept && real_sums) assert (sums_ends == (sums_last && channel_ends));
`else
  wire unused_ends = sums_ends;
`endif
endmodule
`default_nettype wire
