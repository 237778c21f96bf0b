// SPDX-License-Identifier: Apache-2.0
// multiplier - the product of two signed numbers
//
// Synthesis makes it of multiplier blocks where it infers them (ECP5: MULT18X18D, one for factors of up to 18 bits). MAC16: of one of iCE40's SB_MAC16, which
// Yosys does not infer unless every multiplication of a design may take blocks; for factors of up to 16 bits. Simulators and other tools see the
// behavioural form; scripts/formal-cells proves both equal.
//
// Latency    none: combinational.
`default_nettype none
module multiplier #(
    parameter int A_BITS = 8,
    parameter int B_BITS = 4,
    parameter int MAC16  = 0
) (
    input  wire signed [A_BITS-1:0]        a,
    input  wire signed [B_BITS-1:0]        b,
    output wire signed [A_BITS+B_BITS-1:0] product
);
`ifdef SYNTHESIS
  localparam int BLOCK = MAC16;
`else
  localparam int BLOCK = 0;
`endif
  if (MAC16 != 0 && (A_BITS > 16 || B_BITS > 16)) begin : g_width error_MAC16_takes_factors_of_up_to_16_bits check (); end

  if (BLOCK != 0) begin : g_block
    multiplier_ice40 #(.A_BITS(A_BITS), .B_BITS(B_BITS)) block (.a(a), .b(b), .product(product));
  end else begin : g_plain
    assign product = (A_BITS + B_BITS)'(a) * (A_BITS + B_BITS)'(b);
  end
endmodule
`default_nettype wire
