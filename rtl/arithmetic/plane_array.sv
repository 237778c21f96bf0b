// SPDX-License-Identifier: Apache-2.0
// plane_array - PE accumulators, each fed by SIMD cells: the multiply-accumulate array of a plane layer
//
// For each word, every PE adds (negate ? -1 : 1) * 2^(pass*APAR) * sum_i cell(weight_i, activation_i) to its accumulator; a word with `double` doubles
// the accumulator first (Horner over weight planes), a word with `first` starts from zero. After a word with `last` the accumulators are a group's result.
// With XNOR cells `negate` is ignored. A word's activations are taken APAR bits at a time, one such plane group per pass, the lowest first.
// All PEs share SIMD activations; with DEPTHWISE every PE has its own, and cell i of PE pe takes activation i*PE + pe of SIMD*PE.
// With WPAR > 1 a word has all weight planes at once, plane p counting 2^p (the top one -2^p if W_SIGNED); `negate` is then ignored.
//
// Latency    from a word with `last` to group_valid: selection (if there are several passes), the adder tree, the planes' tree, term, accumulator.
//            Weights come with word_data, or one clock later if there are several passes.
// Rate       one word per clock.
// Reset      valid bits only.
`default_nettype none
module plane_array #(
    parameter int PE        = 4,   // output channels at once
    parameter int SIMD      = 8,   // activations per PE and word
    parameter int A_BITS    = 1,   // bits of an activation
    parameter bit A_SIGNED  = 0,   // two's complement
    parameter int APAR      = 1,   // bits taken at a time, dividing A_BITS
    parameter bit XNOR      = 1,   // cells, see plane_sum
    parameter bit DEPTHWISE = 0,   // every PE has activations of its own
    parameter int WPAR      = 1,   // weight planes at once; more than one: AND cells and APAR = A_BITS
    parameter bit W_SIGNED  = 0,   // WPAR > 1: the top plane counts negative
    parameter int ACC_BITS  = 16,  // signed accumulator
    localparam int WORD      = SIMD * (DEPTHWISE ? PE : 1),  // activations
    localparam int PASSES    = A_BITS / APAR,
    localparam int PASS_BITS = PASSES > 1 ? $clog2(PASSES) : 1
) (
    input  wire                   clk,
    input  wire                   rst,

    input  wire                   word_valid,
    input  wire [WORD*A_BITS-1:0] word_data,
    input  wire [PASS_BITS-1:0]   word_pass,
    input  wire                   word_first,
    input  wire                   word_last,
    input  wire                   word_double,
    input  wire                   word_negate,
    input  wire                   word_frame,
    input  wire [PE*WPAR*SIMD-1:0] weights,      // bit (pe*WPAR + p)*SIMD + i; timing: see Latency

    output wire                   group_valid,   // one clock
    output wire                   group_frame,
    output wire [PE*ACC_BITS-1:0] accumulators   // PE pe at [pe*ACC_BITS +: ACC_BITS], in the clock of group_valid
);
  if (A_BITS % APAR != 0) begin : g_apar error_APAR_must_divide_A_BITS check (); end

  if (WPAR > 1 && (XNOR || PASSES > 1)) begin : g_wpar error_WPAR_above_1_needs_AND_cells_and_APAR_equal_to_A_BITS check (); end

  localparam int SELECT    = PASSES > 1 ? 1 : 0;
  localparam int TERM      = SELECT + ($clog2(SIMD) + 1) / 2 + ($clog2(WPAR) + 1) / 2;  // clocks until the sums stand: adder_tree's latencies
  localparam int CELL_BITS = APAR + (A_SIGNED ? 1 : 0);
  localparam int SUM_BITS  = CELL_BITS + $clog2(SIMD);
  localparam int PASS_BITS_WIDE = $clog2(A_BITS + 1) + PASS_BITS;  // of a pass times APAR

  // ---- The control bits of a word travel beside its data.
  localparam int INFO_BITS = PASS_BITS + 5;
  logic [TERM:0]                 valid;
  logic [(TERM+1)*INFO_BITS-1:0] info;
  wire  [INFO_BITS-1:0]          info_in = {word_frame, word_first, word_last, word_double, word_negate, word_pass};

  wire  [(TERM+2)*INFO_BITS-1:0] info_shifted = {info, info_in};
  always_ff @(posedge clk) begin
    valid <= (TERM + 1)'({valid, word_valid});
    info  <= info_shifted[(TERM+1)*INFO_BITS-1:0];
    if (rst) valid <= '0;
  end
  // At the term stage, and one clock later at the accumulator.
  wire [INFO_BITS-1:0] term_info = info_shifted[TERM*INFO_BITS+:INFO_BITS];
  wire [INFO_BITS-1:0] acc_info  = info_shifted[(TERM+1)*INFO_BITS+:INFO_BITS];
  wire                 acc_valid = valid[TERM];

  // ---- The plane group of this pass.
  wire [WORD*APAR-1:0] activations;
  wire                 top;
  if (PASSES > 1) begin : g_select
    logic [WORD*APAR-1:0] selected;
    logic                 selected_top;
    for (genvar i = 0; i < WORD; i++) begin : g_lane
      wire [A_BITS-1:0] shifted = word_data[i*A_BITS+:A_BITS] >> (word_pass * PASS_BITS_WIDE'(APAR));
      always_ff @(posedge clk) selected[i*APAR+:APAR] <= shifted[APAR-1:0];
      wire unused = &{1'b0, shifted};
    end
    always_ff @(posedge clk) selected_top <= word_pass == PASS_BITS'(PASSES - 1);
    assign activations = selected;
    assign top         = selected_top;
  end else begin : g_whole
    assign activations = word_data;
    assign top         = 1'b1;
  end

  logic group_valid_q, group_frame_q;
  always_ff @(posedge clk) begin
    group_valid_q <= acc_valid && acc_info[PASS_BITS+2];
    group_frame_q <= acc_info[PASS_BITS+4];
    if (rst) group_valid_q <= 1'b0;
  end
  assign group_valid = group_valid_q;
  assign group_frame = group_frame_q;

  for (genvar pe = 0; pe < PE; pe++) begin : g_pe
    wire [SIMD*APAR-1:0] mine;
    if (DEPTHWISE) begin : g_own
      for (genvar i = 0; i < SIMD; i++) begin : g_cell
        assign mine[i*APAR+:APAR] = activations[(i*PE+pe)*APAR+:APAR];
      end
    end else begin : g_shared
      assign mine = activations;
    end

    wire [ACC_BITS-1:0] sum;
    if (WPAR == 1) begin : g_plane
      wire [SUM_BITS-1:0] plane;
      plane_sum #(.SIMD(SIMD), .ACT_BITS(APAR), .CAN_SIGN(A_SIGNED), .XNOR(XNOR)) lanes (
          .clk(clk), .weights(weights[pe*SIMD+:SIMD]), .activations(mine), .top(top), .sum(plane)
      );
      assign sum = A_SIGNED ? ACC_BITS'($signed(plane)) : ACC_BITS'(plane);
    end else begin : g_planes
      // The planes at their weights. A negative top plane is complemented here; the 1 that -x = ~x + 1 lacks comes with the accumulator's carry.
      localparam int PLACED_BITS = SUM_BITS + WPAR;
      wire [WPAR*PLACED_BITS-1:0]         placed_planes;
      wire [PLACED_BITS+$clog2(WPAR)-1:0] whole;
      for (genvar p = 0; p < WPAR; p++) begin : g_weight
        wire [SUM_BITS-1:0]    plane;
        wire [PLACED_BITS-1:0] wide = (A_SIGNED ? PLACED_BITS'($signed(plane)) : PLACED_BITS'(plane)) << p;
        plane_sum #(.SIMD(SIMD), .ACT_BITS(APAR), .CAN_SIGN(A_SIGNED), .XNOR(1'b0)) lanes (
            .clk(clk), .weights(weights[(pe*WPAR+p)*SIMD+:SIMD]), .activations(mine), .top(top), .sum(plane)
        );
        assign placed_planes[p*PLACED_BITS+:PLACED_BITS] = W_SIGNED && p == WPAR - 1 ? ~wide : wide;
      end
      adder_tree #(.N(WPAR), .WIDTH(PLACED_BITS), .IS_SIGNED(1'b1)) tree (.clk(clk), .numbers(placed_planes), .sum(whole));
      assign sum = ACC_BITS'($signed(whole));
    end

    // An AND plane may be subtracted (the top plane of signed weights): -x is ~x plus the carry-in that the accumulator adds.
    logic [ACC_BITS-1:0] term, acc;
    wire  [ACC_BITS-1:0] placed   = PASSES > 1 ? sum << (term_info[PASS_BITS-1:0] * PASS_BITS_WIDE'(APAR)) : sum;
    wire                 flip     = !XNOR && WPAR == 1 && term_info[PASS_BITS];
    wire                 carry    = WPAR > 1 ? W_SIGNED : !XNOR && acc_info[PASS_BITS];
    wire  [ACC_BITS-1:0] kept     = acc_info[PASS_BITS+3] ? '0 : acc_info[PASS_BITS+1] ? acc << 1 : acc;
    wire  [ACC_BITS:0]   next     = {kept, 1'b1} + {term, carry};
    always_ff @(posedge clk) begin
      term <= placed ^ {ACC_BITS{flip}};
      if (acc_valid) acc <= next[ACC_BITS:1];
    end
    assign accumulators[pe*ACC_BITS+:ACC_BITS] = acc;
    wire unused_carry = &{1'b0, next[0]};
  end
endmodule
`default_nettype wire
