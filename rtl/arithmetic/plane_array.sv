// SPDX-License-Identifier: Apache-2.0
// plane_array - the multiply-accumulate array of a plane layer: PE totals, each over the words of a run
//
// A run is the words from one with word_first to one with word_last. Its totals are, for each PE, the sum over its words of sum_i cell(weight_i, activation_i),
// modulo 2^RUN_BITS: two's complement if CAN_SIGN or W_SIGNED, else unsigned. Coefficients are applied later, to totals (run_combiner).
// All PEs share SIMD activations; with DEPTHWISE every PE has its own, and cell i of PE pe takes activation i*PE + pe of SIMD*PE.
// With WPAR > 1 a word has all weight planes at once, plane p counting 2^p (the top one -2^p if W_SIGNED).
//
// Latency    from a word with word_last to run_valid: ceil(log4(SIMD)) + ceil(log4(WPAR)) + 1.
// Rate       one word per clock, runs back to back.
// Reset      valid bits only.
`default_nettype none
module plane_array #(
    parameter int PE        = 4,
    parameter int SIMD      = 8,
    parameter int ACT_BITS  = 1,   // activation bits per clock
    parameter bit CAN_SIGN  = 0,   // in words with word_top the highest of them counts negative
    parameter bit XNOR      = 1,   // cells, see plane_sum
    parameter bit DEPTHWISE = 0,
    parameter int WPAR      = 1,   // more than one: AND cells
    parameter bit W_SIGNED  = 0,
    parameter int RUN_BITS  = 12,
    parameter int INFO_BITS = 1,
    parameter int FABRIC    = 0,
    localparam int WORD = SIMD * (DEPTHWISE ? PE : 1)
) (
    input  wire                    clk,
    input  wire                    rst,
    input  wire                    word_valid,
    input  wire                    word_first,
    input  wire                    word_last,
    input  wire                    word_top,
    input  wire [INFO_BITS-1:0]    word_info,
    input  wire [WORD*ACT_BITS-1:0] activations,
    input  wire [PE*WPAR*SIMD-1:0] weights,     // bit (pe*WPAR + p)*SIMD + i
    output wire                    run_valid,   // one clock
    output wire [INFO_BITS-1:0]    run_info,    // of the run's last word
    output wire [PE*RUN_BITS-1:0]  totals
);
  if (WPAR > 1 && XNOR) begin : g_wpar error_WPAR_above_1_needs_AND_cells check (); end
  wire unused_fabric = FABRIC != 0;

  localparam int SUMS      = ($clog2(SIMD) + 1) / 2 + ($clog2(WPAR) + 1) / 2;  // adder_tree's latencies
  localparam int CELL_BITS = ACT_BITS + (CAN_SIGN ? 1 : 0);
  localparam int SUM_BITS  = CELL_BITS + $clog2(SIMD);

  // ---- The control bits of a word travel beside its data.
  localparam int PIPE_BITS = INFO_BITS + 2;
  logic [SUMS:0]                 valid;
  logic [(SUMS+1)*PIPE_BITS-1:0] pipe;
  wire  [(SUMS+2)*PIPE_BITS-1:0] pipe_in  = {pipe, word_first, word_last, word_info};
  wire  [SUMS+1:0]               valid_in = {valid, word_valid};
  always_ff @(posedge clk) begin
    valid <= valid_in[SUMS:0];
    pipe  <= pipe_in[(SUMS+1)*PIPE_BITS-1:0];
    if (rst) valid <= '0;
  end
  wire sum_valid = valid_in[SUMS];
  wire sum_first = pipe_in[SUMS*PIPE_BITS+INFO_BITS+1];
  assign run_valid = valid_in[SUMS+1] && pipe_in[(SUMS+1)*PIPE_BITS+INFO_BITS];
  assign run_info  = pipe_in[(SUMS+1)*PIPE_BITS+:INFO_BITS];
  wire unused_pipe = &{1'b0, pipe_in, valid_in};

  for (genvar pe = 0; pe < PE; pe++) begin : g_pe
    wire [SIMD*ACT_BITS-1:0] mine;
    if (DEPTHWISE) begin : g_own
      for (genvar i = 0; i < SIMD; i++) begin : g_cell
        assign mine[i*ACT_BITS+:ACT_BITS] = activations[(i*PE+pe)*ACT_BITS+:ACT_BITS];
      end
    end else begin : g_shared
      assign mine = activations;
    end

    wire [RUN_BITS-1:0] sum;
    localparam int PLACED_BITS = SUM_BITS + WPAR;
    wire [WPAR*PLACED_BITS-1:0] placed_planes;
    for (genvar p = 0; p < WPAR; p++) begin : g_plane
      wire [SUM_BITS-1:0]    plane;
      wire [PLACED_BITS-1:0] wide = (CAN_SIGN ? PLACED_BITS'($signed(plane)) : PLACED_BITS'(plane)) << p;
      plane_sum #(.SIMD(SIMD), .ACT_BITS(ACT_BITS), .CAN_SIGN(CAN_SIGN), .XNOR(XNOR)) lanes (
          .clk(clk), .weights(weights[(pe*WPAR+p)*SIMD+:SIMD]), .activations(mine), .top(word_top), .sum(plane)
      );
      // A negative top plane is complemented here; the 1 that -x = ~x + 1 lacks comes with the accumulator's carry.
      assign placed_planes[p*PLACED_BITS+:PLACED_BITS] = W_SIGNED && p == WPAR - 1 ? ~wide : wide;
    end
    wire [PLACED_BITS+$clog2(WPAR)-1:0] whole;
    adder_tree #(.N(WPAR), .WIDTH(PLACED_BITS), .IS_SIGNED(1'b1)) tree (.clk(clk), .numbers(placed_planes), .sum(whole));
    assign sum = RUN_BITS'($signed(whole));
    wire unused_whole = &{1'b0, whole};

    logic [RUN_BITS-1:0] acc;
    wire  [RUN_BITS:0]   next = {sum_first ? '0 : acc, 1'b1} + {sum, W_SIGNED};
    always_ff @(posedge clk) if (sum_valid) acc <= next[RUN_BITS:1];
    assign totals[pe*RUN_BITS+:RUN_BITS] = acc;
    wire unused_carry = &{1'b0, next[0]};
  end
endmodule
`default_nettype wire
