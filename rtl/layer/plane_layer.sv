// SPDX-License-Identifier: Apache-2.0
// plane_layer - a convolution or fully connected layer: window_reader, plane_array, run_combiner and activation, with a FIFO at the end
//
// docs/architecture.md gives the arithmetic (1), the images of the memories (3) and how a compiler sets the parameters. A binary layer (the popcount layer)
// is the same with XNOR cells, one activation bit and one plane. in_last is not needed: a frame is a number of words.
//
// DEPTHWISE: a word holds SIMD*PE activations, and cell i of PE pe takes activation i*PE + pe: SIMD positions of PE channels, each with its own filter.
// PIXELS: so many neighbouring output pixels share every weight word; codes then leave group by group, pixel by pixel within a group (see pixel_order).
//
// There is no clock enable in the datapath: a group is started only when the FIFO has room for its results.
//
// Latency    from a window's last word to its first result: a group's own clocks, and at most FLIGHT.
// Rate       one program word per clock while words come and results go: a program's words times OUT_HEIGHT*OUT_WIDTH clocks per frame.
// Reset      control only.
`default_nettype none
module plane_layer #(
    parameter int SIMD            = 4,    // activations per PE and word
    parameter int A_BITS          = 1,    // bits of an activation
    parameter int A_SIGNED        = 0,    // two's complement
    parameter int APAR            = 1,    // activation bits per clock, divides A_BITS
    parameter int PE              = 2,    // output channels at once
    parameter int PIXELS          = 1,    // output pixels at once
    parameter int PIXEL_STEP      = 1,    // words from one to the next
    parameter int XNOR            = 1,    // cells: weights -1, +1; 0: weight planes 0, 1
    parameter int PAIRS           = 0,    // FABRIC 2: XNOR cells two by two, see plane_array; a single run per group
    parameter int TRIPLES         = 0,    // FABRIC 2: binary XNOR cells three by three, see plane_array; weights recoded
    parameter int DEPTHWISE       = 0,    // every PE has activations of its own
    parameter int WPAR            = 1,    // weight planes per word: 1, or all with AND cells and APAR = A_BITS
    parameter int W_SIGNED        = 0,    // WPAR > 1: the top plane counts negative
    parameter int PRODUCTS        = 0,    // WPAR > 1: a multiplier for each weight, see plane_array
    parameter int FABRIC          = 0,    // of plane_array: 0 any, 1 ECP5, 2 iCE40
    parameter int TOTAL_BITS      = 8,    // of a run's total
    parameter int ACC_BITS        = 8,    // signed raw accumulator
    parameter int BUFFER_DEPTH    = 4,    // window reader, in words
    parameter int EXTENT          = 1,
    parameter int SHARED          = 0,    // 1: the buffer has a single port
    parameter int OUT_HEIGHT      = 1,
    parameter int OUT_WIDTH       = 1,    // steps in a row: pixels / PIXELS
    parameter int STEP_X          = 1,
    parameter int STEP_ROW        = 1,
    parameter int STEP_FRAME      = 1,
    parameter int OFFSET_BITS     = 1,
    parameter int CONTROL_WORDS   = 2,
    parameter     CONTROL_INIT    = "",
    parameter int RUNS            = 1,
    parameter int RUN_WORDS       = 1,
    parameter     RUN_INIT        = "",   // none: every run is a group
    parameter int RUN_CLOCKS      = 2,    // words of the shortest run
    parameter int COEFFICIENT_BITS = 0,   // run_combiner
    parameter int MAC16           = 0,    // run_combiner
    parameter int RUN_LANES       = 1,    // run_combiner: channels per clock, a multiple of LANES; without run words unused
    parameter int WEIGHT_WORDS    = 2,
    parameter     WEIGHT_INIT     = "",
    parameter int WEIGHT_STRIPES  = 1,    // striped_rom
    parameter logic [95:0] WEIGHT_WIDTHS = 96'd0,
    parameter int WEIGHT_LOADED   = 0,    // 1: weights come by load_* into loaded_rom; WEIGHT_INIT is unused
    parameter int GROUPS          = 1,    // output channels / PE
    parameter int GROUP_CLOCKS    = 2,    // words of the shortest group
    parameter int SLACK           = 0,    // groups that may wait at the output beyond those under way (while map_pad inserts a border)
    parameter int SCORES          = 0,    // 0: thresholds; 1: raw scores
    parameter int LUT_BITS        = 1024, // memories of up to so many bits are made of LUTs; beyond 1024 RAMs too, on devices that have LUT RAM
    parameter int LANES           = 1,    // output channels per beat, divides PE
    parameter int OUT_BITS        = 1,
    parameter int ALPHA_SHIFT     = 0,    // scores
    parameter int SEARCH_BITS     = 1,    // thresholds
    parameter int LEVELS          = 1,
    parameter int LOW             = 0,
    parameter int STEP            = 1,
    parameter     ACTIVATION_INIT = "",
    localparam int WORD      = SIMD * (DEPTHWISE != 0 ? PE : 1),
    localparam int WORD_BITS = WORD * A_BITS
) (
    input  wire                  clk,
    input  wire                  rst,

    input  wire                  in_valid,
    output wire                  in_ready,
    input  wire  [WORD_BITS-1:0] in_data,
    input  wire                  in_last,

    output wire                      out_valid,
    input  wire                      out_ready,
    output wire [LANES*OUT_BITS-1:0] out_data,
    output wire                      out_last,

    // Weights on their way to memories that are filled after reset (loaded_rom), in a chain of layers; words enter only while all layers are in reset.
    input  wire                    load_start,
    input  wire                    load_valid,
    input  wire [15:0]             load_data,
    output wire                    load_next,  // load_valid of the next layer in the chain

    output wire                    busy,     // a word is executed in this clock
    output wire                    starved,  // none, for want of input
    output wire                    stalled   // none, for want of room at the output
);
  localparam int PASSES      = A_BITS / APAR;
  localparam int PASS_BITS   = PASSES > 1 ? $clog2(PASSES) : 1;
  localparam int FACTOR_BITS = COEFFICIENT_BITS > 0 ? COEFFICIENT_BITS : 2;
  localparam bit COMBINES    = RUN_INIT != "";
  localparam int FIELD_BITS  = FACTOR_BITS + (PASSES > 1 ? PASS_BITS : 0);  // of a run word: {factor, pass}
  localparam int INDEX_BITS  = WEIGHT_WORDS > 1 ? $clog2(WEIGHT_WORDS) : 1;
  localparam int COUNT       = PIXELS * PE;
  localparam int GROUP_BEATS = COUNT / LANES;

  if (A_BITS % APAR != 0) begin : g_apar error_APAR_must_divide_A_BITS check (); end
  if ((PAIRS != 0 || TRIPLES != 0) && FABRIC != 2) begin : g_shared error_PAIRS_and_TRIPLES_need_FABRIC_2 check (); end
  if (PAIRS != 0 && (PASSES > 1 || COMBINES)) begin : g_pairs error_PAIRS_needs_a_single_run_per_group check (); end
  if (PASSES > 1 && !COMBINES) begin : g_passes error_several_passes_need_run_words check (); end
  if (GROUP_CLOCKS < GROUP_BEATS) begin : g_rate error_a_group_must_take_at_least_PIXELS_times_PE_over_LANES_clocks check (); end
  if (COMBINES && RUN_CLOCKS * RUN_LANES < COUNT) begin : g_run_rate error_a_run_must_take_at_least_PIXELS_times_PE_over_RUN_LANES_clocks check (); end
  if (COMBINES && RUN_LANES != COUNT && RUN_LANES != LANES) begin : g_run_lanes error_RUN_LANES_must_be_LANES_or_PIXELS_times_PE check (); end

  wire unused_last = &{1'b0, in_last};

  // ---- Credits: enough groups under way that the FIFO never makes the array wait for the pipeline's own latency.
  localparam int FLIGHT  = 16 + 2 * $clog2(SIMD) + 2 * $clog2(WPAR) + (SCORES != 0 ? 2 : 3 * SEARCH_BITS + 1) +
                           (COMBINES ? 3 + COUNT / RUN_LANES : 0) + GROUP_BEATS;  // clocks, an upper bound
  localparam int CREDITS = FLIGHT / GROUP_CLOCKS + 2 + SLACK;
  wire credit, group_start, result_leaves;
  credit_counter #(.CREDITS(CREDITS)) credits (.clk(clk), .rst(rst), .take(group_start), .give(result_leaves), .available(credit));

  // ---- Words. On iCE40 a flip-flop without a LUT takes a cell: where a LUT follows the memories, nothing stands between.
  localparam bit SHARES = PAIRS != 0 || TRIPLES != 0;
  wire [INDEX_BITS-1:0]       word_index;
  wire                        word_valid, word_first, word_last, word_group_first, word_group_last, word_frame;
  wire [PIXELS*WORD_BITS-1:0] word_data;
  wire [FIELD_BITS-1:0]       word_fields;
  window_reader #(
      .WIDTH(WORD_BITS), .DEPTH(BUFFER_DEPTH), .SHARED(SHARED), .REGISTERED(SHARES ? 0 : 1), .WRITE_LATE(FABRIC == 1 && SHARED == 0 ? 1 : 0), .EXTENT(EXTENT),
      .OUT_HEIGHT(OUT_HEIGHT), .OUT_WIDTH(OUT_WIDTH), .STEP_X(STEP_X), .STEP_ROW(STEP_ROW), .STEP_FRAME(STEP_FRAME), .PIXELS(PIXELS), .PIXEL_STEP(PIXEL_STEP),
      .OFFSET_BITS(OFFSET_BITS), .CONTROL_WORDS(CONTROL_WORDS),
      .CONTROL_INIT(CONTROL_INIT), .RUNS(RUNS), .RUN_WORDS(RUN_WORDS), .FIELD_BITS(FIELD_BITS), .RUN_INIT(RUN_INIT), .REPEATS(PASSES > 1 ? 1 : 0),
      .WEIGHT_WORDS(WEIGHT_WORDS), .LUT_BITS(LUT_BITS)
  ) reader (
      .clk(clk), .rst(rst), .in_valid(in_valid), .in_ready(in_ready), .in_data(in_data), .credit(credit), .group_start(group_start),
      .word_index(word_index), .word_valid(word_valid), .word_data(word_data), .word_first(word_first), .word_last(word_last),
      .group_first(word_group_first), .group_last(word_group_last), .frame_last(word_frame), .run_fields(word_fields), .busy(busy),
      .starved(starved), .stalled(stalled)
  );

  // ---- The bits of this pass, a clock later if there are several.
  localparam int INFO_BITS = FIELD_BITS + 3;  // {group_first, group_last, frame, fields}
  wire                          cell_valid, cell_first, cell_last, cell_top;
  wire [INFO_BITS-1:0]          cell_info;
  wire [PIXELS*WORD*APAR-1:0]   activations;
  wire [INDEX_BITS-1:0]         weight_index;
  wire [INFO_BITS-1:0]          word_info = {word_group_first, word_group_last, word_frame, word_fields};
  if (PASSES > 1) begin : g_select
    localparam int SHIFT_BITS = $clog2(A_BITS + 1);
    wire  [PASS_BITS-1:0]        pass = word_fields[PASS_BITS-1:0];
    logic [PIXELS*WORD*APAR-1:0] selected;
    logic                        valid, first, last, top;
    logic [INFO_BITS-1:0]        info;
    logic [INDEX_BITS-1:0]       index;
    for (genvar i = 0; i < PIXELS * WORD; i++) begin : g_lane
      wire [A_BITS-1:0] shifted = word_data[i*A_BITS+:A_BITS] >> (SHIFT_BITS'(pass) * SHIFT_BITS'(APAR));
      always_ff @(posedge clk) selected[i*APAR+:APAR] <= shifted[APAR-1:0];
      wire unused = &{1'b0, shifted};
    end
    always_ff @(posedge clk) begin
      valid <= word_valid && !rst;
      first <= word_first;
      last  <= word_last;
      top   <= pass == PASS_BITS'(PASSES - 1);
      info  <= word_info;
      index <= word_index;
    end
    assign {cell_valid, cell_first, cell_last, cell_top, cell_info, activations, weight_index} = {valid, first, last, top, info, selected, index};
  end else begin : g_whole
    assign {cell_valid, cell_first, cell_last, cell_top, cell_info, activations, weight_index} =
        {word_valid, word_first, word_last, 1'b1, word_info, word_data, word_index};
  end

  // The index comes early enough for the ROM and a register behind it. SHARES: weights are wanted a clock after the activations, and the index waits instead.
  wire [INDEX_BITS-1:0]   rom_index;
  wire [PE*WPAR*SIMD-1:0] weight_word, weights;
  delay_line #(.WIDTH(INDEX_BITS), .CLOCKS(SHARES ? 1 : 0)) index_delay (.clk(clk), .in_data(weight_index), .out_data(rom_index));
  if (WEIGHT_LOADED != 0) begin : g_loaded
    loaded_rom #(.WIDTH(PE * WPAR * SIMD), .DEPTH(WEIGHT_WORDS)) weight_ram (
        .clk(clk), .load_start(load_start), .load_valid(load_valid), .load_data(load_data), .next_valid(load_next), .rd_addr(rom_index), .rd_data(weight_word)
    );
  end else begin : g_constant
    striped_rom #(.WIDTH(PE * WPAR * SIMD), .DEPTH(WEIGHT_WORDS), .INIT(WEIGHT_INIT), .STRIPES(WEIGHT_STRIPES), .WIDTHS(WEIGHT_WIDTHS),
          .STYLE(WEIGHT_WORDS <= 16 || WEIGHT_WORDS * PE * WPAR * SIMD <= LUT_BITS ? 2 : 1)) weight_rom (
        .clk(clk), .rd_en(1'b1), .rd_addr(rom_index), .rd_data(weight_word)
    );
    assign load_next = load_valid;
    wire unused_load = &{1'b0, load_start, load_data};
  end
  delay_line #(.WIDTH(PE * WPAR * SIMD), .CLOCKS(SHARES ? 0 : 1)) weight_delay (.clk(clk), .in_data(weight_word), .out_data(weights));

  // ---- Arrays, one for each pixel; they run in step.
  wire [PIXELS-1:0]           runs_valid;
  wire [PIXELS*INFO_BITS-1:0] runs_info;
  wire [COUNT*TOTAL_BITS-1:0] totals;
  for (genvar i = 0; i < PIXELS; i++) begin : g_pixel
    plane_array #(
        .PE(PE), .SIMD(SIMD), .ACT_BITS(APAR), .CAN_SIGN(A_SIGNED != 0), .XNOR(XNOR != 0), .PAIRS(PAIRS != 0), .TRIPLES(TRIPLES != 0),
        .DEPTHWISE(DEPTHWISE != 0), .WPAR(WPAR), .W_SIGNED(W_SIGNED != 0), .PRODUCTS(PRODUCTS != 0), .RUN_BITS(TOTAL_BITS), .INFO_BITS(INFO_BITS), .FABRIC(FABRIC)
    ) array (
        .clk(clk), .rst(rst), .word_valid(cell_valid), .word_first(cell_first), .word_last(cell_last), .word_top(cell_top), .word_info(cell_info),
        .activations(activations[i*WORD*APAR+:WORD*APAR]), .weights(weights), .run_valid(runs_valid[i]), .run_info(runs_info[i*INFO_BITS+:INFO_BITS]),
        .totals(totals[i*PE*TOTAL_BITS+:PE*TOTAL_BITS])
    );
  end
  wire                  run_valid = runs_valid[0];
  wire                  run_group_first, run_group_last, run_frame;
  wire [FIELD_BITS-1:0] run_fields;
  assign {run_group_first, run_group_last, run_frame, run_fields} = runs_info[INFO_BITS-1:0];
  wire unused_runs = &{1'b0, runs_valid, runs_info};

  // ---- A group's runs become its accumulators.
  localparam bit TOTAL_SIGNED = A_SIGNED != 0 || W_SIGNED != 0 || PAIRS != 0;
  localparam int VALUES       = COMBINES ? RUN_LANES : COUNT;
  wire                       group_valid, group_end, group_frame;
  wire [VALUES*ACC_BITS-1:0] accumulators;
  if (COMBINES) begin : g_combine
    wire [PASS_BITS-1:0] pass = PASSES > 1 ? run_fields[PASS_BITS-1:0] : '0;
    run_combiner #(
        .COUNT(COUNT), .LANES(RUN_LANES), .TOTAL_BITS(TOTAL_BITS), .TOTAL_SIGNED(TOTAL_SIGNED), .ACC_BITS(ACC_BITS), .PASSES(PASSES), .APAR(APAR),
        .COEFFICIENT_BITS(COEFFICIENT_BITS), .MAC16(MAC16)
    ) combiner (
        .clk(clk), .rst(rst), .in_valid(run_valid), .in_first(run_group_first), .in_last(run_group_last), .in_pass(pass),
        .in_factor(run_fields[FIELD_BITS-1-:FACTOR_BITS]), .in_info(run_frame), .in_totals(totals), .out_valid(group_valid), .out_last(group_end),
        .out_info(group_frame), .out_values(accumulators)
    );
  end else begin : g_single
    assign {group_valid, group_end, group_frame} = {run_valid, 1'b1, run_frame};
    for (genvar i = 0; i < COUNT; i++) begin : g_value
      wire [TOTAL_BITS-1:0] total = totals[i*TOTAL_BITS+:TOTAL_BITS];
      assign accumulators[i*ACC_BITS+:ACC_BITS] = TOTAL_SIGNED ? ACC_BITS'($signed(total)) : ACC_BITS'(total);
    end
    wire unused = &{1'b0, run_group_first, run_group_last, run_fields};
  end

  // ---- Activation, FIFO.
  wire                      code_valid, code_group, code_frame, fifo_ready, out_group;
  wire [LANES*OUT_BITS-1:0] codes;
  activation #(
      .COUNT(VALUES), .PE(PE), .PIXELS(PIXELS), .GROUPS(GROUPS), .ACC_BITS(ACC_BITS), .LANES(LANES), .SCORES(SCORES != 0), .ALPHA_SHIFT(ALPHA_SHIFT),
      .SEARCH_BITS(SEARCH_BITS), .LEVELS(LEVELS), .LOW(LOW), .STEP(STEP), .OUT_BITS(OUT_BITS), .REGISTERED(FABRIC == 1 ? 1 : 0), .LUT_BITS(LUT_BITS), .INIT(ACTIVATION_INIT)
  ) act (
      .clk(clk), .rst(rst), .in_valid(group_valid), .in_last(group_end), .in_frame(group_frame), .in_short(1'b0), .in_values(accumulators), .code_valid(code_valid),
      .codes(codes), .code_group(code_group), .code_frame(code_frame)
  );

  stream_fifo #(.WIDTH(LANES * OUT_BITS + 2), .DEPTH(CREDITS * GROUP_BEATS)) results (
      .clk(clk), .rst(rst), .in_valid(code_valid), .in_ready(fifo_ready), .in_data({code_group, code_frame, codes}), .out_valid(out_valid),
      .out_ready(out_ready), .out_data({out_group, out_last, out_data})
  );
  assign result_leaves = out_valid && out_ready && out_group;

`ifndef SYNTHESIS
  always_ff @(posedge clk) if (!rst && code_valid) assert (fifo_ready);  // credits keep room
`else
  wire unused_ready = fifo_ready;
`endif
endmodule
`default_nettype wire
