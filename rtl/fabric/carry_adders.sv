// SPDX-License-Identifier: Apache-2.0
// carry_adders - COUNT adders of gated operands and a gated carry in, packed into few carry chains
//
// sum = X + Y + C, where each bit of X is xa & xb (xa ^ xb if X_XOR), of Y likewise, and C = CARRY[{cb, ca}]. A missing bit of the shorter operand, and
// the carry of an adder that has none, is FILL. So products of weights and activations need no cells of their own.
//
// FABRIC 1, ECP5: one slot of a carry chain per bit (carry_chain_ecp5), plus one that ends an adder and starts the next: it propagates nothing, so its sum
// is the carry of the adder before, and its carry is the C of the adder after. A chain takes adders up to CHAIN slots: longer chains waste fewer slots
// and take longer.
// Elsewhere a gate takes a LUT in front. Simulators and other tools see the behavioural form; scripts/formal-cells proves both equal.
//
// Latency    none: combinational.
`default_nettype none
module carry_adders #(
    parameter int COUNT     = 3,        // adders
    parameter int X_BITS    = 4,        // >= 1
    parameter int Y_BITS    = 3,        // >= 1
    parameter bit X_XOR     = 0,
    parameter bit Y_XOR     = 0,
    parameter bit FILL      = 0,
    parameter logic [3:0] CARRY = 4'b1000,
    parameter int PERIOD    = 1,        // of every PERIOD adders the first CARRIES have a carry in
    parameter int CARRIES   = 1,
    parameter bit OVERFLOW  = 1,        // the sum's top bit, the carry out, is wanted; else it is zero
    parameter int FABRIC    = 0,        // 1: ECP5
    parameter int CHAIN     = 36,       // slots
    localparam int BITS     = X_BITS > Y_BITS ? X_BITS : Y_BITS,
    localparam int SUM_BITS = BITS + 1
) (
    input  wire [COUNT*X_BITS-1:0]   xa,   // adder i at [i*X_BITS +: X_BITS], and so on
    input  wire [COUNT*X_BITS-1:0]   xb,
    input  wire [COUNT*Y_BITS-1:0]   ya,
    input  wire [COUNT*Y_BITS-1:0]   yb,
    input  wire [COUNT-1:0]          ca,
    input  wire [COUNT-1:0]          cb,
    output wire [COUNT*SUM_BITS-1:0] sums
);
`ifdef SYNTHESIS
  localparam int CELLS = FABRIC;
`else
  localparam int CELLS = 0;
`endif

  if (CELLS == 1) begin : g_ecp5
    carry_adders_ecp5 #(
        .COUNT(COUNT), .X_BITS(X_BITS), .Y_BITS(Y_BITS), .X_XOR(X_XOR), .Y_XOR(Y_XOR), .FILL(FILL), .CARRY(CARRY), .PERIOD(PERIOD), .CARRIES(CARRIES),
        .OVERFLOW(OVERFLOW), .CHAIN(CHAIN)
    ) cells (.xa(xa), .xb(xb), .ya(ya), .yb(yb), .ca(ca), .cb(cb), .sums(sums));
  end else begin : g_gates
    wire [COUNT*X_BITS-1:0] gated_x = X_XOR ? xa ^ xb : xa & xb;
    wire [COUNT*Y_BITS-1:0] gated_y = Y_XOR ? ya ^ yb : ya & yb;
    wire [COUNT*BITS-1:0]   x, y;
    wire [COUNT-1:0]        carry;
    for (genvar i = 0; i < COUNT; i++) begin : g_adder
      assign x[i*BITS+:BITS] = BITS'({{BITS{FILL}}, gated_x[i*X_BITS+:X_BITS]});
      assign y[i*BITS+:BITS] = BITS'({{BITS{FILL}}, gated_y[i*Y_BITS+:Y_BITS]});
      assign carry[i]        = i % PERIOD < CARRIES ? CARRY[{cb[i], ca[i]}] : FILL;
      wire unused = &{1'b0, ca[i], cb[i]};
    end
    for (genvar i = 0; i < COUNT; i++) begin : g_sum
      // One adder with a carry in for every tool: the carry is made by adding one bit below.
      wire [SUM_BITS:0] sum = {1'b0, x[i*BITS+:BITS], 1'b1} + {1'b0, y[i*BITS+:BITS], carry[i]};
      assign sums[i*SUM_BITS+:SUM_BITS] = {OVERFLOW && sum[SUM_BITS], sum[BITS:1]};
      wire unused = &{1'b0, sum};
    end
    if (CHAIN < 1 || FABRIC < 0) begin : g_unused end
  end
endmodule
`default_nettype wire
