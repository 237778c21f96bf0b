// SPDX-License-Identifier: Apache-2.0
// Handshake, capacity and order; see skid_buffer_props.svh for the method. DEPTH <= 100 (transfers are counted modulo 256).
logic f_past_valid = 1'b0;
always_ff @(posedge clk) f_past_valid <= 1'b1;
always_comb if (!f_past_valid) assume (rst);

always_ff @(posedge clk)
  if (f_past_valid && !$past(rst) && !rst) begin
    if ($past(in_valid && !in_ready)) begin
      assume (in_valid);
      assume (in_data == $past(in_data));
    end
    if ($past(out_valid && !out_ready)) begin
      assert (out_valid);
      assert (out_data == $past(out_data));
    end
    // A word that is inside shows itself within two clocks (one with registers).
    if ($past(f_fill != 8'd0 && !out_valid)) assert (out_valid);
  end

logic [7:0]       f_idx, f_in, f_out;
logic [WIDTH-1:0] f_word;
wire  [7:0]       f_fill = f_in - f_out;
wire  [7:0]       f_age  = f_idx - f_out;  // place of the tracked word in the FIFO, 0 at the output; inside if f_age < f_fill
always_ff @(posedge clk) begin
  f_idx <= f_idx;
  if (push && f_in == f_idx) f_word <= in_data;
  f_in  <= rst ? 8'd0 : f_in + {7'd0, push};
  f_out <= rst ? 8'd0 : f_out + {7'd0, pop};
end
always_comb
  if (f_past_valid && !rst) begin
    assert (f_fill <= DEPTH);
    if (f_fill < DEPTH) assert (in_ready);
    if (f_fill == DEPTH) assert (in_ready == (DEPTH == 1 && out_ready));
    if (out_valid) assert (f_fill != 8'd0);
    if (out_valid && f_age == 8'd0) assert (out_data == f_word);
    // Invariant of the induction; those of deeper FIFOs stand with their storage, in the files included there.
    if (DEPTH == 1) assert (f_fill == {7'd0, out_valid});
  end
