// SPDX-License-Identifier: Apache-2.0
// requantize_layer - integers to codes by a multiplication: out = clamp((in*mul[c] + add[c]) >>> SHIFT, LOW, HIGH), exactly
//
// Each lane has a ROM of its own with the file <INIT>_lane<ll>.mem (ll: two digits), one word {add, mul} for each beat of a pixel. A rounding constant
// belongs into add. Where the results have few levels, threshold_layer needs no multiplier.
//
// Latency    7 clocks, the FIFO's two among them.
// Rate       one beat of LANES channels per clock.
// Reset      control only.
// Infers     a multiplier per lane with registers before and behind.
`default_nettype none
module requantize_layer #(
    parameter int LANES     = 1,   // channels per beat, 1 to 100
    parameter int IN_BITS   = 8,   // of an input value, >= 1
    parameter int IN_SIGNED = 0,   // two's complement
    parameter int CHANNELS  = 0,   // channels of a pixel, a multiple of LANES; 0: one table serves all
    parameter int MUL_BITS  = 8,   // of a factor, two's complement, >= 1
    parameter int ADD_BITS  = 16,  // of a summand, two's complement, >= 1
    parameter int SHIFT     = 8,   // >= 0
    parameter int LOW       = 0,   // results are at least this
    parameter int HIGH      = 255, // and at most this, >= LOW
    parameter int OUT_BITS  = 8,   // of a result, modulo 2^OUT_BITS, 1 to 32
    parameter int LUT_BITS  = 1024, // ROMs of up to so many bits, or 16 words, are logic
    parameter     INIT      = ""
) (
    input  wire                       clk,
    input  wire                       rst,

    input  wire                       in_valid,
    output wire                       in_ready,
    input  wire  [LANES*IN_BITS-1:0]  in_data,
    input  wire                       in_last,

    output wire                       out_valid,
    input  wire                       out_ready,
    output wire  [LANES*OUT_BITS-1:0] out_data,
    output wire                       out_last
);
  localparam int BEATS     = CHANNELS == 0 ? 1 : CHANNELS / LANES;
  localparam int BEAT_BITS = BEATS > 1 ? $clog2(BEATS) : 1;
  localparam int LATENCY   = 5;
  localparam int CREDITS   = LATENCY + 4;

  if (LANES < 1 || LANES > 100) begin : g_lanes error_LANES_must_be_1_to_100 check (); end
  if (CHANNELS % LANES != 0) begin : g_channels error_LANES_must_divide_CHANNELS check (); end
  if (IN_BITS < 1 || MUL_BITS < 1 || ADD_BITS < 1) begin : g_bits error_IN_BITS_MUL_BITS_and_ADD_BITS_must_be_at_least_1 check (); end
  if (OUT_BITS < 1 || OUT_BITS > 32) begin : g_out_bits error_OUT_BITS_must_be_1_to_32 check (); end
  if (SHIFT < 0) begin : g_shift error_SHIFT_must_not_be_negative check (); end
  if (LOW > HIGH) begin : g_range error_LOW_must_not_be_above_HIGH check (); end

  wire take = in_valid && in_ready;
  credit_counter #(.CREDITS(CREDITS)) credits (.clk(clk), .rst(rst), .take(take), .give(out_valid && out_ready), .available(in_ready));

  logic [BEAT_BITS-1:0] beat;
  always_ff @(posedge clk) begin
    if (take) beat <= BEATS == 1 || beat == BEAT_BITS'(BEATS - 1) ? '0 : beat + 1'b1;
    if (rst) beat <= '0;
  end

  localparam int VALUE_BITS   = IN_BITS + (IN_SIGNED != 0 ? 0 : 1);
  localparam int PRODUCT_BITS = VALUE_BITS + MUL_BITS;
  localparam int SUM_BITS     = (PRODUCT_BITS > ADD_BITS ? PRODUCT_BITS : ADD_BITS) + 1;
  localparam int KEPT_BITS    = SUM_BITS > SHIFT ? SUM_BITS - SHIFT : 1;  // behind the shift
  localparam int WIDE         = KEPT_BITS > 32 ? KEPT_BITS : 32;          // holds LOW and HIGH too
  wire [LANES*OUT_BITS-1:0] codes;
  for (genvar lane = 0; lane < LANES; lane++) begin : g_lane
    localparam logic [7:0] TENS = 8'd48 + 8'(lane / 10);
    localparam logic [7:0] ONES = 8'd48 + 8'(lane % 10);
    localparam FILE = INIT == "" ? "" : {INIT, "_lane", TENS, ONES, ".mem"};
    wire [ADD_BITS+MUL_BITS-1:0] constants;
    rom #(.WIDTH(ADD_BITS + MUL_BITS), .DEPTH(BEATS), .INIT(FILE),
          .STYLE(BEATS <= 16 || BEATS * (ADD_BITS + MUL_BITS) <= LUT_BITS ? 2 : 1)) table_rom (
        .clk(clk), .rd_en(1'b1), .rd_addr(beat), .rd_data(constants)
    );

    // The constants of a value stand one clock after it, and both once more in the multiplier's registers.
    logic        [IN_BITS-1:0]      code;
    logic signed [VALUE_BITS-1:0]   value;
    logic signed [MUL_BITS-1:0]     factor;
    logic signed [PRODUCT_BITS-1:0] product;
    logic signed [ADD_BITS-1:0]     summand, summand_later;
    logic signed [SUM_BITS-1:0]     sum;
    logic        [OUT_BITS-1:0]     result;
    wire  signed [KEPT_BITS-1:0]    kept  = KEPT_BITS'(sum >>> SHIFT);
    wire  signed [WIDE-1:0]         whole = WIDE'(kept);
    always_ff @(posedge clk) begin
      code          <= in_data[lane*IN_BITS+:IN_BITS];
      value         <= IN_SIGNED != 0 ? VALUE_BITS'($signed(code)) : VALUE_BITS'(code);
      factor        <= constants[MUL_BITS-1:0];
      summand       <= constants[ADD_BITS+MUL_BITS-1:MUL_BITS];
      product       <= value * factor;
      summand_later <= summand;
      sum           <= SUM_BITS'(product) + SUM_BITS'(summand_later);
      result        <= whole < WIDE'(LOW) ? OUT_BITS'(LOW) : whole > WIDE'(HIGH) ? OUT_BITS'(HIGH) : whole[OUT_BITS-1:0];
    end
    assign codes[lane*OUT_BITS+:OUT_BITS] = result;
  end

  logic [LATENCY-1:0] valid, last;
  always_ff @(posedge clk) begin
    valid <= {valid[LATENCY-2:0], take};
    last  <= {last[LATENCY-2:0], in_last};
    if (rst) valid <= '0;
  end

  wire fifo_ready;
  stream_fifo #(.WIDTH(LANES * OUT_BITS + 1), .DEPTH(CREDITS)) results (
      .clk(clk), .rst(rst), .in_valid(valid[LATENCY-1]), .in_ready(fifo_ready), .in_data({last[LATENCY-1], codes}), .out_valid(out_valid),
      .out_ready(out_ready), .out_data({out_last, out_data})
  );
`ifndef SYNTHESIS
  always_ff @(posedge clk) if (!rst && valid[LATENCY-1]) assert (fifo_ready);  // credits keep room
`else
  wire unused_ready = fifo_ready;
`endif
endmodule
`default_nettype wire
