// SPDX-License-Identifier: Apache-2.0
// power_on_reset - holds `rst` for CYCLES clocks after configuration and after each press of a button. The button is synchronized here and needs no
// other debouncing: `rst` ends only when the button has been open for CYCLES clocks on end. iCE40 block RAM cannot be read for some microseconds
// after configuration, so keep CYCLES / f above 10 us.
// Reset: none; relies on the registers' initial values, which iCE40 and ECP5 load with the configuration.

`default_nettype none
module power_on_reset #(
    parameter int CYCLES = 1024  // clocks, a power of two, 2 or more
) (
    input  wire  clk,
    input  wire  button,  // asynchronous, 1: reset
    output logic rst
);
  localparam int COUNT_BITS = $clog2(CYCLES);

  if (CYCLES < 2 || (CYCLES & (CYCLES - 1)) != 0) begin : g_cycles error_CYCLES_must_be_a_power_of_two_from_2 check (); end

  logic [1:0] pressed = 2'b00;  // two registers against metastability
  logic [COUNT_BITS-1:0] count = '0;
  logic waiting = 1'b1;

  always_ff @(posedge clk) begin
    pressed <= {pressed[0], button};
    if (pressed[1]) begin
      count   <= '0;
      waiting <= 1'b1;
    end else if (waiting) begin
      count   <= count + 1'b1;
      waiting <= count != '1;
    end
  end

  assign rst = waiting;
endmodule
`default_nettype wire
