// SPDX-License-Identifier: Apache-2.0
// gap_reader - reads places that are stored as gaps (core/coefficient_code.hpp): a program of WORDS words {gap, field}, again and again
//
// Places count 0 .. SPAN-1 within a task, and from task to task. A word advances by gap + 1 from the place before it, the program's first from the place before task
// 0's first. SKIPS: a gap of all ones advances by one less, and names no place. No word may advance over a whole task.
//
//   clk      _/~\_/~\_/~\_/~\_
//   step     ___/~~~~~~~\_____
//   place    <  A   >< B >< C       the head's
//
// Latency    ready from the fourth clock after reset on.
// Rate       one word per clock.
// Reset      starts the program.
// Paths      none from step to an output.
`default_nettype none
module gap_reader #(
    parameter int SPAN       = 4,
    parameter int GAP_BITS   = 2,   // may be 0: every place is named
    parameter int SKIPS      = 1,
    parameter int FIELD_BITS = 1,   // may be 0; without gap and field there is no memory
    parameter int WORDS      = 4,
    parameter     INIT       = "",
    localparam int PLACE_BITS  = SPAN > 1 ? $clog2(SPAN) : 1,
    localparam int FIELD_WIDTH = FIELD_BITS > 0 ? FIELD_BITS : 1
) (
    input  wire                    clk,
    input  wire                    rst,
    input  wire                    step,    // the head is taken; only when ready
    output wire                    ready,
    output logic [PLACE_BITS-1:0]  place,
    output logic                   counts,  // no skip
    output logic [FIELD_WIDTH-1:0] field,
    output wire                    last,    // the task's last word
    output logic                   ends     // the program's last word
);
  localparam int GAP_WIDTH  = GAP_BITS > 0 ? GAP_BITS : 1;
  localparam int WORD_BITS  = GAP_BITS + FIELD_BITS;
  localparam int INDEX_BITS = WORDS > 1 ? $clog2(WORDS) : 1;
  localparam int SUM_BITS   = (PLACE_BITS > GAP_WIDTH ? PLACE_BITS : GAP_WIDTH) + 2;

  // Two words are under way: one at the memory's output, one in a register behind it.
  logic [2:0] filled;
  always_ff @(posedge clk) begin
    filled <= {filled[1:0], 1'b1};
    if (rst) filled <= '0;
  end
  assign ready = filled[2];
  wire move  = step || !ready;
  wire steps = step || (filled[1] && !ready);

  // That a word is the program's last goes with it.
  logic [INDEX_BITS-1:0] fetch;
  logic                  fetched_ends, word_ends;
  wire                   fetch_ends = WORDS == 1 || fetch == INDEX_BITS'(WORDS - 1);
  always_ff @(posedge clk) begin
    if (move) begin
      fetch        <= fetch_ends ? '0 : fetch + 1'b1;
      fetched_ends <= fetch_ends;
      word_ends    <= fetched_ends;
    end
    if (rst) fetch <= '0;
  end

  wire [GAP_WIDTH-1:0]   gap;
  wire [FIELD_WIDTH-1:0] word_field;
  if (WORD_BITS > 0) begin : g_memory
    wire  [WORD_BITS-1:0] fetched;
    logic [WORD_BITS-1:0] word;
    rom #(.WIDTH(WORD_BITS), .DEPTH(WORDS), .INIT(INIT), .STYLE(WORDS <= 16 || WORDS * WORD_BITS <= 1024 ? 2 : 1)) words (
        .clk(clk), .rd_en(move), .rd_addr(fetch), .rd_data(fetched)
    );
    always_ff @(posedge clk) if (move) word <= fetched;
    if (GAP_BITS > 0) begin : g_gap
      assign gap = word[WORD_BITS-1-:GAP_WIDTH];
    end else begin : g_no_gap
      assign gap = '0;
    end
    if (FIELD_BITS > 0) begin : g_field
      assign word_field = word[FIELD_WIDTH-1:0];
    end else begin : g_no_field
      assign word_field = '0;
    end
  end else begin : g_none
    assign {gap, word_field} = '0;
  end

  // ---- The head, and whether the next word leaves its task. One adder: a word that counts comes in as a carry.
  wire                 skip = SKIPS != 0 && &gap;
  wire [PLACE_BITS-1:0] from = ends ? PLACE_BITS'(SPAN - 1) : place;
  wire [SUM_BITS:0]    sum  = {SUM_BITS'(from), 1'b1} + {SUM_BITS'(gap), !skip};
  wire [PLACE_BITS-1:0] next;
  if (SPAN == 2 ** PLACE_BITS) begin : g_wraps
    assign last = sum[PLACE_BITS+1];
    assign next = sum[PLACE_BITS:1];
  end else begin : g_compares
    wire [SUM_BITS-1:0] over = sum[SUM_BITS:1] - SUM_BITS'(SPAN);
    assign last = !over[SUM_BITS-1];
    assign next = last ? over[PLACE_BITS-1:0] : sum[PLACE_BITS:1];
    wire unused_over = &{1'b0, over};
  end
  always_ff @(posedge clk) begin
    if (steps) begin
      place  <= next;
      counts <= !skip;
      field  <= word_field;
      ends   <= word_ends;
    end
    if (rst) ends <= 1'b1;
  end
  wire unused_sum = &{1'b0, sum};
endmodule
`default_nettype wire
