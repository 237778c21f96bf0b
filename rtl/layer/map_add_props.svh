// SPDX-License-Identifier: Apache-2.0
// Handshake: assume the neighbours', assert ours. f_past_valid rises after the first edge.
logic f_past_valid = 1'b0;
always_ff @(posedge clk) f_past_valid <= 1'b1;
always_comb if (!f_past_valid) assume (rst);

always_ff @(posedge clk)
  if (f_past_valid && !$past(rst) && !rst) begin
    if ($past(a_valid && !a_ready)) begin
      assume (a_valid);
      assume (a_data == $past(a_data));
      assume (a_last == $past(a_last));
    end
    if ($past(b_valid && !b_ready)) begin
      assume (b_valid);
      assume (b_data == $past(b_data));
      assume (b_last == $past(b_last));
    end
    if ($past(out_valid && !out_ready)) begin
      assert (out_valid);
      assert (out_data == $past(out_data));
      assert (out_last == $past(out_last));
    end
  end

// Contract: beat f_idx (a free constant) of the output is the sum of beat f_idx of a and of b, in every lane. Beats are counted modulo 16.
logic [3:0]              f_idx, f_a_count, f_b_count, f_out_count;
logic [LANES*A_BITS-1:0] f_a;
logic [LANES*B_BITS-1:0] f_b;
logic                    f_last;
always_ff @(posedge clk) begin
  f_idx <= f_idx;
  if (a_valid && a_ready && f_a_count == f_idx) {f_last, f_a} <= {a_last, a_data};
  if (b_valid && b_ready && f_b_count == f_idx) f_b <= b_data;
  f_a_count   <= rst ? 4'd0 : f_a_count + {3'd0, a_valid && a_ready};
  f_b_count   <= rst ? 4'd0 : f_b_count + {3'd0, b_valid && b_ready};
  f_out_count <= rst ? 4'd0 : f_out_count + {3'd0, out_valid && out_ready};
end
// Both maps have one shape, so their frames end together.
always_comb if (a_valid && b_valid) assume (a_last == b_last);

for (genvar i = 0; i < LANES; i++) begin : f_lane
  wire signed [31:0] f_left  = A_SIGNED != 0 ? 32'($signed(f_a[i*A_BITS+:A_BITS])) : 32'(f_a[i*A_BITS+:A_BITS]);
  wire signed [31:0] f_right = B_SIGNED != 0 ? 32'($signed(f_b[i*B_BITS+:B_BITS])) : 32'(f_b[i*B_BITS+:B_BITS]);
  wire signed [31:0] f_sum   = f_left + f_right;
  always_comb if (f_past_valid && !rst && out_valid && f_idx == f_out_count) assert (out_data[i*OUT_BITS+:OUT_BITS] == f_sum[OUT_BITS-1:0]);
end
always_comb
  if (f_past_valid && !rst) begin
    assert (f_a_count == f_b_count);
    assert (f_a_count - f_out_count == {3'd0, out_valid});
    if (out_valid && f_idx == f_out_count) assert (out_last == f_last);
  end
