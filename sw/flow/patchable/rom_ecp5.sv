// SPDX-License-Identifier: Apache-2.0
// rom - rtl/memory/rom for `bitloom synth --patchable` on ECP5: the same memory made of the device's own cells, so that each bit of it has a
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
    // A block of 512 words of 36 bits, or of a narrower port. The address of a word is above log2 of the port's width.
    localparam int SHIFT   = DEPTH <= 512 ? 5 : DEPTH <= 1024 ? 4 : DEPTH <= 2048 ? 3 : DEPTH <= 4096 ? 2 : DEPTH <= 8192 ? 1 : 0;
    localparam int BITS    = SHIFT >= 3 ? 9 << (SHIFT - 3) : 1 << SHIFT;
    localparam int WORDS   = 16384 >> SHIFT;
    localparam int ROWS    = (DEPTH + WORDS - 1) / WORDS;
    localparam int COLUMNS = (WIDTH + BITS - 1) / BITS;
    wire [ROWS*COLUMNS*BITS-1:0] words;
    wire [29:0] ad = {14'd0, addr} << SHIFT;
    for (genvar row = 0; row < ROWS; row++) begin : g_row
      for (genvar column = 0; column < COLUMNS; column++) begin : g_column
        wire [17:0] qa, qb;
        (* keep, bitloom_rom = INIT *)
        DP16KD #(
            .DATA_WIDTH_A(BITS == 36 ? 36 : 18), .DATA_WIDTH_B(BITS), .REGMODE_A("NOREG"), .REGMODE_B("NOREG"), .RESETMODE("SYNC"),
            .ASYNC_RESET_RELEASE("SYNC"), .CSDECODE_A("0b000"), .CSDECODE_B("0b000"), .CLKAMUX("CLKA"), .CLKBMUX("CLKB"), .GSR("AUTO")
        ) leaf (
            .CLKA(1'b0), .CEA(1'b0), .OCEA(1'b0), .WEA(1'b0), .RSTA(1'b0), .CSA0(1'b0), .CSA1(1'b0), .CSA2(1'b0),
            .CLKB(clk), .CEB(rd_en), .OCEB(rd_en), .WEB(1'b0), .RSTB(1'b0), .CSB0(1'b0), .CSB1(1'b0), .CSB2(1'b0),
            .ADA0(1'b0), .ADA1(1'b0), .ADA2(1'b0), .ADA3(1'b0), .ADA4(1'b0), .ADA5(1'b0), .ADA6(1'b0), .ADA7(1'b0), .ADA8(1'b0),
            .ADA9(1'b0), .ADA10(1'b0), .ADA11(1'b0), .ADA12(1'b0), .ADA13(1'b0),
            .ADB0(ad[0]), .ADB1(ad[1]), .ADB2(ad[2]), .ADB3(ad[3]), .ADB4(ad[4]), .ADB5(ad[5]), .ADB6(ad[6]), .ADB7(ad[7]), .ADB8(ad[8]),
            .ADB9(ad[9]), .ADB10(ad[10]), .ADB11(ad[11]), .ADB12(ad[12]), .ADB13(ad[13]),
            .DIA0(1'b0), .DIA1(1'b0), .DIA2(1'b0), .DIA3(1'b0), .DIA4(1'b0), .DIA5(1'b0), .DIA6(1'b0), .DIA7(1'b0), .DIA8(1'b0),
            .DIA9(1'b0), .DIA10(1'b0), .DIA11(1'b0), .DIA12(1'b0), .DIA13(1'b0), .DIA14(1'b0), .DIA15(1'b0), .DIA16(1'b0), .DIA17(1'b0),
            .DIB0(1'b0), .DIB1(1'b0), .DIB2(1'b0), .DIB3(1'b0), .DIB4(1'b0), .DIB5(1'b0), .DIB6(1'b0), .DIB7(1'b0), .DIB8(1'b0),
            .DIB9(1'b0), .DIB10(1'b0), .DIB11(1'b0), .DIB12(1'b0), .DIB13(1'b0), .DIB14(1'b0), .DIB15(1'b0), .DIB16(1'b0), .DIB17(1'b0),
            .DOA0(qa[0]), .DOA1(qa[1]), .DOA2(qa[2]), .DOA3(qa[3]), .DOA4(qa[4]), .DOA5(qa[5]), .DOA6(qa[6]), .DOA7(qa[7]), .DOA8(qa[8]),
            .DOA9(qa[9]), .DOA10(qa[10]), .DOA11(qa[11]), .DOA12(qa[12]), .DOA13(qa[13]), .DOA14(qa[14]), .DOA15(qa[15]), .DOA16(qa[16]),
            .DOA17(qa[17]),
            .DOB0(qb[0]), .DOB1(qb[1]), .DOB2(qb[2]), .DOB3(qb[3]), .DOB4(qb[4]), .DOB5(qb[5]), .DOB6(qb[6]), .DOB7(qb[7]), .DOB8(qb[8]),
            .DOB9(qb[9]), .DOB10(qb[10]), .DOB11(qb[11]), .DOB12(qb[12]), .DOB13(qb[13]), .DOB14(qb[14]), .DOB15(qb[15]), .DOB16(qb[16]),
            .DOB17(qb[17])
        );
        wire [35:0] q = BITS == 36 ? {qb, qa} : {18'd0, qb};
        assign words[(row * COLUMNS + column) * BITS +: BITS] = q[BITS-1:0];
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
        LUT4 #(.INIT(16'h10b8)) leaf (.Z(words[row*WIDTH+column]), .A(addr[0]), .B(addr[1]), .C(addr[2]), .D(addr[3]));
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
