// SPDX-License-Identifier: Apache-2.0
// status_leds - what a board shows: out of reset; an image inside; a packet of the link not executed since the last reset (the host repeats it).

`default_nettype none
module status_leds (
    input  wire  clk,
    input  wire  rst,
    // Handshakes of the core
    input  wire  beat_in,    // one beat of an image entered
    input  wire  frame_out,  // the last beat of a result left
    // Link
    input  wire  link_error,  // level or pulse
    // LEDs, 1: on
    output logic ready,
    output logic busy,
    output logic error
);
  always_ff @(posedge clk) begin
    ready <= 1'b1;
    if (beat_in) busy <= 1'b1;
    else if (frame_out) busy <= 1'b0;
    if (link_error) error <= 1'b1;
    if (rst) begin
      ready <= 1'b0;
      busy  <= 1'b0;
      error <= 1'b0;
    end
  end
endmodule
`default_nettype wire
