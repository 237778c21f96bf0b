// SPDX-License-Identifier: Apache-2.0
// chip_link_sender - a stream into another chip: frames with numbers and a CRC on a bundle of lanes, sent again until they have arrived (docs/chips.md)
//
//   stream ─► chip_replay ─► chip_frame_out ─► line
//                 └────────── chip_frame_in ◄── status
//
// The parameters of both ends are the same. Reset both ends together; frames and reports on the way then may be lost, not received later.
//
// Latency    about 8 clocks, and the frame's length, to the receiver's output, beside the lines' own.
// Rate       FRAME words take FRAME * ceil(WIDTH/LANES) + ceil(HEADER/LANES) + ceil(32/LANES) + 3 symbols, HEADER being the bits of a number (clog2(DEPTH) + 1) and of a count.
`default_nettype none
module chip_link_sender #(
    parameter int WIDTH   = 64,    // bits of a beat, >= 1
    parameter int BEATS   = 0,     // of a frame of the stream: the receiver counts them to know `last`; 0: `last` travels with every beat
    parameter int LANES   = 8,     // wires of the line beside valid, 1 to 8
    parameter int CLOCKS  = 1,     // clocks of a symbol, >= 1; 4 and more where the ends have clocks of their own
    parameter int DEPTH   = 64,    // beats that may be under way, a power of two from 4 to 32768
    parameter int FRAME   = 16,    // beats of a frame on the line, at most; 1 to DEPTH
    parameter int TIMEOUT = 1024   // clocks: longer than the way there and back, two frames and two reports take
) (
    input  wire              clk,
    input  wire              rst,

    input  wire              in_valid,
    output logic             in_ready,
    input  wire  [WIDTH-1:0] in_data,
    input  wire              in_last,

    output logic [LANES:0]   line,   // {valid, lanes}
    input  wire  [1:0]       status  // {valid, lane}
);
  localparam int WORD        = BEATS == 0 ? WIDTH + 1 : WIDTH;
  localparam int NUMBER_BITS = $clog2(DEPTH) + 1;
  localparam int COUNT_BITS  = $clog2(FRAME + 1);
  localparam int REPORT_BITS = 2 * NUMBER_BITS + 1;

  wire                   idle, start, word_take;
  wire [NUMBER_BITS-1:0] number;
  wire [COUNT_BITS-1:0]  count;
  wire [WORD-1:0]        word;
  wire [REPORT_BITS-1:0] report;
  wire                   report_end, report_good, unused_begin, unused_valid, unused_word;

  chip_replay #(.WIDTH(WORD), .DEPTH(DEPTH), .FRAME(FRAME), .TIMEOUT(TIMEOUT)) replay (
      .clk(clk), .rst(rst),
      .in_valid(in_valid), .in_ready(in_ready), .in_data(WORD'({in_last, in_data})),
      .idle(idle), .start(start), .number(number), .count(count), .word_take(word_take), .word(word),
      .report_valid(report_end && report_good), .report_number(report[NUMBER_BITS-1:0]),
      .report_room(report[2*NUMBER_BITS-1:NUMBER_BITS]), .report_retry(report[2*NUMBER_BITS])
  );

  chip_frame_out #(.LANES(LANES), .CLOCKS(CLOCKS), .HEADER(NUMBER_BITS + COUNT_BITS), .WIDTH(WORD), .COUNT_BITS(COUNT_BITS)) frames (
      .clk(clk), .rst(rst),
      .idle(idle), .start(start), .header({number, count}), .count(count), .word_take(word_take), .word(word),
      .line(line)
  );

  chip_frame_in #(.LANES(1), .CLOCKS(CLOCKS), .HEADER(REPORT_BITS), .WIDTH(1), .COUNT_BITS(1), .WORDS(0)) reports (
      .clk(clk), .rst(rst),
      .line(status),
      .frame_begin(unused_begin), .header(report), .word_valid(unused_valid), .word(unused_word), .frame_end(report_end), .frame_good(report_good)
  );
  wire unused = &{1'b0, unused_begin, unused_valid, unused_word, in_last};

`ifndef SYNTHESIS
  if (BEATS != 0) begin : g_beats  // `last` is where the receiver will put it
    int beat;
    always @(posedge clk) begin
      if (in_valid && in_ready) begin
        assert (rst || in_last == (beat == BEATS - 1));
        beat <= in_last ? 0 : beat + 1;
      end
      if (rst) beat <= 0;
    end
  end
`endif
endmodule
`default_nettype wire
