// SPDX-License-Identifier: Apache-2.0
// link_counters - what the link counts since `clear`, read byte by byte
//
// In the order of reading, 16 bytes, low bytes first:
//   0..3    frames    results that have left the core
//   4..7    stalls    clocks in which an input beat waited for the core
//   8..11   interval  clocks between the last two results, 2^23 at most; the high byte is 0
//   12..15  errors    packets that were not executed, modulo 65536; the high bytes are 0
// Nothing is captured: bytes belong together as long as no event falls between them, so they are read while the core is idle.
//
// Latency    byte is combinational.
// Reset      `clear` zeroes all.
`default_nettype none
module link_counters (
    input  wire        clk,
    input  wire        clear,

    input  wire        frame,
    input  wire        stall,
    input  wire        error,

    input  wire  [3:0] index,
    output logic [7:0] value
);
  logic [31:0] frames, stalls;
  logic [23:0] interval, since;  // since: clocks since the last result
  logic [15:0] errors;

  always_ff @(posedge clk) begin
    if (frame) frames <= frames + 32'd1;
    if (frame) interval <= since;
    if (frame) since <= 24'd1;
    else if (!since[23]) since <= since + 24'd1;
    if (stall) stalls <= stalls + 32'd1;
    if (error) errors <= errors + 16'd1;
    if (clear) begin
      frames   <= '0;
      interval <= '0;
      since    <= '0;
      stalls   <= '0;
      errors   <= '0;
    end
  end

  wire [127:0] bytes = {16'd0, errors, 8'd0, interval, stalls, frames};
  assign value = bytes[8*index+:8];
endmodule
`default_nettype wire
