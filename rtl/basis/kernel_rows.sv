// SPDX-License-Identifier: Apache-2.0
// kernel_rows - products of PIXELS neighbouring sums with the taps of a kernel row, added up by the output column that they belong to
//
//   columns[j] = waiting[j] + sum over tasks, and over s, of sums[j - (WIDTH-1) + s] * taps[s]          j = 0 .. PIXELS+WIDTH-2; sums outside the block: 0
//
// RING kernel rows take turns: word i belongs to row i mod RING, and each row has accumulators of its own. in_last ends a row's tasks.
// What waited for a row comes a clock after the products of the first of its words, and must be zero with all others: then accumulator ^ waiting is one of the two, and an
// adder starts with either at no cost (carry_adders).
//
// Latency    1 clock to out_valid, which comes from the adders, and the multipliers' (registered_multiplier).
// Rate       one word per clock.
// Reset      control, and accumulators.
`default_nettype none
module kernel_rows #(
    parameter int PIXELS     = 2,
    parameter int WIDTH      = 3,    // taps of a kernel row
    parameter int RING       = 1,
    parameter int SUM_BITS   = 8,    // signed
    parameter int BASIS_BITS = 8,    // of a tap, signed
    parameter int ACC_BITS   = 20,   // results are modulo 2^ACC_BITS
    parameter int INFO_BITS  = 1,    // goes with a word
    parameter int FABRIC     = 0,    // carry_adders, registered_multiplier
    localparam int COLUMNS   = PIXELS + WIDTH - 1
) (
    input  wire                         clk,
    input  wire                         rst,
    input  wire                         in_valid,
    input  wire                         in_last,
    input  wire [INFO_BITS-1:0]         in_info,
    input  wire [PIXELS*SUM_BITS-1:0]   in_sums,
    input  wire [WIDTH*BASIS_BITS-1:0]  in_taps,
    input  wire [COLUMNS*ACC_BITS-1:0]  waiting,
    output wire                         out_valid,
    output wire [INFO_BITS-1:0]         out_info,
    output wire [COLUMNS*ACC_BITS-1:0]  out_columns
);
  localparam int FULL_BITS    = SUM_BITS + BASIS_BITS;
  localparam int PRODUCT_BITS = FULL_BITS < ACC_BITS ? FULL_BITS : ACC_BITS;
  localparam int GROWN        = PRODUCT_BITS + $clog2(WIDTH);
  localparam int COLUMN_BITS  = GROWN < ACC_BITS ? GROWN : ACC_BITS;

  // What goes with a word, up to its column.
  localparam int CLOCKS = FABRIC == 1 ? 4 : 2;
  logic [CLOCKS-1:0]           valid, last;
  logic [CLOCKS*INFO_BITS-1:0] info;
  wire                         column_valid = valid[CLOCKS-1], column_last = last[CLOCKS-1];
  // Clears accumulators. A register, since it goes to all of them: reset comes a clock later there.
  logic                        clear;
  always_ff @(posedge clk) begin
    clear <= rst || (valid[CLOCKS-2] && last[CLOCKS-2]);
    valid <= {valid[CLOCKS-2:0], in_valid};
    last  <= {last[CLOCKS-2:0], in_last};
    info  <= {info[(CLOCKS-1)*INFO_BITS-1:0], in_info};
    if (rst) valid <= '0;
  end

  wire [PIXELS*WIDTH*PRODUCT_BITS-1:0] products;  // pixel p, tap s at (p*WIDTH + s)
  for (genvar p = 0; p < PIXELS; p++) begin : g_pixel
    for (genvar s = 0; s < WIDTH; s++) begin : g_tap
      wire [FULL_BITS-1:0] product;
      registered_multiplier #(.A_BITS(SUM_BITS), .B_BITS(BASIS_BITS), .FABRIC(FABRIC)) multiplier (
          .clk(clk), .a(in_sums[p*SUM_BITS+:SUM_BITS]), .b(in_taps[s*BASIS_BITS+:BASIS_BITS]), .product(product)
      );
      assign products[(p*WIDTH+s)*PRODUCT_BITS+:PRODUCT_BITS] = product[PRODUCT_BITS-1:0];
      if (FULL_BITS > PRODUCT_BITS) begin : g_unused
        wire unused = &{1'b0, product[FULL_BITS-1:PRODUCT_BITS]};
      end
    end
  end

  for (genvar j = 0; j < COLUMNS; j++) begin : g_column
    // Taps that reach column j: pixel j - (WIDTH-1) + s lies in the block. All adders but the last are carry_adders, so that Yosys does not make compressors,
    // of twice the size, of a sum of several.
    localparam int FIRST = j < WIDTH - 1 ? WIDTH - 1 - j : 0;
    localparam int TERMS = (j < PIXELS ? WIDTH : PIXELS + WIDTH - 1 - j) - FIRST;
    for (genvar t = 0; t < TERMS; t++) begin : g_term
      localparam int S = FIRST + t;
      wire [COLUMN_BITS-1:0] product = COLUMN_BITS'($signed(products[((j-(WIDTH-1)+S)*WIDTH+S)*PRODUCT_BITS+:PRODUCT_BITS]));
      wire [COLUMN_BITS-1:0] total;  // of the terms up to this one
      if (t == 0) begin : g_first
        assign total = product;
      end else if (t == TERMS - 1) begin : g_last
        assign total = g_term[t-1].total + product;
      end else begin : g_inner
        wire unused;
        carry_adders #(.COUNT(1), .X_BITS(COLUMN_BITS), .Y_BITS(COLUMN_BITS), .CARRIES(0), .OVERFLOW(1'b0), .FABRIC(FABRIC)) add (
            .xa(g_term[t-1].total), .xb({COLUMN_BITS{1'b1}}), .ya(product), .yb({COLUMN_BITS{1'b1}}), .ca(1'b0), .cb(1'b0),
            .sums({unused, total})
        );
      end
    end

    logic [COLUMN_BITS-1:0]   column;
    logic [RING*ACC_BITS-1:0] accumulators;  // the next word's row in the low bits
    wire  [ACC_BITS-1:0]      sum;
    wire  [ACC_BITS-1:0]      addend = ACC_BITS'($signed(column));
    wire                      unused_carry;
    carry_adders #(.COUNT(1), .X_BITS(ACC_BITS), .Y_BITS(ACC_BITS), .X_XOR(1'b1), .CARRIES(0), .OVERFLOW(1'b0), .FABRIC(FABRIC)) add (
        .xa(accumulators[ACC_BITS-1:0]), .xb(waiting[j*ACC_BITS+:ACC_BITS]), .ya(addend), .yb({ACC_BITS{1'b1}}), .ca(1'b0), .cb(1'b0),
        .sums({unused_carry, sum})
    );
    always_ff @(posedge clk) begin
      column <= g_term[TERMS-1].total;
      if (clear) accumulators[(RING-1)*ACC_BITS+:ACC_BITS] <= '0;
      else if (column_valid) accumulators[(RING-1)*ACC_BITS+:ACC_BITS] <= sum;
    end
    if (RING > 1) begin : g_ring
      always_ff @(posedge clk) begin
        if (rst) accumulators[(RING-1)*ACC_BITS-1:0] <= '0;
        else if (column_valid) accumulators[(RING-1)*ACC_BITS-1:0] <= accumulators[RING*ACC_BITS-1:ACC_BITS];
      end
    end
    assign out_columns[j*ACC_BITS+:ACC_BITS] = sum;
  end
  assign out_valid = column_valid && column_last;
  assign out_info  = info[(CLOCKS-1)*INFO_BITS+:INFO_BITS];
endmodule
`default_nettype wire
