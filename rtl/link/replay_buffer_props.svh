// SPDX-License-Identifier: Apache-2.0
// Bytes are read in order and unchanged, again after a rewind, and none is overwritten before it is confirmed. Bytes are numbered modulo 256; the tracked one has
// the free constant f_idx. DEPTH <= 64.
logic f_past_valid = 1'b0;
always_ff @(posedge clk) f_past_valid <= 1'b1;
always_comb if (!f_past_valid) assume (clear);

logic [7:0] f_idx, f_word;
logic [7:0] f_written, f_read, f_confirmed;
always_ff @(posedge clk) begin
  f_idx <= f_idx;
  if (write && f_written == f_idx) f_word <= in_data;
  f_written   <= clear ? 8'd0 : f_written + {7'd0, write};
  f_read      <= clear ? 8'd0 : rewind ? f_confirmed : f_read + {7'd0, read};
  f_confirmed <= clear ? 8'd0 : confirm ? f_read : f_confirmed;
end

// Our neighbours' part
always_comb
  if (f_past_valid) begin
    assume (!(rewind && confirm));
    assume (!(read && (rewind || confirm)));
  end

wire [7:0] f_held  = f_written - f_confirmed;
wire [7:0] f_done  = f_read - f_confirmed;
wire [7:0] f_place = f_idx - f_confirmed;
wire [ADDR_BITS-1:0] f_addr = confirmed[ADDR_BITS-1:0] + f_place[ADDR_BITS-1:0];
always_ff @(posedge clk)
  if (f_past_valid && !$past(clear) && !clear) begin
    if ($past(rd_valid && !rd_ready && !rewind)) begin
      assert (rd_valid);
      assert (rd_data == $past(rd_data));
    end
    // What can be read shows itself in the next clock.
    if ($past(f_done != f_held && !read && !rewind)) assert (rd_valid);
  end
always_comb
  if (f_past_valid && !clear) begin
    assert (f_held <= DEPTH);
    assert (f_done <= f_held);
    assert (in_ready == (f_held != DEPTH));
    assert (available == f_held);
    if (rd_valid) assert (f_done != f_held);
    if (rd_valid && f_idx == f_read) assert (rd_data == f_word);
    // Invariants of the induction
    assert (wr_next == confirmed + f_held[ADDR_BITS:0]);
    assert (rd_next == confirmed + f_done[ADDR_BITS:0]);
    if (f_place < f_held) assert (f_contents[8*f_addr+:8] == f_word);
    if (rd_valid) assert (rd_data == f_contents[8*rd_next[ADDR_BITS-1:0]+:8]);
  end
