// SPDX-License-Identifier: Apache-2.0
// plane_array - the multiply-accumulate array of a plane layer: PE totals, each over the words of a run
//
// A run is the words from one with word_first to one with word_last. Its totals are, for each PE, the sum over its words of sum_i cell(weight_i, activation_i),
// modulo 2^RUN_BITS: two's complement if CAN_SIGN, W_SIGNED or PAIRS, else unsigned. Coefficients are applied later, to totals.
// Cells are AND (the activation where the weight bit is 1, else zero) or XNOR (the activation, complemented bit by bit where the weight bit is 0). With CAN_SIGN a
// cell's highest bit counts negative in words with word_top; all words of a run are alike in this.
// FABRIC 2, iCE40, takes XNOR cells by twos or threes where it may; what they have in common is formed once, and weights come a clock after their activations:
// PAIRS (pair_sum): totals are sums of its terms, CAN_SIGN: of two's complement, else of centred activations; word_top has no effect.
// TRIPLES (triple_count): one activation bit without sign; weights are recoded.
// All PEs share SIMD activations; with DEPTHWISE every PE has its own, and cell i of PE pe takes activation i*PE + pe of SIMD*PE.
// With WPAR > 1 a word has all weight planes at once, plane p counting 2^p; the top plane counts -2^p if W_SIGNED. PRODUCTS makes each weight with its
// activation a product of a multiplier block (product_sum); with CAN_SIGN, word_top must be high.
//
// Latency    from a word with word_last to run_valid, at most ceil(log2 SIMD) + ceil(log2 WPAR) + 3; PRODUCTS: ceil(log2 SIMD) + 5.
// Rate       one word per clock, runs back to back.
// Reset      valid bits only.
`default_nettype none
module plane_array #(
    parameter int PE        = 4,   // output channels at once
    parameter int SIMD      = 8,   // activations per PE and word
    parameter int ACT_BITS  = 1,   // activation bits per clock
    parameter bit CAN_SIGN  = 0,   // word_top may be high
    parameter bit XNOR      = 1,   // cells
    parameter bit PAIRS     = 0,   // XNOR cells two by two, see above; SIMD even
    parameter bit TRIPLES   = 0,   // binary XNOR cells three by three, see above
    parameter bit DEPTHWISE = 0,   // every PE has activations of its own
    parameter int WPAR      = 1,   // weight planes at once; more than one: AND cells
    parameter bit W_SIGNED  = 0,
    parameter bit PRODUCTS  = 0,   // multipliers, see above; WPAR > 1
    parameter int RUN_BITS  = 12,  // of a total
    parameter int INFO_BITS = 1,   // side information of a word, >= 1
    parameter int FABRIC    = 0,   // cells of 0: no particular fabric, 1: ECP5, 2: iCE40
    localparam int WORD     = SIMD * (DEPTHWISE ? PE : 1)
) (
    input  wire                     clk,
    input  wire                     rst,

    input  wire                     word_valid,
    input  wire                     word_first,
    input  wire                     word_last,
    input  wire                     word_top,
    input  wire [INFO_BITS-1:0]     word_info,
    input  wire [WORD*ACT_BITS-1:0] activations,  // activation i at [i*ACT_BITS +: ACT_BITS]
    input  wire [PE*WPAR*SIMD-1:0]  weights,      // bit (pe*WPAR + p)*SIMD + i

    output wire                     run_valid,    // one clock
    output wire [INFO_BITS-1:0]     run_info,     // of the run's last word
    output wire [PE*RUN_BITS-1:0]   totals        // PE pe at [pe*RUN_BITS +: RUN_BITS], in the clock of run_valid
);
  if (WPAR > 1 && XNOR) begin : g_wpar error_WPAR_above_1_needs_AND_cells check (); end
  if ((PAIRS || TRIPLES) && (!XNOR || DEPTHWISE || FABRIC != 2)) begin : g_shared_rule
    error_PAIRS_and_TRIPLES_are_for_FABRIC_2_and_XNOR_cells_that_share_activations check ();
  end
  if (TRIPLES && (ACT_BITS != 1 || CAN_SIGN || PAIRS)) begin : g_triples_rule error_TRIPLES_is_for_one_activation_bit_without_sign check (); end

  if (PRODUCTS && WPAR == 1) begin : g_products_rule error_PRODUCTS_needs_WPAR_above_1 check (); end

  localparam int GROUPS = PE * WPAR;
  localparam int PLANES = PRODUCTS ? 1 : WPAR;  // that take their activations apart
  localparam int SETS   = DEPTHWISE ? PE * PLANES : 1;
  // ECP5 has flip-flops to spare: inputs are registered, so that the way from a memory is a clock of its own. Multipliers there have registers of their own.
  localparam int ENTRY  = FABRIC == 1 && !PRODUCTS ? 1 : 0;
  localparam int SUMS   = PAIRS   ? 1 + $clog2(SIMD)                // pair_sum
                        : TRIPLES ? 2 + $clog2((SIMD + 2) / 3)      // triple_count
                        : PRODUCTS ? (FABRIC == 1 ? 3 : 1) + $clog2(SIMD)  // product_sum; else signed_sum and plane_merge
                                  : $clog2(SIMD) - (ACT_BITS == 1 && SIMD > 2 ? 1 : 0) + (CAN_SIGN ? 1 : 0) + $clog2(WPAR);

  // ---- The control bits of a word travel beside its data, up to the accumulators and one clock further.
  localparam int PIPE_BITS = INFO_BITS + 2;
  logic [ENTRY+SUMS:0]                 valid;
  logic [(ENTRY+SUMS+1)*PIPE_BITS-1:0] pipe;
  wire  [(ENTRY+SUMS+2)*PIPE_BITS-1:0] pipe_line  = {pipe, word_first, word_last, word_info};
  wire  [ENTRY+SUMS+1:0]               valid_line = {valid, word_valid};
  always_ff @(posedge clk) begin
    valid <= valid_line[ENTRY+SUMS:0];
    pipe  <= pipe_line[(ENTRY+SUMS+1)*PIPE_BITS-1:0];
    if (rst) valid <= '0;
  end
  wire sum_valid = valid_line[ENTRY+SUMS];
  wire sum_first = pipe_line[(ENTRY+SUMS)*PIPE_BITS+INFO_BITS+1];
  assign run_valid = valid_line[ENTRY+SUMS+1] && pipe_line[(ENTRY+SUMS+1)*PIPE_BITS+INFO_BITS];
  assign run_info  = pipe_line[(ENTRY+SUMS+1)*PIPE_BITS+:INFO_BITS];
  wire unused_lines = &{1'b0, pipe_line, valid_line};

  // ---- The word's sum for each PE.
  localparam int PLANE_BITS = PAIRS    ? ACT_BITS + $clog2(SIMD)
                            : TRIPLES  ? $clog2(SIMD + 1)
                            : CAN_SIGN ? $clog2(((1 << ACT_BITS) - 1) * SIMD + 1) + 1
                                       : $clog2(((1 << ACT_BITS) - 1) * SIMD + (SIMD % 4 == 0 ? 0 : 1));
  localparam bit IS_SIGNED = CAN_SIGN || WPAR > 1 || PAIRS;
  localparam bit LEFT_OVER = !PAIRS && !TRIPLES && !PRODUCTS && (SIMD % 4 == 0 || (CAN_SIGN && ACT_BITS == 1));
  localparam int SUM_BITS  = PRODUCTS ? ACT_BITS + (CAN_SIGN ? 0 : 1) + WPAR + (W_SIGNED ? 0 : 1) + $clog2(SIMD) : PLANE_BITS + (WPAR > 1 ? WPAR + 1 : 0);
  wire [WORD*ACT_BITS-1:0]      entered;
  wire [GROUPS*SIMD-1:0]        entered_weights;
  wire                          entered_top;
  wire [SETS*SIMD*ACT_BITS-1:0] mine;
  wire [PE*SUM_BITS-1:0]        sums;
  wire [PE-1:0]                 left_w, left_a;
  delay_line #(.WIDTH(WORD * ACT_BITS + GROUPS * SIMD + 1), .CLOCKS(ENTRY)) entry (
      .clk(clk), .in_data({activations, weights, word_top}), .out_data({entered, entered_weights, entered_top})
  );
  if (DEPTHWISE) begin : g_own
    for (genvar i = 0; i < SETS * SIMD; i++) begin : g_cell
      assign mine[i*ACT_BITS+:ACT_BITS] = entered[(i%SIMD*PE+i/SIMD/PLANES)*ACT_BITS+:ACT_BITS];
    end
  end else begin : g_shared
    assign mine = entered;
  end
  if (PRODUCTS) begin : g_products
    product_sum #(
        .GROUPS(PE), .N(SIMD), .ACT_BITS(ACT_BITS), .A_SIGNED(CAN_SIGN), .OWN(DEPTHWISE), .W_BITS(WPAR), .W_SIGNED(W_SIGNED), .FABRIC(FABRIC)
    ) cells (.clk(clk), .weights(entered_weights), .activations(mine), .sums(sums));
    assign {left_w, left_a} = '1;
    wire unused_top = entered_top;
  end else begin : g_planes
    wire [GROUPS*PLANE_BITS-1:0] planes;
    wire [GROUPS-1:0]            plane_w, plane_a;
    if (PAIRS) begin : g_pairs
      pair_sum #(.GROUPS(GROUPS), .N(SIMD), .ACT_BITS(ACT_BITS), .CENTERED(!CAN_SIGN)) cells (
          .clk(clk), .weights(entered_weights), .activations(mine), .sums(planes)
      );
      assign {plane_w, plane_a} = '0;
      wire unused_top = entered_top;
    end else if (TRIPLES) begin : g_triples
      triple_count #(.GROUPS(GROUPS), .N(SIMD)) cells (.clk(clk), .weights(entered_weights), .activations(mine), .sums(planes));
      assign {plane_w, plane_a} = '0;
      wire unused_top = entered_top;
    end else begin : g_cells
      signed_sum #(.GROUPS(GROUPS), .N(SIMD), .ACT_BITS(ACT_BITS), .CAN_SIGN(CAN_SIGN), .OWN(DEPTHWISE), .XNOR(XNOR), .FABRIC(FABRIC)) cells (
          .clk(clk), .weights(entered_weights), .activations(mine), .top(entered_top), .sums(planes), .left_weight(plane_w), .left_activation(plane_a)
      );
    end
    plane_merge #(
        .GROUPS(PE), .WPAR(WPAR), .IN_BITS(PLANE_BITS), .IS_SIGNED(CAN_SIGN || PAIRS), .W_SIGNED(W_SIGNED), .LEFT_OVER(LEFT_OVER), .FABRIC(FABRIC)
    ) merge (.clk(clk), .planes(planes), .weight(plane_w), .activation(plane_a), .sums(sums), .left_weight(left_w), .left_activation(left_a));
  end

  // ---- Accumulators. What comes complemented is turned round here, and a lone negative plane is subtracted.
  localparam bit MINUS  = W_SIGNED && WPAR == 1;
  localparam bit TURN   = (XNOR && !PAIRS && !TRIPLES) != MINUS;
  localparam bit SIGNED_TERM = IS_SIGNED || MINUS;
  localparam int Y_BITS = SIGNED_TERM || SUM_BITS > RUN_BITS ? RUN_BITS : SUM_BITS;
  localparam logic [3:0] LEFT = !LEFT_OVER ? {4{MINUS}} : (XNOR ? 4'b1001 : 4'b1000) ^ {4{MINUS}};
  logic [PE*RUN_BITS-1:0]     acc;
  wire  [PE*Y_BITS-1:0]       terms;
  wire  [PE*(RUN_BITS+1)-1:0] next;
  for (genvar pe = 0; pe < PE; pe++) begin : g_pe
    wire fill = IS_SIGNED ? sums[pe*SUM_BITS+SUM_BITS-1] : XNOR && !TRIPLES;
    assign terms[pe*Y_BITS+:Y_BITS] = Y_BITS'({{RUN_BITS{fill}}, sums[pe*SUM_BITS+:SUM_BITS]});
    always_ff @(posedge clk) if (sum_valid) acc[pe*RUN_BITS+:RUN_BITS] <= next[pe*(RUN_BITS+1)+:RUN_BITS];
  end
  if (PAIRS || TRIPLES) begin : g_plain  // a gate in front of the carry would take a cell of its own
    for (genvar pe = 0; pe < PE; pe++) begin : g_accumulator
      wire [RUN_BITS-1:0] term = RUN_BITS'(terms[pe*Y_BITS+:Y_BITS]);
      wire [RUN_BITS-1:0] sum  = acc[pe*RUN_BITS+:RUN_BITS] + term;
      assign next[pe*(RUN_BITS+1)+:RUN_BITS+1] = {1'b0, sum_first ? term : sum};
    end
    wire unused_left = &{1'b0, left_w, left_a};
  end else begin : g_adders
    carry_adders #(
        .COUNT(PE), .X_BITS(RUN_BITS), .Y_BITS(Y_BITS), .Y_XOR(TURN), .CARRY(LEFT), .OVERFLOW(1'b0), .FABRIC(FABRIC)
    ) accumulators (
        .xa(acc), .xb({PE * RUN_BITS{!sum_first}}), .ya(terms), .yb({PE * Y_BITS{1'b1}}), .ca(left_w), .cb(left_a), .sums(next)
    );
  end
  assign totals = acc;
  wire unused = &{1'b0, sums, next};
endmodule
`default_nettype wire
