// SPDX-License-Identifier: Apache-2.0
// crc32_serial - the CRC-32 of RFC 1662 (FCS-32; also Ethernet's and zlib's), one bit per clock, least significant bit of a byte first
//
// Clear it, feed every byte's eight bits; the check sequence is then ~crc, low byte first, and eight steps without `feed` bring the next byte into the low bits.
// A receiver that feeds the check sequence as well finds 32'hDEBB20E3 in an undamaged packet.
//
// Latency    crc includes a bit from the clock after its step on.
// Reset      none: `clear` begins a packet.
`default_nettype none
module crc32_serial (
    input  wire         clk,
    input  wire         clear,   // crc becomes all ones
    input  wire         step,    // takes in_bit, or shifts
    input  wire         feed,    // 1: takes in_bit; 0: shifts out the low bit
    input  wire         in_bit,
    output logic [31:0] crc
);
  wire divide = feed && (crc[0] ^ in_bit);

  always_ff @(posedge clk)
    if (clear) crc <= '1;
    else if (step) crc <= {1'b0, crc[31:1]} ^ (divide ? 32'hEDB8_8320 : 32'h0);
endmodule
`default_nettype wire
