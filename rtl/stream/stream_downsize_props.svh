// SPDX-License-Identifier: Apache-2.0
// Handshake, and: part f_lane of input f_group (free constants) leaves as beat f_lane of group f_group. Groups are counted modulo 16.
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
logic [7:0]       f_lane, f_lane_out;
logic [WIDTH-1:0] f_word;
logic             f_last;
wire              f_pop = out_valid && out_ready;
wire              f_group_ends = f_lane_out == RATIO - 1;
always_ff @(posedge clk) begin
  f_group <= f_group;
  f_lane  <= f_lane;
  if (in_valid && in_ready && f_in == f_group) begin
    f_word <= in_data[f_lane*WIDTH+:WIDTH];
    f_last <= in_last;
  end
  if (f_pop) f_lane_out <= f_group_ends ? 8'd0 : f_lane_out + 8'd1;
  f_in  <= f_in + {3'd0, in_valid && in_ready};
  f_out <= f_out + {3'd0, f_pop && f_group_ends};
  if (rst) begin
    f_lane_out <= 8'd0;
    f_in       <= 4'd0;
    f_out      <= 4'd0;
  end
end
always_comb begin
  assume (f_lane < RATIO);
  if (f_past_valid && !rst) begin
    assert (f_in - f_out == {3'd0, out_valid});
    if (!out_valid) assert (in_ready);
    if (f_pop && f_group_ends) assert (in_ready);
    if (out_valid && f_out == f_group && f_lane_out == f_lane) begin
      assert (out_data == f_word);
      assert (out_last == (f_last && f_group_ends));
    end
    // Invariants of the induction
    assert (count == f_lane_out);
    assert (f_lane_out < RATIO);
    if (!out_valid) assert (count == 0);
    if (out_valid && f_out == f_group) assert (frame_end == f_last);
    if (out_valid && f_out == f_group && f_lane >= f_lane_out) assert (data[(f_lane-f_lane_out)*WIDTH+:WIDTH] == f_word);
  end
end
