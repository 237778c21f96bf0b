// SPDX-License-Identifier: Apache-2.0
// rom - constant memory with a registered read
//
//   clk        _/~\_/~\_/~\_/~\_
//   rd_addr    -< A >< B >------
//   rd_data    -----< mem[A] >< mem[B] >
//
// Latency    one clock.
// Reset      none.
// Infers     STYLE 0: what the tool finds best; 1: block RAM, however small; 2: logic.
`default_nettype none
module rom #(
    parameter int WIDTH = 8,   // bits per word, >= 1
    parameter int DEPTH = 16,  // words, >= 1
    parameter     INIT  = "",  // $readmemh image, DEPTH words of WIDTH bits; none: undefined contents
    parameter int STYLE = 0    // 0 automatic, 1 block RAM, 2 logic
) (
    input  wire                                      clk,
    input  wire                                      rd_en,   // low: rd_data stays
    input  wire [(DEPTH > 1 ? $clog2(DEPTH) : 1)-1:0] rd_addr,
    output logic [WIDTH-1:0]                         rd_data
);
  if (WIDTH < 1) begin : g_width error_WIDTH_must_be_at_least_1 check (); end
  if (DEPTH < 1) begin : g_depth error_DEPTH_must_be_at_least_1 check (); end
  if (STYLE < 0 || STYLE > 2) begin : g_style error_STYLE_must_be_0_1_or_2 check (); end

  // One memory per branch: an attribute cannot depend on a parameter.
  if (STYLE == 1) begin : g_block
    (* rom_style = "block", ram_style = "block" *) logic [WIDTH-1:0] mem [0:DEPTH-1];
    if (INIT != "") begin : g_init initial $readmemh(INIT, mem); end
    always_ff @(posedge clk) if (rd_en) rd_data <= mem[rd_addr];
  end else if (STYLE == 2) begin : g_logic
    (* rom_style = "logic", ram_style = "logic" *) logic [WIDTH-1:0] mem [0:DEPTH-1];
    if (INIT != "") begin : g_init initial $readmemh(INIT, mem); end
    always_ff @(posedge clk) if (rd_en) rd_data <= mem[rd_addr];
  end else begin : g_auto
    logic [WIDTH-1:0] mem [0:DEPTH-1];
    if (INIT != "") begin : g_init initial $readmemh(INIT, mem); end
    always_ff @(posedge clk) if (rd_en) rd_data <= mem[rd_addr];
  end
endmodule
`default_nettype wire
