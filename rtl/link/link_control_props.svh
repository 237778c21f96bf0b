// SPDX-License-Identifier: Apache-2.0
// The bytes that are committed are those of one packet, which was whole, good, an exchange and the next in number; it is committed once. Replies are well formed.
logic f_past_valid = 1'b0;
always_ff @(posedge clk) f_past_valid <= 1'b1;
always_comb if (!f_past_valid) assume (rst);

logic f_open;     // a payload byte of the present packet has come
logic f_dirty;    // bytes are stored that are neither committed nor rolled back
logic f_stale;    // some of them are of a packet that has ended without being accepted, or precede another packet's
logic f_accepted; // the last packet that was stored, and is not executed yet, is a good exchange of which no byte was dropped
logic f_dropped;  // a byte of the present packet was not stored
wire  f_good_exchange = packet_end && packet_good && is_exchange && !f_dropped && !lost;
always_ff @(posedge clk) begin
  f_open     <= !rst && !packet_end && (f_open || payload_valid);
  f_dropped  <= !rst && !packet_end && (f_dropped || (payload_valid && is_exchange && !write));
  f_dirty    <= !rst && !commit && !rollback && (f_dirty || write);
  f_stale    <= !rst && !commit && !rollback && (f_stale || (write && f_accepted) || (packet_end && f_dirty && !f_accepted && !f_good_exchange));
  f_accepted <= !rst && !commit && !rollback && (f_accepted || (f_good_exchange && !pending));
end

// Our neighbours' part
logic [7:0] f_last_type;
always_ff @(posedge clk) f_last_type <= packet_type;
always_comb
  if (f_past_valid) begin
    assume (!f_open || packet_type == f_last_type);
    assume (!(payload_valid && packet_end));
    assume (!(packet_good && packet_damaged));
    assume (!packet_good || packet_end);
    assume (!reply_ready || start_valid);
    assume (!start_ready || start_valid);
    assume (!(lost && pending && kind == IS_EXCHANGE));  // lost is false when a packet is accepted, and nothing is written while it waits
  end

always_ff @(posedge clk)
  if (f_past_valid && !$past(rst) && !rst) begin
    if ($past(start_valid && !start_ready)) begin
      assert (start_valid);
      assert (start_type == $past(start_type));
      assert (start_seq == $past(start_seq));
      assert (start_length == $past(start_length));
    end
    if ($past(commit)) assert (!commit && last_seq == $past(seq));
  end
always_comb
  if (f_past_valid && !rst) begin
    if (commit) begin
      assert (f_accepted && !f_stale);
      assert (kind == IS_EXCHANGE && seq == last_seq + 8'd1);
    end
    assert (!(commit && rollback) && !(confirm && rewind));
    assert (commit == confirm);
    assert (!(write && (commit || rollback)));
    assert (!(rd_ready && (rewind || confirm)));
    if (rewind) assert (seq == last_seq && rollback);
    if (start_valid && reply_kind == ERROR) assert (reply_code >= 3'd1 && reply_code <= 3'd5);
    if (start_valid) assert (reply_kind <= 3'd4);
    // Invariants of the induction
    assert (state != 2'd3);
    assert (waiting <= 3'd4);
    if (pending) assert (kind >= 3'd1 && kind <= 3'd4);
    assert (!f_stale);
    if (f_accepted) assert (pending && kind == IS_EXCHANGE);
    if (pending && kind == IS_EXCHANGE) assert (f_accepted);
    if (pending) assert (!f_dirty || f_accepted);
    if (f_dirty && !f_accepted) assert (f_open && is_exchange && !pending);
    if (blocked) assert (f_dropped);
    if (f_dropped) assert (blocked && f_open);
    if (state != StIdle) assert (reply_kind <= 3'd4);
    if (state != StIdle && reply_kind == ERROR) assert (reply_code >= 3'd1 && reply_code <= 3'd5);
    if (state == StSend) assert (!executed);
    if (executed) assert (state == StLatch);
    if (clear) assert (state != StSend || reply_kind == IS_RESET);
  end
