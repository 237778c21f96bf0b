// SPDX-License-Identifier: Apache-2.0
// signed_sum - gated_sum of activations whose highest bit may count negative
//
// Without CAN_SIGN it is gated_sum. With it the highest bits are summed by themselves and then added to the others' sum, or subtracted where `top` is high:
// -x is ~x + 1 in two's complement, and the 1 joins the product bit that is left over, which is complemented too.
//
// Latency    ceil(log2 N) clocks, one more if CAN_SIGN; one less for ACT_BITS = 1 and N > 2.
// Rate       one set of sums per clock.
// Reset      none: no control inside.
`default_nettype none
module signed_sum #(
    parameter int GROUPS   = 2,
    parameter int N        = 8,
    parameter int ACT_BITS = 2,
    parameter bit CAN_SIGN = 1,
    parameter bit OWN      = 0,
    parameter bit XNOR     = 0,
    parameter int FABRIC   = 0,
    localparam int SETS     = OWN ? GROUPS : 1,
    localparam int SUM_BITS = CAN_SIGN ? $clog2(((1 << ACT_BITS) - 1) * N + 1) + 1 : $clog2(((1 << ACT_BITS) - 1) * N + (N % 4 == 0 ? 0 : 1))
) (
    input  wire                       clk,
    input  wire [GROUPS*N-1:0]        weights,
    input  wire [SETS*N*ACT_BITS-1:0] activations,
    input  wire                       top,              // CAN_SIGN: these activations' highest bits count negative
    output wire [GROUPS*SUM_BITS-1:0] sums,             // two's complement if CAN_SIGN; complemented if XNOR
    output wire [GROUPS-1:0]          left_weight,      // as of gated_sum
    output wire [GROUPS-1:0]          left_activation
);
  if (!CAN_SIGN) begin : g_unsigned
    gated_sum #(.GROUPS(GROUPS), .N(N), .ACT_BITS(ACT_BITS), .OWN(OWN), .XNOR(XNOR), .FABRIC(FABRIC)) whole (
        .clk(clk), .weights(weights), .activations(activations), .sums(sums), .left_weight(left_weight), .left_activation(left_activation)
    );
    wire unused = top;
  end else begin : g_signed
    localparam int LOW         = ACT_BITS - 1;
    localparam int LATENCY     = $clog2(N) - (ACT_BITS == 1 && N > 2 ? 1 : 0);  // of both sums
    localparam int TOP_LATENCY = $clog2(N) - (N > 2 ? 1 : 0);
    localparam int TOP         = $clog2(N + (N % 4 == 0 ? 0 : 1));

    wire [SETS*N-1:0]     top_activations;
    wire [GROUPS*TOP-1:0] top_sums, top_late;
    wire [GROUPS-1:0]     top_w, top_a, late_w, late_a;
    wire                  flip, flip_late;
    for (genvar i = 0; i < SETS * N; i++) begin : g_top
      assign top_activations[i] = activations[i*ACT_BITS+LOW];
    end
    gated_sum #(.GROUPS(GROUPS), .N(N), .ACT_BITS(1), .OWN(OWN), .XNOR(XNOR), .FABRIC(FABRIC)) highest (
        .clk(clk), .weights(weights), .activations(top_activations), .sums(top_sums), .left_weight(top_w), .left_activation(top_a)
    );
    delay_line #(.WIDTH(1), .CLOCKS(TOP_LATENCY)) top_delay (.clk(clk), .in_data(top), .out_data(flip));
    delay_line #(.WIDTH(1), .CLOCKS(LATENCY - TOP_LATENCY)) flip_delay (.clk(clk), .in_data(flip), .out_data(flip_late));

    if (ACT_BITS == 1) begin : g_alone
      logic [GROUPS*SUM_BITS-1:0] flipped;
      logic [GROUPS-1:0]          left;
      for (genvar g = 0; g < GROUPS; g++) begin : g_group
        always_ff @(posedge clk) begin
          flipped[g*SUM_BITS+:SUM_BITS] <= SUM_BITS'({{SUM_BITS{XNOR}}, top_sums[g*TOP+:TOP]}) ^ {SUM_BITS{flip}};
          left[g] <= XNOR ^ (N % 4 != 0 ? XNOR : XNOR ? top_w[g] ^ top_a[g] : top_w[g] && top_a[g]) ^ flip;
        end
      end
      assign sums            = flipped;
      assign left_weight     = left;
      assign left_activation = '1;
      assign {top_late, late_w, late_a} = '0;
      wire unused = &{1'b0, top_late, late_w, late_a, flip_late};
    end else begin : g_both
      localparam int LOW_SUM = $clog2(((1 << LOW) - 1) * N + (N % 4 == 0 ? 0 : 1));
      localparam int LOW_LATENCY = $clog2(N) - (LOW == 1 && N > 2 ? 1 : 0);
      localparam int UPPER   = SUM_BITS - LOW;
      localparam int X_BITS  = LOW_SUM > LOW ? LOW_SUM - LOW : 1;
      wire [SETS*N*LOW-1:0]         low_activations;
      wire [GROUPS*LOW_SUM-1:0]     low, low_late;
      wire [GROUPS-1:0]             low_w, low_a, low_late_w, low_late_a;
      wire [GROUPS*X_BITS-1:0]      x;
      wire [GROUPS*UPPER-1:0]       y;
      wire [GROUPS*(UPPER+1)-1:0]   added;
      logic [GROUPS-1:0]            left, low_left_w, low_left_a;
      logic [GROUPS*SUM_BITS-1:0]   totals;
      for (genvar i = 0; i < SETS * N; i++) begin : g_low
        assign low_activations[i*LOW+:LOW] = activations[i*ACT_BITS+:LOW];
      end
      gated_sum #(.GROUPS(GROUPS), .N(N), .ACT_BITS(LOW), .OWN(OWN), .XNOR(XNOR), .FABRIC(FABRIC)) others (
          .clk(clk), .weights(weights), .activations(low_activations), .sums(low), .left_weight(low_w), .left_activation(low_a)
      );
      delay_line #(.WIDTH(GROUPS * (LOW_SUM + 2)), .CLOCKS(LATENCY - LOW_LATENCY)) low_delay (
          .clk(clk), .in_data({low, low_w, low_a}), .out_data({low_late, low_late_w, low_late_a})
      );
      delay_line #(.WIDTH(GROUPS * (TOP + 2)), .CLOCKS(LATENCY - TOP_LATENCY)) highest_delay (
          .clk(clk), .in_data({top_sums, top_w, top_a}), .out_data({top_late, late_w, late_a})
      );
      for (genvar g = 0; g < GROUPS; g++) begin : g_group
        assign left[g] = (N % 4 != 0 ? XNOR : XNOR ? late_w[g] ^ late_a[g] : late_w[g] && late_a[g]) ^ flip_late;
        if (LOW_SUM > LOW) begin : g_long
          assign x[g*X_BITS+:X_BITS] = low_late[g*LOW_SUM+LOW+:X_BITS];
        end else begin : g_short
          assign x[g*X_BITS+:X_BITS] = XNOR;
        end
        assign y[g*UPPER+:UPPER] = UPPER'({{UPPER{XNOR}}, top_late[g*TOP+:TOP]});
        always_ff @(posedge clk) totals[g*SUM_BITS+:SUM_BITS] <= {added[g*(UPPER+1)+:UPPER], LOW'({{LOW{XNOR}}, low_late[g*LOW_SUM+:LOW_SUM]})};
      end
      carry_adders #(
          .COUNT(GROUPS), .X_BITS(X_BITS), .Y_BITS(UPPER), .Y_XOR(1'b1), .FILL(XNOR), .CARRY(4'b1000), .OVERFLOW(1'b0), .FABRIC(FABRIC)
      ) adders (.xa(x), .xb({GROUPS * X_BITS{1'b1}}), .ya(y), .yb({GROUPS * UPPER{flip_late}}), .ca(left), .cb({GROUPS{1'b1}}), .sums(added));
      always_ff @(posedge clk) begin
        low_left_w <= low_late_w;
        low_left_a <= low_late_a;
      end
      assign sums            = totals;
      assign left_weight     = low_left_w;
      assign left_activation = low_left_a;
      wire unused = &{1'b0, added};
    end
  end
endmodule
`default_nettype wire
