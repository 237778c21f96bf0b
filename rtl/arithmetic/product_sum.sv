// SPDX-License-Identifier: Apache-2.0
// product_sum - GROUPS sums of N products of a weight and an activation, both of several bits: a multiplier each, and a pipelined tree of adders
//
// Where multiplier blocks are left over, a product of W by A bits costs no cell: its adder alone is W + A bits, where AND cells and their adders take
// more than W*A (plane_array). The tree is of plain additions, which every synthesis turns into carry chains with a register behind each cell.
//
// Latency    LEVELS = ceil(log2 N) clocks behind registered_multiplier: 1, FABRIC 1: 3.
// Rate       one set of sums per clock.
// Reset      none: no control inside.
`default_nettype none
module product_sum #(
    parameter int GROUPS   = 2,
    parameter int N        = 4,  // products of a group, >= 1
    parameter int ACT_BITS = 8,
    parameter bit A_SIGNED = 0,
    parameter bit OWN      = 0,  // each group has activations of its own
    parameter int W_BITS   = 8,
    parameter bit W_SIGNED = 1,
    parameter int FABRIC   = 0,  // registered_multiplier
    localparam int SETS     = OWN ? GROUPS : 1,
    localparam int A_WIDTH  = ACT_BITS + (A_SIGNED ? 0 : 1),  // of a signed factor: a zero above what has no sign
    localparam int W_WIDTH  = W_BITS + (W_SIGNED ? 0 : 1),
    localparam int LEVELS   = $clog2(N),
    localparam int SUM_BITS = A_WIDTH + W_WIDTH + LEVELS
) (
    input  wire                         clk,
    input  wire [GROUPS*W_BITS*N-1:0]   weights,      // bit p of weight i of group g at (g*W_BITS + p)*N + i
    input  wire [SETS*N*ACT_BITS-1:0]   activations,  // activation i of set s at [(s*N + i)*ACT_BITS +: ACT_BITS]
    output wire [GROUPS*SUM_BITS-1:0]   sums          // two's complement
);
  localparam int MAC16 = FABRIC == 2 ? 1 : 0;

  for (genvar level = 0; level <= LEVELS; level++) begin : g_level
    localparam int COUNT = (N + (1 << level) - 1) >> level;
    localparam int BITS  = A_WIDTH + W_WIDTH + level;
    wire [GROUPS*COUNT*BITS-1:0] numbers;
    for (genvar g = 0; g < GROUPS; g++) begin : g_group
      for (genvar j = 0; j < COUNT; j++) begin : g_number
        wire signed [BITS-1:0] number;
        if (level == 0) begin : g_product
          wire [W_BITS-1:0]   weight;
          wire [ACT_BITS-1:0] activation = activations[((OWN?g:0)*N+j)*ACT_BITS+:ACT_BITS];
          for (genvar p = 0; p < W_BITS; p++) begin : g_bit
            assign weight[p] = weights[(g*W_BITS+p)*N+j];
          end
          registered_multiplier #(.A_BITS(A_WIDTH), .B_BITS(W_WIDTH), .FABRIC(FABRIC), .MAC16(MAC16)) multiplier (
              .clk(clk), .a(A_WIDTH'(activation)), .b(W_WIDTH'(weight)), .product(number)
          );
        end else begin : g_sum
          localparam int BELOW = (N + (1 << (level - 1)) - 1) >> (level - 1);
          wire signed [BITS-2:0]  x = g_level[level-1].numbers[(g*BELOW+2*j)*(BITS-1)+:BITS-1];
          logic signed [BITS-1:0] held;
          if (2 * j + 1 < BELOW) begin : g_add
            wire signed [BITS-2:0] y = g_level[level-1].numbers[(g*BELOW+2*j+1)*(BITS-1)+:BITS-1];
            always_ff @(posedge clk) held <= BITS'(x) + BITS'(y);
          end else begin : g_pass
            always_ff @(posedge clk) held <= BITS'(x);
          end
          assign number = held;
        end
        assign numbers[(g*COUNT+j)*BITS+:BITS] = number;
      end
    end
  end
  assign sums = g_level[LEVELS].numbers;
endmodule
`default_nettype wire
