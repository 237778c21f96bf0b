// SPDX-License-Identifier: Apache-2.0
// The memories of iCE40 for the simulation of netlists (sw/flow/netlist.cpp writes the other cells as expressions). Both ports have one
// clock, as in Bitloom's RTL.

// MODE m: 256 << m words of 16 >> m bits. A word of mode m is at row ADDR[7:0]; its bit k at column (k << m) + ADDR[m+7:8].
module sim_SB_RAM40_4K #(
    parameter int READ_MODE  = 0,
    parameter int WRITE_MODE = 0,
    parameter [4095:0] INIT  = 0
) (
    input clk,
    input RE, input [10:0] RADDR, output [15:0] RDATA,
    input WE, input [10:0] WADDR, input [15:0] MASK, input [15:0] WDATA
);
  localparam int READ_BITS = 16 >> READ_MODE;
  localparam int WRITE_BITS = 16 >> WRITE_MODE;
  // The pin that carries bit k of a narrow word. Unsigned: as an int cut to 4 bits, pin 8 would be pin -8.
  function automatic [3:0] pin(input int mode, input int k);
    pin = 4'((k << mode) + (mode == 0 ? 0 : (1 << (mode - 1)) - 1));
  endfunction
  reg [4095:0] mem = INIT;
  reg [15:0] data = 0;
  assign RDATA = data;
  wire [2:0] read_column = READ_MODE == 0 ? 3'd0 : RADDR[10:8] & 3'((1 << READ_MODE) - 1);
  wire [2:0] write_column = WRITE_MODE == 0 ? 3'd0 : WADDR[10:8] & 3'((1 << WRITE_MODE) - 1);
  always @(posedge clk) begin
    if (RE) for (int k = 0; k < READ_BITS; k++) data[pin(READ_MODE, k)] <= mem[{RADDR[7:0], 4'((k << READ_MODE)) + 4'(read_column)}];
    if (WE)
      for (int k = 0; k < WRITE_BITS; k++)
        if (WRITE_MODE != 0 || !MASK[k]) mem[{WADDR[7:0], 4'((k << WRITE_MODE)) + 4'(write_column)}] <= WDATA[pin(WRITE_MODE, k)];
  end
endmodule

// Four bits for each bit of the mask; awake and powered. Contents start undefined on the device.
module sim_SB_SPRAM256KA (
    input clk,
    input CHIPSELECT, input WREN, input [3:0] MASKWREN, input [13:0] ADDRESS, input [15:0] DATAIN, output [15:0] DATAOUT
);
  reg [15:0] mem [0:16383];
  reg [15:0] data = 0;
  assign DATAOUT = data;
  always @(posedge clk) begin
    if (CHIPSELECT && !WREN) data <= mem[ADDRESS];
    if (CHIPSELECT && WREN) for (int k = 0; k < 16; k++) if (MASKWREN[k/4]) mem[ADDRESS][k] <= DATAIN[k];
  end
endmodule

