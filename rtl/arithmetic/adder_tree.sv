// SPDX-License-Identifier: Apache-2.0
// adder_tree - the sum of N numbers, pipelined
//
// Each level adds four numbers at a time by a plain loop, which synthesis turns into compressors and one carry chain, and registers the sums. A loop maps
// better than a tree of two-input adders, and a wide loop costs clock frequency: four is the compromise.
//
// Latency    ceil(log4(N)) clocks; 0 for N = 1.
// Rate       one sum per clock.
// Reset      none: no control inside.
`default_nettype none
module adder_tree #(
    parameter int N         = 8,  // numbers, >= 1
    parameter int WIDTH     = 1,  // bits of each
    parameter bit IS_SIGNED = 0,  // two's complement
    localparam int SUM_BITS = WIDTH + $clog2(N)
) (
    input  wire                 clk,
    input  wire [N*WIDTH-1:0]   numbers,  // number i at [i*WIDTH +: WIDTH]
    output wire [SUM_BITS-1:0]  sum
);
  if (N < 1) begin : g_n error_N_must_be_at_least_1 check (); end

  // Numbers that are left after a number of levels.
  function automatic int count_after(input int level);
    count_after = N;
    for (int i = 0; i < level; i = i + 1) count_after = (count_after + 3) / 4;
  endfunction
  // Two more bits per level, never more than the sum needs.
  function automatic int width_after(input int level);
    width_after = WIDTH + 2 * level < SUM_BITS ? WIDTH + 2 * level : SUM_BITS;
  endfunction

  localparam int LEVELS = ($clog2(N) + 1) / 2;  // ceil(log4(N))

  for (genvar level = 0; level <= LEVELS; level++) begin : g_level
    localparam int COUNT = count_after(level);
    localparam int BITS  = width_after(level);
    wire [COUNT*BITS-1:0] sums;
    if (level == 0) begin : g_leaves
      assign sums = numbers;
    end else begin : g_sums
      localparam int BELOW      = count_after(level - 1);
      localparam int BELOW_BITS = width_after(level - 1);
      wire  [BELOW*BELOW_BITS-1:0] below = g_level[level-1].sums;
      logic [COUNT*BITS-1:0]       registers;
      for (genvar s = 0; s < COUNT; s++) begin : g_sum
        localparam int FAN = s * 4 + 4 <= BELOW ? 4 : BELOW - s * 4;
        logic [BITS-1:0] total;
        always_comb begin
          total = '0;
          for (int i = 0; i < FAN; i++) begin
            if (IS_SIGNED) total = total + BITS'($signed(below[(s*4+i)*BELOW_BITS+:BELOW_BITS]));
            else total = total + BITS'(below[(s*4+i)*BELOW_BITS+:BELOW_BITS]);
          end
        end
        always_ff @(posedge clk) registers[s*BITS+:BITS] <= total;
      end
      assign sums = registers;
    end
  end

  assign sum = g_level[LEVELS].sums;
  if (LEVELS == 0) begin : g_unused
    wire unused = clk;
  end
endmodule
`default_nettype wire
