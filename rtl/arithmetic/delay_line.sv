// SPDX-License-Identifier: Apache-2.0
// delay_line - a word, CLOCKS clocks later
//
// Latency    CLOCKS.
// Rate       one word per clock.
// Reset      none: no control inside.
`default_nettype none
module delay_line #(
    parameter int WIDTH  = 1,
    parameter int CLOCKS = 1  // 0: a wire
) (
    input  wire             clk,
    input  wire [WIDTH-1:0] in_data,
    output wire [WIDTH-1:0] out_data
);
  if (CLOCKS == 0) begin : g_wire
    assign out_data = in_data;
    wire unused = clk;
  end else begin : g_registers
    logic [CLOCKS*WIDTH-1:0] line;
    wire  [(CLOCKS+1)*WIDTH-1:0] shifted = {line, in_data};
    always_ff @(posedge clk) line <= shifted[CLOCKS*WIDTH-1:0];
    assign out_data = shifted[CLOCKS*WIDTH+:WIDTH];
  end
endmodule
`default_nettype wire
