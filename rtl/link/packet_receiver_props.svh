// SPDX-License-Identifier: Apache-2.0
// A packet that is called good has its stated length, has passed on exactly that many payload bytes, and its check, computed here by whole bytes, is right; every
// packet that ends is told, once. Counted here from the bytes alone.
logic f_past_valid = 1'b0;
always_ff @(posedge clk) f_past_valid <= 1'b1;
always_comb if (!f_past_valid) assume (rst);

function [31:0] f_advance(input [31:0] from, input [7:0] data, input integer count);
  integer i;
  begin
    f_advance = from;
    for (i = 0; i < 8; i = i + 1)
      if (i < count) f_advance = {1'b0, f_advance[31:1]} ^ (f_advance[0] ^ data[i] ? 32'hEDB8_8320 : 32'h0);
  end
endfunction

logic        f_escaped;
wire         f_take  = in_valid && in_ready;
wire         f_flag  = f_take && in_data == 8'h7E;
wire         f_byte  = f_take && in_data != 8'h7E && in_data != 8'h7D;
wire  [7:0]  f_value = f_escaped ? in_data ^ 8'h20 : in_data;
logic [16:0] f_count;    // bytes since the last flag, without escapes; stays at its end
logic [15:0] f_length;   // bytes 2 and 3
logic [16:0] f_payload;  // payload bytes passed on
logic [31:0] f_crc;      // of all of them
always_ff @(posedge clk) begin
  if (f_take) f_escaped <= in_data == 8'h7D;
  if (rst) f_escaped <= 1'b0;
  if (f_byte) begin
    if (f_count != '1) f_count <= f_count + 17'd1;
    f_crc <= f_advance(f_crc, f_value, 8);
    if (f_count == 17'd2) f_length[7:0] <= f_value;
    if (f_count == 17'd3) f_length[15:8] <= f_value;
    if (f_count >= 17'd4 && f_count < 17'd4 + {1'b0, f_length}) f_payload <= f_payload + 17'd1;
  end
  if (f_flag || rst) begin
    f_count   <= 17'd0;
    f_crc     <= '1;
    f_payload <= 17'd0;
  end
end
wire f_right = f_count == {1'b0, f_length} + 17'd8 && f_crc == RESIDUE && !f_escaped;

always_ff @(posedge clk)
  if (f_past_valid && !$past(rst) && !rst) begin
    assert (packet_end == $past(f_flag && (f_count != 17'd0 || f_escaped)));
    if (packet_good) assert (packet_end && $past(f_right) && $past(f_payload) == $past({1'b0, f_length}) && !packet_damaged);
    // And what is right and short enough is called good.
    if ($past(f_flag && f_right && (f_length >> LENGTH_BITS) == 16'd0)) assert (packet_good);
    if (packet_damaged) assert (packet_end);
    if (payload_valid) assert ($past(f_byte && f_count >= 17'd4 && f_count < 17'd4 + {1'b0, f_length} && (f_length >> LENGTH_BITS) == 16'd0));
    if (payload_valid) assert (payload_data == $past(f_value));
  end
// Invariants of the induction
wire [16:0] f_gone = {1'b0, f_length} + 17'd4;  // before the check
always_comb
  if (f_past_valid && !rst) begin
    assert (steps <= 4'd8);
    assert (escaped == f_escaped);
    assert (f_crc == f_advance(crc, bits, steps));
    if (f_count == 17'd0) assert (state == StType);
    if (state == StType) assert (f_count == 17'd0);
    if (state == StSeq) assert (f_count == 17'd1);
    if (state == StLow) assert (f_count == 17'd2);
    if (state == StHigh) assert (f_count == 17'd3 && left[7:0] == f_length[7:0]);
    if (state == StPayload) assert (left != '0 && left <= f_length && (f_length >> LENGTH_BITS) == 16'd0 && f_count == f_gone - 17'(left));
    if (state == StCheck) assert ((f_length >> LENGTH_BITS) == 16'd0 && f_count == f_gone + 17'(checked));
    if (state == StDone) assert ((f_length >> LENGTH_BITS) == 16'd0 && f_count == f_gone + 17'd4);
    if (state == StLong) assert (f_count > 17'd3 && ((f_length >> LENGTH_BITS) != 16'd0 || f_count > f_gone + 17'd4));
    if (f_count <= 17'd4) assert (f_payload == 17'd0);
    else assert (f_payload == (f_count >= f_gone ? {1'b0, f_length} : f_count - 17'd4));
  end
