// SPDX-License-Identifier: Apache-2.0
// sparse_lane - sums of a few of a pixel's channels, for PIXELS neighbouring pixels at once: one non-zero coefficient per clock
//
//   sum of a task = sum over its coefficients of +x[channel] or -x[channel]        for each pixel
//
// The lane has a copy of its own of the pixels: a memory of two halves, of which one is written while the other is read. Its program of tasks
// (core/coefficient_code.hpp) is executed once for every half that was written. Sums leave in the order of the tasks.
//
//   wr_en, wr_addr, wr_data    a word for each channel, {half, channel}; halves in turn, and only while not `full`
//   loaded                     the half's last word is written in this clock
//
// Latency    a sum leaves 3 + DEPTH clocks after its last coefficient was issued.
// Rate       one coefficient per clock; none is lost between tasks and between halves.
// Reset      control only.
`default_nettype none
module sparse_lane #(
    parameter int A_BITS     = 4,
    parameter int A_SIGNED   = 0,
    parameter int CHANNELS   = 4,
    parameter int PIXELS     = 2,
    parameter int SUM_BITS   = 8,    // of a sum, two's complement
    parameter int BITMAP     = 0,    // 0: gap_reader, 1: bitmap_reader
    parameter int GAP_BITS   = 2,
    parameter int CHUNK_BITS = 4,
    parameter int WORDS      = 4,    // gaps: words; bitmap: tasks
    parameter int SIGNS      = 1,
    parameter     INIT       = "",
    parameter     SIGN_INIT  = "",
    parameter int DEPTH      = 2,    // sums that may wait
    parameter int FABRIC     = 0,    // carry_adders
    localparam int CHANNEL_BITS = CHANNELS > 1 ? $clog2(CHANNELS) : 1,
    localparam int ADDR_BITS    = CHANNEL_BITS + 1
) (
    input  wire                        clk,
    input  wire                        rst,

    input  wire                        wr_en,
    input  wire [ADDR_BITS-1:0]        wr_addr,
    input  wire [PIXELS*A_BITS-1:0]    wr_data,
    input  wire                        loaded,
    output wire                        full,

    output wire                        out_next,   // a sum stands at out_data in the next clock
    input  wire                        out_take,   // only while one does
    output wire [PIXELS*SUM_BITS-1:0]  out_data,

    output wire                        adding   // a coefficient is issued in this clock
);
  // ---- The program's next coefficient.
  wire                    op_ready, counts, negative, last, ends, go;
  wire [CHANNEL_BITS-1:0] channel;
  if (BITMAP != 0) begin : g_bitmap
    bitmap_reader #(.SPAN(CHANNELS), .CHUNK_BITS(CHUNK_BITS), .TASKS(WORDS), .SIGNS(SIGNS), .INIT(INIT), .SIGN_INIT(SIGN_INIT)) reader (
        .clk(clk), .rst(rst), .step(go), .ready(op_ready), .place(channel), .counts(counts), .negative(negative), .last(last), .ends(ends)
    );
  end else begin : g_gaps
    gap_reader #(.SPAN(CHANNELS), .GAP_BITS(GAP_BITS), .SKIPS(1), .FIELD_BITS(1), .WORDS(WORDS), .INIT(INIT)) reader (
        .clk(clk), .rst(rst), .step(go), .ready(op_ready), .place(channel), .counts(counts), .field(negative), .last(last), .ends(ends)
    );
  end

  // ---- Halves that are written and not yet read to their end.
  logic [1:0] ahead;
  logic       half;
  wire        stall;
  assign go     = op_ready && ahead != 2'd0 && !stall;
  assign full   = ahead[1];
  assign adding = go && counts;
  always_ff @(posedge clk) begin
    ahead <= ahead + {1'b0, loaded} - {1'b0, go && ends};
    if (go && ends) half <= !half;
    if (rst) begin
      ahead <= 2'd0;
      half  <= 1'b0;
    end
  end

  wire [PIXELS*A_BITS-1:0] word;
  ram_1w1r #(.WIDTH(PIXELS * A_BITS), .DEPTH(2 ** ADDR_BITS)) pixels (
      .clk(clk), .wr_en(wr_en), .wr_addr(wr_addr), .wr_data(wr_data), .rd_en(go), .rd_addr({half, channel}), .rd_data(word)
  );

  // ---- Memory (1), register (2), accumulator; all wait together while a finished sum finds no room.
  logic read_counts, read_negative, read_last, value_negative, value_last;
  always_ff @(posedge clk) begin
    if (!stall) begin
      read_counts    <= go && counts;
      read_negative  <= negative;
      read_last      <= go && last;
      value_negative <= read_counts && read_negative;
      value_last     <= read_last;
    end
    if (rst) begin
      read_counts <= 1'b0;
      read_last   <= 1'b0;
      value_last  <= 1'b0;
    end
  end

  // a - b = a + ~b + 1: a negative value is inverted where it is added, and is the carry in.
  localparam int WIDTH = PIXELS * SUM_BITS;
  wire [WIDTH-1:0]        addends, sums;
  wire [WIDTH+PIXELS-1:0] totals;
  logic [WIDTH-1:0]       accumulators;
  for (genvar i = 0; i < PIXELS; i++) begin : g_pixel
    logic [A_BITS-1:0] value;
    always_ff @(posedge clk) begin
      if (!stall && !read_counts) value <= '0;  // nothing is read in the clock after reset
      else if (!stall) value <= word[i*A_BITS+:A_BITS];
    end
    assign addends[i*SUM_BITS+:SUM_BITS] = A_SIGNED != 0 ? SUM_BITS'($signed(value)) : SUM_BITS'(value);
    assign sums[i*SUM_BITS+:SUM_BITS]    = totals[i*(SUM_BITS+1)+:SUM_BITS];
    wire unused = totals[i*(SUM_BITS+1)+SUM_BITS];
  end
  carry_adders #(.COUNT(PIXELS), .X_BITS(SUM_BITS), .Y_BITS(SUM_BITS), .Y_XOR(1'b1), .OVERFLOW(1'b0), .FABRIC(FABRIC)) add_or_subtract (
      .xa(accumulators), .xb({WIDTH{1'b1}}), .ya(addends), .yb({WIDTH{value_negative}}), .ca({PIXELS{value_negative}}), .cb({PIXELS{1'b1}}), .sums(totals)
  );
  logic restart;  // of all of them at once: a clock after reset, so that reset need not go as far in its own
  always_ff @(posedge clk) begin
    restart <= rst;
    if (restart || (!stall && value_last)) accumulators <= '0;
    else if (!stall) accumulators <= sums;
  end

  // ---- Finished sums wait in a row of registers. Each moves on when there is room ahead, so none needs a multiplexer.
  logic [DEPTH-1:0]       waiting;
  logic [DEPTH*WIDTH-1:0] data;
  wire  [DEPTH-1:0]       waiting_next;
  wire  [DEPTH*WIDTH-1:0] behind;  // of each register, what would move into it
  wire  [DEPTH-1:0]       comes;
  assign stall    = value_last && &waiting;
  assign out_next = waiting_next[DEPTH-1];
  assign out_data = data[(DEPTH-1)*WIDTH+:WIDTH];
  for (genvar i = 0; i < DEPTH; i++) begin : g_waiting
    wire gone = !(&waiting[DEPTH-1:i]) || out_take;
    if (i == 0) begin : g_first
      assign {comes[i], behind[i*WIDTH+:WIDTH]} = {value_last && !stall, sums};
    end else begin : g_next
      assign {comes[i], behind[i*WIDTH+:WIDTH]} = {waiting[i-1], data[(i-1)*WIDTH+:WIDTH]};
    end
    assign waiting_next[i] = !gone || comes[i];
    always_ff @(posedge clk) begin
      waiting[i] <= waiting_next[i];
      if (gone) data[i*WIDTH+:WIDTH] <= behind[i*WIDTH+:WIDTH];
      if (rst) waiting[i] <= 1'b0;
    end
  end
`ifndef SYNTHESIS
  always_ff @(posedge clk) if (!rst && out_take) assert (waiting[DEPTH-1]);
`endif
endmodule
`default_nettype wire
