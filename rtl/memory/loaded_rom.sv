// SPDX-License-Identifier: Apache-2.0
// loaded_rom - constant memory with a registered read, in large RAMs that are filled once after reset (iCE40's SPRAM has no initial contents)
//
//   load_start  _/~\_______________________
//   load_valid  _____/~~~~~~~~~~~~~~~~~\___
//   load_data        < w0  w1 .. >< next's >       16 bits each
//   next_valid  _________________/~~~~~~\__        what comes behind this memory's words
//
// Memories stand in a chain: each takes DEPTH * ceil(WIDTH / 16) words and passes on the rest. Word i of the memory is ceil(WIDTH / 16) words of the load, lowest
// bits first; bits beyond WIDTH are ignored.
//
// Latency    a read takes one clock, as rom's. While words are loaded rd_data is undefined.
// Reset      load_start begins again, with any contents until then.
// Infers     as ram_1rw: a RAM of 16 bits for each of the words that a word takes.
`default_nettype none
module loaded_rom #(
    parameter int WIDTH = 16,  // bits per word, >= 1
    parameter int DEPTH = 16,  // words, >= 2
    localparam int ADDR_BITS = $clog2(DEPTH)
) (
    input  wire                 clk,

    input  wire                 load_start,
    input  wire                 load_valid,
    input  wire [15:0]          load_data,
    output wire                 next_valid,

    input  wire [ADDR_BITS-1:0] rd_addr,
    output wire [WIDTH-1:0]     rd_data
);
  if (WIDTH < 1) begin : g_width error_WIDTH_must_be_at_least_1 check (); end
  if (DEPTH < 2) begin : g_depth error_DEPTH_must_be_at_least_2 check (); end

  localparam int COLUMNS     = (WIDTH + 15) / 16;
  localparam int COLUMN_BITS = COLUMNS > 1 ? $clog2(COLUMNS) : 1;

  logic                   full;
  logic [ADDR_BITS-1:0]   place;   // of the word that is loaded
  logic [COLUMN_BITS-1:0] column;  // of it
  wire take        = load_valid && !full;
  wire last_column = COLUMNS == 1 || column == COLUMN_BITS'(COLUMNS - 1);
  always_ff @(posedge clk) begin
    if (take) begin
      column <= last_column ? '0 : column + 1'b1;
      if (last_column) place <= place + 1'b1;
      if (last_column && place == ADDR_BITS'(DEPTH - 1)) full <= 1'b1;
    end
    if (load_start) begin
      full   <= 1'b0;
      place  <= '0;
      column <= '0;
    end
  end
  assign next_valid = load_valid && full;

  wire [ADDR_BITS-1:0] addr = full ? rd_addr : place;
  for (genvar i = 0; i < COLUMNS; i++) begin : g_column
    localparam int BITS = WIDTH - 16 * i < 16 ? WIDTH - 16 * i : 16;
    ram_1rw #(.WIDTH(BITS), .DEPTH(DEPTH)) words (
        .clk(clk), .wr_en(take && column == COLUMN_BITS'(i)), .rd_en(full), .addr(addr), .wr_data(load_data[BITS-1:0]), .rd_data(rd_data[i*16+:BITS])
    );
    wire unused = &{1'b0, load_data};
  end
endmodule
`default_nettype wire
