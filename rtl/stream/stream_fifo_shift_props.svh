// SPDX-License-Identifier: Apache-2.0
// Invariants of the induction: word i of the register file holds the word that leaves after i others.
for (genvar i = 0; i < DEPTH; i++) begin : f_word_at
  always_comb
    if (f_past_valid && !rst) begin
      assert (occupied[i] == (i < f_fill));
      if (occupied[i] && f_age == i) assert (data[i*WIDTH+:WIDTH] == f_word);
    end
end
