// SPDX-License-Identifier: Apache-2.0
// serial_bridge - connects a core to a serial line (8N1): bytes in become input beats, output beats become bytes
//
//   uart_rx ─► uart_rx ─► stream_fifo ─► bytes to beat ─► in_*   the core's input
//   uart_tx ◄─ uart_tx ◄─────────────── beat to bytes ◄─ out_*   the core's output
//
// The stream ports are named as the core names them, so that equal names are connected: in_valid, in_data and in_last are outputs here, out_valid, out_data
// and out_last are inputs.
//
// A beat is ceil(width/8) bytes, low byte first; unused high bits are ignored on the way in and zero on the way out. in_last comes with every FRAME_BEATS-th
// beat. There is no framing: a lost byte shifts all that follow until reset, and then `overflow` stays high (the FIFO was full, or a stop bit was missing).
//
// Rate       that of the line in each direction; both at once.
// Reset      drops everything in flight.
`default_nettype none
module serial_bridge #(
    parameter int CLOCK_HZ      = 12_000_000,  // clocks per second, >= 4*BAUD
    parameter int BAUD          = 115_200,     // bits per second; a whole number of clocks per bit must meet it within 2 %
    parameter int IN_WIDTH      = 8,           // bits of the core's input beat, >= 1
    parameter int OUT_WIDTH     = 8,           // bits of the core's output beat, >= 1
    parameter int FRAME_BEATS   = 64,          // input beats per frame, >= 1
    parameter int RX_FIFO_DEPTH = 16           // received bytes that wait while the core is not ready, >= 1
) (
    input  wire                  clk,
    input  wire                  rst,

    input  wire                  uart_rx,    // asynchronous
    output logic                 uart_tx,

    output logic                 in_valid,
    input  wire                  in_ready,
    output logic [IN_WIDTH-1:0]  in_data,
    output logic                 in_last,

    input  wire                  out_valid,
    output logic                 out_ready,
    input  wire  [OUT_WIDTH-1:0] out_data,
    input  wire                  out_last,

    output logic                 overflow    // sticky: a received byte was lost
);
  if (IN_WIDTH < 1) begin : g_in_width error_IN_WIDTH_must_be_at_least_1 check (); end
  if (OUT_WIDTH < 1) begin : g_out_width error_OUT_WIDTH_must_be_at_least_1 check (); end
  if (FRAME_BEATS < 1) begin : g_frame error_FRAME_BEATS_must_be_at_least_1 check (); end

  localparam int IN_BYTES = (IN_WIDTH + 7) / 8;
  localparam int OUT_BYTES = (OUT_WIDTH + 7) / 8;

  // Line to core
  logic       received_valid, received_ready, queued_valid, queued_ready;
  logic [7:0] received_data, queued_data;
  logic       byte_broken, byte_lost;

  uart_rx #(.CLOCK_HZ(CLOCK_HZ), .BAUD(BAUD)) receiver (
      .clk          (clk),
      .rst          (rst),
      .rx           (uart_rx),
      .out_valid    (received_valid),
      .out_ready    (received_ready),
      .out_data     (received_data),
      .framing_error(byte_broken),
      .overflow     (byte_lost)
  );
  always_ff @(posedge clk) overflow <= !rst && (overflow || byte_broken || byte_lost);

  stream_fifo #(.WIDTH(8), .DEPTH(RX_FIFO_DEPTH)) queue (
      .clk      (clk),
      .rst      (rst),
      .in_valid (received_valid),
      .in_ready (received_ready),
      .in_data  (received_data),
      .out_valid(queued_valid),
      .out_ready(queued_ready),
      .out_data (queued_data)
  );

  logic [8*IN_BYTES-1:0] beat;
  if (IN_BYTES == 1) begin : g_in_byte
    assign in_valid     = queued_valid;
    assign queued_ready = in_ready;
    assign beat         = queued_data;
  end else begin : g_in_bytes
    logic unused_last;
    stream_upsize #(.WIDTH(8), .RATIO(IN_BYTES)) assemble (
        .clk      (clk),
        .rst      (rst),
        .in_valid (queued_valid),
        .in_ready (queued_ready),
        .in_data  (queued_data),
        .in_last  (1'b0),
        .out_valid(in_valid),
        .out_ready(in_ready),
        .out_data (beat),
        .out_last (unused_last)
    );
  end
  assign in_data = beat[IN_WIDTH-1:0];

  localparam int COUNT_BITS = FRAME_BEATS > 1 ? $clog2(FRAME_BEATS) : 1;
  localparam int LAST_BEAT = FRAME_BEATS - 1;
  logic [COUNT_BITS-1:0] count;
  assign in_last = count == LAST_BEAT[COUNT_BITS-1:0];
  always_ff @(posedge clk) begin
    if (in_valid && in_ready) count <= in_last ? '0 : count + 1'b1;
    if (rst) count <= '0;
  end

  // Core to line
  logic       send_valid, send_ready;
  logic [7:0] send_data;
  wire  [8*OUT_BYTES-1:0] padded = (8 * OUT_BYTES)'(out_data);
  if (OUT_BYTES == 1) begin : g_out_byte
    assign send_valid = out_valid;
    assign out_ready  = send_ready;
    assign send_data  = padded;
  end else begin : g_out_bytes
    logic unused_last;
    stream_downsize #(.WIDTH(8), .RATIO(OUT_BYTES)) split (
        .clk      (clk),
        .rst      (rst),
        .in_valid (out_valid),
        .in_ready (out_ready),
        .in_data  (padded),
        .in_last  (1'b0),
        .out_valid(send_valid),
        .out_ready(send_ready),
        .out_data (send_data),
        .out_last (unused_last)
    );
  end

  uart_tx #(.CLOCK_HZ(CLOCK_HZ), .BAUD(BAUD)) transmitter (
      .clk     (clk),
      .rst     (rst),
      .in_valid(send_valid),
      .in_ready(send_ready),
      .in_data (send_data),
      .tx      (uart_tx)
  );

  // The host counts beats by itself; the top bits of a beat's last byte carry nothing.
  wire unused = &{1'b0, out_last, beat};
endmodule
`default_nettype wire
