// SPDX-License-Identifier: Apache-2.0
// Words leave under the number they came in with and unchanged, again after a repetition; none is overwritten before it has arrived; none is sent beyond the room that
// the receiver has told of. Words are numbered modulo 256; the tracked one has the free constant f_idx. DEPTH <= 16.
logic f_past_valid = 1'b0;
always_ff @(posedge clk) f_past_valid <= 1'b1;
always_comb if (!f_past_valid) assume (rst);

logic [7:0]       f_idx;
logic [WIDTH-1:0] f_word;
logic [7:0]       f_written, f_sent, f_confirmed, f_limit, f_told, f_told_limit;
logic [7:0]       f_high;  // words below have been sent once
logic [7:0]       f_left;  // words of the frame under way
always_ff @(posedge clk) begin
  f_idx <= f_idx;
  if (write && f_written == f_idx) f_word <= in_data;
  f_written <= f_written + {7'd0, write};
  f_sent    <= rewind ? (apply ? f_told : f_confirmed) : f_sent + {7'd0, word_take};
  if (word_take && f_sent == f_high) f_high <= f_high + 8'd1;
  if (apply) begin
    f_confirmed <= f_told;
    f_limit     <= f_told_limit;
  end
  if (start) f_left <= 8'(count);
  else if (word_take) f_left <= f_left - 8'd1;
  if (rst) begin
    f_written   <= 8'd0;
    f_sent      <= 8'd0;
    f_high      <= 8'd0;
    f_confirmed <= 8'd0;
    f_limit     <= 8'd0;
    f_left      <= 8'd0;
  end
end

// The receiver's part: it reports what it has, never less than before, and keeps the room that it has told of.
(* anyseq *) logic [7:0] f_report;
wire [7:0] f_report_limit = f_report + 8'(report_room);
always_ff @(posedge clk) begin
  if (report_valid) f_told <= f_report;
  if (report_valid) f_told_limit <= f_report_limit;
  if (rst) f_told <= 8'd0;
  if (rst) f_told_limit <= 8'd0;
end
always_comb
  if (f_past_valid && report_valid) begin
    assume (!rst);
    assume (f_report[ADDR_BITS:0] == report_number);
    assume (f_report - f_told <= f_high - f_told);
    assume (report_room <= DEPTH);
    assume (8'(f_report_limit - f_told_limit) <= 2 * DEPTH);
  end
// The framer's part: a frame takes the words that it was started with, and is idle afterwards.
always_comb
  if (f_past_valid) begin
    if (f_left != 8'd0) assume (!idle);
    if (word_take) assume (f_left != 8'd0);
  end

wire [7:0] f_held  = f_written - f_confirmed;
wire [7:0] f_ahead = f_sent - f_confirmed;
wire [7:0] f_most  = f_high - f_confirmed;
wire [7:0] f_allow = f_limit - f_confirmed;
wire [7:0] f_place = f_idx - f_confirmed;
wire [ADDR_BITS-1:0] f_addr = f_idx[ADDR_BITS-1:0];
always_comb
  if (f_past_valid && !rst) begin
    // No overflow, and what may be forgotten has arrived.
    assert (f_held <= DEPTH);
    assert (in_ready == (f_held != DEPTH));
    // Only words that are there, within the receiver's room, under their numbers, in order.
    assert (f_ahead <= f_held);
    assert (f_ahead <= f_allow);
    if (start) begin
      assert (idle);
      assert (count != '0);
      assert (count <= FRAME);
      assert (f_ahead + 8'(count) <= f_held);
      assert (f_ahead + 8'(count) <= f_allow);
      assert (number == f_sent[ADDR_BITS:0]);
    end
    if (word_take) begin
      assert (word_valid);
      if (f_sent == f_idx) assert (word == f_word);
    end
    // Invariants of the induction
    assert (f_allow <= DEPTH);
    assert (f_ahead <= f_most);
    assert (f_most <= f_held);
    assert (f_most <= f_allow);
    assert (f_told - f_confirmed <= f_most);
    assert (8'(f_told_limit - f_told) <= DEPTH);
    assert (8'(f_told_limit - f_limit) <= 2 * DEPTH);
    assert (8'(f_told_limit - f_confirmed) <= 2 * DEPTH);
    if (!told) assert (f_told == f_confirmed);
    if (!told) assert (f_told_limit == f_limit);
    if (told) assert (told_number == f_told[ADDR_BITS:0]);
    if (told) assert (told_room == (ADDR_BITS + 1)'(f_told_limit - f_told));
    assert (written == f_written[ADDR_BITS:0]);
    assert (sent == f_sent[ADDR_BITS:0]);
    assert (confirmed == f_confirmed[ADDR_BITS:0]);
    assert (limit == f_limit[ADDR_BITS:0]);
    assert (fetched == sent + {{ADDR_BITS{1'b0}}, word_valid});
    if (word_valid) assert (f_ahead < f_held);
    assert (f_left <= FRAME);
    assert (f_ahead + f_left <= f_held);
    assert (f_ahead + f_left <= f_allow);
    if (settled) begin
      assert (todo <= FRAME);
      assert (f_ahead + 8'(todo) <= f_held);
      assert (f_ahead + 8'(todo) <= f_allow);
      if (idle && todo != '0 && !told && !expired) assert (word_valid || fetch);
    end
    if (f_left != 8'd0 && !word_valid) assert (fetch);
    if (f_place < f_held) assert (f_contents[f_addr*WIDTH+:WIDTH] == f_word);
    if (word_valid) assert (word == f_contents[sent[ADDR_BITS-1:0]*WIDTH+:WIDTH]);
  end
