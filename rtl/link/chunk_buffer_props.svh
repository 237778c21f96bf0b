// SPDX-License-Identifier: Apache-2.0
// Only committed bytes leave, each once, in order and unchanged; none that was written is overwritten before it left; a byte that found no room is told.
// Bytes are numbered in the order in which they would be committed, modulo 256; the tracked one has the free constant f_idx. DEPTH <= 64.
logic f_past_valid = 1'b0;
always_ff @(posedge clk) f_past_valid <= 1'b1;
always_comb if (!f_past_valid) assume (rst && clear);

logic [7:0] f_idx, f_word;
logic [7:0] f_committed, f_pending, f_out;  // bytes committed; written since; out
logic       f_dropped;                      // a byte found no room since commit or rollback
wire        f_pop = out_valid && out_ready;
always_ff @(posedge clk) begin
  f_idx <= f_idx;
  if (write && f_committed + f_pending == f_idx) f_word <= wr_data;
  f_committed <= clear ? 8'd0 : commit ? f_committed + f_pending : f_committed;
  f_pending   <= clear || commit || rollback ? 8'd0 : f_pending + {7'd0, write};
  f_out       <= clear ? 8'd0 : f_out + {7'd0, f_pop};
  f_dropped   <= !rst && !commit && !rollback && (f_dropped || (wr_valid && !write));
end

// Our neighbour's part
always_comb
  if (f_past_valid) begin
    assume (!(commit && rollback));
    assume (!(wr_valid && (commit || rollback)));
    assume (!(commit && lost));
    assume (!rst || clear);
  end

wire [7:0] f_inside = f_committed - f_out;              // committed and not out
wire [7:0] f_in_ram = f_inside - {7'd0, out_valid};
wire [7:0] f_place  = f_idx - f_out - {7'd0, out_valid};  // of the tracked byte, counted from rd_next
wire [ADDR_BITS-1:0] f_addr = rd_next[ADDR_BITS-1:0] + f_place[ADDR_BITS-1:0];
always_ff @(posedge clk)
  if (f_past_valid && !$past(clear) && !clear && $past(out_valid && !out_ready)) begin
    assert (out_valid);
    assert (out_data == $past(out_data));
  end
always_comb
  if (f_past_valid && !clear) begin
    assert (f_inside <= DEPTH + 1);
    if (out_valid) assert (f_inside != 8'd0);  // what is out was committed
    if (out_valid && f_idx == f_out) assert (out_data == f_word);
    assert (position == f_committed[ADDR_BITS:0]);
    assert (lost == f_dropped);
    assert (f_in_ram + f_pending <= DEPTH);
    assert (free == DEPTH - f_in_ram);
    // Invariants of the induction
    assert (next == position + f_pending[ADDR_BITS:0]);
    assert (rd_next == position - f_in_ram[ADDR_BITS:0]);
    assert (!out_valid || f_inside >= 8'd1);
    if (f_place < f_in_ram + f_pending) assert (f_contents[8*f_addr+:8] == f_word);
  end
