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
      assume (in_last == $past(in_last));
    end
    if ($past(out_valid && !out_ready)) begin
      assert (out_valid);
      assert (out_data == $past(out_data));
      assert (out_last == $past(out_last));
    end
    if ($past(filled != 2'd0 && (!out_valid || out_ready))) assert (out_valid);  // what has come does not wait
  end

// Contract: beat f_beat of group f_group of pixel f_pixel of block f_block (free constants; blocks are counted modulo 16) leaves in its block at the place of
// the definition. Counters of what has come, in the order of the input, and of what has left.
logic [3:0]       f_block, f_in_block, f_out_block;
logic [7:0]       f_beat, f_pixel, f_group, f_in_beat, f_in_pixel, f_in_group, f_out_place;
logic [WIDTH-1:0] f_word;
logic             f_last;
// Pixels of a block by its number.
function automatic logic [7:0] f_pixels(input logic [3:0] block);
  f_pixels = block % 4'(ROW) == 4'(ROW - 1) ? 8'(SHORT) : 8'(PIXELS);
endfunction
wire              f_in_moves   = in_valid && in_ready, f_out_moves = out_valid && out_ready;
wire              f_in_ends    = f_in_beat == 8'(BEATS - 1) && f_in_pixel == f_pixels(f_in_block) - 8'd1 && f_in_group == 8'(GROUPS - 1);
wire              f_out_ends   = f_out_place == f_pixels(f_out_block) * 8'(GROUPS * BEATS) - 8'd1;
wire  [7:0]       f_place      = (f_pixel * 8'(GROUPS) + f_group) * 8'(BEATS) + f_beat;
always_ff @(posedge clk) begin
  {f_block, f_beat, f_pixel, f_group} <= {f_block, f_beat, f_pixel, f_group};
  if (f_in_moves) begin
    if (f_in_block == f_block && f_in_beat == f_beat && f_in_pixel == f_pixel && f_in_group == f_group) f_word <= in_data;
    if (f_in_block == f_block && f_in_ends) f_last <= in_last;
    f_in_beat <= f_in_beat == 8'(BEATS - 1) ? 8'd0 : f_in_beat + 8'd1;
    if (f_in_beat == 8'(BEATS - 1)) f_in_pixel <= f_in_pixel == f_pixels(f_in_block) - 8'd1 ? 8'd0 : f_in_pixel + 8'd1;
    if (f_in_beat == 8'(BEATS - 1) && f_in_pixel == f_pixels(f_in_block) - 8'd1) f_in_group <= f_in_group == 8'(GROUPS - 1) ? 8'd0 : f_in_group + 8'd1;
    if (f_in_ends) f_in_block <= f_in_block + 4'd1;
  end
  if (f_out_moves) {f_out_block, f_out_place} <= f_out_ends ? {f_out_block + 4'd1, 8'd0} : {f_out_block, f_out_place + 8'd1};
  if (rst) begin
    {f_in_block, f_in_beat, f_in_pixel, f_in_group} <= '0;
    {f_out_block, f_out_place}                      <= '0;
  end
end
// The next place to read: one ahead of the output while out_valid.
wire [3:0] f_read_block = f_out_block + {3'd0, out_valid && f_out_ends};
wire [7:0] f_read_place = !out_valid ? f_out_place : f_out_ends ? 8'd0 : f_out_place + 8'd1;
wire [3:0] f_whole      = f_in_block - f_read_block;  // blocks that have come and have not been read to the end
wire [3:0] f_age        = f_in_block - f_block;
wire [7:0] f_track      = (f_group * f_pixels(f_block) + f_pixel) * 8'(BEATS) + f_beat;  // in the order of the input
wire [7:0] f_next       = (f_in_group * f_pixels(f_in_block) + f_in_pixel) * 8'(BEATS) + f_in_beat;
wire       f_is_whole   = f_age != 4'd0 && f_age <= f_whole;
wire       f_is_there   = f_is_whole ? f_block != f_read_block || f_place >= f_read_place : f_age == 4'd0 && f_track < f_next;
always_comb begin
  if (in_valid && !f_in_ends) assume (!in_last);  // a frame is a number of blocks
  assume (f_beat < BEATS && f_pixel < f_pixels(f_block) && f_group < GROUPS);
  if (f_past_valid && !rst) begin
    assert (in_ready == (f_whole < 4'd2));
    if (out_valid && f_out_block == f_block) begin
      if (f_out_place == f_place) assert (out_data == f_word);
      assert (out_last == (f_out_ends && f_last));
    end
    // Invariants of the induction
    assert (f_whole <= 4'd2 && 4'(filled) == f_whole);
    if (f_whole == 4'd0) assert (f_read_place == 8'd0);
    if (f_whole == 4'd2) assert (f_next == 8'd0);
    assert (f_in_beat < BEATS && f_in_pixel < f_pixels(f_in_block) && f_in_group < GROUPS && f_out_place < f_pixels(f_out_block) * 8'(GROUPS * BEATS));
    assert (8'(beat) == f_in_beat && 8'(pixel) == f_in_pixel && 8'(group) == f_in_group);
    assert (8'(place) == (f_in_pixel * 8'(GROUPS) + f_in_group) * 8'(BEATS) + f_in_beat && 8'(group_place) == f_in_group * 8'(BEATS));
    assert (wr_bank == f_in_block[0] && rd_bank == f_read_block[0] && 8'(rd_place) == f_read_place);
    if (f_is_there) assert (f_contents[{f_block[0], f_place[BLOCK_BITS-1:0]}*WIDTH+:WIDTH] == f_word);
    if (f_is_whole) assert (frame_ends[f_block[0]] == f_last);
  end
end
