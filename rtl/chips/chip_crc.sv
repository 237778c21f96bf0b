// SPDX-License-Identifier: Apache-2.0
// chip_crc - the CRC-32 of Ethernet over LANES bits per clock, the lowest first
//
// A sender appends crc itself, low bits first, feeding what it sends: then crc becomes zero, and stays so over zeros that fill up a symbol. A receiver that
// feeds everything finds zero in an undamaged frame. All errors of up to 32 bits in a row are found, others but for one in 2^32.
//
// Latency    crc includes a symbol from the clock after its step on.
// Reset      none: `clear` begins a frame.
`default_nettype none
module chip_crc #(
    parameter int LANES = 8  // bits of a symbol, 1 to 8
) (
    input  wire              clk,
    input  wire              clear,  // crc becomes all ones
    input  wire              step,   // takes symbol
    input  wire  [LANES-1:0] symbol,
    output logic [31:0]      crc
);
  if (LANES < 1 || LANES > 8) begin : g_lanes error_LANES_must_be_from_1_to_8 check (); end

  logic [31:0] next;

  always_comb begin
    next = crc;
    for (int i = 0; i < LANES; i++) next = {1'b0, next[31:1]} ^ (next[0] ^ symbol[i] ? 32'hEDB8_8320 : 32'h0);
  end

  always_ff @(posedge clk)
    if (clear) crc <= '1;
    else if (step) crc <= next;
endmodule
`default_nettype wire
