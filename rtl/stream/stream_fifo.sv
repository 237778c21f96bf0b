// SPDX-License-Identifier: Apache-2.0
// stream_fifo - FIFO of exactly DEPTH words; the first word falls through
//
// Up to depth 8 a shift register: the oldest word always stands at the output, and a word enters behind the last one. Beyond, a RAM whose read register is
// the output; the word in that register counts as stored.
//
//   clk        _/~\_/~\_/~\_/~\_/~\_
//   in_valid   _/~~~~~~~\___________
//   in_data    -< A >< B >----------
//   out_valid  _____/~~~~~~~\_______     registers; one clock later with RAM
//   out_data   -----< A >< B >------
//
// Latency    one clock with registers, two with RAM.
// Rate       one word per clock.
// Reset      empties it; data is not reset.
// Infers     DEPTH > 8: see ram_1w1r.
// Paths      DEPTH = 1: out_ready to in_ready, for full rate. Otherwise none.
`default_nettype none
module stream_fifo #(
    parameter int WIDTH = 8,  // bits per word, >= 1
    parameter int DEPTH = 4   // words, >= 1
) (
    input  wire              clk,
    input  wire              rst,

    input  wire              in_valid,
    output logic             in_ready,
    input  wire  [WIDTH-1:0] in_data,

    output logic             out_valid,
    input  wire              out_ready,
    output logic [WIDTH-1:0] out_data
);
  if (WIDTH < 1) begin : g_width error_WIDTH_must_be_at_least_1 check (); end
  if (DEPTH < 1) begin : g_depth error_DEPTH_must_be_at_least_1 check (); end

  wire push = in_valid && in_ready;
  wire pop  = out_valid && out_ready;

`ifdef FORMAL
  `include "stream_fifo_props.svh"
`endif

  if (DEPTH == 1) begin : g_single
    assign in_ready = !out_valid || out_ready;
    always_ff @(posedge clk) begin
      if (push || pop) out_valid <= push;
      if (rst) out_valid <= 1'b0;
    end
    always_ff @(posedge clk) if (push) out_data <= in_data;

  end else if (DEPTH <= 8) begin : g_shift
    // Word i of data holds a word if occupied[i]; occupied words are the lowest.
    logic [DEPTH-1:0]       occupied;
    logic [DEPTH*WIDTH-1:0] data;

    assign in_ready  = !occupied[DEPTH-1];
    assign out_valid = occupied[0];
    assign out_data  = data[WIDTH-1:0];

    always_ff @(posedge clk) begin
      if (push && !pop) occupied <= {occupied[DEPTH-2:0], 1'b1};
      if (pop && !push) occupied <= {1'b0, occupied[DEPTH-1:1]};
      if (rst) occupied <= '0;
    end
    // A free word loads the input all the time, so that a push needs no address.
    for (genvar i = 0; i < DEPTH; i++) begin : g_word
      if (i == DEPTH - 1) begin : g_top
        always_ff @(posedge clk) if (pop || !occupied[i]) data[i*WIDTH+:WIDTH] <= in_data;
      end else begin : g_inner
        always_ff @(posedge clk)
          if (pop || !occupied[i]) data[i*WIDTH+:WIDTH] <= occupied[i+1] ? data[(i+1)*WIDTH+:WIDTH] : in_data;
      end
    end
`ifdef FORMAL
    `include "stream_fifo_shift_props.svh"
`endif

  end else begin : g_ram
    localparam int ADDR_BITS = $clog2(DEPTH);
    localparam int LEVEL_BITS = $clog2(DEPTH + 1);
    localparam bit WRAPS = DEPTH == 2 ** ADDR_BITS;  // addresses wrap by themselves
    localparam int LAST = DEPTH - 1;

    logic [ADDR_BITS-1:0]  wr_addr, rd_addr;
    logic [LEVEL_BITS-1:0] level;     // words in RAM and output register
    logic                  in_ram;    // the RAM holds a word
    wire                   fetch = in_ram && (!out_valid || out_ready);

    assign in_ready = level != LEVEL_BITS'(DEPTH);
    assign in_ram   = level != {{(LEVEL_BITS - 1) {1'b0}}, out_valid};

    always_ff @(posedge clk) begin
      if (push) wr_addr <= WRAPS || wr_addr != LAST[ADDR_BITS-1:0] ? wr_addr + 1'b1 : '0;
      if (fetch) rd_addr <= WRAPS || rd_addr != LAST[ADDR_BITS-1:0] ? rd_addr + 1'b1 : '0;
      if (push && !pop) level <= level + 1'b1;
      if (pop && !push) level <= level - 1'b1;
      if (!out_valid || out_ready) out_valid <= in_ram;
      if (rst) begin
        wr_addr   <= '0;
        rd_addr   <= '0;
        level     <= '0;
        out_valid <= 1'b0;
      end
    end

`ifdef FORMAL
    wire [DEPTH*WIDTH-1:0] f_contents;
`endif
    // Never reads and writes one address: a word is fetched the clock after it was written, or later, and none is written to a full RAM.
    ram_1w1r #(.WIDTH(WIDTH), .DEPTH(DEPTH)) words (
        .clk    (clk),
        .wr_en  (push),
        .wr_addr(wr_addr),
        .wr_data(in_data),
        .rd_en  (fetch),
        .rd_addr(rd_addr),
        .rd_data(out_data)
`ifdef FORMAL
        , .f_contents(f_contents)
`endif
    );
`ifdef FORMAL
    `include "stream_fifo_ram_props.svh"
`endif
  end
endmodule
`default_nettype wire
