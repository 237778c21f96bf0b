// SPDX-License-Identifier: Apache-2.0
// registered_multiplier - the product of two signed numbers, with the registers that its place on the chip asks for
//
// FABRIC 1, ECP5: multiplier blocks stand in rows far from most logic. The way there and back takes clocks of its own: registers at the block's inputs and output,
// which are its own where both factors have up to 18 bits (multiplier_ecp5), and one behind it. Elsewhere one register behind the product, which MAC16 makes of
// an iCE40's block (multiplier).
// Simulators and other tools see the behavioural form.
//
// Latency    1 clock; FABRIC 1: 3.
// Rate       one product per clock.
// Reset      none.
`default_nettype none
module registered_multiplier #(
    parameter int A_BITS = 8,
    parameter int B_BITS = 4,
    parameter int FABRIC = 0,   // 1: ECP5
    parameter int MAC16  = 0    // multiplier, unless FABRIC is 1
) (
    input  wire                             clk,
    input  wire  signed [A_BITS-1:0]        a,
    input  wire  signed [B_BITS-1:0]        b,
    output logic signed [A_BITS+B_BITS-1:0] product
);
`ifdef SYNTHESIS
  localparam bit BLOCK = FABRIC == 1 && A_BITS <= 18 && B_BITS <= 18;
`else
  localparam bit BLOCK = 0;
`endif
  wire signed [A_BITS+B_BITS-1:0] result;
  if (BLOCK) begin : g_block
    multiplier_ecp5 #(.A_BITS(A_BITS), .B_BITS(B_BITS)) block (.clk(clk), .a(a), .b(b), .product(result));
  end else if (FABRIC == 1) begin : g_registers
    logic signed [A_BITS-1:0]        held_a;
    logic signed [B_BITS-1:0]        held_b;
    logic signed [A_BITS+B_BITS-1:0] held;
    always_ff @(posedge clk) begin
      held_a <= a;
      held_b <= b;
      held   <= (A_BITS + B_BITS)'(held_a) * (A_BITS + B_BITS)'(held_b);
    end
    assign result = held;
  end else begin : g_plain
    multiplier #(.A_BITS(A_BITS), .B_BITS(B_BITS), .MAC16(MAC16)) plain (.a(a), .b(b), .product(result));
  end
  always_ff @(posedge clk) product <= result;
endmodule
`default_nettype wire
