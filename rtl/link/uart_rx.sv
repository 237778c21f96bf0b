// SPDX-License-Identifier: Apache-2.0
// uart_rx - receives bytes from a serial line: 8 data bits, least significant first, no parity, one stop bit
//
//   rx         ~~~\___< 0 >< 1 > ... < 7 >/~~~      start bit low, stop bit high
//   out_valid  ______________________________/~~    from the middle of the stop bit on
//
// Each bit is sampled once, in its middle. A start bit that is high again in its middle is a glitch and ignored.
// `framing_error` pulses for one clock when the stop bit is low: the byte is dropped and the line must be high before the next start bit.
// `overflow` pulses for one clock when a byte arrives while the last one has not been taken: the new byte is dropped.
//
// Reset      waits for a high line.
`default_nettype none
module uart_rx #(
    parameter int CLOCK_HZ = 12_000_000,  // clocks per second, >= 4*BAUD
    parameter int BAUD     = 1_000_000    // bits per second
) (
    input  wire        clk,
    input  wire        rst,

    input  wire        rx,              // asynchronous

    output logic       out_valid,
    input  wire        out_ready,
    output logic [7:0] out_data,
    output logic       framing_error,
    output logic       overflow
);
  // Clocks per bit in sixteenths: every bit has DIVISOR clocks, and one more whenever the sixteenths have added up to a clock.
  localparam int SIXTEENTHS = (16 * (CLOCK_HZ / 1000) + BAUD / 2000) / (BAUD / 1000);
  localparam int DIVISOR = SIXTEENTHS / 16;
  localparam int REST = SIXTEENTHS % 16;
  if (BAUD < 9_600 || BAUD > 100_000_000) begin : g_baud error_BAUD_must_be_9600_to_100000000 check (); end
  if (CLOCK_HZ < 1_000_000 || CLOCK_HZ > 1_000_000_000 || DIVISOR < 4) begin : g_speed error_CLOCK_HZ_must_be_at_least_4_times_BAUD check (); end

  localparam int TIMER_BITS = $clog2(DIVISOR + 1);
  localparam int FULL_BIT = DIVISOR - 1;
  localparam int HALF_BIT = DIVISOR / 2 - 1;

  typedef enum logic [1:0] {StBreak, StIdle, StStart, StBits} state_t;
  state_t state, state_next;

  logic [1:0]            line;   // two flip-flops against metastability
  logic [TIMER_BITS-1:0] timer;  // clocks until the next sample
  logic [3:0]            count;  // data bits sampled; 8: the next is the stop bit
  logic [7:0]            bits;
  logic [3:0]            phase;  // sixteenths of a clock that are owed

  wire [4:0] owed = {1'b0, phase} + REST[4:0];
  wire level    = line[1];
  wire sample   = timer == '0;
  wire stop_bit = state == StBits && sample && count == 4'd8;

  always_comb begin
    state_next = state;
    unique case (state)
      StBreak: if (level) state_next = StIdle;
      StIdle:  if (!level) state_next = StStart;
      StStart: if (sample && level) state_next = StIdle;
               else if (sample) state_next = StBits;
      StBits:  if (stop_bit && level) state_next = StIdle;
               else if (stop_bit) state_next = StBreak;
      default: state_next = StBreak;
    endcase
  end

  always_ff @(posedge clk) begin
    state <= state_next;
    line  <= {line[0], rx};
    framing_error <= stop_bit && !level;
    overflow      <= stop_bit && level && out_valid && !out_ready;
    if (stop_bit && level) out_valid <= 1'b1;
    else if (out_ready) out_valid <= 1'b0;
    if (rst) begin
      state         <= StBreak;
      framing_error <= 1'b0;
      overflow      <= 1'b0;
      out_valid     <= 1'b0;
      line          <= 2'b00;
    end
  end

  always_ff @(posedge clk) begin
    if (state == StIdle) timer <= HALF_BIT[TIMER_BITS-1:0];
    else timer <= sample ? FULL_BIT[TIMER_BITS-1:0] + TIMER_BITS'(owed[4]) : timer - 1'b1;
    if (state == StIdle) phase <= 4'd0;
    else if (sample) phase <= owed[3:0];
    if (state == StStart) count <= 4'd0;
    else if (sample) count <= count + 4'd1;
    if (sample) bits <= {level, bits[7:1]};
    if (stop_bit && (!out_valid || out_ready)) out_data <= bits;
  end
endmodule
`default_nettype wire
