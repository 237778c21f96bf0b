// SPDX-License-Identifier: Apache-2.0
// chip_link_receiver - a stream out of another chip: every beat once and in order, whatever the lines do to frames and reports (docs/chips.md)
//
//   line ──► chip_frame_in ──► chip_accept ─► stream
//   status ◄─ chip_frame_out ◄─────┘
//
// It reports all the time, one report after the other, what it wants and how much room it has: a lost report is made good by the next.
//
// Latency, rate and parameters: see chip_link_sender.
`default_nettype none
module chip_link_receiver #(
    parameter int WIDTH  = 64,
    parameter int BEATS  = 0,
    parameter int LANES  = 8,
    parameter int CLOCKS = 1,
    parameter int DEPTH  = 64,
    parameter int FRAME  = 16
) (
    input  wire              clk,
    input  wire              rst,

    input  wire  [LANES:0]   line,    // {valid, lanes}
    output logic [1:0]       status,  // {valid, lane}

    output logic             out_valid,
    input  wire              out_ready,
    output logic [WIDTH-1:0] out_data,
    output logic             out_last
);
  localparam int WORD        = BEATS == 0 ? WIDTH + 1 : WIDTH;
  localparam int NUMBER_BITS = $clog2(DEPTH) + 1;
  localparam int COUNT_BITS  = $clog2(FRAME + 1);
  localparam int REPORT_BITS = 2 * NUMBER_BITS + 1;

  wire                              frame_begin, word_valid, frame_end, frame_good, retry, idle, unused_take;
  wire [NUMBER_BITS+COUNT_BITS-1:0] header;
  wire [WORD-1:0]                   word, out_word;
  wire [NUMBER_BITS-1:0]            wanted, room;

  chip_frame_in #(.LANES(LANES), .CLOCKS(CLOCKS), .HEADER(NUMBER_BITS + COUNT_BITS), .WIDTH(WORD), .COUNT_BITS(COUNT_BITS)) frames (
      .clk(clk), .rst(rst),
      .line(line),
      .frame_begin(frame_begin), .header(header), .word_valid(word_valid), .word(word), .frame_end(frame_end), .frame_good(frame_good)
  );

  chip_accept #(.WIDTH(WORD), .DEPTH(DEPTH)) accept (
      .clk(clk), .rst(rst),
      .frame_begin(frame_begin), .frame_number(header[COUNT_BITS+:NUMBER_BITS]), .word_valid(word_valid), .word(word),
      .frame_end(frame_end), .frame_good(frame_good),
      .wanted(wanted), .room(room), .retry(retry),
      .out_valid(out_valid), .out_ready(out_ready), .out_data(out_word)
  );

  chip_frame_out #(.LANES(1), .CLOCKS(CLOCKS), .HEADER(REPORT_BITS), .WIDTH(1), .COUNT_BITS(1)) reports (
      .clk(clk), .rst(rst),
      .idle(idle), .start(idle), .header({retry, room, wanted}), .count(1'b0), .word_take(unused_take), .word(1'b0),
      .line(status)
  );
  wire unused = &{1'b0, unused_take, header[COUNT_BITS-1:0]};

  assign out_data = out_word[WIDTH-1:0];
  if (BEATS == 0) begin : g_last
    assign out_last = out_word[WORD-1];
  end else begin : g_beats
    localparam int BEAT_BITS = BEATS > 1 ? $clog2(BEATS) : 1;
    localparam int LAST = BEATS - 1;
    logic [BEAT_BITS-1:0] beat;
    assign out_last = beat == LAST[BEAT_BITS-1:0];
    always_ff @(posedge clk) begin
      if (out_valid && out_ready) beat <= out_last ? '0 : beat + 1'b1;
      if (rst) beat <= '0;
    end
  end
endmodule
`default_nettype wire
