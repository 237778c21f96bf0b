// SPDX-License-Identifier: Apache-2.0
// carry_adders_ecp5 - carry_adders out of ECP5's carry chains (carry_chain_ecp5)
//
// One slot per bit, and one that ends an adder and starts the next: it propagates nothing, so its sum is the carry of the adder before, and its carry is the C
// of the adder after. Parameters and ports are those of carry_adders.
`default_nettype none
module carry_adders_ecp5 #(
    parameter int COUNT     = 3,
    parameter int X_BITS    = 4,
    parameter int Y_BITS    = 3,
    parameter bit X_XOR     = 0,
    parameter bit Y_XOR     = 0,
    parameter bit FILL      = 0,
    parameter logic [3:0] CARRY = 4'b1000,
    parameter int PERIOD    = 1,
    parameter int CARRIES   = 1,
    parameter bit OVERFLOW  = 1,
    parameter int CHAIN     = 36,
    localparam int BITS     = X_BITS > Y_BITS ? X_BITS : Y_BITS,
    localparam int SUM_BITS = BITS + 1
) (
    input  wire [COUNT*X_BITS-1:0]   xa,
    input  wire [COUNT*X_BITS-1:0]   xb,
    input  wire [COUNT*Y_BITS-1:0]   ya,
    input  wire [COUNT*Y_BITS-1:0]   yb,
    input  wire [COUNT-1:0]          ca,
    input  wire [COUNT-1:0]          cb,
    output wire [COUNT*SUM_BITS-1:0] sums
);
  // Slots of a chain of n adders; the last one is needed for the last adder's carry only.
  function automatic int slots_of(input int n);
    slots_of = n * (BITS + 1) + (OVERFLOW ? 1 : 0);
  endfunction
  // Adders of a chain: as many as waste the least cells, which come in pairs on ECP5.
  function automatic int best_per_chain(input int limit);
    int fewest, pairs;
    best_per_chain = 1;
    fewest = (slots_of(1) + 1) / 2;
    for (int n = 2; slots_of(n) <= limit; n = n + 1) begin
      pairs = (slots_of(n) + 1) / 2;
      if (pairs * best_per_chain <= fewest * n) begin
        best_per_chain = n;
        fewest = pairs;
      end
    end
  endfunction
  localparam int PER_CHAIN = best_per_chain(CHAIN);
  localparam int FULL      = slots_of(PER_CHAIN);

  // P's table at c = d = 1 is what a slot with a constant operand uses; G's, at c = d = 0, is the operand itself.
  localparam logic [3:0] X_TABLE = X_XOR ? 4'b0110 : 4'b1000;
  localparam logic [3:0] Y_TABLE = Y_XOR ? 4'b0110 : 4'b1000;
  localparam logic [15:0] BOTH   = {4{X_TABLE}} ^ {{4{Y_TABLE[3]}}, {4{Y_TABLE[2]}}, {4{Y_TABLE[1]}}, {4{Y_TABLE[0]}}};
  localparam logic [15:0] X_ONLY = {X_TABLE ^ {4{FILL}}, 8'd0, X_TABLE};
  localparam logic [15:0] Y_ONLY = {Y_TABLE ^ {4{FILL}}, 8'd0, Y_TABLE};
  localparam logic [15:0] START  = {12'd0, CARRY};
  localparam logic [15:0] START_FILL = {12'd0, {4{FILL}}};

  // Tables of a full chain whose first adder is number `first`.
  function automatic logic [16*FULL-1:0] tables_of(input int first);
    tables_of = '0;
    for (int n = PER_CHAIN - 1; n >= 0; n = n - 1) begin
      for (int k = BITS - 1; k >= 0; k = k - 1) tables_of = {tables_of[16*FULL-17:0], k >= Y_BITS ? X_ONLY : k >= X_BITS ? Y_ONLY : BOTH};
      tables_of = {tables_of[16*FULL-17:0], (first + n) % PERIOD < CARRIES ? START : START_FILL};
    end
  endfunction

  for (genvar chain = 0; chain * PER_CHAIN < COUNT; chain++) begin : g_chain
    localparam int FIRST  = chain * PER_CHAIN;
    localparam int ADDERS = FIRST + PER_CHAIN <= COUNT ? PER_CHAIN : COUNT - FIRST;
    localparam int SLOTS  = slots_of(ADDERS);
    localparam logic [16*SLOTS-1:0] TABLES = (16*SLOTS)'(tables_of(FIRST));
    wire [SLOTS-1:0] a, b, c, d, s;
    carry_chain_ecp5 #(.SLOTS(SLOTS), .TABLES(TABLES)) slots (.a(a), .b(b), .c(c), .d(d), .sum(s));

    for (genvar n = 0; n < ADDERS; n++) begin : g_adder
      localparam int I    = FIRST + n;
      localparam int SLOT = n * (BITS + 1);
      assign {a[SLOT], b[SLOT], c[SLOT], d[SLOT]} = I % PERIOD < CARRIES ? {ca[I], cb[I], 2'b11} : 4'b1111;
      for (genvar k = 0; k < BITS; k++) begin : g_bit
        if (k < X_BITS && k < Y_BITS) begin : g_both
          assign {a[SLOT+1+k], b[SLOT+1+k], c[SLOT+1+k], d[SLOT+1+k]} = {xa[I*X_BITS+k], xb[I*X_BITS+k], ya[I*Y_BITS+k], yb[I*Y_BITS+k]};
        end else if (k < X_BITS) begin : g_x
          assign {a[SLOT+1+k], b[SLOT+1+k], c[SLOT+1+k], d[SLOT+1+k]} = {xa[I*X_BITS+k], xb[I*X_BITS+k], 2'b11};
        end else begin : g_y
          assign {a[SLOT+1+k], b[SLOT+1+k], c[SLOT+1+k], d[SLOT+1+k]} = {ya[I*Y_BITS+k], yb[I*Y_BITS+k], 2'b11};
        end
        assign sums[I*SUM_BITS+k] = s[SLOT+1+k];
      end
      if (OVERFLOW) begin : g_overflow
        assign sums[I*SUM_BITS+BITS] = s[SLOT+BITS+1];
      end else begin : g_none
        assign sums[I*SUM_BITS+BITS] = 1'b0;
      end
    end
    if (OVERFLOW) begin : g_end
      assign {a[SLOTS-1], b[SLOTS-1], c[SLOTS-1], d[SLOTS-1]} = 4'b1111;
    end
    wire unused = s[0];
  end
  wire unused_carries = &{1'b0, ca, cb};
endmodule
`default_nettype wire
