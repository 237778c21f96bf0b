// SPDX-License-Identifier: Apache-2.0
// max_pool - the largest value under a window, LANES channels at a time
//
// The window is read by a program as in a plane layer: for each chunk of LANES channels, the offsets of its window; one word per clock. Padding, where there
// is any, is done before by map_pad with the smallest code.
//
// Latency    from a window's last word to its result: 7 clocks and the FIFO's.
// Rate       one word per clock: OUT_HEIGHT*OUT_WIDTH*PROGRAM_WORDS clocks per frame.
// Reset      control only.
`default_nettype none
module max_pool #(
    parameter int LANES         = 1,          // channels per beat, in and out
    parameter int BITS          = 2,          // of a value
    parameter int SIGNED        = 0,          // two's complement
    parameter int WIDTH         = LANES * BITS,
    parameter int BUFFER_DEPTH  = 4,          // window reader, in words
    parameter int EXTENT        = 1,
    parameter int SHARED        = 0,          // 1: the buffer has a single port
    parameter int OUT_HEIGHT    = 1,
    parameter int OUT_WIDTH     = 1,
    parameter int STEP_X        = 1,
    parameter int STEP_ROW      = 1,
    parameter int STEP_FRAME    = 1,
    parameter int PROGRAM_WORDS = 1,          // chunks of a pixel times positions of the window
    parameter int GROUPS        = 1,          // chunks of a pixel
    parameter int OFFSET_BITS   = 1,
    parameter int LUT_BITS      = 1024,       // of window_reader
    parameter     CONTROL_INIT  = ""
) (
    input  wire              clk,
    input  wire              rst,

    input  wire              in_valid,
    output wire              in_ready,
    input  wire  [WIDTH-1:0] in_data,
    input  wire              in_last,

    output wire              out_valid,
    input  wire              out_ready,
    output wire [WIDTH-1:0]  out_data,
    output wire              out_last,

    output wire              busy,
    output wire              starved,
    output wire              stalled
);
  if (WIDTH != LANES * BITS) begin : g_width error_WIDTH_must_be_LANES_times_BITS check (); end

  localparam int CREDITS = 10 / (PROGRAM_WORDS / GROUPS) + 2;

  wire credit, group_start;
  credit_counter #(.CREDITS(CREDITS)) credits (.clk(clk), .rst(rst), .take(group_start), .give(out_valid && out_ready), .available(credit));

  wire             word_valid, word_first, word_last, word_frame, group_first, group_last, fields, word_index;
  wire [WIDTH-1:0] word_data;
  window_reader #(
      .WIDTH(WIDTH), .DEPTH(BUFFER_DEPTH), .SHARED(SHARED), .EXTENT(EXTENT), .OUT_HEIGHT(OUT_HEIGHT), .OUT_WIDTH(OUT_WIDTH), .STEP_X(STEP_X), .STEP_ROW(STEP_ROW),
      .STEP_FRAME(STEP_FRAME), .OFFSET_BITS(OFFSET_BITS), .CONTROL_WORDS(PROGRAM_WORDS), .CONTROL_INIT(CONTROL_INIT), .RUNS(GROUPS), .LUT_BITS(LUT_BITS)
  ) reader (
      .clk(clk), .rst(rst), .in_valid(in_valid), .in_ready(in_ready), .in_data(in_data), .credit(credit), .group_start(group_start),
      .word_index(word_index), .word_valid(word_valid), .word_data(word_data), .word_first(word_first), .word_last(word_last),
      .group_first(group_first), .group_last(group_last), .frame_last(word_frame), .run_fields(fields), .busy(busy), .starved(starved), .stalled(stalled)
  );
  wire unused = &{1'b0, in_last, word_index, group_first, group_last, fields};

  logic [WIDTH-1:0] largest;
  logic             valid, frame;
  for (genvar lane = 0; lane < LANES; lane++) begin : g_lane
    wire [BITS-1:0] value = word_data[lane*BITS+:BITS];
    wire [BITS-1:0] kept  = largest[lane*BITS+:BITS];
    // Flipping the sign bit orders two's complement as unsigned.
    wire [BITS-1:0] sign  = SIGNED != 0 ? BITS'(1) << (BITS - 1) : '0;
    wire            wins  = (value ^ sign) > (kept ^ sign);
    always_ff @(posedge clk) if (word_valid && (word_first || wins)) largest[lane*BITS+:BITS] <= value;
  end
  always_ff @(posedge clk) begin
    valid <= word_valid && word_last;
    frame <= word_frame;
    if (rst) valid <= 1'b0;
  end

  wire fifo_ready;
  stream_fifo #(.WIDTH(WIDTH + 1), .DEPTH(CREDITS)) results (
      .clk(clk), .rst(rst), .in_valid(valid), .in_ready(fifo_ready), .in_data({frame, largest}), .out_valid(out_valid), .out_ready(out_ready),
      .out_data({out_last, out_data})
  );
`ifndef SYNTHESIS
  always_ff @(posedge clk) if (!rst && valid) assert (fifo_ready);  // credits keep room
`else
  wire unused_ready = fifo_ready;
`endif
endmodule
`default_nettype wire
