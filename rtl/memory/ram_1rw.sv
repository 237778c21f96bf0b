// SPDX-License-Identifier: Apache-2.0
// ram_1rw - large RAM with one port: a word is written or read in a clock, not both
//
//   clk        _/~\_/~\_/~\_/~\_
//   wr_en      _/~~~\___________
//   rd_en      _____/~~~\_______
//   addr       -< A >< A >------
//   rd_data    ---------< mem[A]   holds while rd_en is low
//
// Latency    rd_data is valid one clock after rd_en.
// Reset      none: contents and rd_data start undefined.
// Rule       never wr_en and rd_en in one clock; an assertion stops the simulation.
// Infers     SB_SPRAM256KA: 16 bits and 16,384 words each, without initial contents (Lattice FPGA-TN-02022). For devices that have it.
`default_nettype none
module ram_1rw #(
    parameter int WIDTH = 16,  // bits per word, >= 1
    parameter int DEPTH = 16   // words, >= 2
) (
    input  wire                     clk,
    input  wire                     wr_en,
    input  wire                     rd_en,
    input  wire [$clog2(DEPTH)-1:0] addr,
    input  wire [WIDTH-1:0]         wr_data,
    output logic [WIDTH-1:0]        rd_data
);
  if (WIDTH < 1) begin : g_width error_WIDTH_must_be_at_least_1 check (); end
  if (DEPTH < 2) begin : g_depth error_DEPTH_must_be_at_least_2 check (); end

  (* ram_style = "huge" *) logic [WIDTH-1:0] mem [0:DEPTH-1];

  always_ff @(posedge clk) begin
    if (wr_en) mem[addr] <= wr_data;
    else if (rd_en) rd_data <= mem[addr];
`ifndef SYNTHESIS
    assert (!(wr_en && rd_en));
`endif
  end
endmodule
`default_nettype wire
