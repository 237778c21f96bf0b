// SPDX-License-Identifier: Apache-2.0
// carry_adders - COUNT adders of gated operands and a gated carry in, packed into few carry chains
//
// sum = X + Y + C, where each bit of X is xa & xb (xa ^ xb if X_XOR), of Y likewise, and C = CARRY[{cb, ca}]. A missing bit of the shorter operand, and
// the carry of an adder that has none, is FILL. So products of weights and activations need no cells of their own.
//
// FABRIC 1, ECP5: one slot of a carry chain per bit (carry_chain_ecp5), plus one that ends an adder and starts the next: it propagates nothing, so its sum
// is the carry of the adder before, and its carry is the C of the adder after. A chain takes adders up to CHAIN slots: longer chains waste fewer slots
// and take longer. Simulators and other tools see the behavioural form; scripts/formal proves both equal.
//
// Latency    none: combinational.
`default_nettype none
module carry_adders #(
    parameter int COUNT     = 3,        // adders
    parameter int X_BITS    = 4,        // >= 1
    parameter int Y_BITS    = 3,        // >= 1
    parameter bit X_XOR     = 0,
    parameter bit Y_XOR     = 0,
    parameter bit FILL      = 0,
    parameter logic [3:0] CARRY = 4'b1000,
    parameter int PERIOD    = 1,        // of every PERIOD adders the first CARRIES have a carry in
    parameter int CARRIES   = 1,
    parameter bit OVERFLOW  = 1,        // the sum's top bit, the carry out, is wanted; else it is zero
    parameter int CHAIN     = 36,       // slots
    parameter int FABRIC    = 0,        // 1: ECP5
    localparam int BITS     = X_BITS > Y_BITS ? X_BITS : Y_BITS,
    localparam int SUM_BITS = BITS + 1
) (
    input  wire [COUNT*X_BITS-1:0]   xa,   // adder i at [i*X_BITS +: X_BITS], and so on
    input  wire [COUNT*X_BITS-1:0]   xb,
    input  wire [COUNT*Y_BITS-1:0]   ya,
    input  wire [COUNT*Y_BITS-1:0]   yb,
    input  wire [COUNT-1:0]          ca,
    input  wire [COUNT-1:0]          cb,
    output wire [COUNT*SUM_BITS-1:0] sums
);
`ifdef SYNTHESIS
  localparam int CELLS = FABRIC;
`else
  localparam int CELLS = 0;
`endif

  if (CELLS != 1) begin : g_plain
    wire [COUNT*X_BITS-1:0] x = X_XOR ? xa ^ xb : xa & xb;
    wire [COUNT*Y_BITS-1:0] y = Y_XOR ? ya ^ yb : ya & yb;
    for (genvar i = 0; i < COUNT; i++) begin : g_adder
      wire [BITS:0]   wide_x = (BITS + 1)'({{BITS{FILL}}, x[i*X_BITS+:X_BITS]});
      wire [BITS:0]   wide_y = (BITS + 1)'({{BITS{FILL}}, y[i*Y_BITS+:Y_BITS]});
      wire            carry  = i % PERIOD < CARRIES ? CARRY[{cb[i], ca[i]}] : FILL;
      wire [SUM_BITS-1:0] sum = {1'b0, wide_x[BITS-1:0]} + {1'b0, wide_y[BITS-1:0]} + SUM_BITS'(carry);
      assign sums[i*SUM_BITS+:SUM_BITS] = {OVERFLOW && sum[BITS], sum[BITS-1:0]};
      wire unused = &{1'b0, wide_x, wide_y, sum, ca[i], cb[i]};
    end
    if (CHAIN < 1 || FABRIC < 0) begin : g_unused end
  end else begin : g_ecp5
    // Slots of a chain of n adders; the last one is needed for the last adder's carry only.
    function automatic int slots_of(input int n);
      slots_of = n * (BITS + 1) + (OVERFLOW ? 1 : 0);
    endfunction
    // Adders of a chain: as many as waste the least cells.
    function automatic int best_per_chain(input int limit);
      int best_cells;
      best_per_chain = 1;
      best_cells = slots_of(1) + slots_of(1) % 2;
      for (int n = 2; slots_of(n) <= limit; n = n + 1) begin
        if ((slots_of(n) + slots_of(n) % 2) * best_per_chain <= best_cells * n) begin
          best_per_chain = n;
          best_cells = slots_of(n) + slots_of(n) % 2;
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
  end
endmodule
`default_nettype wire
