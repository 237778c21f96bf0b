// SPDX-License-Identifier: Apache-2.0
// multiplier_ecp5 - the product of two signed numbers out of one MULT18X18D, between the block's own registers
//
// Latency    2 clocks.
// Reset      none.
`default_nettype none
module multiplier_ecp5 #(
    parameter int A_BITS = 8,  // up to 18
    parameter int B_BITS = 4   // up to 18
) (
    input  wire                            clk,
    input  wire signed [A_BITS-1:0]        a,
    input  wire signed [B_BITS-1:0]        b,
    output wire signed [A_BITS+B_BITS-1:0] product
);
  wire signed [17:0] wide_a = 18'(a), wide_b = 18'(b);
  wire        [35:0] result;
  MULT18X18D #(.REG_INPUTA_CLK("CLK0"), .REG_INPUTB_CLK("CLK0"), .REG_OUTPUT_CLK("CLK0"), .GSR("DISABLED")) block (
      .A0(wide_a[0]), .A1(wide_a[1]), .A2(wide_a[2]), .A3(wide_a[3]), .A4(wide_a[4]), .A5(wide_a[5]), .A6(wide_a[6]), .A7(wide_a[7]), .A8(wide_a[8]),
      .A9(wide_a[9]), .A10(wide_a[10]), .A11(wide_a[11]), .A12(wide_a[12]), .A13(wide_a[13]), .A14(wide_a[14]), .A15(wide_a[15]), .A16(wide_a[16]),
      .A17(wide_a[17]), .B0(wide_b[0]), .B1(wide_b[1]), .B2(wide_b[2]), .B3(wide_b[3]), .B4(wide_b[4]), .B5(wide_b[5]), .B6(wide_b[6]),
      .B7(wide_b[7]), .B8(wide_b[8]), .B9(wide_b[9]), .B10(wide_b[10]), .B11(wide_b[11]), .B12(wide_b[12]), .B13(wide_b[13]), .B14(wide_b[14]),
      .B15(wide_b[15]), .B16(wide_b[16]), .B17(wide_b[17]), .P0(result[0]), .P1(result[1]), .P2(result[2]), .P3(result[3]), .P4(result[4]),
      .P5(result[5]), .P6(result[6]), .P7(result[7]), .P8(result[8]), .P9(result[9]), .P10(result[10]), .P11(result[11]), .P12(result[12]),
      .P13(result[13]), .P14(result[14]), .P15(result[15]), .P16(result[16]), .P17(result[17]), .P18(result[18]), .P19(result[19]), .P20(result[20]),
      .P21(result[21]), .P22(result[22]), .P23(result[23]), .P24(result[24]), .P25(result[25]), .P26(result[26]), .P27(result[27]), .P28(result[28]),
      .P29(result[29]), .P30(result[30]), .P31(result[31]), .P32(result[32]), .P33(result[33]), .P34(result[34]), .P35(result[35]), .C0(1'b0),
      .C1(1'b0), .C2(1'b0), .C3(1'b0), .C4(1'b0), .C5(1'b0), .C6(1'b0), .C7(1'b0), .C8(1'b0), .C9(1'b0), .C10(1'b0), .C11(1'b0), .C12(1'b0),
      .C13(1'b0), .C14(1'b0), .C15(1'b0), .C16(1'b0), .C17(1'b0), .SIGNEDA(1'b1), .SIGNEDB(1'b1), .SOURCEA(1'b0), .SOURCEB(1'b0), .CLK0(clk),
      .CLK1(1'b0), .CLK2(1'b0), .CLK3(1'b0), .CE0(1'b1), .CE1(1'b1), .CE2(1'b1), .CE3(1'b1), .RST0(1'b0), .RST1(1'b0), .RST2(1'b0), .RST3(1'b0)
  );
  assign product = result[A_BITS+B_BITS-1:0];
  wire unused = &{1'b0, result};
endmodule
`default_nettype wire
