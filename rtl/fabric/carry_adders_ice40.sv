// SPDX-License-Identifier: Apache-2.0
// carry_adders_ice40 - COUNT adders of plain operands packed into iCE40's carry chains (carry_chain_ice40): sum = x + y + carry
//
// One slot per bit, and one that ends an adder and starts the next: its sum is its carry in, and its carry out is the next adder's carry, which stands on both
// of its inputs. A chain takes adders up to CHAIN slots.
//
// Latency    none: combinational.
`default_nettype none
module carry_adders_ice40 #(
    parameter int COUNT    = 3,
    parameter int BITS     = 4,
    parameter bit OVERFLOW = 1,  // see carry_adders
    parameter int CHAIN    = 36,
    localparam int SUM_BITS = BITS + 1
) (
    input  wire [COUNT*BITS-1:0]     x,
    input  wire [COUNT*BITS-1:0]     y,
    input  wire [COUNT-1:0]          carry,
    output wire [COUNT*SUM_BITS-1:0] sums
);
  localparam int END       = OVERFLOW ? 1 : 0;  // the last adder's carry needs a slot
  localparam int PER_CHAIN = CHAIN - END > BITS + 1 ? (CHAIN - END) / (BITS + 1) : 1;
  localparam logic [15:0] PARITY = 16'hC33C;    // of a, b and carry in
  localparam logic [15:0] PASS   = 16'hFF00;    // carry in

  for (genvar chain = 0; chain * PER_CHAIN < COUNT; chain++) begin : g_chain
    localparam int FIRST  = chain * PER_CHAIN;
    localparam int ADDERS = FIRST + PER_CHAIN <= COUNT ? PER_CHAIN : COUNT - FIRST;
    localparam int SLOTS  = ADDERS * (BITS + 1) + END;
    localparam logic [16*(BITS+1)-1:0]     ADDER_TABLES = {{BITS{PARITY}}, PASS};
    localparam logic [16*(SLOTS+BITS)-1:0] TABLES       = {{BITS{PASS}}, {END{PASS}}, {ADDERS{ADDER_TABLES}}};
    wire [SLOTS-1:0] a, b, s;
    carry_chain_ice40 #(.SLOTS(SLOTS), .TABLES(TABLES[16*SLOTS-1:0])) slots (.top({SLOTS{1'b0}}), .a(a), .b(b), .sum(s));
    for (genvar n = 0; n < ADDERS; n++) begin : g_adder
      localparam int I    = FIRST + n;
      localparam int SLOT = n * (BITS + 1);
      assign a[SLOT+:BITS+1] = {x[I*BITS+:BITS], carry[I]};
      assign b[SLOT+:BITS+1] = {y[I*BITS+:BITS], carry[I]};
      assign sums[I*SUM_BITS+:BITS] = s[SLOT+1+:BITS];
      if (n < ADDERS - 1 || OVERFLOW) begin : g_overflow
        assign sums[I*SUM_BITS+BITS] = OVERFLOW && s[SLOT+BITS+1];
      end else begin : g_none
        assign sums[I*SUM_BITS+BITS] = 1'b0;
      end
    end
    if (OVERFLOW) begin : g_end
      assign {a[SLOTS-1], b[SLOTS-1]} = 2'b00;
    end
    wire unused = s[0];
  end
endmodule
`default_nettype wire
