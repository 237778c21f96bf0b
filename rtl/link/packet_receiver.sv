// SPDX-License-Identifier: Apache-2.0
// packet_receiver - finds packets in a stream of bytes and checks them (docs/protocol.md)
//
//   7E  type  seq  length(2)  payload(length)  check(4)  7E      between the flags 7D xx stands for the byte xx ^ 20
//
// A flag ends whatever came before it, so damage never reaches into the next packet. Nothing between two flags is no packet. The payload is passed on as it
// comes, before anything is known of the check: whoever takes it must hold it back until packet_end with packet_good.
//
//   in_data        7E type seq .. payload .. check 7E
//   payload_valid  _____________/~\/~\_______________      one pulse for each payload byte
//   packet_end     ________________________________/~\     with packet_good, packet_damaged; packet_type and packet_seq are the packet's
//
// Rate       one byte in 10 clocks.
// Reset      waits for a flag as if one had just come.
`default_nettype none
module packet_receiver #(
    parameter int LENGTH_BITS = 10  // of the longest payload, 9 to 16; a longer one is neither good nor damaged
) (
    input  wire        clk,
    input  wire        rst,

    input  wire        in_valid,
    output logic       in_ready,
    input  wire  [7:0] in_data,

    output logic       payload_valid,
    output logic [7:0] payload_data,

    output logic       packet_end,      // for one clock
    output logic       packet_good,     // check and length are right
    output logic       packet_damaged,  // the check is wrong; neither: the check is right and the length is not
    output logic [7:0] packet_type,
    output logic [7:0] packet_seq
);
  if (LENGTH_BITS < 9 || LENGTH_BITS > 16) begin : g_length error_LENGTH_BITS_must_be_9_to_16 check (); end

  localparam logic [7:0] FLAG = 8'h7E;
  localparam logic [7:0] ESCAPE = 8'h7D;
  localparam logic [31:0] RESIDUE = 32'hDEBB_20E3;

  typedef enum logic [2:0] {StType, StSeq, StLow, StHigh, StPayload, StCheck, StDone, StLong} state_t;
  state_t state, state_next;

  logic        escaped;  // the last byte was an escape
  logic [LENGTH_BITS-1:0] left;  // payload bytes that are to come
  logic [1:0]  checked;  // check bytes that have come
  logic [7:0]  bits;     // of the last byte, not yet in the check
  logic [3:0]  steps;    // bits left, 0: none
  logic [31:0] crc;

  assign in_ready = steps == 4'd0;
  wire       take    = in_valid && in_ready;
  wire       is_flag = take && in_data == FLAG;
  wire       is_byte = take && !is_flag && in_data != ESCAPE;
  wire [7:0] value   = {in_data[7:6], in_data[5] ^ escaped, in_data[4:0]};
  wire [LENGTH_BITS-1:0] length = {value[LENGTH_BITS-9:0], left[7:0]};
  wire       too_long = (value >> (LENGTH_BITS - 8)) != 8'd0;
  wire       empty   = state == StType && !escaped;

  always_comb begin
    state_next = state;
    if (is_flag) state_next = StType;
    else if (is_byte)
      unique case (state)
        StType:    state_next = StSeq;
        StSeq:     state_next = StLow;
        StLow:     state_next = StHigh;
        StHigh:    if (too_long) state_next = StLong;
                   else if (length == '0) state_next = StCheck;
                   else state_next = StPayload;
        StPayload: if (left == LENGTH_BITS'(1)) state_next = StCheck;
        StCheck:   if (checked == 2'd3) state_next = StDone;
        default:   state_next = StLong;
      endcase
  end

  wire check_right = crc == RESIDUE;

  always_ff @(posedge clk) begin
    state          <= state_next;
    packet_end     <= is_flag && !empty;
    packet_good    <= is_flag && !empty && state == StDone && !escaped && check_right;
    packet_damaged <= is_flag && !empty && (escaped || !check_right);
    payload_valid  <= is_byte && state == StPayload;
    if (take) escaped <= in_data == ESCAPE;
    if (is_byte) steps <= 4'd8;
    else if (steps != 4'd0) steps <= steps - 4'd1;
    if (rst) begin
      state          <= StType;
      packet_end     <= 1'b0;
      packet_good    <= 1'b0;
      packet_damaged <= 1'b0;
      payload_valid  <= 1'b0;
      escaped        <= 1'b0;
      steps          <= 4'd0;
    end
  end

  always_ff @(posedge clk) begin
    if (is_byte) payload_data <= value;
    if (is_byte) bits <= value;
    else bits <= {1'b0, bits[7:1]};
    if (is_byte && state == StType) packet_type <= value;
    if (is_byte && state == StSeq) packet_seq <= value;
    if (is_byte && state == StLow) left[7:0] <= value;
    if (is_byte && state == StHigh) left <= length;
    if (is_byte && state == StPayload) left <= left - 1'b1;
    if (is_byte) checked <= state == StCheck ? checked + 2'd1 : 2'd0;
  end

  crc32_serial check (
      .clk   (clk),
      .clear (is_flag || rst),
      .step  (steps != 4'd0),
      .feed  (1'b1),
      .in_bit(bits[0]),
      .crc   (crc)
  );

`ifdef FORMAL
  `include "packet_receiver_props.svh"
`endif
endmodule
`default_nettype wire
