// SPDX-License-Identifier: Apache-2.0
// Whatever bad frames hold, words of good frames leave each once, in order and unchanged; there is room for what the sender was told of; and a good frame that begins with what is
// wanted is taken as a whole. Words are numbered modulo 256; the tracked one has the free constants f_idx and f_word. DEPTH <= 16.
logic f_past_valid = 1'b0;
always_ff @(posedge clk) f_past_valid <= 1'b1;
always_comb if (!f_past_valid) assume (rst);

(* anyseq *) logic [7:0] f_number;  // of a frame that begins
(* anyseq *) logic       f_will_be_good;
logic [7:0]       f_idx;
logic [WIDTH-1:0] f_word;
logic [7:0]       f_wanted, f_next, f_coming, f_rd, f_out, f_first;
logic             f_in_frame, f_good;
wire  [7:0]       f_gained = f_next - f_wanted;
always_ff @(posedge clk) begin
  f_idx  <= f_idx;
  f_word <= f_word;
  if (frame_begin) begin
    f_in_frame <= 1'b1;
    f_good     <= f_will_be_good;
    f_first    <= f_number;
    f_coming   <= f_number;
    f_next     <= f_wanted;
  end
  if (word_valid) f_coming <= f_coming + 8'd1;
  if (write) f_next <= f_next + 8'd1;
  if (frame_end) f_in_frame <= 1'b0;
  if (brings) f_wanted <= f_next;
  f_rd  <= f_rd + {7'd0, fetch};
  f_out <= f_out + {7'd0, out_valid && out_ready};
  if (rst) begin
    f_in_frame <= 1'b0;
    f_wanted   <= 8'd0;
    f_next     <= 8'd0;
    f_rd       <= 8'd0;
    f_out      <= 8'd0;
  end
end

// Frames as chip_frame_in tells them. Good ones are the sender's: numbers within DEPTH of what is wanted, words as they were, within the room told.
always_comb
  if (f_past_valid) begin
    assume (!(frame_begin && (word_valid || frame_end)));
    assume (!(word_valid && frame_end));
    if (f_in_frame) assume (!frame_begin);
    if (!f_in_frame) assume (!word_valid);
    if (frame_end && frame_good) assume (f_in_frame && f_good);
    if (frame_begin) assume (frame_number == f_number[ADDR_BITS:0]);
    if (frame_begin && f_will_be_good) assume (8'(f_number - f_wanted + DEPTH) < 2 * DEPTH);
    if (word_valid && f_good) begin
      assume (8'(f_coming - f_rd + DEPTH) < 2 * DEPTH || f_coming - f_wanted >= 8'd128);
      if (f_coming == f_idx) assume (word == f_word);
    end
  end

always_ff @(posedge clk)
  if (f_past_valid && !$past(rst) && !rst)
    if ($past(out_valid && !out_ready)) begin
      assert (out_valid);
      assert (out_data == $past(out_data));
    end
always_comb
  if (f_past_valid && !rst) begin
    // In order, each once, unchanged.
    if (out_valid && f_out == f_idx) assert (out_data == f_word);
    assert (f_rd - f_out == {7'd0, out_valid});
    // No overflow; what is told is true.
    assert (8'(f_wanted - f_rd) <= DEPTH);
    assert (8'(f_next - f_rd) <= DEPTH);
    assert (room == (ADDR_BITS + 1)'(DEPTH - (f_wanted - f_rd)));
    assert (wanted == f_wanted[ADDR_BITS:0]);
    // Nothing is left out of a good frame that begins with what is wanted.
    if (f_in_frame && f_good && f_first == f_wanted) assert (f_next == f_coming);
    // Invariants of the induction
    assert (rd_next == f_rd[ADDR_BITS:0]);
    assert (next == f_next[ADDR_BITS:0]);
    assert (f_gained <= DEPTH);
    if (f_in_frame) assert (coming == f_coming[ADDR_BITS:0]);
    if (f_in_frame && f_good) begin
      assert (8'(f_coming - f_wanted + DEPTH) <= 2 * DEPTH);
      assert (8'(f_first - f_wanted + DEPTH) < 2 * DEPTH);
      assert (f_next == f_wanted || f_coming == f_next);
      if (f_first == f_wanted) assert (f_coming == f_next);
      if (8'(f_coming - f_wanted) >= 8'd128) assert (f_next == f_wanted);
      assert (8'(f_coming - f_first) <= 2 * DEPTH);
      if (8'(f_first - f_wanted) < 8'd128 && f_first != f_wanted) assert (f_next == f_wanted);
      if (8'(f_first - f_wanted) >= 8'd128 && 8'(f_coming - f_wanted) < 8'd128) assert (f_next == f_coming);
    end
    if (8'(f_idx - f_rd) < 8'(f_wanted - f_rd)) assert (f_contents[f_idx[ADDR_BITS-1:0]*WIDTH+:WIDTH] == f_word);
    if (f_in_frame && f_good && 8'(f_idx - f_wanted) < f_gained) assert (f_contents[f_idx[ADDR_BITS-1:0]*WIDTH+:WIDTH] == f_word);
  end
