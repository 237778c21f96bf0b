// SPDX-License-Identifier: Apache-2.0
// Never more than CREDITS under way, and available exactly while there are fewer: a credit is neither lost nor made. CREDITS <= 200.
logic f_past_valid = 1'b0;
always_ff @(posedge clk) f_past_valid <= 1'b1;
always_comb if (!f_past_valid) assume (rst);

logic [7:0]      f_under_way;
wire  [BITS-1:0] f_left = BITS'(CREDITS - 1) - BITS'(f_under_way);
always_ff @(posedge clk) f_under_way <= rst ? 8'd0 : f_under_way + {7'd0, take} - {7'd0, give};
always_comb
  if (f_past_valid && !rst) begin
    assume (!take || available);
    assume (!give || f_under_way != 8'd0);
    assert (f_under_way <= CREDITS);
    assert (available == (f_under_way < CREDITS));
    // Invariant of the induction
    assert (left == f_left);
  end
