// SPDX-License-Identifier: Apache-2.0
// Handshake, and: the words of a row leave in the order of the definition, each with the data with which it came.
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
    if ($past(slot_free && is_there)) assert (out_valid);
  end
always_comb assume (in_last == input_ends);

// A block is what is repeated as a whole: a row, or a pixel if rows are not repeated. Input words are numbered modulo F_MOD; f_base is the number of the
// block's first word, f_at the place within the block of the next word to send.
localparam int F_BLOCK = DEPTH / 2;
localparam int F_MOD   = 4 * DEPTH;
localparam int F_BEATS = HEIGHT * MAP_WIDTH * CHUNKS * UP_HEIGHT * UP_WIDTH;  // of an output frame
logic [7:0]       f_idx, f_in, f_base, f_sent;  // f_sent: of the word at the output
logic [15:0]      f_beat, f_sent_beat;          // output beats of this frame
logic [WIDTH-1:0] f_word;
wire  [7:0] f_x     = UP_HEIGHT > 1 ? 8'(x) * 8'(CHUNKS) : 8'd0;  // of the pixel in the block
wire  [7:0] f_at    = f_x + 8'(chunk);
wire  [7:0] f_pos   = (f_base + f_at) % 8'(F_MOD);
wire  [7:0] f_done  = !row_copy_is_last ? 8'd0 : copy_is_last ? f_at : f_x;                               // words of the block that have left
wire  [7:0] f_met   = row_copy != '0 ? 8'(F_BLOCK) : copy != '0 ? f_x + 8'(CHUNKS) : f_at;                // that have been sent once
wire  [7:0] f_come  = (f_in + 8'(F_MOD) - f_base) % 8'(F_MOD);                                            // words from f_base on that have come
wire  [7:0] f_track = (f_idx + 8'(F_MOD) - f_base) % 8'(F_MOD);                                           // the tracked one
wire        f_ends  = UP_HEIGHT > 1 ? rows_end : pixel_ends;
always_ff @(posedge clk) begin
  f_idx <= f_idx;
  if (write && f_in == f_idx) f_word <= in_data;
  if (write) f_in <= (f_in + 8'd1) % 8'(F_MOD);
  if (step && f_ends) f_base <= (f_base + 8'(F_BLOCK)) % 8'(F_MOD);
  if (step) begin
    f_sent      <= f_pos;
    f_sent_beat <= f_beat;
    f_beat      <= f_beat == 16'(F_BEATS - 1) ? 16'd0 : f_beat + 16'd1;
  end
  if (rst) begin
    f_in   <= 8'd0;
    f_base <= 8'd0;
    f_beat <= 16'd0;
  end
end
always_comb begin
  assume (f_idx < F_MOD);
  if (f_past_valid && !rst) begin
    // The counters spell the beat's number, the beat's word is the one sent, and last is the last.
    assert (f_beat == (((16'(y) * 16'(UP_HEIGHT) + 16'(row_copy)) * 16'(MAP_WIDTH) + 16'(x)) * 16'(UP_WIDTH) + 16'(copy)) * 16'(CHUNKS) + 16'(chunk));
    if (out_valid && f_sent == f_idx) assert (out_data == f_word);
    if (out_valid) assert (out_last == (f_sent_beat == 16'(F_BEATS - 1)));
    // Nothing is sent before it has come, nothing overwritten before it has left, and a word that has come is not waited for.
    assert (f_met <= f_come);
    assert (f_come - f_done <= 8'(DEPTH));
    assert (is_there == (f_at < f_come));
    assert (in_ready == (f_come - f_done < 8'(DEPTH)));
    // Invariants of the induction
    assert (chunk < CHUNKS && copy < UP_WIDTH && x < MAP_WIDTH && row_copy < UP_HEIGHT && y < HEIGHT);
    assert (f_in < F_MOD && f_base < F_MOD && f_base % 8'(F_BLOCK) == 8'd0);
    assert (8'(level) == f_come - f_done);
    assert (8'(wr_addr) == f_in % 8'(DEPTH));
    assert (8'(rd_addr) == f_pos % 8'(DEPTH));
    if (CHUNKS > 1 && UP_WIDTH > 1) assert (8'(pixel_addr) == (f_base + f_x) % 8'(DEPTH));
    if (UP_HEIGHT > 1) assert (8'(row_addr) == f_base % 8'(DEPTH));
    if (out_valid) assert (f_sent < F_MOD && (f_sent + 8'd1 + 8'(F_MOD) - f_base) % 8'(F_MOD) <= f_met);
    if (f_track >= f_done && f_track < f_come) assert (f_contents[(f_idx%8'(DEPTH))*WIDTH+:WIDTH] == f_word);
  end
end
