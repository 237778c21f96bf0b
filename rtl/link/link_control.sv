// SPDX-License-Identifier: Apache-2.0
// link_control - the protocol's engine: takes checked packets one at a time, moves input and output on, and composes the replies (docs/protocol.md)
//
//   packet_receiver ── payload ──► chunk_buffer ─► core        a packet's bytes wait there for commit
//                   ── packet_* ─► link_control ─► packet_sender
//   core ─► replay_buffer ── rd_* ─►                           a reply's bytes stay there until the next exchange confirms them
//
// An exchange with the number after the last one's is executed: its bytes are committed, and the bytes of the last reply are done with. One with the last one's
// number is that exchange again: its bytes are dropped, and the same reply is sent. So nothing is lost and nothing is computed twice, whatever is repeated.
//
// While a reply is under way one request and one error wait. A further request is refused (overrun); a further error is only counted.
//
// Reset      forgets what waits; the next exchange's number is 1.
`default_nettype none
module link_control #(
    parameter logic [63:0] DESIGN_HASH  = 64'd0,       // names the design
    parameter int          CLOCK_HZ     = 12_000_000,  // for the host's arithmetic
    parameter int          IN_BEATS     = 64,          // of an image, >= 1
    parameter int          IN_WIDTH     = 8,           // bits, >= 1
    parameter int          OUT_BEATS    = 1,           // of a result, >= 1
    parameter int          OUT_WIDTH    = 8,           // bits, >= 1
    parameter int          BUFFER       = 512          // bytes of chunk_buffer and of replay_buffer, a power of two from 256 to 32768
) (
    input  wire         clk,
    input  wire         rst,
    output logic        clear,           // rst, or a RESET request is under way: core, buffers and counters start again

    // packet_receiver
    input  wire         payload_valid,
    input  wire         packet_end,
    input  wire         packet_good,
    input  wire         packet_damaged,
    input  wire  [7:0]  packet_type,
    input  wire  [7:0]  packet_seq,

    // chunk_buffer
    output logic        write,           // the payload byte is to be stored
    output logic        commit,
    output logic        rollback,
    input  wire         lost,
    input  wire  [$clog2(BUFFER):0] position,
    input  wire  [$clog2(BUFFER):0] free,

    // replay_buffer
    input  wire         rd_valid,
    output logic        rd_ready,
    input  wire  [7:0]  rd_data,
    output logic        rewind,
    output logic        confirm,
    input  wire  [$clog2(BUFFER):0] available,

    input  wire  [1:0]  weights,         // hello's last byte: 0 the core has its weights, 1 they are being loaded, 2 they cannot be found

    // link_counters
    output logic [3:0]  counters_index,
    input  wire  [7:0]  counters_value,
    output logic        error,           // a packet was not executed, for one clock

    // packet_sender
    output logic        start_valid,
    input  wire         start_ready,
    output logic [7:0]  start_type,
    output logic [7:0]  start_seq,
    output logic [$clog2(BUFFER)+1:0] start_length,
    output logic        reply_valid,
    input  wire         reply_ready,
    output logic [7:0]  reply_data
);
  if (BUFFER < 256 || BUFFER > 32768 || (BUFFER & (BUFFER - 1)) != 0) begin : g_buffer error_BUFFER_must_be_a_power_of_two_from_256_to_32768 check (); end
  if (IN_BEATS < 1 || OUT_BEATS < 1) begin : g_beats error_IN_BEATS_and_OUT_BEATS_must_be_at_least_1 check (); end
  if (IN_WIDTH < 1 || IN_WIDTH > 65535) begin : g_in_width error_IN_WIDTH_must_be_1_to_65535 check (); end
  if (OUT_WIDTH < 1 || OUT_WIDTH > 65535) begin : g_out_width error_OUT_WIDTH_must_be_1_to_65535 check (); end

  localparam int VERSION = 1;
  localparam int HELLO_BYTES = 30;
  localparam int POINTER_BITS = $clog2(BUFFER) + 1;
  localparam int LENGTH_BITS = $clog2(BUFFER) + 2;

  // Types of packets; a reply's has bit 7 set.
  localparam logic [2:0] ERROR = 3'd0;
  localparam logic [2:0] IS_HELLO = 3'd1;
  localparam logic [2:0] IS_RESET = 3'd2;
  localparam logic [2:0] IS_EXCHANGE = 3'd3;
  localparam logic [2:0] IS_COUNTERS = 3'd4;
  // Payload of an ERROR reply
  localparam logic [2:0] BAD_CHECK = 3'd1;
  localparam logic [2:0] BAD_LENGTH = 3'd2;
  localparam logic [2:0] UNKNOWN_TYPE = 3'd3;
  localparam logic [2:0] OVERRUN = 3'd4;
  localparam logic [2:0] BAD_SEQUENCE = 3'd5;

  typedef enum logic [1:0] {StIdle, StLatch, StSend} state_t;
  state_t state;

  logic       pending;      // a good request waits, of type kind and number seq
  logic [2:0] kind;
  logic [7:0] seq;
  logic       blocked;      // bytes of the present packet were dropped, because a request waited
  logic [2:0] waiting;      // code of an error to be reported, 0: none
  logic [7:0] last_seq;     // of the last exchange executed
  logic [2:0] reply_kind;
  logic [7:0] seq_sent;     // number of the request that is answered
  logic [2:0] reply_code;
  logic        executed;     // in the last clock, an exchange
  logic [POINTER_BITS-1:0] reply_bytes;  // results in the last exchange's reply
  logic [POINTER_BITS-1:0] reply_free;
  logic [4:0]  index;        // byte of the payload; stays at 4 in an exchange's results

  // A packet has come
  wire is_exchange = packet_type == {5'd0, IS_EXCHANGE};
  wire is_known    = packet_type[7:3] == 5'd0 && packet_type[2:0] != 3'd0 && packet_type[2:0] <= 3'd4;
  wire is_overrun  = pending || blocked || lost;
  wire accept      = packet_end && packet_good && is_known && !is_overrun;
  wire refuse      = packet_end && !accept;
  logic [2:0] refusal;
  always_comb begin
    refusal = OVERRUN;
    if (packet_damaged) refusal = BAD_CHECK;
    else if (!packet_good) refusal = BAD_LENGTH;
    else if (!is_known) refusal = UNKNOWN_TYPE;
  end
  assign write = payload_valid && is_exchange && !pending;

  // A request is executed
  wire execute  = state == StIdle && pending && !clear;
  wire exchange = execute && kind == IS_EXCHANGE;
  wire is_next  = seq == last_seq + 8'd1;
  wire is_last  = seq == last_seq;
  wire report   = state == StIdle && !pending && waiting != 3'd0;

  assign commit   = exchange && is_next;
  assign confirm  = exchange && is_next;
  assign rewind   = exchange && is_last;
  assign rollback = (exchange && !is_next) || (refuse && !pending);
  assign error    = refuse || (exchange && !is_next && !is_last);

  always_ff @(posedge clk) begin
    if (payload_valid && is_exchange && pending) blocked <= 1'b1;
    if (packet_end) blocked <= 1'b0;

    if (execute) pending <= 1'b0;
    if (accept) pending <= 1'b1;

    if (report) waiting <= 3'd0;
    if (refuse && (waiting == 3'd0 || report)) waiting <= refusal;

    executed <= commit;
    if (commit || (execute && kind == IS_RESET)) last_seq <= seq;

    unique case (state)
      StIdle:  if (execute || report) state <= StLatch;
      StLatch: state <= StSend;
      default: if (start_ready) state <= StIdle;
    endcase

    clear <= (execute && kind == IS_RESET) || (clear && state != StIdle);

    if (rst) begin
      state    <= StIdle;
      pending  <= 1'b0;
      blocked  <= 1'b0;
      waiting  <= 3'd0;
      executed <= 1'b0;
      last_seq <= 8'd0;
      clear    <= 1'b1;
    end
  end

  always_ff @(posedge clk) begin
    if (accept) begin
      kind <= packet_type[2:0];
      seq  <= packet_seq;
    end
    if (execute) seq_sent <= seq;
    if (execute || report) begin
      reply_kind <= report || (exchange && !is_next && !is_last) ? ERROR : kind;
      reply_code <= report ? waiting : BAD_SEQUENCE;
    end
    if (clear) reply_bytes <= '0;
    else if (executed) reply_bytes <= available;
    if (state == StLatch) begin
      reply_free <= free;
      index      <= 5'd0;
    end else if (reply_valid && reply_ready && !results) index <= index + 5'd1;
  end

  // The reply
  wire results = reply_kind == IS_EXCHANGE && index[2];
  wire [8*32-1:0] hello;
  assign hello[7:0]     = 8'(VERSION);
  assign hello[71:8]    = DESIGN_HASH;
  assign hello[103:72]  = 32'(CLOCK_HZ);
  assign hello[135:104] = 32'(IN_BEATS);
  assign hello[151:136] = 16'(IN_WIDTH);
  assign hello[183:152] = 32'(OUT_BEATS);
  assign hello[199:184] = 16'(OUT_WIDTH);
  assign hello[215:200] = 16'(BUFFER);  // of the input
  assign hello[231:216] = 16'(BUFFER);  // of the output
  assign hello[239:232] = 8'(weights);
  assign hello[255:240] = 16'd0;

  assign start_valid = state == StSend;
  assign start_type  = {5'b10000, reply_kind};
  assign start_seq   = reply_kind == ERROR ? last_seq : seq_sent;
  assign rd_ready       = reply_ready && results;
  assign counters_index = index[3:0];
  wire [15:0] position_bytes = 16'(position);
  wire [15:0] free_bytes     = 16'(reply_free);
  always_comb begin
    start_length = '0;
    reply_valid  = 1'b1;
    reply_data   = {5'd0, reply_code};
    unique case (reply_kind)
      ERROR:       start_length = LENGTH_BITS'(1);
      IS_HELLO:    begin
        start_length = LENGTH_BITS'(HELLO_BYTES);
        reply_data   = hello[8*index+:8];
      end
      IS_EXCHANGE: begin
        start_length = LENGTH_BITS'(reply_bytes) + LENGTH_BITS'(4);
        if (results) begin
          reply_valid = rd_valid;
          reply_data  = rd_data;
        end else
          unique case (index[1:0])
            2'd0:    reply_data = position_bytes[7:0];
            2'd1:    reply_data = position_bytes[15:8];
            2'd2:    reply_data = free_bytes[7:0];
            default: reply_data = free_bytes[15:8];
          endcase
      end
      IS_COUNTERS: begin
        start_length = LENGTH_BITS'(16);
        reply_data   = counters_value;
      end
      default:     start_length = '0;
    endcase
  end

`ifdef FORMAL
  `include "link_control_props.svh"
`endif
endmodule
`default_nettype wire
