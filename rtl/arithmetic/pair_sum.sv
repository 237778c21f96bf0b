// SPDX-License-Identifier: Apache-2.0
// pair_sum - GROUPS sums of N activations times -1 or +1, where adders see plain bits only (iCE40)
//
// Two activations a, b contribute +-(a + b) or +-(a - b). Sum and difference are formed once for all groups; each group then takes one LUT4 per bit of a pair,
// (same sign ? sum : difference) ^ negative, and adders for half as many terms. ~x stands for -x, so a sum lacks 1 for each pair whose first weight is -1:
// a constant of the weights, which the user adds.
//
//   sums = sum over pairs i of  p_i,   x = w[2i] == w[2i+1] ? a[2i] + a[2i+1] : a[2i] - a[2i+1],   p_i = w[2i] ? x : -x - 1
//
// Latency    2 + ceil(log2(N/2)) clocks from activations; weights come a clock after their activations.
// Rate       one set of sums per clock.
// Reset      none: no control inside.
`default_nettype none
module pair_sum #(
    parameter int GROUPS   = 2,
    parameter int N        = 8,    // activations, even
    parameter int ACT_BITS = 8,
    parameter bit CENTERED = 0,    // activations are unsigned and count 2^(ACT_BITS-1) less; else two's complement
    localparam int BITS     = ACT_BITS + 1,
    localparam int SUM_BITS = BITS + $clog2(N / 2)
) (
    input  wire                       clk,
    input  wire [GROUPS*N-1:0]        weights,      // group g's weight i at [g*N + i]: 1 is +1, 0 is -1
    input  wire [N*ACT_BITS-1:0]      activations,
    output wire [GROUPS*SUM_BITS-1:0] sums          // two's complement
);
  if (N < 2 || N % 2 != 0) begin : g_n error_N_must_be_even check (); end
  localparam int PAIRS  = N / 2;
  localparam int LEVELS = $clog2(PAIRS);

  // Unsigned activations are added as they are: the top bit of a + b, turned round, is that of the centred sum, and a - b is the centred difference.
  wire [PAIRS*BITS-1:0] added, subtracted;
  for (genvar i = 0; i < PAIRS; i++) begin : g_pair
    wire [ACT_BITS-1:0] a = activations[2*i*ACT_BITS+:ACT_BITS];
    wire [ACT_BITS-1:0] b = activations[(2*i+1)*ACT_BITS+:ACT_BITS];
    wire [BITS-1:0]     x = {!CENTERED && a[ACT_BITS-1], a};
    wire [BITS-1:0]     y = {!CENTERED && b[ACT_BITS-1], b};
    wire [BITS-1:0]     sum        = x + y;
    wire [BITS-1:0]     difference = x - y;
    logic               low;  // of both
    logic [BITS-2:0]    high_sum, high_difference;
    always_ff @(posedge clk) begin
      low             <= sum[0];
      high_sum        <= sum[BITS-1:1] ^ ((BITS - 1)'(CENTERED) << (BITS - 2));
      high_difference <= difference[BITS-1:1];
    end
    assign added[i*BITS+:BITS]      = {high_sum, low};
    assign subtracted[i*BITS+:BITS] = {high_difference, low};
    wire unused = difference[0];
  end

  for (genvar g = 0; g < GROUPS; g++) begin : g_group
    for (genvar level = 0; level <= LEVELS; level++) begin : g_level
      localparam int TERMS = (PAIRS + (1 << level) - 1) >> level;
      localparam int WIDTH = BITS + level;
      logic [TERMS*WIDTH-1:0] terms;
      for (genvar t = 0; t < TERMS; t++) begin : g_term
        if (level == 0) begin : g_select
          wire first = weights[g*N+2*t], second = weights[g*N+2*t+1];
          always_ff @(posedge clk) terms[t*WIDTH+:WIDTH] <= (first == second ? added[t*BITS+:BITS] : subtracted[t*BITS+:BITS]) ^ {BITS{!first}};
        end else begin : g_add
          localparam int BELOW = (PAIRS + (1 << (level - 1)) - 1) >> (level - 1);
          wire signed [WIDTH-2:0] x = g_level[level-1].terms[2*t*(WIDTH-1)+:WIDTH-1];
          if (2 * t + 1 < BELOW) begin : g_two
            wire signed [WIDTH-2:0] y = g_level[level-1].terms[(2*t+1)*(WIDTH-1)+:WIDTH-1];
            always_ff @(posedge clk) terms[t*WIDTH+:WIDTH] <= WIDTH'(x) + WIDTH'(y);
          end else begin : g_one
            always_ff @(posedge clk) terms[t*WIDTH+:WIDTH] <= WIDTH'(x);
          end
        end
      end
    end
    assign sums[g*SUM_BITS+:SUM_BITS] = g_level[LEVELS].terms;
  end
endmodule
`default_nettype wire
