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
