// SPDX-License-Identifier: Apache-2.0
// plane_layer - a convolution or fully connected layer: window_reader, plane_array and activation, with a FIFO at the end
//
// docs/architecture.md gives the arithmetic (1), the images of the memories (3) and how a compiler sets the parameters. A binary layer (the popcount layer)
// is the same with XNOR cells, one activation bit and one plane. in_last is not needed: a frame is a number of words.
//
// DEPTHWISE: a word holds SIMD*PE activations, and cell i of PE pe takes activation i*PE + pe: SIMD positions of PE channels, each with its own filter.
//
// There is no clock enable in the datapath: a group is started only when the FIFO has room for its results.
//
// Latency    from a window's last word to its first result: 7 + adder levels (of SIMD, and of WPAR) + activation + FIFO, and a group's own clocks.
// Rate       one program word per clock while words come and results go: OUT_HEIGHT*OUT_WIDTH*PROGRAM_WORDS*(A_BITS/APAR) clocks per frame.
// Reset      control only.
`default_nettype none
module plane_layer #(
    parameter int SIMD            = 4,    // activations per PE and word
    parameter int A_BITS          = 1,    // bits of an activation
    parameter int A_SIGNED        = 0,    // two's complement
    parameter int APAR            = 1,    // activation bits per clock, divides A_BITS
    parameter int PE              = 2,    // output channels at once
    parameter int XNOR            = 1,    // cells: weights -1, +1; 0: weight planes 0, 1
    parameter int DEPTHWISE       = 0,    // every PE has activations of its own
    parameter int WPAR            = 1,    // weight planes per word: 1, or all with AND cells and APAR = A_BITS
    parameter int W_SIGNED        = 0,    // WPAR > 1: the top plane counts negative
    parameter int ACC_BITS        = 8,    // signed raw accumulator
    parameter int BUFFER_DEPTH    = 4,    // window reader, in words
    parameter int EXTENT          = 1,
    parameter int OUT_HEIGHT      = 1,
    parameter int OUT_WIDTH       = 1,
    parameter int STEP_X          = 1,
    parameter int STEP_ROW        = 1,
    parameter int STEP_FRAME      = 1,
    parameter int PROGRAM_WORDS   = 2,    // per output pixel, all groups
    parameter int CONTROL_WORDS   = 2,
    parameter int OFFSET_BITS     = 1,
    parameter int GROUPS          = 1,    // output channels / PE
    parameter     CONTROL_INIT    = "",
    parameter     WEIGHT_INIT     = "",
    parameter int SLACK           = 0,    // groups that may wait at the output beyond those under way (while map_pad inserts a border)
    parameter int SCORES          = 0,    // 0: thresholds; 1: raw scores
    parameter int LANES           = 1,    // output channels per beat, divides PE
    parameter int OUT_BITS        = 1,
    parameter int ALPHA_SHIFT     = 0,    // scores
    parameter int SEARCH_BITS     = 1,    // thresholds
    parameter int LEVELS          = 1,
    parameter int LOW             = 0,
    parameter int STEP            = 1,
    parameter     ACTIVATION_INIT = "",
    localparam int WORD_BITS = SIMD * (DEPTHWISE != 0 ? PE : 1) * A_BITS
) (
    input  wire                  clk,
    input  wire                  rst,

    input  wire                  in_valid,
    output wire                  in_ready,
    input  wire  [WORD_BITS-1:0] in_data,
    input  wire                  in_last,

    output wire                      out_valid,
    input  wire                      out_ready,
    output wire [LANES*OUT_BITS-1:0] out_data,
    output wire                      out_last,

    output wire                    busy,     // a word is executed in this clock
    output wire                    starved,  // none, for want of input
    output wire                    stalled   // none, for want of room at the output
);
  localparam int PASSES       = A_BITS / APAR;
  localparam int PASS_BITS    = PASSES > 1 ? $clog2(PASSES) : 1;
  localparam int INDEX_BITS   = PROGRAM_WORDS > 1 ? $clog2(PROGRAM_WORDS) : 1;
  localparam int GROUP_CLOCKS = PROGRAM_WORDS / GROUPS * PASSES;
  localparam int GROUP_BEATS  = PE / LANES;

  if (GROUP_CLOCKS < GROUP_BEATS) begin : g_rate error_a_group_must_take_at_least_PE_over_LANES_clocks check (); end

  wire unused_last = &{1'b0, in_last};

  // ---- Credits: enough groups under way that the FIFO never makes the array wait for the pipeline's own latency.
  localparam int FLIGHT  = 12 + $clog2(SIMD) + $clog2(WPAR) + (SCORES != 0 ? 2 : 2 * SEARCH_BITS + 1) + GROUP_BEATS;  // clocks, an upper bound
  localparam int CREDITS = FLIGHT / GROUP_CLOCKS + 2 + SLACK;
  wire credit, group_start, result_leaves;
  credit_counter #(.CREDITS(CREDITS)) credits (.clk(clk), .rst(rst), .take(group_start), .give(result_leaves), .available(credit));

  // ---- Words and their weights.
  wire [INDEX_BITS-1:0]  word_index;
  wire                   word_valid, word_first, word_last, word_double, word_negate, word_frame;
  wire [WORD_BITS-1:0]   word_data;
  wire [PASS_BITS-1:0]   word_pass;
  window_reader #(
      .WIDTH(WORD_BITS), .DEPTH(BUFFER_DEPTH), .EXTENT(EXTENT), .OUT_HEIGHT(OUT_HEIGHT), .OUT_WIDTH(OUT_WIDTH), .STEP_X(STEP_X),
      .STEP_ROW(STEP_ROW), .STEP_FRAME(STEP_FRAME), .PROGRAM_WORDS(PROGRAM_WORDS), .CONTROL_WORDS(CONTROL_WORDS), .GROUPS(GROUPS), .PASSES(PASSES),
      .OFFSET_BITS(OFFSET_BITS), .CONTROL_INIT(CONTROL_INIT),
      .CONTROL_STYLE(CONTROL_WORDS <= 16 || CONTROL_WORDS * (OFFSET_BITS + 3) <= 1024 ? 2 : 1)
  ) reader (
      .clk(clk), .rst(rst), .in_valid(in_valid), .in_ready(in_ready), .in_data(in_data), .credit(credit), .group_start(group_start),
      .word_index(word_index), .word_valid(word_valid), .word_data(word_data), .word_pass(word_pass), .word_first(word_first),
      .word_last(word_last), .word_double(word_double), .word_negate(word_negate), .word_frame(word_frame), .busy(busy), .starved(starved),
      .stalled(stalled)
  );

  // The index comes 2 clocks early: one for the ROM and one for the register behind it. With several passes the array selects in between.
  wire  [PE*WPAR*SIMD-1:0] weight_word;
  logic [PE*WPAR*SIMD-1:0] weights;
  wire  [INDEX_BITS-1:0] weight_index;
  if (PASSES > 1) begin : g_later
    logic [INDEX_BITS-1:0] delayed;
    always_ff @(posedge clk) delayed <= word_index;
    assign weight_index = delayed;
  end else begin : g_now
    assign weight_index = word_index;
  end
  rom #(.WIDTH(PE * WPAR * SIMD), .DEPTH(PROGRAM_WORDS), .INIT(WEIGHT_INIT),
        .STYLE(PROGRAM_WORDS <= 16 || PROGRAM_WORDS * PE * WPAR * SIMD <= 1024 ? 2 : 1)) weight_rom (
      .clk(clk), .rd_addr(weight_index), .rd_data(weight_word)
  );
  always_ff @(posedge clk) weights <= weight_word;

  // ---- Array, activation, FIFO.
  wire                   group_valid, group_frame;
  wire [PE*ACC_BITS-1:0] accumulators;
  plane_array #(
      .PE(PE), .SIMD(SIMD), .A_BITS(A_BITS), .A_SIGNED(A_SIGNED != 0), .APAR(APAR), .XNOR(XNOR != 0), .DEPTHWISE(DEPTHWISE != 0), .WPAR(WPAR),
      .W_SIGNED(W_SIGNED != 0), .ACC_BITS(ACC_BITS)
  ) array (
      .clk(clk), .rst(rst), .word_valid(word_valid), .word_data(word_data), .word_pass(word_pass), .word_first(word_first), .word_last(word_last),
      .word_double(word_double), .word_negate(word_negate), .word_frame(word_frame), .weights(weights), .group_valid(group_valid),
      .group_frame(group_frame), .accumulators(accumulators)
  );

  wire                      code_valid, code_group, code_frame, fifo_ready, out_group;
  wire [LANES*OUT_BITS-1:0] codes;
  activation #(
      .PE(PE), .GROUPS(GROUPS), .ACC_BITS(ACC_BITS), .LANES(LANES), .SCORES(SCORES != 0), .ALPHA_SHIFT(ALPHA_SHIFT), .SEARCH_BITS(SEARCH_BITS),
      .LEVELS(LEVELS), .LOW(LOW), .STEP(STEP), .OUT_BITS(OUT_BITS), .INIT(ACTIVATION_INIT)
  ) act (
      .clk(clk), .rst(rst), .group_valid(group_valid), .group_frame(group_frame), .accumulators(accumulators), .code_valid(code_valid), .codes(codes),
      .code_group(code_group), .code_frame(code_frame)
  );

  stream_fifo #(.WIDTH(LANES * OUT_BITS + 2), .DEPTH(CREDITS * GROUP_BEATS)) results (
      .clk(clk), .rst(rst), .in_valid(code_valid), .in_ready(fifo_ready), .in_data({code_group, code_frame, codes}), .out_valid(out_valid),
      .out_ready(out_ready), .out_data({out_group, out_last, out_data})
  );
  assign result_leaves = out_valid && out_ready && out_group;

`ifndef SYNTHESIS
  always_ff @(posedge clk) if (!rst && code_valid) assert (fifo_ready);  // credits keep room
`else
  wire unused_ready = fifo_ready;
`endif
endmodule
`default_nettype wire
