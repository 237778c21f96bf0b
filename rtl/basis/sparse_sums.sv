// SPDX-License-Identifier: Apache-2.0
// sparse_sums - S[k][m] = sum over c of C[k][c][m] * x[c] with C in {-1, 0, 1}, for blocks of PIXELS neighbouring pixels
//
// LANES sparse_lanes share the tasks (k, m) that have a non-zero coefficient (core/coefficient_code.hpp); which lane has a task is decided by the compiler, so that all
// are busy and sums are ready about when they are wanted. They leave in the order of k, and of m within it, whatever the lanes' pace: nothing arbitrates.
//
//   in      a word for each channel of a block, channel 0 first (pixel_block); in_last with the block's last
//   out     {pixel PIXELS-1, .., pixel 0} of a sum, with m (out_kernel); out_last with k's last, out_ends with the block's last
//
// Latency    a block's words, and some clocks.
// Rate       LANES coefficients and one sum per clock. Words of a block come while the block before is summed.
// Reset      control only.
`default_nettype none
module sparse_sums #(
    parameter int LANES    = 1,
    parameter int A_BITS   = 4,
    parameter int A_SIGNED = 0,
    parameter int CHANNELS = 4,
    parameter int PIXELS   = 2,
    parameter int SUM_BITS = 8,
    parameter int KERNELS  = 2,            // values of m
    parameter int BITMAP   = 0,
    parameter int GAP_BITS = 2,
    parameter int CHUNK_BITS = 4,
    parameter logic [LANES*32-1:0] LANE_WORDS = {LANES{32'd4}},   // of each lane; bitmap: tasks
    parameter logic [LANES*32-1:0] LANE_SIGNS = {LANES{32'd1}},   // bitmap
    parameter INIT = "",                   // images <INIT>_lane<ll>.mem, bitmap also <INIT>_signs<ll>.mem (ll: two digits); none: no contents
    parameter int TASKS          = 2,
    parameter int ORDER_GAP_BITS = 0,
    parameter     ORDER_INIT     = "",     // image of words {gap, lane}
    parameter int DEPTH          = 2,      // sums that may wait in a lane
    parameter int FABRIC         = 0,      // carry_adders
    localparam int KERNEL_BITS = KERNELS > 1 ? $clog2(KERNELS) : 1
) (
    input  wire                         clk,
    input  wire                         rst,

    input  wire                         in_valid,
    output wire                         in_ready,
    input  wire [PIXELS*A_BITS-1:0]     in_data,
    input  wire                         in_last,

    output wire                         out_valid,
    input  wire                         out_ready,
    output wire  [PIXELS*SUM_BITS-1:0]  out_data,
    output wire  [KERNEL_BITS-1:0]      out_kernel,
    output wire                         out_last,
    output wire                         out_ends,

    output wire [LANES-1:0]             adding     // lanes that issue a coefficient in this clock
);
  if (LANES > 100) begin : g_lanes error_LANES_must_be_at_most_100 check (); end

  localparam int CHANNEL_BITS = CHANNELS > 1 ? $clog2(CHANNELS) : 1;
  localparam int LANE_BITS    = LANES > 1 ? $clog2(LANES) : 1;
  localparam int WIDTH        = PIXELS * SUM_BITS;

  // ---- Every lane gets every word.
  logic                    half;
  logic [CHANNEL_BITS-1:0] channel;
  wire  [LANES-1:0]        full, sum_next;
  wire  [LANES*WIDTH-1:0]  sum_data;
  wire write  = in_valid && in_ready;
  wire loaded = write && in_last;
  assign in_ready = full == '0;
  always_ff @(posedge clk) begin
    if (write) channel <= in_last ? '0 : channel + 1'b1;
    if (loaded) half <= !half;
    if (rst) begin
      channel <= '0;
      half    <= 1'b0;
    end
  end

  for (genvar lane = 0; lane < LANES; lane++) begin : g_lane
    localparam logic [7:0] TENS = 8'd48 + 8'(lane / 10);
    localparam logic [7:0] ONES = 8'd48 + 8'(lane % 10);
    localparam FILE      = INIT == "" ? "" : {INIT, "_lane", TENS, ONES, ".mem"};
    localparam SIGN_FILE = INIT == "" ? "" : {INIT, "_signs", TENS, ONES, ".mem"};
    sparse_lane #(
        .A_BITS(A_BITS), .A_SIGNED(A_SIGNED), .CHANNELS(CHANNELS), .PIXELS(PIXELS), .SUM_BITS(SUM_BITS), .BITMAP(BITMAP), .GAP_BITS(GAP_BITS), .CHUNK_BITS(CHUNK_BITS),
        .WORDS(LANE_WORDS[lane*32+:32]), .SIGNS(LANE_SIGNS[lane*32+:32]), .INIT(FILE), .SIGN_INIT(SIGN_FILE), .DEPTH(DEPTH), .FABRIC(FABRIC)
    ) adder (
        .clk(clk), .rst(rst), .wr_en(write), .wr_addr({half, channel}), .wr_data(in_data), .loaded(loaded), .full(full[lane]), .out_next(sum_next[lane]),
        .out_take(takes[lane]), .out_data(sum_data[lane*WIDTH+:WIDTH]), .adding(adding[lane])
    );
  end

  // ---- Sums in order: the order's head says whose turn it is. It is decided a clock ahead, and there is room for what is under way, so that no decision has to reach
  // all of a lane's registers in its own clock.
  localparam int ROOM = 16;
  wire                   turn_ready, turn_last, turn_ends, turn_counts, credit, leaves;
  wire [LANE_BITS-1:0]   turn;
  wire [KERNEL_BITS-1:0] turn_kernel;
  wire decided = turn_ready && credit && sum_next[turn];
  gap_reader #(.SPAN(KERNELS), .GAP_BITS(ORDER_GAP_BITS), .SKIPS(0), .FIELD_BITS(LANES > 1 ? LANE_BITS : 0), .WORDS(TASKS), .INIT(ORDER_INIT)) order (
      .clk(clk), .rst(rst), .step(decided), .ready(turn_ready), .place(turn_kernel), .counts(turn_counts), .field(turn), .last(turn_last), .ends(turn_ends)
  );
  credit_counter #(.CREDITS(ROOM)) credits (.clk(clk), .rst(rst), .take(decided), .give(leaves), .available(credit));

  // Each lane has an output register, zero when it is another's turn: their OR takes a third of a multiplexer's LUTs.
  localparam int INFO = KERNEL_BITS + 2;  // {ends, last, kernel}
  logic [LANES-1:0]       takes;
  logic [LANES*WIDTH-1:0] given;
  logic                   taken, merges;
  logic [INFO-1:0]        taken_info, merged_info;
  for (genvar lane = 0; lane < LANES; lane++) begin : g_turn
    always_ff @(posedge clk) begin
      takes[lane] <= decided && turn == LANE_BITS'(lane) && !rst;
      given[lane*WIDTH+:WIDTH] <= takes[lane] ? sum_data[lane*WIDTH+:WIDTH] : '0;
    end
  end
  always_ff @(posedge clk) begin
    taken       <= decided && !rst;
    taken_info  <= {turn_ends, turn_last, turn_kernel};
    merges      <= taken && !rst;
    merged_info <= taken_info;
  end
  logic [WIDTH-1:0] merged;
  always_comb begin
    merged = '0;
    for (int lane = 0; lane < LANES; lane++) merged = merged | given[lane*WIDTH+:WIDTH];
  end
  wire merged_ready;
  stream_fifo #(.WIDTH(WIDTH + INFO), .DEPTH(ROOM)) ahead (
      .clk(clk), .rst(rst), .in_valid(merges), .in_ready(merged_ready), .in_data({merged_info, merged}), .out_valid(out_valid), .out_ready(out_ready),
      .out_data({out_ends, out_last, out_kernel, out_data})
  );
  assign leaves = out_valid && out_ready;
`ifndef SYNTHESIS
  always_ff @(posedge clk) if (!rst && merges) assert (merged_ready);  // credits keep room
`endif
  wire unused = &{1'b0, turn_counts, merged_ready};
endmodule
`default_nettype wire
