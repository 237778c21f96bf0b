// SPDX-License-Identifier: Apache-2.0
// program_reader - fetches a layer's program ahead, so that its next word is known before it is executed
//
// A program is RUNS runs. A run is the words that one plane of an output group takes; what differs from run to run, and not from word to word, stands in
// run words (docs/architecture.md, 3). Word i of the program uses control word i mod CONTROL_WORDS, run r uses run word r mod RUN_WORDS:
//
//   control word  {last, offset}                 last: ends its run
//   run word      {group, repeats, fields}       group: ends its output group; repeats: the next run has the same weights again
//
// Without run words (RUN_INIT = "") every run is a group, and the fields are 0. The program is repeated for ever.
//
//   clk       _/~\_/~\_/~\_/~\_
//   step      ___/~~~~~~~\_____
//   offset    <  A   >< B >< C     the head's: A is executed, then B
//
// Latency    ready from the third clock after reset on.
// Rate       one word per clock.
// Reset      starts the program.
// Paths      none from step to an output.
`default_nettype none
module program_reader #(
    parameter int OFFSET_BITS   = 1,
    parameter int CONTROL_WORDS = 1,   // divides the program's words
    parameter     CONTROL_INIT  = "",
    parameter int RUNS          = 1,
    parameter int RUN_WORDS     = 1,   // divides RUNS
    parameter int FIELD_BITS    = 1,
    parameter     RUN_INIT      = "",
    parameter int REPEATS       = 0,   // some run repeats its weights
    parameter int WEIGHT_WORDS  = 1,
    parameter int LUT_BITS      = 1024,  // ROMs of up to so many bits, or 16 words, are logic
    localparam int INDEX_BITS = WEIGHT_WORDS > 1 ? $clog2(WEIGHT_WORDS) : 1
) (
    input  wire                    clk,
    input  wire                    rst,
    input  wire                    step,         // the head is executed; only when ready
    output wire                    ready,
    output wire  [OFFSET_BITS-1:0] offset,
    output logic                   run_first,
    output wire                    run_last,
    output logic                   group_first,  // of the head's run: the group's first
    output wire                    group_last,   // of the head's run: the group's last
    output logic                   window_last,  // of the head's run: the program's last
    output wire  [FIELD_BITS-1:0]  fields,
    output logic [INDEX_BITS-1:0]  index         // of the head's weight word
);
  if (RUNS % RUN_WORDS != 0) begin : g_check error_RUN_WORDS_must_divide_RUNS check (); end

  localparam int CTRL_BITS     = CONTROL_WORDS > 1 ? $clog2(CONTROL_WORDS) : 1;
  localparam int RUN_ADDR_BITS = RUN_WORDS > 1 ? $clog2(RUN_WORDS) : 1;
  localparam int RUN_BITS      = RUNS > 1 ? $clog2(RUNS) : 1;

  // Two words are under way: one at the memory's output, one at the head. Both move on when the head is executed, and while the pipeline fills.
  logic [1:0] filled;
  always_ff @(posedge clk) begin
    filled <= {filled[0], 1'b1};
    if (rst) filled <= '0;
  end
  assign ready = filled[1];
  wire next_word = step || !ready;

  // ---- Words.
  logic [CTRL_BITS-1:0]   fetch;
  wire  [OFFSET_BITS:0]   fetched;
  logic [OFFSET_BITS:0]   head;
  rom #(.WIDTH(OFFSET_BITS + 1), .DEPTH(CONTROL_WORDS), .INIT(CONTROL_INIT),
        .STYLE(CONTROL_WORDS <= 16 || CONTROL_WORDS * (OFFSET_BITS + 1) <= LUT_BITS ? 2 : 1)) control_rom (
      .clk(clk), .rd_en(next_word), .rd_addr(fetch), .rd_data(fetched)
  );
  always_ff @(posedge clk) begin
    if (next_word) begin
      fetch <= CONTROL_WORDS == 1 || fetch == CTRL_BITS'(CONTROL_WORDS - 1) ? '0 : fetch + 1'b1;
      head  <= fetched;
    end
    if (rst) fetch <= '0;
  end
  assign offset   = head[OFFSET_BITS-1:0];
  assign run_last = head[OFFSET_BITS];

  // ---- Runs.
  wire repeats;
  if (RUN_INIT != "") begin : g_runs
    wire next_run = (step && run_last) || !ready;
    logic [RUN_ADDR_BITS-1:0] run_fetch;
    wire  [FIELD_BITS+1:0]    run_fetched;
    logic [FIELD_BITS+1:0]    run_head;
    rom #(.WIDTH(FIELD_BITS + 2), .DEPTH(RUN_WORDS), .INIT(RUN_INIT),
          .STYLE(RUN_WORDS <= 16 || RUN_WORDS * (FIELD_BITS + 2) <= LUT_BITS ? 2 : 1)) run_rom (
        .clk(clk), .rd_en(next_run), .rd_addr(run_fetch), .rd_data(run_fetched)
    );
    always_ff @(posedge clk) begin
      if (next_run) begin
        run_fetch <= RUN_WORDS == 1 || run_fetch == RUN_ADDR_BITS'(RUN_WORDS - 1) ? '0 : run_fetch + 1'b1;
        run_head  <= run_fetched;
      end
      if (rst) run_fetch <= '0;
    end
    assign {group_last, repeats, fields} = run_head;
  end else begin : g_groups
    assign {group_last, repeats, fields} = {2'b10, {FIELD_BITS{1'b0}}};
  end

  // ---- Where the head stands.
  logic [RUN_BITS-1:0]   run;
  logic [INDEX_BITS-1:0] run_index;  // of the run's first weight word
  wire [INDEX_BITS-1:0] after = WEIGHT_WORDS == 1 || index == INDEX_BITS'(WEIGHT_WORDS - 1) ? '0 : index + 1'b1;
  wire [INDEX_BITS-1:0] next  = REPEATS != 0 && repeats && run_last ? run_index : after;
  always_ff @(posedge clk) begin
    if (step) begin
      run_first <= run_last;
      index     <= next;
      if (run_last) begin
        group_first <= group_last;
        run         <= window_last ? '0 : run + 1'b1;
        window_last <= RUNS == 1 || (RUNS > 1 && run == RUN_BITS'(RUNS - 2));
        run_index   <= next;
      end
    end
    if (rst) begin
      run_first   <= 1'b1;
      group_first <= 1'b1;
      run         <= '0;
      window_last <= RUNS == 1;
      index       <= '0;
      run_index   <= '0;
    end
  end
  if (REPEATS == 0) begin : g_unused
    wire unused = &{1'b0, repeats, run_index};
  end
endmodule
`default_nettype wire
