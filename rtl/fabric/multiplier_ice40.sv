// SPDX-License-Identifier: Apache-2.0
// multiplier_ice40 - multiplier out of one SB_MAC16 of an UltraPlus, its registers bypassed
//
// Latency    none: combinational.
`default_nettype none
module multiplier_ice40 #(
    parameter int A_BITS = 8,  // up to 16
    parameter int B_BITS = 4   // up to 16
) (
    input  wire signed [A_BITS-1:0]        a,
    input  wire signed [B_BITS-1:0]        b,
    output wire signed [A_BITS+B_BITS-1:0] product
);
  wire signed [15:0] wide_a = 16'(a), wide_b = 16'(b);
  wire        [31:0] result;
  SB_MAC16 #(.A_SIGNED(1'b1), .B_SIGNED(1'b1), .TOPOUTPUT_SELECT(2'b11), .BOTOUTPUT_SELECT(2'b11)) mac (
      .A(wide_a), .B(wide_b), .O(result), .C(16'd0), .D(16'd0), .CLK(1'b0), .CE(1'b0), .IRSTTOP(1'b0), .IRSTBOT(1'b0), .ORSTTOP(1'b0), .ORSTBOT(1'b0),
      .AHOLD(1'b0), .BHOLD(1'b0), .CHOLD(1'b0), .DHOLD(1'b0), .OHOLDTOP(1'b0), .OHOLDBOT(1'b0), .ADDSUBTOP(1'b0), .ADDSUBBOT(1'b0), .OLOADTOP(1'b0),
      .OLOADBOT(1'b0), .CI(1'b0), .ACCUMCI(1'b0), .SIGNEXTIN(1'b0)
  );
  assign product = result[A_BITS+B_BITS-1:0];
  wire unused = &{1'b0, result};
endmodule
`default_nettype wire
