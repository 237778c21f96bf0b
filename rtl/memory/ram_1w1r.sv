// SPDX-License-Identifier: Apache-2.0
// ram_1w1r - RAM with one write port and one registered read port
//
//   clk        _/~\_/~\_/~\_/~\_
//   rd_en      _/~~~\___________
//   rd_addr    -< A >-----------
//   rd_data    -----< mem[A]       holds while rd_en is low
//
// Latency    rd_data is valid one clock after rd_en.
// Reset      none: contents and rd_data start undefined.
// Collision  reading an address in the clock that writes it is undefined; simulation corrupts the word to catch callers.
// Infers     STYLE 0: SB_RAM40_4K, DP16KD, RAMB36, M10K and nothing else, or LUT RAM where Yosys finds the memory small; 1: block RAM, however small; 2: LUT RAM (ECP5),
//            however large.
`default_nettype none
module ram_1w1r #(
    parameter int WIDTH = 8,   // bits per word, >= 1
    parameter int DEPTH = 16,  // words, >= 2
    parameter int STYLE = 0    // 0 automatic, 1 block RAM, 2 LUT RAM
) (
    input  wire                     clk,
    input  wire                     wr_en,
    input  wire [$clog2(DEPTH)-1:0] wr_addr,
    input  wire [WIDTH-1:0]         wr_data,
    input  wire                     rd_en,
    input  wire [$clog2(DEPTH)-1:0] rd_addr,
    output logic [WIDTH-1:0]        rd_data
`ifdef FORMAL
    , output wire [DEPTH*WIDTH-1:0] f_contents  // proofs of users need to speak of the words inside
`endif
);
  if (WIDTH < 1) begin : g_width error_WIDTH_must_be_at_least_1 check (); end
  if (DEPTH < 2) begin : g_depth error_DEPTH_must_be_at_least_2 check (); end
  if (STYLE < 0 || STYLE > 2) begin : g_style error_STYLE_must_be_0_1_or_2 check (); end

  // Without no_rw_check Yosys adds a flip-flop per data bit to return the old word on a collision. One memory per branch: an attribute cannot depend on a parameter.
  if (STYLE == 1) begin : g_block
    (* no_rw_check, ram_style = "block" *) logic [WIDTH-1:0] mem [0:DEPTH-1];
    always_ff @(posedge clk) if (wr_en) mem[wr_addr] <= wr_data;
    always_ff @(posedge clk) begin
      if (rd_en) rd_data <= mem[rd_addr];
`ifndef SYNTHESIS
      if (rd_en && wr_en && rd_addr == wr_addr) rd_data <= ~mem[rd_addr];
`endif
    end
`ifdef FORMAL
    for (genvar i = 0; i < DEPTH; i++) begin : f_word
      assign f_contents[i*WIDTH+:WIDTH] = mem[i];
    end
`endif
  end else if (STYLE == 2) begin : g_lut
    (* no_rw_check, ram_style = "distributed" *) logic [WIDTH-1:0] mem [0:DEPTH-1];
    always_ff @(posedge clk) if (wr_en) mem[wr_addr] <= wr_data;
    always_ff @(posedge clk) begin
      if (rd_en) rd_data <= mem[rd_addr];
`ifndef SYNTHESIS
      if (rd_en && wr_en && rd_addr == wr_addr) rd_data <= ~mem[rd_addr];
`endif
    end
`ifdef FORMAL
    for (genvar i = 0; i < DEPTH; i++) begin : f_word
      assign f_contents[i*WIDTH+:WIDTH] = mem[i];
    end
`endif
  end else begin : g_auto
    (* no_rw_check *) logic [WIDTH-1:0] mem [0:DEPTH-1];
    always_ff @(posedge clk) if (wr_en) mem[wr_addr] <= wr_data;
    always_ff @(posedge clk) begin
      if (rd_en) rd_data <= mem[rd_addr];
`ifndef SYNTHESIS
      if (rd_en && wr_en && rd_addr == wr_addr) rd_data <= ~mem[rd_addr];
`endif
    end
`ifdef FORMAL
    for (genvar i = 0; i < DEPTH; i++) begin : f_word
      assign f_contents[i*WIDTH+:WIDTH] = mem[i];
    end
`endif
  end
endmodule
`default_nettype wire
