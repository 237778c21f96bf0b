// SPDX-License-Identifier: Apache-2.0
// plane_array - PE accumulators, each fed by SIMD cells: the multiply-accumulate array of a plane layer
//
// For each word, every PE adds (negate ? -1 : 1) * 2^(pass*APAR) * sum_i cell(weight_i, activation_i) to its accumulator; a word with `double` doubles
// the accumulator first (Horner over weight planes), a word with `first` starts from zero. After a word with `last` the accumulators are a group's result.
// With XNOR cells `negate` is ignored. A word's activations are taken APAR bits at a time, one such plane group per pass, the lowest first.
// All PEs share SIMD activations; with DEPTHWISE every PE has its own, and cell i of PE pe takes activation i*PE + pe of SIMD*PE.
//
// Latency    LATENCY clocks from a word with `last` to group_valid: selection (if there are several passes), the adder tree, term, accumulator.
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
    input  wire [PE*SIMD-1:0]     weights,       // bit pe*SIMD + i; timing: see Latency

    output wire                   group_valid,   // one clock
    output wire                   group_frame,
    output wire [PE*ACC_BITS-1:0] accumulators   // PE pe at [pe*ACC_BITS +: ACC_BITS], in the clock of group_valid
);
  if (A_BITS % APAR != 0) begin : g_apar error_APAR_must_divide_A_BITS check (); end

  localparam int SELECT    = PASSES > 1 ? 1 : 0;
  localparam int TERM      = SELECT + ($clog2(SIMD) + 1) / 2;  // clocks until the sums stand: adder_tree's latency
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

    wire [SUM_BITS-1:0] sum;
    plane_sum #(.SIMD(SIMD), .ACT_BITS(APAR), .CAN_SIGN(A_SIGNED), .XNOR(XNOR)) lanes (
        .clk(clk), .weights(weights[pe*SIMD+:SIMD]), .activations(mine), .top(top), .sum(sum)
    );

    // An AND plane may be subtracted (the top plane of signed weights): -x is ~x plus the carry-in that the accumulator adds.
    logic [ACC_BITS-1:0] term, acc;
    wire  [ACC_BITS-1:0] extended = A_SIGNED ? ACC_BITS'($signed(sum)) : ACC_BITS'(sum);
    wire  [ACC_BITS-1:0] placed   = PASSES > 1 ? extended << (term_info[PASS_BITS-1:0] * PASS_BITS_WIDE'(APAR)) : extended;
    wire                 flip     = !XNOR && term_info[PASS_BITS];
    wire                 carry    = !XNOR && acc_info[PASS_BITS];
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