// Multiplier and accumulator, as figure 2 of Lattice FPGA-TN-02007 (DSP function usage guide) draws it; without resets and cascades.
// The names of its wires are the figure's.
module sim_SB_MAC16 #(
    parameter bit A_REG = 0, parameter bit B_REG = 0, parameter bit C_REG = 0, parameter bit D_REG = 0,
    parameter bit TOP_8x8_MULT_REG = 0, parameter bit BOT_8x8_MULT_REG = 0,
    parameter bit PIPELINE_16x16_MULT_REG1 = 0, parameter bit PIPELINE_16x16_MULT_REG2 = 0,
    parameter int TOPOUTPUT_SELECT = 0, parameter int TOPADDSUB_LOWERINPUT = 0, parameter bit TOPADDSUB_UPPERINPUT = 0,
    parameter int TOPADDSUB_CARRYSELECT = 0,
    parameter int BOTOUTPUT_SELECT = 0, parameter int BOTADDSUB_LOWERINPUT = 0, parameter bit BOTADDSUB_UPPERINPUT = 0,
    parameter int BOTADDSUB_CARRYSELECT = 0,
    parameter bit MODE_8x8 = 0, parameter bit A_SIGNED = 0, parameter bit B_SIGNED = 0
) (
    input clk, input CE, input [15:0] A, input [15:0] B, input [15:0] C, input [15:0] D,
    input AHOLD, input BHOLD, input CHOLD, input DHOLD, input OHOLDTOP, input OHOLDBOT, input OLOADTOP, input OLOADBOT,
    input ADDSUBTOP, input ADDSUBBOT, output [31:0] O
);
  reg [15:0] ra, rb, rc, rd, rf, rj, rk, rg, rq, rs;
  reg [31:0] rh;
  wire [15:0] a = A_REG ? ra : A, b = B_REG ? rb : B, c = C_REG ? rc : C, d = D_REG ? rd : D;
  // Four 8 x 8 products; the low bytes are signed only where two products of 8 bits are wanted.
  wire signed [8:0] ah = {A_SIGNED & a[15], a[15:8]}, al = {A_SIGNED & MODE_8x8 & a[7], a[7:0]};
  wire signed [8:0] bh = {B_SIGNED & b[15], b[15:8]}, bl = {B_SIGNED & MODE_8x8 & b[7], b[7:0]};
  wire [15:0] high = 16'(ah * bh), cross_j = 16'($signed({1'b0, al[7:0]}) * bh), cross_k = 16'(ah * $signed({1'b0, bl[7:0]})), low = 16'(al * bl);
  wire [15:0] f = TOP_8x8_MULT_REG ? rf : high, g = BOT_8x8_MULT_REG ? rg : low;
  wire [15:0] j = PIPELINE_16x16_MULT_REG1 ? rj : cross_j, k = PIPELINE_16x16_MULT_REG1 ? rk : cross_k;
  wire [31:0] l = {f, g} + {{8{B_SIGNED & j[15]}}, j, 8'd0} + {{8{A_SIGNED & k[15]}}, k, 8'd0};
  wire [31:0] h = PIPELINE_16x16_MULT_REG2 ? rh : l;

  // Adders: `~(~w + x)` is w - x.
  wire [15:0] z = BOTADDSUB_LOWERINPUT == 0 ? b : BOTADDSUB_LOWERINPUT == 1 ? g : h[15:0];
  wire [15:0] y = BOTADDSUB_UPPERINPUT ? d : rs;
  wire lco, unused;
  wire [15:0] yz, xw;
  assign {lco, yz} = 17'(z) + 17'(y ^ {16{ADDSUBBOT}}) + 17'(BOTADDSUB_CARRYSELECT == 1);
  wire [15:0] r = OLOADBOT ? d : yz ^ {16{ADDSUBBOT}};
  wire [15:0] x = TOPADDSUB_LOWERINPUT == 0 ? a : TOPADDSUB_LOWERINPUT == 1 ? f : TOPADDSUB_LOWERINPUT == 2 ? h[31:16] : {16{z[15]}};
  wire [15:0] w = TOPADDSUB_UPPERINPUT ? c : rq;
  wire hci = TOPADDSUB_CARRYSELECT == 1 || (TOPADDSUB_CARRYSELECT == 2 && lco) || (TOPADDSUB_CARRYSELECT == 3 && (lco ^ ADDSUBBOT));
  assign {unused, xw} = 17'(x) + 17'(w ^ {16{ADDSUBTOP}}) + 17'(hci);
  wire [15:0] p = OLOADTOP ? c : xw ^ {16{ADDSUBTOP}};
  assign O[31:16] = TOPOUTPUT_SELECT == 0 ? p : TOPOUTPUT_SELECT == 1 ? rq : TOPOUTPUT_SELECT == 2 ? f : h[31:16];
  assign O[15:0] = BOTOUTPUT_SELECT == 0 ? r : BOTOUTPUT_SELECT == 1 ? rs : BOTOUTPUT_SELECT == 2 ? g : h[15:0];

  always @(posedge clk) if (CE) begin
    if (!AHOLD) ra <= A;
    if (!BHOLD) rb <= B;
    if (!CHOLD) rc <= C;
    if (!DHOLD) rd <= D;
    rf <= high;
    rg <= low;
    if (!MODE_8x8) begin
      rj <= cross_j;
      rk <= cross_k;
      rh <= l;
    end
    if (!OHOLDTOP) rq <= p;
    if (!OHOLDBOT) rs <= r;
  end
endmodule
