// SPDX-License-Identifier: Apache-2.0
// serial_link - connects a core to a host by a serial line (8N1) and checked packets; docs/protocol.md says what travels
//
//   uart_rx ─► uart_rx ─► packet_receiver ─► chunk_buffer ─► bytes to beat ─► in_*    the core's input
//                               └─► link_control ◄─ link_counters
//   uart_tx ◄─ uart_tx ◄─ packet_sender ◄──┴──────── replay_buffer ◄─ beat to bytes ◄─ out_*   the core's output
//
// The stream ports are named as the core names them, so that equal names are connected: in_valid, in_data and in_last are outputs here, out_valid, out_data
// and out_last are inputs. A beat is ceil(width/8) bytes, low byte first; unused high bits are ignored on the way in and zero on the way out. in_last comes with
// every IN_BEATS-th beat after a reset. The bytes of a damaged packet never reach the core.
//
// Rate       that of the line in each direction.
// Reset      drops everything in flight. core_rst: rst one clock later, and while the host asks for a reset.
`default_nettype none
module serial_link #(
    parameter logic [63:0] DESIGN_HASH = 64'd0,       // names the design
    parameter int          CLOCK_HZ    = 12_000_000,  // clocks per second, >= 4*BAUD
    parameter int          BAUD        = 1_000_000,   // bits per second
    parameter int          IN_WIDTH    = 8,           // bits of the core's input beat, >= 1
    parameter int          IN_BEATS    = 64,          // input beats of a frame, >= 1
    parameter int          OUT_WIDTH   = 8,           // bits of the core's output beat, >= 1
    parameter int          OUT_BEATS   = 1,           // output beats of a frame, >= 1
    parameter int          BUFFER      = 512          // bytes of each of the two buffers, a power of two from 256 to 32768
) (
    input  wire                  clk,
    input  wire                  rst,

    input  wire                  uart_rx,    // asynchronous
    output logic                 uart_tx,

    output logic                 core_rst,
    output logic                 in_valid,
    input  wire                  in_ready,
    output logic [IN_WIDTH-1:0]  in_data,
    output logic                 in_last,

    input  wire                  out_valid,
    output logic                 out_ready,
    input  wire  [OUT_WIDTH-1:0] out_data,
    input  wire                  out_last,

    input  wire  [1:0]           weights,    // 0: the core has its weights, 1: they are being loaded, 2: they cannot be found; hello tells the host
    output logic                 error       // a packet was not executed, for one clock
);
  if (IN_WIDTH < 1) begin : g_in_width error_IN_WIDTH_must_be_at_least_1 check (); end
  if (OUT_WIDTH < 1) begin : g_out_width error_OUT_WIDTH_must_be_at_least_1 check (); end
  if (IN_BEATS < 1) begin : g_in_beats error_IN_BEATS_must_be_at_least_1 check (); end

  localparam int IN_BYTES = (IN_WIDTH + 7) / 8;
  localparam int OUT_BYTES = (OUT_WIDTH + 7) / 8;

  localparam int POINTER_BITS = $clog2(BUFFER) + 1;
  localparam int LENGTH_BITS = $clog2(BUFFER) + 2;

  logic clear;
  assign core_rst = clear;

  // Line to buffer
  logic       byte_valid, byte_ready, byte_broken, byte_lost;
  logic [7:0] byte_data;
  uart_rx #(.CLOCK_HZ(CLOCK_HZ), .BAUD(BAUD)) line_in (
      .clk          (clk),
      .rst          (rst),
      .rx           (uart_rx),
      .out_valid    (byte_valid),
      .out_ready    (byte_ready),
      .out_data     (byte_data),
      .framing_error(byte_broken),
      .overflow     (byte_lost)
  );

  logic       payload_valid, packet_end, packet_good, packet_damaged;
  logic [7:0] payload_data, packet_type, packet_seq;
  packet_receiver #(.LENGTH_BITS(LENGTH_BITS)) receiver (
      .clk           (clk),
      .rst           (rst),
      .in_valid      (byte_valid),
      .in_ready      (byte_ready),
      .in_data       (byte_data),
      .payload_valid (payload_valid),
      .payload_data  (payload_data),
      .packet_end    (packet_end),
      .packet_good   (packet_good),
      .packet_damaged(packet_damaged),
      .packet_type   (packet_type),
      .packet_seq    (packet_seq)
  );

  logic        write, commit, rollback, lost, chunk_valid, chunk_ready;
  logic [POINTER_BITS-1:0] position, free;
  logic [7:0]  chunk_data;
  chunk_buffer #(.DEPTH(BUFFER)) chunks (
      .clk      (clk),
      .rst      (rst),
      .clear    (clear),
      .wr_valid (write),
      .wr_data  (payload_data),
      .commit   (commit),
      .rollback (rollback),
      .lost     (lost),
      .position (position),
      .free     (free),
      .out_valid(chunk_valid),
      .out_ready(chunk_ready),
      .out_data (chunk_data)
  );

  // Buffer to core
  logic [8*IN_BYTES-1:0] beat;
  if (IN_BYTES == 1) begin : g_in_byte
    assign in_valid    = chunk_valid;
    assign chunk_ready = in_ready;
    assign beat        = chunk_data;
  end else begin : g_in_bytes
    logic unused_last;
    stream_upsize #(.WIDTH(8), .RATIO(IN_BYTES)) assemble (
        .clk      (clk),
        .rst      (clear),
        .in_valid (chunk_valid),
        .in_ready (chunk_ready),
        .in_data  (chunk_data),
        .in_last  (1'b0),
        .out_valid(in_valid),
        .out_ready(in_ready),
        .out_data (beat),
        .out_last (unused_last)
    );
  end
  assign in_data = beat[IN_WIDTH-1:0];

  localparam int COUNT_BITS = IN_BEATS > 1 ? $clog2(IN_BEATS) : 1;
  localparam int LAST_BEAT = IN_BEATS - 1;
  logic [COUNT_BITS-1:0] count;
  assign in_last = count == LAST_BEAT[COUNT_BITS-1:0];
  always_ff @(posedge clk) begin
    if (in_valid && in_ready) count <= in_last ? '0 : count + 1'b1;
    if (clear) count <= '0;
  end

  // Core to buffer
  logic       result_valid, result_ready;
  logic [7:0] result_data;
  wire  [8*OUT_BYTES-1:0] padded = (8 * OUT_BYTES)'(out_data);
  if (OUT_BYTES == 1) begin : g_out_byte
    assign result_valid = out_valid;
    assign out_ready    = result_ready;
    assign result_data  = padded;
  end else begin : g_out_bytes
    logic unused_last;
    stream_downsize #(.WIDTH(8), .RATIO(OUT_BYTES)) split (
        .clk      (clk),
        .rst      (clear),
        .in_valid (out_valid),
        .in_ready (out_ready),
        .in_data  (padded),
        .in_last  (1'b0),
        .out_valid(result_valid),
        .out_ready(result_ready),
        .out_data (result_data),
        .out_last (unused_last)
    );
  end

  logic        rd_valid, rd_ready, rewind, confirm;
  logic [7:0]  rd_data;
  logic [POINTER_BITS-1:0] available;
  replay_buffer #(.DEPTH(BUFFER)) results (
      .clk      (clk),
      .clear    (clear),
      .in_valid (result_valid),
      .in_ready (result_ready),
      .in_data  (result_data),
      .rd_valid (rd_valid),
      .rd_ready (rd_ready),
      .rd_data  (rd_data),
      .rewind   (rewind),
      .confirm  (confirm),
      .available(available)
  );

  logic [3:0] counters_index;
  logic [7:0] counters_value;
  link_counters counters (
      .clk  (clk),
      .clear(clear),
      .frame(out_valid && out_ready && out_last),
      .stall(in_valid && !in_ready),
      .error(error),
      .index(counters_index),
      .value(counters_value)
  );

  // Buffer to line
  logic        start_valid, start_ready, reply_valid, reply_ready, send_valid, send_ready;
  logic [7:0]  start_type, start_seq, reply_data, send_data;
  logic [LENGTH_BITS-1:0] start_length;
  link_control #(
      .DESIGN_HASH(DESIGN_HASH),
      .CLOCK_HZ   (CLOCK_HZ),
      .IN_BEATS   (IN_BEATS),
      .IN_WIDTH   (IN_WIDTH),
      .OUT_BEATS  (OUT_BEATS),
      .OUT_WIDTH  (OUT_WIDTH),
      .BUFFER     (BUFFER)
  ) control (
      .clk           (clk),
      .rst           (rst),
      .clear         (clear),
      .payload_valid (payload_valid),
      .packet_end    (packet_end),
      .packet_good   (packet_good),
      .packet_damaged(packet_damaged),
      .packet_type   (packet_type),
      .packet_seq    (packet_seq),
      .write         (write),
      .commit        (commit),
      .rollback      (rollback),
      .lost          (lost),
      .position      (position),
      .free          (free),
      .rd_valid      (rd_valid),
      .rd_ready      (rd_ready),
      .rd_data       (rd_data),
      .rewind        (rewind),
      .confirm       (confirm),
      .available     (available),
      .weights       (weights),
      .counters_index(counters_index),
      .counters_value(counters_value),
      .error         (error),
      .start_valid   (start_valid),
      .start_ready   (start_ready),
      .start_type    (start_type),
      .start_seq     (start_seq),
      .start_length  (start_length),
      .reply_valid   (reply_valid),
      .reply_ready   (reply_ready),
      .reply_data    (reply_data)
  );

  packet_sender #(.LENGTH_BITS(LENGTH_BITS)) sender (
      .clk         (clk),
      .rst         (rst),
      .start_valid (start_valid),
      .start_ready (start_ready),
      .start_type  (start_type),
      .start_seq   (start_seq),
      .start_length(start_length),
      .in_valid    (reply_valid),
      .in_ready    (reply_ready),
      .in_data     (reply_data),
      .out_valid   (send_valid),
      .out_ready   (send_ready),
      .out_data    (send_data)
  );

  uart_tx #(.CLOCK_HZ(CLOCK_HZ), .BAUD(BAUD)) line_out (
      .clk     (clk),
      .rst     (rst),
      .in_valid(send_valid),
      .in_ready(send_ready),
      .in_data (send_data),
      .tx      (uart_tx)
  );

  // A byte without its stop bit is dropped, and the check of its packet tells; none is lost, because packet_receiver takes one in 10 clocks and the line needs 40.
  wire unused = &{1'b0, byte_broken, byte_lost, beat};
`ifndef SYNTHESIS
  always @(posedge clk) if (!rst) assert (!byte_lost);
`endif
endmodule
`default_nettype wire
