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

// Contract: output beat f_beat of turn f_turn (free constants; turns are counted modulo 16) is that turn's beat of a, or of b behind all of a's.
localparam int F_BEATS = A_BEATS + B_BEATS;
logic [3:0]     f_turn, f_a_turn, f_b_turn, f_out_turn;
logic [7:0]     f_beat, f_a_beat, f_b_beat, f_out_beat;
logic [WIDTH:0] f_word;
wire            f_a_moves = a_valid && a_ready, f_b_moves = b_valid && b_ready, f_out_moves = out_valid && out_ready;
always_ff @(posedge clk) begin
  f_turn <= f_turn;
  f_beat <= f_beat;
  if (f_a_moves && f_a_turn == f_turn && f_a_beat == f_beat) f_word <= {1'b0, a_data};
  if (f_b_moves && f_b_turn == f_turn && f_b_beat + 8'(A_BEATS) == f_beat) f_word <= {b_last, b_data};
  if (f_a_moves) {f_a_turn, f_a_beat} <= f_a_beat == 8'(A_BEATS - 1) ? {f_a_turn + 4'd1, 8'd0} : {f_a_turn, f_a_beat + 8'd1};
  if (f_b_moves) {f_b_turn, f_b_beat} <= f_b_beat == 8'(B_BEATS - 1) ? {f_b_turn + 4'd1, 8'd0} : {f_b_turn, f_b_beat + 8'd1};
  if (f_out_moves) {f_out_turn, f_out_beat} <= f_out_beat == 8'(F_BEATS - 1) ? {f_out_turn + 4'd1, 8'd0} : {f_out_turn, f_out_beat + 8'd1};
  if (rst) begin
    {f_a_turn, f_a_beat}     <= '0;
    {f_b_turn, f_b_beat}     <= '0;
    {f_out_turn, f_out_beat} <= '0;
  end
end
// Input beats so far, as a place in the output: one ahead of the output while out_valid.
wire [3:0] f_in_turn   = f_b_turn;
wire [7:0] f_in_beat   = turn_b ? 8'(A_BEATS) + f_b_beat : f_a_beat;
wire       f_out_wraps = f_out_beat == 8'(F_BEATS - 1);
always_comb begin
  if (b_valid && b_ready && f_b_beat != 8'(B_BEATS - 1)) assume (!b_last);  // a frame is a number of turns
  assume (f_beat < F_BEATS);
  if (f_past_valid && !rst) begin
    assert (f_in_beat == (out_valid ? (f_out_wraps ? 8'd0 : f_out_beat + 8'd1) : f_out_beat));
    assert (f_in_turn == f_out_turn + {3'd0, out_valid && f_out_wraps});
    if (out_valid && f_out_turn == f_turn && f_out_beat == f_beat) assert ({out_last, out_data} == f_word);
    // Invariants of the induction
    assert (f_a_turn == f_b_turn + {3'd0, turn_b});
    assert (turn_b ? f_a_beat == 8'd0 && f_b_beat == 8'(beat) : f_b_beat == 8'd0 && f_a_beat == 8'(beat));
    assert (f_a_beat < A_BEATS && f_b_beat < B_BEATS && f_out_beat < F_BEATS);
  end
end
