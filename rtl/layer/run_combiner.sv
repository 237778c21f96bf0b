// SPDX-License-Identifier: Apache-2.0
// run_combiner - adds up the runs of an output group, each times its coefficient, LANES channels per clock
//
// The array's totals know nothing of planes. Here a group's runs become its accumulators, one after the other:
//
//   COEFFICIENT_BITS = 0   accumulator = (first ? 0 : doubles ? 2 * accumulator : accumulator) + (negates ? -1 : 1) * 2^(pass*APAR) * total
//   else                   accumulator = (first ? 0 : accumulator) + coefficient * 2^(pass*APAR) * total
//
// The first is Horner's rule over weight planes of 1, 2, 4, .. and their negatives; the second takes any levels, by a multiplier per lane.
//
// Latency    from in_valid to the group's first values: 2, and 1 more if LANES < COUNT.
// Rate       runs may come COUNT/LANES clocks apart, no closer.
// Reset      valid only.
`default_nettype none
module run_combiner #(
    parameter int COUNT            = 4,   // totals
    parameter int LANES            = 1,   // divides COUNT
    parameter int TOTAL_BITS       = 8,
    parameter bit TOTAL_SIGNED     = 0,
    parameter int ACC_BITS         = 12,  // signed, at least TOTAL_BITS
    parameter int PASSES           = 1,
    parameter int APAR             = 1,   // activation bits per pass
    parameter int COEFFICIENT_BITS = 0,   // signed coefficients; 0: doubles and negates
    parameter int MAC16            = 0,   // multiplier
    parameter int INFO_BITS        = 1,
    localparam int PASS_BITS = PASSES > 1 ? $clog2(PASSES) : 1,
    localparam int FACTOR_BITS = COEFFICIENT_BITS > 0 ? COEFFICIENT_BITS : 2
) (
    input  wire                        clk,
    input  wire                        rst,
    input  wire                        in_valid,   // a run is complete
    input  wire                        in_first,   // it is its group's first
    input  wire                        in_last,    // it is its group's last
    input  wire  [PASS_BITS-1:0]       in_pass,
    input  wire  [FACTOR_BITS-1:0]     in_factor,  // {doubles, negates}, or the coefficient
    input  wire  [INFO_BITS-1:0]       in_info,
    input  wire  [COUNT*TOTAL_BITS-1:0] in_totals,
    output logic                       out_valid,
    output logic                       out_last,   // the group's last beat
    output logic [INFO_BITS-1:0]       out_info,   // of the group's last run
    output wire  [LANES*ACC_BITS-1:0]  out_values
);
  if (ACC_BITS < TOTAL_BITS) begin : g_bits error_ACC_BITS_must_hold_a_total check (); end

  localparam int BEATS      = COUNT / LANES;
  localparam int SHIFT_BITS = $clog2(PASSES * APAR + 1);

  wire                        lane_valid, lane_end, first, last;
  wire [PASS_BITS-1:0]        pass;
  wire [FACTOR_BITS-1:0]      factor;
  wire [INFO_BITS-1:0]        info;
  wire [LANES*TOTAL_BITS-1:0] totals;
  lane_shifter #(.COUNT(COUNT), .LANES(LANES), .BITS(TOTAL_BITS), .INFO_BITS(2 + PASS_BITS + FACTOR_BITS + INFO_BITS)) shifter (
      .clk(clk), .rst(rst), .in_valid(in_valid), .in_short(1'b0), .in_info({in_first, in_last, in_pass, in_factor, in_info}), .in_values(in_totals),
      .out_valid(lane_valid), .out_last(lane_end), .out_info({first, last, pass, factor, info}), .out_values(totals)
  );

  // ---- Term (1), sum (2).
  logic                   term_valid, term_first, term_last, term_end, term_doubles, term_carry;
  logic [INFO_BITS-1:0]   term_info;
  always_ff @(posedge clk) begin
    term_valid   <= lane_valid;
    term_first   <= first;
    term_last    <= last;
    term_end     <= lane_end;
    term_doubles <= COEFFICIENT_BITS == 0 && factor[FACTOR_BITS-1];
    term_carry   <= COEFFICIENT_BITS == 0 && factor[0];
    term_info    <= info;
    out_valid    <= term_valid && term_last;
    out_last     <= term_end;
    out_info     <= term_info;
    if (rst) begin
      term_valid <= 1'b0;
      out_valid  <= 1'b0;
    end
  end

  // The pass moves the coefficient, not the totals: one small shifter for all lanes, and narrow factors that fit a multiplier block.
  localparam int SCALE_BITS = FACTOR_BITS + (PASSES - 1) * APAR;
  wire signed [SCALE_BITS-1:0] coefficient = SCALE_BITS'($signed(factor));
  wire signed [SCALE_BITS-1:0] scale       = PASSES > 1 ? coefficient <<< (SHIFT_BITS'(pass) * SHIFT_BITS'(APAR)) : coefficient;

  for (genvar lane = 0; lane < LANES; lane++) begin : g_lane
    wire [TOTAL_BITS-1:0] total  = totals[lane*TOTAL_BITS+:TOTAL_BITS];
    wire [ACC_BITS-1:0]   wide   = TOTAL_SIGNED ? ACC_BITS'($signed(total)) : ACC_BITS'(total);
    wire [ACC_BITS-1:0]   placed = PASSES > 1 ? wide << (SHIFT_BITS'(pass) * SHIFT_BITS'(APAR)) : wide;
    logic [ACC_BITS-1:0]  term;
    if (COEFFICIENT_BITS > 0) begin : g_multiply
      localparam int VALUE_BITS   = TOTAL_BITS + (TOTAL_SIGNED ? 0 : 1);
      localparam int PRODUCT_BITS = VALUE_BITS + SCALE_BITS;
      wire signed [VALUE_BITS-1:0]   value   = TOTAL_SIGNED ? $signed(VALUE_BITS'($signed(total))) : $signed(VALUE_BITS'(total));
      wire signed [PRODUCT_BITS-1:0] product;
      multiplier #(.A_BITS(VALUE_BITS), .B_BITS(SCALE_BITS), .MAC16(MAC16)) multiply (.a(value), .b(scale), .product(product));
      always_ff @(posedge clk) term <= ACC_BITS'(product);
      wire unused = &{1'b0, product, placed};
    end else begin : g_negate  // -x is ~x plus the carry that the sum adds
      always_ff @(posedge clk) term <= placed ^ {ACC_BITS{factor[0]}};
    end

    // The accumulators of BEATS channels, in a ring that moves with the beats.
    logic [BEATS*ACC_BITS-1:0] ring;
    wire  [ACC_BITS-1:0]       earlier = ring[(BEATS-1)*ACC_BITS+:ACC_BITS];
    wire  [ACC_BITS-1:0]       kept   = term_first ? '0 : term_doubles ? earlier << 1 : earlier;
    wire  [ACC_BITS:0]         sum    = {kept, 1'b1} + {term, term_carry};
    if (BEATS > 1) begin : g_ring
      always_ff @(posedge clk) if (term_valid) ring <= {ring[(BEATS-1)*ACC_BITS-1:0], sum[ACC_BITS:1]};
    end else begin : g_one
      always_ff @(posedge clk) if (term_valid) ring <= sum[ACC_BITS:1];
    end
    assign out_values[lane*ACC_BITS+:ACC_BITS] = ring[ACC_BITS-1:0];
    wire unused_carry = &{1'b0, sum[0]};
  end
  wire unused_scale = &{1'b0, pass, scale};
endmodule
`default_nettype wire
