// SPDX-License-Identifier: Apache-2.0
// plane_merge - the sums of WPAR weight planes at their weights 2^p, for GROUPS groups
//
// Neighbours are added in pairs, level by level. The upper one's product bit that is left over (gated_sum) enters as the carry; the lowest plane's stays.
// With W_SIGNED the top plane is subtracted: complemented, and its carry too.
//
// Latency    ceil(log2 WPAR) clocks.
// Rate       one set of sums per clock.
// Reset      none: no control inside.
`default_nettype none
module plane_merge #(
    parameter int GROUPS    = 2,
    parameter int WPAR      = 3,   // planes, >= 1
    parameter int IN_BITS   = 6,   // of a plane's sum
    parameter bit IS_SIGNED = 0,   // sums are two's complement
    parameter bit W_SIGNED  = 0,   // the top plane counts negative; for WPAR > 1
    parameter bit LEFT_OVER = 0,   // product bits are left over
    parameter int FABRIC    = 0,
    localparam int SUM_BITS = IN_BITS + (WPAR > 1 ? WPAR + 1 : 0)
) (
    input  wire                           clk,
    input  wire [GROUPS*WPAR*IN_BITS-1:0] planes,           // plane p of group g at [(g*WPAR + p)*IN_BITS +: IN_BITS]
    input  wire [GROUPS*WPAR-1:0]         weight,           // left over
    input  wire [GROUPS*WPAR-1:0]         activation,
    output wire [GROUPS*SUM_BITS-1:0]     sums,             // two's complement if WPAR > 1
    output wire [GROUPS-1:0]              left_weight,
    output wire [GROUPS-1:0]              left_activation
);
  localparam int LEVELS = $clog2(WPAR);

  function automatic int count_after(input int level);
    count_after = (WPAR + (1 << level) - 1) >> level;
  endfunction

  for (genvar level = 0; level <= LEVELS; level++) begin : g_level
    localparam int COUNT = count_after(level);
    wire [GROUPS*COUNT*SUM_BITS-1:0] numbers;
    wire [GROUPS*COUNT-1:0]          w, a;
    if (level == 0) begin : g_planes
      for (genvar i = 0; i < GROUPS * COUNT; i++) begin : g_plane
        assign numbers[i*SUM_BITS+:SUM_BITS] = SUM_BITS'({{SUM_BITS{IS_SIGNED && planes[i*IN_BITS+IN_BITS-1]}}, planes[i*IN_BITS+:IN_BITS]});
      end
      assign {w, a} = {weight, activation};
    end else begin : g_pairs
      localparam int BELOW = count_after(level - 1);
      localparam int SHIFT = 1 << (level - 1);
      localparam int UPPER = SUM_BITS - SHIFT;
      logic [GROUPS*COUNT*SUM_BITS-1:0] registers;
      logic [GROUPS*COUNT-1:0]          w_registers, a_registers;
      for (genvar j = 0; j < COUNT; j++) begin : g_number
        localparam int UP = 2 * j + 1;
        wire [GROUPS*SUM_BITS-1:0] added;
        if (UP < BELOW) begin : g_add
          localparam bit MINUS = W_SIGNED && UP * SHIFT == WPAR - 1;
          wire [GROUPS*UPPER-1:0]     x, y;
          wire [GROUPS*(UPPER+1)-1:0] total;
          wire [GROUPS-1:0]           ca, cb;
          for (genvar g = 0; g < GROUPS; g++) begin : g_group
            localparam int LOW_AT = (g * BELOW + UP - 1) * SUM_BITS;
            localparam int UP_AT  = (g * BELOW + UP) * SUM_BITS;
            assign x[g*UPPER+:UPPER] = g_level[level-1].numbers[LOW_AT+SHIFT+:UPPER];
            assign y[g*UPPER+:UPPER] = g_level[level-1].numbers[UP_AT+:UPPER];
            assign {ca[g], cb[g]} = {g_level[level-1].w[g*BELOW+UP], g_level[level-1].a[g*BELOW+UP]};
            assign added[g*SUM_BITS+:SUM_BITS] = {total[g*(UPPER+1)+:UPPER], g_level[level-1].numbers[LOW_AT+:SHIFT]};
          end
          carry_adders #(
              .COUNT(GROUPS), .X_BITS(UPPER), .Y_BITS(UPPER), .Y_XOR(MINUS), .CARRY((LEFT_OVER ? 4'b1000 : 4'b0000) ^ {4{MINUS}}),
              .OVERFLOW(1'b0), .FABRIC(FABRIC)
          ) adders (
              .xa(x), .xb({GROUPS * UPPER{1'b1}}), .ya(y), .yb({GROUPS * UPPER{1'b1}}), .ca(ca), .cb(cb), .sums(total)
          );
          wire unused = &{1'b0, total};
        end else begin : g_pass
          for (genvar g = 0; g < GROUPS; g++) begin : g_group
            assign added[g*SUM_BITS+:SUM_BITS] = g_level[level-1].numbers[(g*BELOW+2*j)*SUM_BITS+:SUM_BITS];
          end
        end
        for (genvar g = 0; g < GROUPS; g++) begin : g_register
          always_ff @(posedge clk) begin
            registers[(g*COUNT+j)*SUM_BITS+:SUM_BITS] <= added[g*SUM_BITS+:SUM_BITS];
            {w_registers[g*COUNT+j], a_registers[g*COUNT+j]} <= {g_level[level-1].w[g*BELOW+2*j], g_level[level-1].a[g*BELOW+2*j]};
          end
        end
      end
      assign numbers = registers;
      assign {w, a}  = {w_registers, a_registers};
      wire unused = &{1'b0, g_level[level-1].numbers, g_level[level-1].w, g_level[level-1].a};
    end
  end
  assign sums            = g_level[LEVELS].numbers;
  assign left_weight     = g_level[LEVELS].w;
  assign left_activation = g_level[LEVELS].a;
  if (LEVELS == 0) begin : g_unused
    wire unused = clk;
  end
endmodule
`default_nettype wire
