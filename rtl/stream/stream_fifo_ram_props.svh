// SPDX-License-Identifier: Apache-2.0
// Invariants of the induction: the words that are not in the output register stand in the RAM, in order from rd_addr on.
wire [7:0] f_stored = f_fill - {7'd0, out_valid};  // words in the RAM
wire [7:0] f_place  = f_age - {7'd0, out_valid};   // of the tracked word, counted from rd_addr
wire [7:0] f_sum    = {{(8 - ADDR_BITS) {1'b0}}, rd_addr} + f_place;
wire [7:0] f_addr   = f_sum < DEPTH ? f_sum : f_sum - DEPTH[7:0];
wire [7:0] f_end    = {{(8 - ADDR_BITS) {1'b0}}, rd_addr} + f_stored;
wire [7:0] f_wr     = f_end < DEPTH ? f_end : f_end - DEPTH[7:0];
always_comb
  if (f_past_valid && !rst) begin
    assert (level == f_fill);
    assert (rd_addr < DEPTH);
    assert (wr_addr == f_wr);
    if (f_age < f_fill && f_place < f_stored) assert (f_contents[f_addr*WIDTH+:WIDTH] == f_word);
  end
