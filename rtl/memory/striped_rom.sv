// SPDX-License-Identifier: Apache-2.0
// striped_rom - a wide rom as several side by side, each of a width and depth that fill its block RAMs
//
// A block RAM trades width for depth in powers of two; a memory of 128 bits and 4,608 words takes 36 blocks of 18 kbit as a whole, and 33 as stripes of 108, 18
// and 2 bits. Stripe i takes the bits above those of stripe i - 1; its words are in INIT_stripe<i>.mem. With one stripe INIT is the image itself.
//
// Latency    one clock.
// Reset      none.
// Infers     as rom.
`default_nettype none
module striped_rom #(
    parameter int WIDTH   = 8,    // bits per word, >= 1
    parameter int DEPTH   = 16,   // words, >= 1
    parameter     INIT    = "",   // see above; none: undefined contents
    parameter int STRIPES = 1,    // 1 to 6
    parameter logic [95:0] WIDTHS = 96'd0,  // of the stripes, 16 bits each, stripe 0 lowest; they add up to WIDTH (one stripe: unused)
    parameter int STYLE   = 0     // of rom
) (
    input  wire                                       clk,
    input  wire                                       rd_en,   // low: rd_data stays
    input  wire [(DEPTH > 1 ? $clog2(DEPTH) : 1)-1:0] rd_addr,
    output wire [WIDTH-1:0]                           rd_data
);
  if (STRIPES < 1 || STRIPES > 6) begin : g_stripes error_STRIPES_must_be_1_to_6 check (); end

  // Bits below stripe n.
  function automatic int below(input int n);
    below = 0;
    for (int i = 0; i < n; i++) below = below + int'(WIDTHS[i*16+:16]);
  endfunction

  if (STRIPES == 1) begin : g_whole
    rom #(.WIDTH(WIDTH), .DEPTH(DEPTH), .INIT(INIT), .STYLE(STYLE)) words (.clk(clk), .rd_en(rd_en), .rd_addr(rd_addr), .rd_data(rd_data));
  end else begin : g_striped
    if (below(STRIPES) != WIDTH) begin : g_widths error_WIDTHS_must_add_up_to_WIDTH check (); end
    for (genvar i = 0; i < STRIPES; i++) begin : g_stripe
      localparam int FIRST = below(i);
      localparam int BITS  = below(i + 1) - FIRST;
      localparam logic [7:0] DIGIT = 8'd48 + 8'(i);
      localparam FILE = INIT == "" ? "" : {INIT, "_stripe", DIGIT, ".mem"};
      rom #(.WIDTH(BITS), .DEPTH(DEPTH), .INIT(FILE), .STYLE(STYLE)) words (
          .clk(clk), .rd_en(rd_en), .rd_addr(rd_addr), .rd_data(rd_data[FIRST+:BITS])
      );
    end
  end
endmodule
`default_nettype wire
