// SPDX-License-Identifier: Apache-2.0
// Memories of ECP5 for the simulation of netlists (sw/flow/netlist.cpp writes the other cells as expressions). Yosys installs no model of
// DP16KD. All ports of a memory have one clock, as in Bitloom's RTL.

// Block RAM. Widths of 36 on both: port A writes, port B reads {DOB, DOA}. A read gets the old word; the RTL relies on neither.
module sim_DP16KD #(
    parameter int DATA_WIDTH_A = 18,
    parameter int DATA_WIDTH_B = 18,
    parameter bit OUT_A = 0,  // a register at the port's output, without enable
    parameter bit OUT_B = 0,
    parameter [18431:0] INIT = 0
) (
    input clk,
    input CEA, input WEA, input [13:0] ADA, input [17:0] DIA, output [17:0] DOA,
    input CEB, input WEB, input [13:0] ADB, input [17:0] DIB, output [17:0] DOB
);
  // Where a word's lowest bit is, for a port of a width. Widths below 9 leave each ninth bit unused.
  function automatic [14:0] place(input int width, input [13:0] ad);
    case (width)
      36: place = 15'(ad[13:5]) * 15'd36;
      18: place = 15'(ad[13:4]) * 15'd18;
      9: place = 15'(ad[13:3]) * 15'd9;
      4: place = 15'(ad[13:3]) * 15'd9 + 15'({ad[2], 2'd0});
      2: place = 15'(ad[13:3]) * 15'd9 + 15'({ad[2:1], 1'd0});
      default: place = 15'(ad[13:3]) * 15'd9 + 15'(ad[2:0]);
    endcase
  endfunction

  reg [18431:0] mem = INIT;
  reg [35:0] read_a, read_b;
  wire [35:0] write_a = {DIB, DIA};
  wire [35:0] write_b = {18'd0, DIB};
  // Not in the targets below: there Verilator 5.032 takes no function call, once it does not inline the module.
  wire [14:0] at_a = place(DATA_WIDTH_A, ADA), at_b = place(DATA_WIDTH_B, ADB);
  always @(posedge clk) begin
    if (CEA) begin
      read_a[DATA_WIDTH_A-1:0] <= mem[at_a+:DATA_WIDTH_A];
      // From 18 bits on the low address bits enable bytes of 9.
      if (WEA) for (int i = 0; i < DATA_WIDTH_A; i++) if (DATA_WIDTH_A < 18 || ADA[i/9]) mem[at_a+15'(i)] <= write_a[i];
    end
    if (CEB) begin
      read_b[DATA_WIDTH_B-1:0] <= mem[at_b+:DATA_WIDTH_B];
      if (WEB) for (int i = 0; i < DATA_WIDTH_B; i++) if (DATA_WIDTH_B < 18 || ADB[i/9]) mem[at_b+15'(i)] <= write_b[i];
    end
  end
  wire [17:0] word_a = DATA_WIDTH_B == 36 ? read_b[17:0] : read_a[17:0];
  wire [17:0] word_b = DATA_WIDTH_B == 36 ? read_b[35:18] : read_b[17:0];
  reg [17:0] out_a, out_b;
  always @(posedge clk) {out_a, out_b} <= {word_a, word_b};
  assign DOA = OUT_A ? out_a : word_a;
  assign DOB = OUT_B ? out_b : word_b;
endmodule

// A LUT as 16 bits of RAM.
module sim_lut_ram #(parameter [15:0] INIT = 0) (
    input clk, input wr_en, input [3:0] wr_addr, input wr_data, input [3:0] rd_addr, output rd_data
);
  reg [15:0] mem = INIT;
  always @(posedge clk) if (wr_en) mem[wr_addr] <= wr_data;
  assign rd_data = mem[rd_addr];
endmodule

// Four of them, bit k of word i at 4i + k.
module sim_lut_ram4 #(parameter [63:0] INIT = 0) (
    input clk, input wr_en, input [3:0] wr_addr, input [3:0] wr_data, input [3:0] rd_addr, output [3:0] rd_data
);
  reg [63:0] mem = INIT;
  always @(posedge clk) if (wr_en) mem[{wr_addr, 2'd0}+:4] <= wr_data;
  assign rd_data = mem[{rd_addr, 2'd0}+:4];
endmodule

// A product, with or without registers.
module sim_MULT18X18D #(parameter A_REG = 0, B_REG = 0, P_REG = 0) (input clk, input [17:0] A, input [17:0] B, input SIGNEDA, input SIGNEDB, output [35:0] P);
  reg [17:0] held_a = 0, held_b = 0;
  reg [35:0] held = 0;
  wire [17:0] used_a = A_REG ? held_a : A, used_b = B_REG ? held_b : B;
  wire signed [18:0] a = {SIGNEDA & used_a[17], used_a}, b = {SIGNEDB & used_b[17], used_b};
  wire signed [37:0] product = a * b;
  always @(posedge clk) begin
    held_a <= A;
    held_b <= B;
    held <= product[35:0];
  end
  assign P = P_REG ? held : product[35:0];
  wire unused = &{1'b0, product[37:36]};
endmodule
