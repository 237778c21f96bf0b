// SPDX-License-Identifier: Apache-2.0
// Handshake, and: all inputs move with the output, so word n of the output is word n of input f_sel (a free constant).
logic f_past_valid = 1'b0;
always_ff @(posedge clk) f_past_valid <= 1'b1;
always_comb if (!f_past_valid) assume (rst);

for (genvar i = 0; i < INPUTS; i++) begin : f_input
  always_ff @(posedge clk)
    if (f_past_valid && !$past(rst) && !rst && $past(in_valid[i] && !in_ready[i])) begin
      assume (in_valid[i]);
      assume (in_data[i*WIDTH+:WIDTH] == $past(in_data[i*WIDTH+:WIDTH]));
    end
end
always_ff @(posedge clk)
  if (f_past_valid && !$past(rst) && !rst && $past(out_valid && !out_ready)) begin
    assert (out_valid);
    assert (out_data == $past(out_data));
  end

logic [7:0] f_sel;
logic [3:0] f_in, f_out;
always_ff @(posedge clk) begin
  f_sel <= f_sel;
  f_in  <= rst ? 4'd0 : f_in + {3'd0, in_valid[f_sel] && in_ready[f_sel]};
  f_out <= rst ? 4'd0 : f_out + {3'd0, out_valid && out_ready};
end
always_comb begin
  assume (f_sel < INPUTS);
  if (f_past_valid && !rst) begin
    assert (f_in == f_out);
    assert (out_valid == &in_valid);
    if (out_valid) assert (out_data[f_sel*WIDTH+:WIDTH] == in_data[f_sel*WIDTH+:WIDTH]);
  end
end
