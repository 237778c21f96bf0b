// SPDX-License-Identifier: Apache-2.0
// bitmap_reader - reads places that are stored as a bitmap with a sign for each (core/coefficient_code.hpp): TASKS tasks of SPAN places, again and again
//
// A task has SPAN/CHUNK_BITS words, rounded up. Words without a bit are dropped ahead of the head, so that one place is named per clock as long as no two words in
// a row are empty; of a task without any bit one word stays, which names no place. Ports and timing are those of gap_reader.
//
// Latency    ready some clocks after reset: when the next two words with a bit are there.
// Rate       one place per clock, less what empty words in a row cost.
// Reset      starts the program.
// Paths      none from step to an output.
`default_nettype none
module bitmap_reader #(
    parameter int SPAN       = 4,
    parameter int CHUNK_BITS = 4,
    parameter int TASKS      = 1,
    parameter int SIGNS      = 1,   // bits set in all words, >= 0
    parameter     INIT       = "",
    parameter     SIGN_INIT  = "",
    localparam int PLACE_BITS = SPAN > 1 ? $clog2(SPAN) : 1
) (
    input  wire                   clk,
    input  wire                   rst,
    input  wire                   step,
    output logic                  ready,
    output logic [PLACE_BITS-1:0] place,
    output logic                  counts,
    output logic                  negative,
    output logic                  last,
    output logic                  ends
);
  localparam int CHUNKS     = (SPAN + CHUNK_BITS - 1) / CHUNK_BITS;
  localparam int CHUNK_AT   = CHUNKS > 1 ? $clog2(CHUNKS) : 1;
  localparam int WORDS      = TASKS * CHUNKS;
  localparam int INDEX_BITS = WORDS > 1 ? $clog2(WORDS) : 1;
  localparam int TASK_BITS  = TASKS > 1 ? $clog2(TASKS) : 1;
  localparam int BIT_AT     = CHUNK_BITS > 1 ? $clog2(CHUNK_BITS) : 1;

  // ---- Words from the memory; those without a bit go no further, but for a task's last when all before it were empty.
  logic [INDEX_BITS-1:0] fetch;
  logic                  fetched_valid;
  wire  [CHUNK_BITS-1:0] fetched;
  logic [CHUNK_AT-1:0]   chunk;      // of the fetched word
  logic [TASK_BITS-1:0]  task_at;
  logic                  task_kept;  // a word of its task was passed on
  wire chunk_ends = CHUNKS == 1 || chunk == CHUNK_AT'(CHUNKS - 1);
  wire keep       = |fetched || (chunk_ends && !task_kept);
  wire next_free;
  wire moves      = !fetched_valid || !keep || next_free;
  rom #(.WIDTH(CHUNK_BITS), .DEPTH(WORDS), .INIT(INIT), .STYLE(WORDS <= 16 || WORDS * CHUNK_BITS <= 1024 ? 2 : 1)) words (
      .clk(clk), .rd_en(moves), .rd_addr(fetch), .rd_data(fetched)
  );
  always_ff @(posedge clk) begin
    fetched_valid <= 1'b1;
    if (moves) begin
      fetch <= WORDS == 1 || fetch == INDEX_BITS'(WORDS - 1) ? '0 : fetch + 1'b1;
      if (fetched_valid) begin
        chunk     <= chunk_ends ? '0 : chunk + 1'b1;
        task_kept <= !chunk_ends && (task_kept || keep);
        if (chunk_ends) task_at <= TASKS == 1 || task_at == TASK_BITS'(TASKS - 1) ? '0 : task_at + 1'b1;
      end
    end
    if (rst) begin
      fetch         <= '0;
      fetched_valid <= 1'b0;
      chunk         <= '0;
      task_at       <= '0;
      task_kept     <= 1'b0;
    end
  end

  // ---- The next word, and the one whose bits are taken, lowest first.
  logic                  next_valid, next_starts, next_program;  // starts: its task's first kept word; program: the program's first kept word
  logic [CHUNK_BITS-1:0] next_bits, bits;
  logic [CHUNK_AT-1:0]   next_chunk, bits_chunk;
  logic                  bits_valid;
  wire [CHUNK_BITS-1:0]  rest  = bits & (bits - 1'b1);
  wire                   done  = rest == '0;
  wire                   gives = bits_valid && (!done || next_valid) && (!ready || step);
  wire                   shift = next_valid && (!bits_valid || (gives && done));
  assign next_free = !next_valid || shift;
  always_ff @(posedge clk) begin
    if (next_free) begin
      next_valid   <= fetched_valid && keep;
      next_bits    <= fetched;
      next_chunk   <= chunk;
      next_starts  <= !task_kept;
      next_program <= !task_kept && task_at == '0;
    end
    if (shift) begin
      bits       <= next_bits;
      bits_chunk <= next_chunk;
      bits_valid <= 1'b1;
    end else if (gives) begin
      bits       <= rest;
      bits_valid <= !done;
    end
    if (rst) begin
      next_valid <= 1'b0;
      bits_valid <= 1'b0;
    end
  end

  logic [BIT_AT-1:0] lowest;
  always_comb begin
    lowest = '0;
    for (int i = CHUNK_BITS - 1; i >= 0; i--) if (bits[i]) lowest = BIT_AT'(i);
  end

  // ---- Signs: the next one stands at the memory's output.
  wire sign;
  if (SIGNS > 0) begin : g_signs
    localparam int SIGN_BITS = SIGNS > 1 ? $clog2(SIGNS) : 1;
    logic [SIGN_BITS-1:0] sign_fetch;
    logic                 sign_filled;
    wire                  sign_moves = !sign_filled || (gives && |bits);
    rom #(.WIDTH(1), .DEPTH(SIGNS), .INIT(SIGN_INIT), .STYLE(SIGNS <= 1024 ? 2 : 1)) signs (
        .clk(clk), .rd_en(sign_moves), .rd_addr(sign_fetch), .rd_data(sign)
    );
    always_ff @(posedge clk) begin
      sign_filled <= 1'b1;
      if (sign_moves) sign_fetch <= SIGNS == 1 || sign_fetch == SIGN_BITS'(SIGNS - 1) ? '0 : sign_fetch + 1'b1;
      if (rst) begin
        sign_filled <= 1'b0;
        sign_fetch  <= '0;
      end
    end
  end else begin : g_no_signs
    assign sign = 1'b0;
  end

  // ---- The head.
  localparam int PLACE_WIDE = CHUNK_AT + $clog2(CHUNK_BITS) + 1;
  wire [PLACE_WIDE-1:0] place_next = PLACE_WIDE'(bits_chunk) * PLACE_WIDE'(CHUNK_BITS) + PLACE_WIDE'(lowest);
  always_ff @(posedge clk) begin
    if (gives) begin
      place    <= place_next[PLACE_BITS-1:0];
      counts   <= |bits;
      negative <= sign;
      last     <= done && next_starts;
      ends     <= done && next_program;
    end
    ready <= gives || (ready && !step);
    if (rst) ready <= 1'b0;
  end
  wire unused = &{1'b0, place_next};
endmodule
`default_nettype wire
