// SPDX-License-Identifier: Apache-2.0
// plane_sum - one weight plane against SIMD activations: sum over i of cell(weight i, activation i)
//
// XNOR = 1: the activation where the weight bit is 1, its bitwise complement where it is 0 (weights +1 and -1, up to a constant per channel).
// XNOR = 0: the activation where the weight bit is 1, zero where it is 0.
// An activation is ACT_BITS wide, unsigned, or two's complement where `top` is high (its highest bit then counts negative).
//
// Latency    that of adder_tree over SIMD numbers.
// Rate       one sum per clock.
// Reset      none: no control inside.
`default_nettype none
module plane_sum #(
    parameter int SIMD      = 8,  // activations, >= 1
    parameter int ACT_BITS  = 1,  // bits of each, >= 1
    parameter bit CAN_SIGN  = 0,  // `top` may be high
    parameter bit XNOR      = 1,
    localparam int CELL_BITS = ACT_BITS + (CAN_SIGN ? 1 : 0),
    localparam int SUM_BITS  = CELL_BITS + $clog2(SIMD)
) (
    input  wire                     clk,
    input  wire [SIMD-1:0]          weights,
    input  wire [SIMD*ACT_BITS-1:0] activations,
    input  wire                     top,
    output wire [SUM_BITS-1:0]      sum          // two's complement if CAN_SIGN, else unsigned
);
  logic [SIMD*CELL_BITS-1:0] cells;
  for (genvar i = 0; i < SIMD; i++) begin : g_cell
    wire [ACT_BITS-1:0] value = XNOR ? activations[i*ACT_BITS+:ACT_BITS] ^ {ACT_BITS{!weights[i]}}
                                     : activations[i*ACT_BITS+:ACT_BITS] & {ACT_BITS{weights[i]}};
    if (CAN_SIGN) begin : g_sign
      assign cells[i*CELL_BITS+:CELL_BITS] = {top && value[ACT_BITS-1], value};
    end else begin : g_plain
      assign cells[i*CELL_BITS+:CELL_BITS] = value;
    end
  end
  if (!CAN_SIGN) begin : g_unused
    wire unused = &{1'b0, top};
  end

  adder_tree #(.N(SIMD), .WIDTH(CELL_BITS), .IS_SIGNED(CAN_SIGN)) tree (.clk(clk), .numbers(cells), .sum(sum));
endmodule
`default_nettype wire
