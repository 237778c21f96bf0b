// SPDX-License-Identifier: Apache-2.0
// carry_chain_ice40 - one carry chain of iCE40, a logic cell for each slot
//
// Slot i's sum is its table of (top, a, b, carry in), indexed {carry in, b, a, top}; its carry out is the majority of a, b and carry in. The first slot's carry in
// is zero. Yosys models the cells in ice40/cells_sim.v; nextpnr puts both into one logic cell.
//
// Latency    none: combinational.
`default_nettype none
module carry_chain_ice40 #(
    parameter int SLOTS = 4,
    parameter logic [16*SLOTS-1:0] TABLES = '0
) (
    input  wire [SLOTS-1:0] top,
    input  wire [SLOTS-1:0] a,
    input  wire [SLOTS-1:0] b,
    output wire [SLOTS-1:0] sum
);
  wire [SLOTS-1:0] carry;
  assign carry[0] = 1'b0;
  for (genvar i = 0; i < SLOTS; i++) begin : g_slot
    (* keep *) SB_LUT4 #(.LUT_INIT(TABLES[16*i+:16])) lut (.I0(top[i]), .I1(a[i]), .I2(b[i]), .I3(carry[i]), .O(sum[i]));
    if (i < SLOTS - 1) begin : g_carry
      (* keep *) SB_CARRY adder (.I0(a[i]), .I1(b[i]), .CI(carry[i]), .CO(carry[i+1]));
    end
  end
endmodule
`default_nettype wire
