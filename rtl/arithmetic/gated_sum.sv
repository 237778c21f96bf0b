// SPDX-License-Identifier: Apache-2.0
// gated_sum - GROUPS sums of N activations gated by weights, out of as few adder cells as possible
//
// A gated_tree adds all of it but the upper bits of some activations, its extras. Those, one bit narrower, go to a gated_tree of their own, and so on; the
// sums are then added at their weights, the narrowest first. See gated_tree for XNOR and for the product bit that is left over if N is a multiple of 4.
//
// Latency    ceil(log2 N) clocks; one less for one bit and N > 2.
// Rate       one set of sums per clock.
// Reset      none: no control inside.
`default_nettype none
module gated_sum #(
    parameter int GROUPS   = 2,
    parameter int N        = 8,  // activations of a group, >= 1
    parameter int ACT_BITS = 2,  // bits of each, >= 1, unsigned
    parameter bit OWN      = 0,  // each group has activations of its own
    parameter bit XNOR     = 0,
    parameter int FABRIC   = 0,  // see carry_adders
    localparam int SETS     = OWN ? GROUPS : 1,
    localparam int SUM_BITS = $clog2(((1 << ACT_BITS) - 1) * N + (N % 4 == 0 ? 0 : 1))
) (
    input  wire                       clk,
    input  wire [GROUPS*N-1:0]        weights,          // of group g at [g*N +: N]
    input  wire [SETS*N*ACT_BITS-1:0] activations,      // activation i of set s at [(s*N + i)*ACT_BITS +: ACT_BITS]
    output wire [GROUPS*SUM_BITS-1:0] sums,
    output wire [GROUPS-1:0]          left_weight,      // of the product bit left over, in the clock of its sum; without one, ones
    output wire [GROUPS-1:0]          left_activation
);
  // Activations of which at least one bit is left after a number of steps.
  function automatic int count_after(input int steps);
    count_after = N;
    for (int i = 0; i < steps; i = i + 1) if (count_after > 0) count_after = count_after - (count_after == 1 ? 1 : 2 * ((count_after + 3) / 4));
  endfunction

  for (genvar step = 0; step < ACT_BITS; step++) begin : g_step
    localparam int COUNT   = count_after(step);
    localparam int BITS    = ACT_BITS - step;
    localparam bit IS_LAST = BITS == 1 || count_after(step + 1) == 0;
    if (COUNT > 0) begin : g_used
      localparam int LATENCY = $clog2(COUNT) - (BITS == 1 && COUNT > 2 ? 1 : 0);
      localparam int WHOLE   = COUNT == 1 ? 1 : 2 * ((COUNT + 3) / 4);
      localparam int LEVELS  = $clog2(WHOLE);
      localparam int TREE    = BITS + LEVELS;
      localparam int TOTAL   = $clog2(((1 << BITS) - 1) * COUNT + (COUNT % 4 == 0 ? 0 : 1));
      // The activations of this step are the last of the step before, from bit `step` on.
      wire [GROUPS*COUNT-1:0]    my_weights;
      wire [SETS*COUNT*BITS-1:0] my_activations;
      wire [GROUPS*TREE-1:0]     tree, tree_late;
      wire [GROUPS-1:0]          left_w, left_a, late_w, late_a;
      wire [GROUPS*TOTAL-1:0]    totals;
      for (genvar g = 0; g < GROUPS; g++) begin : g_weights
        assign my_weights[g*COUNT+:COUNT] = weights[g*N+N-COUNT+:COUNT];
      end
      for (genvar i = 0; i < SETS * COUNT; i++) begin : g_activations
        assign my_activations[i*BITS+:BITS] = activations[(i/COUNT*N+N-COUNT+i%COUNT)*ACT_BITS+step+:BITS];
      end
      gated_tree #(.GROUPS(GROUPS), .N(COUNT), .ACT_BITS(BITS), .OWN(OWN), .XNOR(XNOR), .FABRIC(FABRIC)) operands (
          .clk(clk), .weights(my_weights), .activations(my_activations), .sums(tree), .left_weight(left_w), .left_activation(left_a)
      );
      delay_line #(.WIDTH(2 * GROUPS), .CLOCKS(LATENCY - LEVELS)) left_delay (.clk(clk), .in_data({left_w, left_a}), .out_data({late_w, late_a}));
      delay_line #(.WIDTH(GROUPS * TREE), .CLOCKS(LATENCY - LEVELS - (IS_LAST ? 0 : 1))) tree_delay (
          .clk(clk), .in_data(tree), .out_data(tree_late)
      );

      if (IS_LAST) begin : g_alone
        for (genvar g = 0; g < GROUPS; g++) begin : g_group
          assign totals[g*TOTAL+:TOTAL] = tree_late[g*TREE+:TOTAL];
        end
        wire unused = &{1'b0, tree_late};
      end else begin : g_added
        localparam int HIGH_COUNT   = count_after(step + 1);
        localparam int HIGH         = $clog2(((1 << (BITS - 1)) - 1) * HIGH_COUNT + (HIGH_COUNT % 4 == 0 ? 0 : 1));
        localparam int HIGH_LATENCY = $clog2(HIGH_COUNT) - (BITS == 2 && HIGH_COUNT > 2 ? 1 : 0);
        localparam int UPPER        = TREE - 1;  // bits from weight 2 on
        localparam int ADDED        = (UPPER > HIGH ? UPPER : HIGH) + 1;
        wire [GROUPS*HIGH-1:0]   high;
        wire [GROUPS-1:0]        ca, cb;
        wire [GROUPS*UPPER-1:0]  upper;
        wire [GROUPS*ADDED-1:0]  added;
        delay_line #(.WIDTH(GROUPS * (HIGH + 2)), .CLOCKS(LATENCY - 1 - HIGH_LATENCY)) high_delay (
            .clk(clk), .in_data({g_step[step+1].g_used.totals, g_step[step+1].g_used.late_w, g_step[step+1].g_used.late_a}), .out_data({high, ca, cb})
        );
        carry_adders #(
            .COUNT(GROUPS), .X_BITS(UPPER), .Y_BITS(HIGH), .FILL(XNOR), .CARRY(XNOR ? 4'b0110 : 4'b1000), .CARRIES(HIGH_COUNT % 4 == 0 ? 1 : 0),
            .FABRIC(FABRIC)
        ) adders (.xa(upper), .xb({GROUPS * UPPER{1'b1}}), .ya(high), .yb({GROUPS * HIGH{1'b1}}), .ca(ca), .cb(cb), .sums(added));
        for (genvar g = 0; g < GROUPS; g++) begin : g_group
          logic [ADDED:0] total;
          assign upper[g*UPPER+:UPPER] = tree_late[g*TREE+1+:UPPER];
          always_ff @(posedge clk) total <= {added[g*ADDED+:ADDED], tree_late[g*TREE]};
          assign totals[g*TOTAL+:TOTAL] = total[TOTAL-1:0];
          wire unused = &{1'b0, total};
        end
      end
    end
  end
  assign sums            = g_step[0].g_used.totals;
  assign left_weight     = g_step[0].g_used.late_w;
  assign left_activation = g_step[0].g_used.late_a;
endmodule
`default_nettype wire
