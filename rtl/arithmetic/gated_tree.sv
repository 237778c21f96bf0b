// SPDX-License-Identifier: Apache-2.0
// gated_tree - GROUPS sums of gated activations: pipelined trees of two-input adders whose carries in take product bits as well
//
// About half of the activations are operands, an even number. Each adder's carry in takes the lowest bit of one activation of the other half, the extras:
// no product costs a cell of its own, and nearly every cell adds three bits. If N is a multiple of 4 the last extra finds no place and is left over: whoever
// adds the sum to something has a carry in for it.
//
// XNOR = 0: a product is the activation where the weight bit is 1, else zero.
// XNOR = 1: a product is the activation, complemented where the weight bit is 0, and sums and what is left over are complements: products are formed as
// weight ^ activation, missing bits are ones, and adding complements with a complemented carry gives the complement of the sum.
//
// Latency    LEVELS = ceil(log2 WHOLE) clocks, ceil(log2 N) - 1 for N > 2.
// Rate       one set of sums per clock.
// Reset      none: no control inside.
`default_nettype none
module gated_tree #(
    parameter int GROUPS   = 2,
    parameter int N        = 8,  // activations of a group, >= 1
    parameter int ACT_BITS = 2,  // bits of each, >= 1, unsigned
    parameter bit OWN      = 0,  // each group has activations of its own
    parameter bit XNOR     = 0,
    parameter int FABRIC   = 0,  // see carry_adders
    localparam int SETS     = OWN ? GROUPS : 1,
    localparam int WHOLE    = N == 1 ? 1 : 2 * ((N + 3) / 4),  // operands
    localparam int SUM_BITS = ACT_BITS + $clog2(WHOLE)
) (
    input  wire                       clk,
    input  wire [GROUPS*N-1:0]        weights,          // of group g at [g*N +: N]
    input  wire [SETS*N*ACT_BITS-1:0] activations,      // activation i of set s at [(s*N + i)*ACT_BITS +: ACT_BITS]
    output wire [GROUPS*SUM_BITS-1:0] sums,
    output wire [GROUPS-1:0]          left_weight,      // of the product bit left over, in the clock of its sum; without one, ones
    output wire [GROUPS-1:0]          left_activation
);
  localparam int EXTRA  = N - WHOLE;
  localparam int LEVELS = $clog2(WHOLE);

  function automatic int numbers_after(input int level);
    numbers_after = (WHOLE + (1 << level) - 1) >> level;
  endfunction
  // ---- Numbers after each level, number j of group g at [(g*COUNT + j)*BITS +: BITS], and the extras in the clock in which its adders need them.
  for (genvar level = 0; level <= LEVELS; level++) begin : g_level
    localparam int COUNT = numbers_after(level);
    localparam int BITS  = ACT_BITS + level;
    wire [GROUPS*COUNT*BITS-1:0] numbers;
    if (level == 0) begin : g_leaves
      if (LEVELS == 0) begin : g_product
        for (genvar g = 0; g < GROUPS; g++) begin : g_group
          wire [ACT_BITS-1:0] activation = activations[(OWN ? g : 0)*ACT_BITS+:ACT_BITS];
          assign numbers[g*BITS+:BITS] = XNOR ? activation ^ {ACT_BITS{weights[g]}} : activation & {ACT_BITS{weights[g]}};
        end
        wire unused = clk;
      end else begin : g_unused
        assign numbers = '0;
        wire unused = &{1'b0, numbers};
      end
    end else begin : g_sums
      localparam int BELOW   = numbers_after(level - 1);
      localparam int ADDERS  = BELOW / 2;
      localparam int IN_BITS = BITS - 1;
      localparam int TAKEN   = WHOLE - BELOW;  // extras: one for each adder below
      localparam int CARRIES = EXTRA <= TAKEN ? 0 : EXTRA - TAKEN < ADDERS ? EXTRA - TAKEN : ADDERS;
      wire [GROUPS*ADDERS*IN_BITS-1:0] xa, xb, ya, yb;
      wire [GROUPS*ADDERS-1:0]         ca, cb;
      wire [GROUPS*ADDERS*BITS-1:0]    adder_sums;
      logic [GROUPS*COUNT*BITS-1:0]    registers;
      for (genvar g = 0; g < GROUPS; g++) begin : g_group
        for (genvar j = 0; j < ADDERS; j++) begin : g_adder
          localparam int AT = g * ADDERS + j;
          if (level == 1) begin : g_gated
            localparam int W = g * N + 2 * j;
            localparam int A = (OWN ? g * N : 0) + 2 * j;
            assign {xa[AT*IN_BITS+:IN_BITS], xb[AT*IN_BITS+:IN_BITS]} = {{IN_BITS{weights[W]}}, activations[A*ACT_BITS+:ACT_BITS]};
            assign {ya[AT*IN_BITS+:IN_BITS], yb[AT*IN_BITS+:IN_BITS]} = {{IN_BITS{weights[W+1]}}, activations[(A+1)*ACT_BITS+:ACT_BITS]};
          end else begin : g_added
            assign {xa[AT*IN_BITS+:IN_BITS], xb[AT*IN_BITS+:IN_BITS]} =
                {{IN_BITS{1'b1}}, g_level[level-1].numbers[(g*BELOW+2*j)*IN_BITS+:IN_BITS]};
            assign {ya[AT*IN_BITS+:IN_BITS], yb[AT*IN_BITS+:IN_BITS]} =
                {{IN_BITS{1'b1}}, g_level[level-1].numbers[(g*BELOW+2*j+1)*IN_BITS+:IN_BITS]};
          end
          if (j < CARRIES) begin : g_carry
            assign ca[AT] = g_extras.weight_line[((level-1)*GROUPS+g)*EXTRA+TAKEN+j];
            assign cb[AT] = g_extras.low_line[((level-1)*SETS+(OWN?g:0))*EXTRA+TAKEN+j];
          end else begin : g_none
            assign {ca[AT], cb[AT]} = 2'b11;
          end
          always_ff @(posedge clk) registers[(g*COUNT+j)*BITS+:BITS] <= adder_sums[AT*BITS+:BITS];
        end
        if (BELOW % 2 == 1) begin : g_odd
          always_ff @(posedge clk) registers[(g*COUNT+ADDERS)*BITS+:BITS] <= {XNOR, g_level[level-1].numbers[(g*BELOW+BELOW-1)*IN_BITS+:IN_BITS]};
        end
      end
      carry_adders #(
          .COUNT(GROUPS * ADDERS), .X_BITS(IN_BITS), .Y_BITS(IN_BITS), .X_XOR(XNOR && level == 1), .Y_XOR(XNOR && level == 1), .FILL(XNOR),
          .CARRY(XNOR ? 4'b0110 : 4'b1000), .PERIOD(ADDERS), .CARRIES(CARRIES), .FABRIC(FABRIC)
      ) adders (.xa(xa), .xb(xb), .ya(ya), .yb(yb), .ca(ca), .cb(cb), .sums(adder_sums));
      assign numbers = registers;
    end
  end
  assign sums = g_level[LEVELS].numbers;

  // ---- Extras: lowest bits and weights travel along.
  if (EXTRA > 0) begin : g_extras
    wire [GROUPS*EXTRA-1:0] extra_weights;
    wire [SETS*EXTRA-1:0]   extra_low;
    // On ECP5 the carry's cell is the gate, so weight and activation travel apart, the latter once for all groups. On iCE40, where a flip-flop takes a cell
    // of its own unless it follows a LUT, the product travels, and a constant beside it.
    for (genvar g = 0; g < GROUPS; g++) begin : g_weights
      for (genvar e = 0; e < EXTRA; e++) begin : g_weight
        wire weight = weights[g*N+WHOLE+e];
        wire low    = activations[((OWN?g:0)*N+WHOLE+e)*ACT_BITS];
        assign extra_weights[g*EXTRA+e] = FABRIC == 1 ? weight : XNOR ? weight ^ low : weight & low;
        wire unused = low;
      end
    end
    for (genvar e = 0; e < SETS * EXTRA; e++) begin : g_low
      assign extra_low[e] = FABRIC != 1 ? !XNOR : activations[(e/EXTRA*N+WHOLE+e%EXTRA)*ACT_BITS];
    end
    logic [LEVELS*GROUPS*EXTRA-1:0]    weight_delays;
    logic [LEVELS*SETS*EXTRA-1:0]      low_delays;
    wire [(LEVELS+1)*GROUPS*EXTRA-1:0] weight_line = {weight_delays, extra_weights};
    wire [(LEVELS+1)*SETS*EXTRA-1:0]   low_line    = {low_delays, extra_low};
    always_ff @(posedge clk) begin
      weight_delays <= weight_line[LEVELS*GROUPS*EXTRA-1:0];
      low_delays    <= low_line[LEVELS*SETS*EXTRA-1:0];
    end
    wire unused = &{1'b0, weight_line, low_line};
  end
  for (genvar g = 0; g < GROUPS; g++) begin : g_left
    if (EXTRA == WHOLE) begin : g_some
      assign left_weight[g]     = g_extras.weight_line[(LEVELS*GROUPS+g+1)*EXTRA-1];
      assign left_activation[g] = g_extras.low_line[(LEVELS*SETS+(OWN?g:0)+1)*EXTRA-1];
    end else begin : g_none
      assign {left_weight[g], left_activation[g]} = 2'b11;
    end
  end

endmodule
`default_nettype wire
