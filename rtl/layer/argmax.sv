// SPDX-License-Identifier: Apache-2.0
// argmax - the index of the largest of CHANNELS scores; the first one on ties
//
//   clk        _/~\_/~\_/~\_/~\_
//   in_data    -< 5 >< 9 >< 9 >-     one score per beat, CHANNELS = 3
//   out_valid  _____________/~~~
//   out_data   -------------< 1 >
//
// Latency    one clock after a pixel's last score.
// Rate       one score per clock.
// Reset      control only.
// Paths      out_ready to in_ready.
`default_nettype none
module argmax #(
    parameter int BITS       = 8,   // of a score
    parameter int SIGNED     = 1,   // two's complement
    parameter int CHANNELS   = 10,  // scores per pixel, >= 1
    parameter int INDEX_BITS = 4    // holds CHANNELS - 1
) (
    input  wire                   clk,
    input  wire                   rst,

    input  wire                   in_valid,
    output wire                   in_ready,
    input  wire  [BITS-1:0]       in_data,
    input  wire                   in_last,

    output logic                  out_valid,
    input  wire                   out_ready,
    output logic [INDEX_BITS-1:0] out_data,
    output logic                  out_last
);
  if (2 ** INDEX_BITS < CHANNELS) begin : g_bits error_INDEX_BITS_must_hold_CHANNELS check (); end

  logic [INDEX_BITS-1:0] index, best_index;
  logic [BITS-1:0]       best;
  wire                   take = in_valid && in_ready;
  wire                   ends = CHANNELS == 1 || index == INDEX_BITS'(CHANNELS - 1);
  wire [BITS-1:0]        sign = SIGNED != 0 ? BITS'(1) << (BITS - 1) : '0;  // flipped, two's complement orders as unsigned
  wire                   wins = index == '0 || (in_data ^ sign) > (best ^ sign);

  assign in_ready = !out_valid || out_ready;

  always_ff @(posedge clk) begin
    if (take) index <= ends ? '0 : index + 1'b1;
    if (in_ready) out_valid <= in_valid && ends;
    if (rst) begin
      index     <= '0;
      out_valid <= 1'b0;
    end
  end
  always_ff @(posedge clk) begin
    if (take && wins) begin
      best       <= in_data;
      best_index <= index;
    end
    if (take) begin
      out_data <= wins ? index : best_index;
      out_last <= in_last;
    end
  end
endmodule
`default_nettype wire
