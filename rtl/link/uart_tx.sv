// SPDX-License-Identifier: Apache-2.0
// uart_tx - sends bytes on a serial line: 8 data bits, least significant first, no parity, one stop bit
//
//   in_valid   _/~\______________________________
//   tx         ~~~\___< 0 >< 1 > ... < 7 >/~~~~~~      start bit low, stop bit high
//
// Latency    the start bit begins one clock after the transfer.
// Rate       one byte in 10 bit times, without a gap.
// Reset      tx goes high.
`default_nettype none
module uart_tx #(
    parameter int CLOCK_HZ = 12_000_000,  // clocks per second, >= 4*BAUD
    parameter int BAUD     = 1_000_000    // bits per second
) (
    input  wire        clk,
    input  wire        rst,

    input  wire        in_valid,
    output logic       in_ready,
    input  wire  [7:0] in_data,

    output logic       tx
);
  // Clocks per bit in sixteenths: every bit has DIVISOR clocks, and one more whenever the sixteenths have added up to a clock.
  localparam int SIXTEENTHS = (16 * (CLOCK_HZ / 1000) + BAUD / 2000) / (BAUD / 1000);
  localparam int DIVISOR = SIXTEENTHS / 16;
  localparam int REST = SIXTEENTHS % 16;
  if (BAUD < 9_600 || BAUD > 100_000_000) begin : g_baud error_BAUD_must_be_9600_to_100000000 check (); end
  if (CLOCK_HZ < 1_000_000 || CLOCK_HZ > 1_000_000_000 || DIVISOR < 4) begin : g_speed error_CLOCK_HZ_must_be_at_least_4_times_BAUD check (); end

  localparam int TIMER_BITS = $clog2(DIVISOR + 1);
  localparam int FULL_BIT = DIVISOR - 1;

  logic [TIMER_BITS-1:0] timer;  // clocks left in the current bit
  logic [3:0]            left;   // bits left, the current one included
  logic [8:0]            bits;   // bits[0] is on the line; ones follow
  logic [3:0]            phase;  // sixteenths of a clock that are owed

  wire [4:0] owed = {1'b0, phase} + REST[4:0];
  wire bit_ends = timer == '0;

  assign in_ready = left == 4'd0 || (left == 4'd1 && bit_ends);
  assign tx       = bits[0];

  always_ff @(posedge clk) begin
    if (in_valid && in_ready) begin
      left <= 4'd10;
      bits <= {in_data, 1'b0};
    end else if (bit_ends && left != 4'd0) begin
      left <= left - 4'd1;
      bits <= {1'b1, bits[8:1]};
    end
    if (rst) begin
      left <= 4'd0;
      bits <= '1;
    end
  end

  always_ff @(posedge clk) begin
    if (in_ready || bit_ends) timer <= FULL_BIT[TIMER_BITS-1:0] + TIMER_BITS'(owed[4]);
    else timer <= timer - 1'b1;
    if (rst) phase <= 4'd0;
    else if (in_ready || bit_ends) phase <= owed[3:0];
  end
endmodule
`default_nettype wire
