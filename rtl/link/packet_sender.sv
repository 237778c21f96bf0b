// SPDX-License-Identifier: Apache-2.0
// packet_sender - frames packets: flag, type, seq, length, payload, check, flag, with escapes (docs/protocol.md; the format is packet_receiver's)
//
//   start_valid    _/~~~~~~~~~~~~~~~~~~~~~~~~~~~\__     type, seq and length hold as long
//   start_ready    ____________________________/~\_     with the closing flag's transfer
//   out_data       __< 7E >< type > ... < 7E >_____
//
// The payload is `length` bytes of in_*, taken between start_valid and start_ready into a register: what chooses them, a block RAM among it, is a path of its own.
//
// Rate       one byte in about 12 clocks, two for an escaped one.
// Reset      drops a begun packet.
`default_nettype none
module packet_sender #(
    parameter int LENGTH_BITS = 10  // of the longest payload, 9 to 16
) (
    input  wire         clk,
    input  wire         rst,

    input  wire         start_valid,
    output logic        start_ready,
    input  wire  [7:0]  start_type,
    input  wire  [7:0]  start_seq,
    input  wire  [LENGTH_BITS-1:0] start_length,  // payload bytes

    input  wire         in_valid,
    output logic        in_ready,
    input  wire  [7:0]  in_data,

    output logic        out_valid,
    input  wire         out_ready,
    output logic [7:0]  out_data
);
  if (LENGTH_BITS < 9 || LENGTH_BITS > 16) begin : g_length error_LENGTH_BITS_must_be_9_to_16 check (); end

  localparam logic [7:0] FLAG = 8'h7E;
  localparam logic [7:0] ESCAPE = 8'h7D;

  typedef enum logic [3:0] {StOpen, StType, StSeq, StLow, StHigh, StPayload, StCheck, StClose} state_t;
  state_t state, state_next;

  logic [7:0]  value;    // the byte that is sent now
  logic        loaded;   // there is one, or what is left of it
  logic        escape;   // its escape must go first
  logic        is_flag;
  logic [3:0]  steps;    // bits of it that are not yet in the check
  logic        feed;     // 1: they enter the check; 0: it is a byte of the check, which moves on
  logic [LENGTH_BITS-1:0] left;  // payload bytes to come
  logic [1:0]  checked;  // check bytes sent
  logic [7:0]  bits;
  logic [31:0] crc;
  logic [7:0]  payload;  // the payload's next byte
  logic        held;     // there is one

  wire load = !loaded && steps == 4'd0 && start_valid && (state != StPayload || held);
  wire sent = loaded && out_ready && !escape;

  logic [7:0] next_value;
  always_comb begin
    state_next = state;
    next_value = FLAG;
    unique case (state)
      StOpen:    state_next = StType;
      StType:    begin next_value = start_type; state_next = StSeq; end
      StSeq:     begin next_value = start_seq; state_next = StLow; end
      StLow:     begin next_value = start_length[7:0]; state_next = StHigh; end
      StHigh:    begin
        next_value = 8'(start_length[LENGTH_BITS-1:8]);
        if (start_length == '0) state_next = StCheck;
        else state_next = StPayload;
      end
      StPayload: begin
        next_value = payload;
        if (left == LENGTH_BITS'(1)) state_next = StCheck;
      end
      StCheck:   begin
        next_value = ~crc[7:0];
        if (checked == 2'd3) state_next = StClose;
      end
      default:   state_next = StOpen;
    endcase
  end
  wire framing   = state == StOpen || state == StClose;
  wire to_escape = !framing && (next_value == FLAG || next_value == ESCAPE);

  assign in_ready    = state == StPayload && !held;
  assign out_valid   = loaded;
  assign out_data    = escape ? ESCAPE : value;
  assign start_ready = sent && is_flag && state == StOpen;  // the state after StClose's byte

  always_ff @(posedge clk) begin
    if (in_valid && in_ready) held <= 1'b1;
    if (load) begin
      held   <= 1'b0;
      state  <= state_next;
      loaded <= 1'b1;
      escape <= to_escape;
      steps  <= framing ? 4'd0 : 4'd8;
    end else begin
      if (out_ready) escape <= 1'b0;
      if (sent) loaded <= 1'b0;
      if (steps != 4'd0) steps <= steps - 4'd1;
    end
    if (rst) begin
      state  <= StOpen;
      held   <= 1'b0;
      loaded <= 1'b0;
      escape <= 1'b0;
      steps  <= 4'd0;
    end
  end

  always_ff @(posedge clk) begin
    if (in_ready) payload <= in_data;
    if (load) begin
      value   <= {next_value[7:6], next_value[5] ^ to_escape, next_value[4:0]};
      is_flag <= framing;
      bits    <= next_value;
      feed    <= state != StCheck;
      checked <= state == StCheck ? checked + 2'd1 : 2'd0;
      left    <= state == StPayload ? left - 1'b1 : start_length;
    end else bits <= {1'b0, bits[7:1]};
  end

  crc32_serial check (
      .clk   (clk),
      .clear (state == StOpen),
      .step  (steps != 4'd0),
      .feed  (feed),
      .in_bit(bits[0]),
      .crc   (crc)
  );
  wire unused = &{1'b0, crc[31:8]};  // shifted down before they are used

`ifdef FORMAL
  `include "packet_sender_props.svh"
`endif
endmodule
`default_nettype wire
