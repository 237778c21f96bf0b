// SPDX-License-Identifier: Apache-2.0
// rom - rtl/memory/rom for `bitloom synth --patchable` on iCE40: the same memory made of the device's own cells, so that each bit of it has a
// place in the bitstream whatever its content is. The content is not read here: sw/flow/patch.cpp writes it into the placed design, and
// knows the cells by these attributes.
`default_nettype none
module rom #(
    parameter int WIDTH = 8,
    parameter int DEPTH = 16,
    parameter     INIT  = "",
    parameter int STYLE = 0  // 0: programs, which retraining does not change; 1: block RAM; 2: LUTs
) (
    input  wire                                      clk,
    input  wire                                      rd_en,
    input  wire [(DEPTH > 1 ? $clog2(DEPTH) : 1)-1:0] rd_addr,
    output logic [WIDTH-1:0]                         rd_data
);
  wire [15:0] addr = {{(16 - (DEPTH > 1 ? $clog2(DEPTH) : 1)){1'b0}}, rd_addr};

  if (STYLE == 1) begin : g_block
    // A block of 256 << MODE words of 16 >> MODE bits.
    localparam int MODE    = DEPTH <= 256 ? 0 : DEPTH <= 512 ? 1 : DEPTH <= 1024 ? 2 : 3;
    localparam int BITS    = 16 >> MODE;
    localparam int WORDS   = 256 << MODE;
    localparam int ROWS    = (DEPTH + WORDS - 1) / WORDS;
    localparam int COLUMNS = (WIDTH + BITS - 1) / BITS;
    wire [ROWS*COLUMNS*BITS-1:0] words;
    for (genvar row = 0; row < ROWS; row++) begin : g_row
      for (genvar column = 0; column < COLUMNS; column++) begin : g_column
        wire [15:0] q;
        (* keep, bitloom_rom = INIT *)
        SB_RAM40_4K #(.READ_MODE(MODE), .WRITE_MODE(0)) leaf (
            .RDATA(q), .RCLK(clk), .RCLKE(1'b1), .RE(rd_en), .RADDR(addr[10:0]),
            .WCLK(1'b0), .WCLKE(1'b0), .WE(1'b0), .WADDR(11'd0), .MASK(16'd0), .WDATA(16'd0)
        );
        // Where the modes have their bits: every one; 2k; 4k+1; 8k+3.
        for (genvar k = 0; k < BITS; k++) begin : g_bit
          assign words[(row * COLUMNS + column) * BITS + k] = q[(k << MODE) + (1 << MODE) / 2 - (MODE == 0 ? 0 : 1)];
        end
      end
    end
    if (ROWS == 1) begin : g_one
      assign rd_data = words[WIDTH-1:0];
    end else begin : g_rows
      reg [15:0] row_q;
      always_ff @(posedge clk) if (rd_en) row_q <= addr / WORDS;
      assign rd_data = words[row_q * (COLUMNS * BITS) +: WIDTH];
    end
  end else if (STYLE == 2) begin : g_logic
    // A LUT for each 16 words of a bit.
    localparam int ROWS = (DEPTH + 15) / 16;
    wire [ROWS*WIDTH-1:0] words;
    for (genvar row = 0; row < ROWS; row++) begin : g_row
      for (genvar column = 0; column < WIDTH; column++) begin : g_column
        (* keep, bitloom_rom = INIT *)
        SB_LUT4 #(.LUT_INIT(16'h10b8)) leaf (.O(words[row*WIDTH+column]), .I0(addr[0]), .I1(addr[1]), .I2(addr[2]), .I3(addr[3]));
      end
    end
    if (ROWS == 1) begin : g_one
      always_ff @(posedge clk) if (rd_en) rd_data <= words;
    end else begin : g_rows
      always_ff @(posedge clk) if (rd_en) rd_data <= words[addr[15:4] * WIDTH +: WIDTH];
    end
  end else begin : g_auto
    logic [WIDTH-1:0] mem [0:DEPTH-1];
    if (INIT != "") begin : g_init initial $readmemh(INIT, mem); end
    always_ff @(posedge clk) if (rd_en) rd_data <= mem[rd_addr];
  end
endmodule
`default_nettype wire
