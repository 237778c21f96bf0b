// SPDX-License-Identifier: Apache-2.0
// Handshake, and: beat f_lane of group f_group (free constants) leaves in lane f_lane of output f_group. Groups are counted modulo 16.
logic f_past_valid = 1'b0;
always_ff @(posedge clk) f_past_valid <= 1'b1;
always_comb if (!f_past_valid) assume (rst);

always_ff @(posedge clk)
  if (f_past_valid && !$past(rst) && !rst) begin
    if ($past(in_valid && !in_ready)) begin
      assume (in_valid);
      assume (in_data == $past(in_data));
      assume (in_last == $past(in_last));
    end
    if ($past(out_valid && !out_ready)) begin
      assert (out_valid);
      assert (out_data == $past(out_data));
      assert (out_last == $past(out_last));
    end
  end

logic [3:0]       f_group, f_in, f_out;
logic [7:0]       f_lane, f_lane_in;
logic [WIDTH-1:0] f_word;
logic             f_last;
wire              f_push = in_valid && in_ready;
wire              f_group_ends = f_lane_in == RATIO - 1;
always_ff @(posedge clk) begin
  f_group <= f_group;
  f_lane  <= f_lane;
  if (f_push && f_in == f_group && f_lane_in == f_lane) f_word <= in_data;
  if (f_push && f_in == f_group && f_group_ends) f_last <= in_last;
  if (f_push) f_lane_in <= f_group_ends ? 8'd0 : f_lane_in + 8'd1;
  f_in  <= f_in + {3'd0, f_push && f_group_ends};
  f_out <= f_out + {3'd0, out_valid && out_ready};
  if (rst) begin
    f_lane_in <= 8'd0;
    f_in      <= 4'd0;
    f_out     <= 4'd0;
  end
end
always_comb begin
  assume (f_lane < RATIO);
  if (!f_group_ends) assume (!in_last);
  if (f_past_valid && !rst) begin
    assert (f_in - f_out == {3'd0, out_valid});
    if (!out_valid) assert (in_ready);
    if (out_valid && f_out == f_group) begin
      assert (out_data[f_lane*WIDTH+:WIDTH] == f_word);
      assert (out_last == f_last);
    end
    // Invariants of the induction
    assert (count == f_lane_in);
    assert (f_lane_in < RATIO);
    if (out_valid) assert (count == 0);
    if (moves) assert (!out_valid && f_lane_in != 0);
    if (f_in == f_group && f_lane < f_lane_in) assert (out_data[(RATIO-f_lane_in+f_lane-(moves ? 0 : 1))*WIDTH+:WIDTH] == f_word);
  end
end
