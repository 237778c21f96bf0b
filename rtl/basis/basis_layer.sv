// SPDX-License-Identifier: Apache-2.0
// basis_layer - a convolution whose kernels are sums of a few shared ones, coefficients first: pixel_block, sparse_sums, basis_sums and activation, with a FIFO at the end
//
//   O[k] = sum over m of basis kernel m over S[k][m],  S[k][m] = sum over c of C[k][c][m] * x[c],  C in {-1, 0, 1}
//
// No S is kept longer than the products take: the intermediate maps never exist. docs/architecture.md gives the images of the memories, and how a compiler sets the
// parameters. Pixels come in rows of BLOCKS*PIXELS; codes leave for blocks of PIXELS columns, group by group of PE channels, pixel by pixel within a group
// (see pixel_order); columns that are no output are among them (see map_crop). Of a row's last block only the first SHORT columns leave.
//
// Latency    a block's words, its sums, and about 20 clocks.
// Rate       a block takes the longest of its input, its coefficients and its sums.
// Reset      control and accumulators.
`default_nettype none
module basis_layer #(
    parameter int IN_LANES  = 1,     // channels per input beat
    parameter int A_BITS    = 4,
    parameter int A_SIGNED  = 0,
    parameter int CHANNELS  = 4,     // input channels
    parameter int PIXELS    = 2,     // neighbouring pixels at once
    parameter int SPARSE_LANES = 1,  // sparse_sums, and so on
    parameter int SUM_BITS  = 8,
    parameter int KERNELS   = 2,
    parameter int BITMAP    = 0,
    parameter int GAP_BITS  = 2,
    parameter int CHUNK_BITS = 4,
    parameter logic [SPARSE_LANES*32-1:0] LANE_WORDS = {SPARSE_LANES{32'd4}},
    parameter logic [SPARSE_LANES*32-1:0] LANE_SIGNS = {SPARSE_LANES{32'd1}},
    parameter     COEFFICIENT_INIT = "",
    parameter int TASKS          = 4,
    parameter int ORDER_GAP_BITS = 0,
    parameter     ORDER_INIT     = "",
    parameter int DEPTH     = 2,
    parameter int HEIGHT    = 3,     // basis_sums
    parameter int WIDTH     = 3,
    parameter int ROWS      = 3,
    parameter int BASIS_BITS = 8,
    parameter     BASIS_INIT = "",
    parameter int ACC_BITS  = 20,
    parameter int OUT_CHANNELS = 2,
    parameter int PE        = 1,     // output channels of a group
    parameter int BLOCKS    = 2,
    parameter int GROUPS    = 3,
    parameter int MAP_ROWS  = 4,
    parameter int ALL_ROWS  = 5,
    parameter int FIRST     = 1,
    parameter int STRIDE    = 1,
    parameter int OUT_ROWS  = 4,
    parameter int SHORT     = PIXELS,
    parameter int FABRIC    = 0,     // carry_adders
    parameter int SLACK     = 0,     // groups that may wait at the output beyond those under way
    parameter int SCORES    = 0,     // 0: thresholds; 1: raw scores
    parameter int LANES     = 1,     // output channels per beat, divides PE
    parameter int OUT_BITS  = 1,
    parameter int SEARCH_BITS = 1,   // thresholds
    parameter int LEVELS    = 1,
    parameter int LOW       = 0,
    parameter int STEP      = 1,
    parameter int REGISTERED = 0,    // threshold_search
    parameter     ACTIVATION_INIT = ""
) (
    input  wire                       clk,
    input  wire                       rst,

    input  wire                       in_valid,
    output wire                       in_ready,
    input  wire [IN_LANES*A_BITS-1:0] in_data,
    input  wire                       in_last,

    output wire                       out_valid,
    input  wire                       out_ready,
    output wire [LANES*OUT_BITS-1:0]  out_data,
    output wire                       out_last,

    output wire                       busy,     // a coefficient is added in this clock
    output wire                       starved,  // none, for want of input
    output wire                       stalled   // none, for want of room behind
);
  localparam int COUNT        = PE * PIXELS;
  localparam int GROUP_BEATS  = COUNT / LANES;
  localparam int SHORT_BEATS  = PE * SHORT / LANES;
  localparam int KERNEL_BITS  = KERNELS > 1 ? $clog2(KERNELS) : 1;
  wire unused_last = &{1'b0, in_last};

  // ---- Blocks of pixels, sums.
  wire                         word_valid, word_ready, word_last;
  wire [PIXELS*A_BITS-1:0]     word;
  pixel_block #(.LANES(IN_LANES), .A_BITS(A_BITS), .CHANNELS(CHANNELS), .PIXELS(PIXELS)) block (
      .clk(clk), .rst(rst), .in_valid(in_valid), .in_ready(in_ready), .in_data(in_data), .out_valid(word_valid), .out_ready(word_ready), .out_data(word),
      .out_last(word_last)
  );

  wire                         sums_valid, sums_ready, sums_last, sums_ends;
  wire [PIXELS*SUM_BITS-1:0]   sums;
  wire [KERNEL_BITS-1:0]       kernel;
  wire [SPARSE_LANES-1:0]      adding;
  sparse_sums #(
      .LANES(SPARSE_LANES), .A_BITS(A_BITS), .A_SIGNED(A_SIGNED), .CHANNELS(CHANNELS), .PIXELS(PIXELS), .SUM_BITS(SUM_BITS), .KERNELS(KERNELS), .BITMAP(BITMAP),
      .GAP_BITS(GAP_BITS), .CHUNK_BITS(CHUNK_BITS), .LANE_WORDS(LANE_WORDS), .LANE_SIGNS(LANE_SIGNS), .INIT(COEFFICIENT_INIT), .TASKS(TASKS),
      .ORDER_GAP_BITS(ORDER_GAP_BITS), .ORDER_INIT(ORDER_INIT), .DEPTH(DEPTH), .FABRIC(FABRIC)
  ) sparse (
      .clk(clk), .rst(rst), .in_valid(word_valid), .in_ready(word_ready), .in_data(word), .in_last(word_last), .out_valid(sums_valid), .out_ready(sums_ready),
      .out_data(sums), .out_kernel(kernel), .out_last(sums_last), .out_ends(sums_ends), .adding(adding)
  );
  assign busy    = adding != '0;
  assign stalled = !busy && sums_valid && !sums_ready;
  assign starved = !busy && !stalled;

  // ---- Credits: as many groups under way as the pipeline holds, so that its latency costs nothing; the FIFO has room for all of them.
  localparam int FLIGHT  = 16 + (SCORES != 0 ? 2 : (2 + REGISTERED) * SEARCH_BITS + 1) + GROUP_BEATS;  // clocks, an upper bound
  localparam int EMPTY_CLOCKS = PE * (HEIGHT / ROWS) > SHORT_BEATS ? PE * (HEIGHT / ROWS) : SHORT_BEATS;  // of a group that ends a row
  localparam int CREDITS = FLIGHT / (EMPTY_CLOCKS < GROUP_BEATS ? EMPTY_CLOCKS : GROUP_BEATS) + 2 + SLACK;
  wire credit, group_start, result_leaves;
  credit_counter #(.CREDITS(CREDITS)) credits (.clk(clk), .rst(rst), .take(group_start), .give(result_leaves), .available(credit));

  wire                       total_valid, total_frame, total_short;
  wire [PIXELS*ACC_BITS-1:0] totals;
  basis_sums #(
      .PIXELS(PIXELS), .HEIGHT(HEIGHT), .WIDTH(WIDTH), .ROWS(ROWS), .SUM_BITS(SUM_BITS), .BASIS_BITS(BASIS_BITS), .KERNELS(KERNELS), .BASIS_INIT(BASIS_INIT),
      .ACC_BITS(ACC_BITS), .CHANNELS(OUT_CHANNELS), .PE(PE), .GROUP_CLOCKS(GROUP_BEATS), .SHORT_CLOCKS(SHORT_BEATS), .BLOCKS(BLOCKS), .GROUPS(GROUPS), .MAP_ROWS(MAP_ROWS), .ALL_ROWS(ALL_ROWS),
      .FIRST(FIRST), .STRIDE(STRIDE), .OUT_ROWS(OUT_ROWS), .FABRIC(FABRIC)
  ) basis_total (
      .clk(clk), .rst(rst), .sums_valid(sums_valid), .sums_ready(sums_ready), .sums_data(sums), .sums_kernel(kernel), .sums_last(sums_last), .sums_ends(sums_ends),
      .credit(credit), .group_start(group_start), .out_valid(total_valid), .out_frame(total_frame), .out_short(total_short),
      .out_values(totals)
  );

  // ---- A group's channels, pixel by pixel.
  wire                      group_valid;
  wire [COUNT*ACC_BITS-1:0] group_values;
  if (PE > 1) begin : g_collect
    localparam int PE_BITS = $clog2(PE);
    logic [PE_BITS-1:0]                     pe;
    logic [(PE-1)*PIXELS*ACC_BITS-1:0]      held;  // the channels before, the first in the low bits once all are there
    wire  [COUNT*ACC_BITS-1:0]              channels = {totals, held};
    wire ends = pe == PE_BITS'(PE - 1);
    always_ff @(posedge clk) begin
      if (total_valid) begin
        held <= channels[COUNT*ACC_BITS-1:PIXELS*ACC_BITS];
        pe   <= ends ? '0 : pe + 1'b1;
      end
      if (rst) pe <= '0;
    end
    assign group_valid = total_valid && ends;
    for (genvar i = 0; i < PIXELS; i++) begin : g_pixel
      for (genvar k = 0; k < PE; k++) begin : g_channel
        assign group_values[(i*PE+k)*ACC_BITS+:ACC_BITS] = channels[(k*PIXELS+i)*ACC_BITS+:ACC_BITS];
      end
    end
  end else begin : g_single
    assign group_valid  = total_valid;
    assign group_values = totals;
  end

  // ---- Activation, FIFO.
  wire                      code_valid, code_group, code_frame, fifo_ready, out_group;
  wire [LANES*OUT_BITS-1:0] codes;
  activation #(
      .COUNT(COUNT), .PE(PE), .PIXELS(PIXELS), .GROUPS(OUT_CHANNELS / PE), .ACC_BITS(ACC_BITS), .LANES(LANES), .SCORES(SCORES != 0), .SEARCH_BITS(SEARCH_BITS),
      .LEVELS(LEVELS), .LOW(LOW), .STEP(STEP), .OUT_BITS(OUT_BITS), .REGISTERED(REGISTERED), .INIT(ACTIVATION_INIT), .SHORT(PE * SHORT)
  ) act (
      .clk(clk), .rst(rst), .in_valid(group_valid), .in_last(1'b1), .in_frame(total_frame), .in_short(total_short), .in_values(group_values),
      .code_valid(code_valid), .codes(codes), .code_group(code_group), .code_frame(code_frame)
  );
  stream_fifo #(.WIDTH(LANES * OUT_BITS + 2), .DEPTH(CREDITS * GROUP_BEATS)) results (
      .clk(clk), .rst(rst), .in_valid(code_valid), .in_ready(fifo_ready), .in_data({code_group, code_frame, codes}), .out_valid(out_valid), .out_ready(out_ready),
      .out_data({out_group, out_last, out_data})
  );
  assign result_leaves = out_valid && out_ready && out_group;

`ifndef SYNTHESIS
  always_ff @(posedge clk) if (!rst && code_valid) assert (fifo_ready);  // credits keep room
`else
  wire unused_ready = fifo_ready;
`endif
endmodule
`default_nettype wire
