// SPDX-License-Identifier: Apache-2.0
// Handshake on every output, and: what output f_sel takes as its word f_idx is word f_idx of the input (free constants), once, and before the input moves
// on. Transfers are counted modulo 16.
logic f_past_valid = 1'b0;
always_ff @(posedge clk) f_past_valid <= 1'b1;
always_comb if (!f_past_valid) assume (rst);

// The word that the source has to hold.
logic             f_held;
logic [WIDTH-1:0] f_held_data;
always_ff @(posedge clk) begin
  f_held      <= in_valid && !in_ready && !rst;
  f_held_data <= in_data;
end
always_comb
  if (f_past_valid && f_held && !rst) begin
    assume (in_valid);
    assume (in_data == f_held_data);
  end

for (genvar i = 0; i < OUTPUTS; i++) begin : f_output
  always_ff @(posedge clk)
    if (f_past_valid && !$past(rst) && !rst && $past(out_valid[i] && !out_ready[i])) begin
      assert (out_valid[i]);
      assert (out_data == $past(out_data));
    end
end

logic [3:0]       f_idx, f_in, f_out;
logic [7:0]       f_sel;
logic [WIDTH-1:0] f_word;  // as output f_sel saw it
wire              f_taken = out_valid[f_sel] && out_ready[f_sel];
wire              f_moves = in_valid && in_ready;
always_ff @(posedge clk) begin
  f_idx <= f_idx;
  f_sel <= f_sel;
  if (f_taken && f_out == f_idx) f_word <= out_data;
  f_in  <= rst ? 4'd0 : f_in + {3'd0, f_moves};
  f_out <= rst ? 4'd0 : f_out + {3'd0, f_taken};
end
always_comb begin
  assume (f_sel < OUTPUTS);
  if (f_past_valid && !rst) begin
    assert (f_out - f_in == {3'd0, done[f_sel]});
    if (f_moves) assert (f_taken || f_out == f_in + 4'd1);
    if (f_moves && f_in == f_idx) assert ((f_taken ? out_data : f_word) == in_data);
    if (&out_ready) assert (in_ready);
    // Invariants of the induction
    if (done != '0) assert (f_held);
    if (done[f_sel] && f_in == f_idx) assert (f_word == f_held_data);
  end
end
