// SPDX-License-Identifier: Apache-2.0
// triple_count - GROUPS counts of N binary XNOR products, where adders see plain bits only and a cell has one output, registered or not (iCE40)
//
// Three products x0, x1, x2 become a number of two bits, s = x0 ^ x1 ^ x2 and m = majority, in three LUT4s a group, products included. What depends on the
// activations alone is formed once for all groups, and weights come recoded, three bits for three (docs/architecture.md, 3):
//
//   t0 = w1 ^ w2,  t1 = w0 ^ w2,  v = majority(w0, w1, w2)         in the places of w0, w1, w2
//   m  = (t0 & (a0 ^ a2)) ^ (t1 & (a1 ^ a2)) ^ v ^ majority(~a)    majority is quadratic over GF(2); two LUTs
//   s  = (t0 | t1) ^ v ^ parity(~a)                                t0 | t1: not all weights are alike; one LUT
//
// Two such numbers become one of three bits, each of them a function of four bits. Only then do carry chains pay: k + 1 cells add two numbers of k bits. In the
// limit 7/3 cells a product. One or two products left over have weights as they are.
//
// Latency    2 + ceil(log2 ceil(N/3)) clocks from activations; weights come a clock after their activations.
// Rate       one set of counts per clock.
// Reset      none: no control inside.
`default_nettype none
module triple_count #(
    parameter int GROUPS = 2,
    parameter int N      = 8,  // products of a group, >= 1
    localparam int SUM_BITS = $clog2(N + 1)
) (
    input  wire                       clk,
    input  wire [GROUPS*N-1:0]        weights,      // recoded, of group g at [g*N +: N]
    input  wire [N-1:0]               activations,
    output wire [GROUPS*SUM_BITS-1:0] sums          // unsigned
);
  localparam int WHOLE   = N / 3;
  localparam int TRIPLES = (N + 2) / 3;      // with what is left over
  localparam int LEVELS  = $clog2(TRIPLES);  // of two-input adders

  logic [3*TRIPLES-1:0] a;  // inverted; zero where there is none
  logic [TRIPLES-1:0]   a02, a12, parity, majority;
  wire  [N-1:0]         inverted = ~activations;
  always_ff @(posedge clk) a <= (3 * TRIPLES)'(inverted);
  for (genvar t = 0; t < TRIPLES; t++) begin : g_shared
    wire [2:0] b = 3'(inverted >> 3 * t);
    always_ff @(posedge clk) {a02[t], a12[t], parity[t], majority[t]} <= {b[0] ^ b[2], b[1] ^ b[2], ^b, (b[0] & b[1]) | (b[0] & b[2]) | (b[1] & b[2])};
  end

  for (genvar g = 0; g < GROUPS; g++) begin : g_group
    wire [3*TRIPLES-1:0] w = (3 * TRIPLES)'(weights[g*N+:N]);

    // Numbers after each level, of level + 2 bits.
    for (genvar level = 0; level <= LEVELS; level++) begin : g_level
      localparam int COUNT = (TRIPLES + (1 << level) - 1) >> level;
      localparam int BITS  = level + 2;
      logic [COUNT*BITS-1:0] numbers;
      for (genvar t = 0; t < COUNT; t++) begin : g_number
        if (level == 0 && t < WHOLE) begin : g_triple
          wire t0 = w[3*t], t1 = w[3*t+1], v = w[3*t+2];
          always_ff @(posedge clk) numbers[t*BITS+:BITS] <= {(t0 & a02[t]) ^ (t1 & a12[t]) ^ v ^ majority[t], (t0 | t1) ^ v ^ parity[t]};
        end else if (level == 0) begin : g_left
          wire x0 = w[3*t] ^ a[3*t], x1 = w[3*t+1] ^ a[3*t+1];
          always_ff @(posedge clk) numbers[t*BITS+:BITS] <= {x0 & x1, x0 ^ x1};
        end else begin : g_add
          localparam int BELOW = (TRIPLES + (1 << (level - 1)) - 1) >> (level - 1);
          wire [BITS-2:0] x = g_level[level-1].numbers[2*t*(BITS-1)+:BITS-1];
          if (2 * t + 1 == BELOW) begin : g_pass
            always_ff @(posedge clk) numbers[t*BITS+:BITS] <= {1'b0, x};
          end else begin : g_two
            wire [BITS-2:0] y = g_level[level-1].numbers[(2*t+1)*(BITS-1)+:BITS-1];
            if (level == 1) begin : g_logic
              wire c = x[0] & y[0];
              always_ff @(posedge clk) numbers[t*BITS+:BITS] <= {(x[1] & y[1]) | (x[1] & c) | (y[1] & c), x[1] ^ y[1] ^ c, x[0] ^ y[0]};
            end else begin : g_chain
              always_ff @(posedge clk) numbers[t*BITS+:BITS] <= {1'b0, x} + {1'b0, y};
            end
          end
        end
      end
    end
    assign sums[g*SUM_BITS+:SUM_BITS] = SUM_BITS'(g_level[LEVELS].numbers);
    wire unused = &{1'b0, g_level[LEVELS].numbers, w};
  end
  wire unused = &{1'b0, a, a02, a12, parity, majority};
endmodule
`default_nettype wire
