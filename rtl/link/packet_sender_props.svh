// SPDX-License-Identifier: Apache-2.0
// Every packet is a flag, then 8 bytes and the payload's, each of which is neither flag nor escape or comes as an escape and its like, then a flag; the payload is
// taken byte by byte, as many as length says. Counted here from what is sent alone. (That the check sequence is right is tested, not proved.)
logic f_past_valid = 1'b0;
always_ff @(posedge clk) f_past_valid <= 1'b1;
always_comb if (!f_past_valid) assume (rst);

// Our neighbours' part
logic                   f_waiting;  // a request was not done in the last clock, and was this
logic [7:0]             f_type, f_seq;
logic [LENGTH_BITS-1:0] f_length;
always_ff @(posedge clk) begin
  f_waiting <= !rst && start_valid && !start_ready;
  f_type    <= start_type;
  f_seq     <= start_seq;
  f_length  <= start_length;
end
always_comb
  if (f_past_valid && f_waiting) assume (start_valid && start_type == f_type && start_seq == f_seq && start_length == f_length);

logic        f_inside;   // the opening flag is out
logic        f_escaped;  // the last byte out was an escape
logic [16:0] f_count;    // bytes out since, without escapes
logic [16:0] f_taken;    // payload bytes taken
wire        f_out  = out_valid && out_ready;
wire  [7:0] f_byte = out_data ^ {2'b0, f_escaped, 5'b0};
always_ff @(posedge clk) begin
  if (f_out) begin
    f_escaped <= out_data == ESCAPE;
    if (out_data == FLAG) f_inside <= !f_inside;
    if (out_data != FLAG && out_data != ESCAPE) f_count <= f_count + 17'd1;
  end
  if (in_valid && in_ready) f_taken <= f_taken + 17'd1;
  if (rst || (f_out && out_data == FLAG)) begin
    f_count <= 17'd0;
    f_taken <= 17'd0;
  end
  if (rst) begin
    f_inside  <= 1'b0;
    f_escaped <= 1'b0;
  end
end

always_ff @(posedge clk)
  if (f_past_valid && !$past(rst) && !rst && $past(out_valid && !out_ready)) begin
    assert (out_valid);
    assert (out_data == $past(out_data));
  end
wire [16:0] f_size = 17'(start_length) + 17'd8;
always_comb
  if (f_past_valid && !rst) begin
    if (f_out && f_escaped) assert (f_byte == FLAG || f_byte == ESCAPE);
    if (f_out && !f_inside) assert (out_data == FLAG);
    if (f_out && f_inside && out_data == FLAG) assert (f_count == f_size && f_taken == 17'(start_length) && !f_escaped && start_ready);
    assert (f_count <= f_size || !start_valid);
    if (in_ready) assert (start_valid && f_inside);
  end
// Invariants of the induction: `value` is loaded and not out, or out.
wire [16:0] f_loaded = f_count + 17'(loaded && !is_flag);  // bytes loaded in this packet
always_comb
  if (f_past_valid && !rst) begin
    assert (steps <= 4'd8);
    if (loaded) assert (start_valid);
    if (escape) assert (loaded && !f_escaped && !is_flag);
    if (f_escaped) assert (loaded && !escape && (value == 8'h5E || value == 8'h5D));
    if (loaded && is_flag) assert (value == FLAG && !escape && steps == 4'd0);
    if (loaded && !is_flag) assert (value != FLAG && value != ESCAPE && f_inside);
    if (loaded && !is_flag && escape) assert (value == 8'h5E || value == 8'h5D);
    if (state == StOpen) assert (!f_inside || (loaded && is_flag && f_count == f_size && f_taken == 17'(start_length)));
    if (state == StOpen && !f_inside) assert (!loaded && f_count == 17'd0 && f_taken == 17'd0);
    if (state != StOpen) assert (start_valid);
    if (loaded || steps != 4'd0 || state != StOpen) assert (f_waiting || (state == StOpen && !loaded));
    if (state != StOpen && !f_inside) assert (state == StType && loaded && is_flag && f_count == 17'd0 && f_taken == 17'd0);
    if (state != StOpen && loaded && is_flag) assert (state == StType && !f_inside);
    if (state == StType && f_inside) assert (f_loaded == 17'd0 && f_taken == 17'd0);
    if (state == StSeq) assert (f_loaded == 17'd1 && f_taken == 17'd0);
    if (state == StLow) assert (f_loaded == 17'd2 && f_taken == 17'd0);
    if (state == StHigh) assert (f_loaded == 17'd3 && f_taken == 17'd0);
    if (state == StHigh) assert (left == start_length);
    if (state == StPayload) assert (left != '0 && left <= start_length && f_taken == 17'(start_length) - 17'(left) + 17'(held) && f_loaded + 17'(held) == f_taken + 17'd4);
    if (state != StPayload) assert (!held);
    if (state == StCheck) assert (f_taken == 17'(start_length) && f_loaded == f_taken + 17'd4 + 17'(checked));
    if (state == StClose) assert (f_taken == 17'(start_length) && f_loaded == f_size);
    assert (state <= StClose);
  end
