// SPDX-License-Identifier: Apache-2.0
// Handshake: assume the neighbours', assert ours. f_past_valid rises after the first edge.
logic f_past_valid = 1'b0;
always_ff @(posedge clk) f_past_valid <= 1'b1;
always_comb if (!f_past_valid) assume (rst);

always_ff @(posedge clk)
  if (f_past_valid && !$past(rst) && !rst) begin
    if ($past(in_valid && !in_ready)) begin
      assume (in_valid);
      assume (in_data == $past(in_data));
    end
    if ($past(out_valid && !out_ready)) begin
      assert (out_valid);
      assert (out_data == $past(out_data));
    end
  end

// Contract: transfer f_idx (a free constant) leaves with the payload with which it entered. Transfers are counted modulo 16.
logic [3:0]       f_idx, f_in, f_out;
logic [WIDTH-1:0] f_word;
wire  [3:0]       f_fill = f_in - f_out;
always_ff @(posedge clk) begin
  f_idx <= f_idx;
  if (in_valid && in_ready && f_in == f_idx) f_word <= in_data;
  f_in  <= rst ? 4'd0 : f_in + {3'd0, in_valid && in_ready};
  f_out <= rst ? 4'd0 : f_out + {3'd0, out_valid && out_ready};
end
always_comb
  if (f_past_valid && !rst) begin
    assert (f_fill == {3'd0, out_valid} + {3'd0, spare_valid});
    if (out_valid && f_idx == f_out) assert (out_data == f_word);
    // Invariants of the induction
    if (spare_valid) assert (out_valid);
    if (spare_valid && f_idx == f_out + 4'd1) assert (spare_data == f_word);
  end
