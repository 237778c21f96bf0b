// SPDX-License-Identifier: Apache-2.0
// carry_chain_ecp5 - one carry chain of ECP5, half a CCU2C for each slot
//
// Slot i has P = LUT4(a, b, c, d) of its table; its sum is P ^ carry in, its carry out is P ? carry in : G, where G is the same table at c = d = 0.
// The first slot's carry in is undefined: its table must be zero wherever c = d = 1. Yosys models the cell in ecp5/cells_sim.v.
//
// Latency    none: combinational.
`default_nettype none
module carry_chain_ecp5 #(
    parameter int SLOTS = 4,
    parameter logic [16*SLOTS-1:0] TABLES = '0  // slot i at [16*i +: 16], indexed {d, c, b, a}
) (
    input  wire [SLOTS-1:0] a,
    input  wire [SLOTS-1:0] b,
    input  wire [SLOTS-1:0] c,
    input  wire [SLOTS-1:0] d,
    output wire [SLOTS-1:0] sum
);
  localparam int CELLS = (SLOTS + 1) / 2;

  // An odd chain's last half adds nothing; constant ones are free at this cell, zeros take routing.
  wire [2*CELLS-1:0]    wide_a = (2*CELLS)'({1'b1, a}), wide_b = (2*CELLS)'({1'b1, b}), wide_c = (2*CELLS)'({1'b1, c}), wide_d = (2*CELLS)'({1'b1, d});
  wire [2*CELLS-1:0]    wide_sum;
  wire [CELLS:0]        carry;
  localparam logic [32*CELLS-1:0] WIDE_TABLES = (32*CELLS)'(TABLES);

  for (genvar i = 0; i < CELLS; i++) begin : g_cell
    if (i == 0) begin : g_first
      (* carry_in_unused *)  // so that place and route need not bring it there (sw/flow/trim_carry_chains.py)
      CCU2C #(.INIT0(WIDE_TABLES[15:0]), .INIT1(WIDE_TABLES[31:16]), .INJECT1_0("NO"), .INJECT1_1("NO")) slots (
          .CIN(1'b0), .A0(wide_a[0]), .B0(wide_b[0]), .C0(wide_c[0]), .D0(wide_d[0]), .A1(wide_a[1]), .B1(wide_b[1]), .C1(wide_c[1]), .D1(wide_d[1]),
          .S0(wide_sum[0]), .S1(wide_sum[1]), .COUT(carry[1])
      );
    end else begin : g_next
      CCU2C #(.INIT0(WIDE_TABLES[32*i+:16]), .INIT1(WIDE_TABLES[32*i+16+:16]), .INJECT1_0("NO"), .INJECT1_1("NO")) slots (
          .CIN(carry[i]), .A0(wide_a[2*i]), .B0(wide_b[2*i]), .C0(wide_c[2*i]), .D0(wide_d[2*i]),
          .A1(wide_a[2*i+1]), .B1(wide_b[2*i+1]), .C1(wide_c[2*i+1]), .D1(wide_d[2*i+1]),
          .S0(wide_sum[2*i]), .S1(wide_sum[2*i+1]), .COUT(carry[i+1])
      );
    end
  end
  assign sum = wide_sum[SLOTS-1:0];
endmodule
`default_nettype wire
