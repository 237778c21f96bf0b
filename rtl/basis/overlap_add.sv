// SPDX-License-Identifier: Apache-2.0
// overlap_add - adds what the kernel makes of one block of pixels to what it made of its neighbours: of the block before in the row, and of the rows before
//
// A block of PIXELS pixels of an input row gives, for each kernel row r, PIXELS + WIDTH - 1 output columns. The last WIDTH - 1 wait for the next block. Of the others, those of
// kernel row r go on top of what the input row before left for kernel row r - 1; with kernel row HEIGHT - 1 an output row is complete. Partial sums of HEIGHT - 1 rows
// are held, whatever the map's height.
//
//   in      for each block of a row (GROUPS of them), for each of CHANNELS output channels: all kernel rows at once (ROWS = HEIGHT), or (ROWS = 1) one after the
//           other, HEIGHT - 1 first; then in_first goes with the first and in_end with the last
//   out     PIXELS output columns of the output row that ends with this input row; 3 columns behind the input for WIDTH = 3, and so on
//
// in_row: the row's first block (nothing waits from before); in_frame: the frame's first row.
//
// Latency    4 clocks.
// Rate       one word per clock; a channel's words of successive blocks at least 6 clocks apart.
// Reset      control only.
`default_nettype none
module overlap_add #(
    parameter int PIXELS    = 2,
    parameter int HEIGHT    = 3,     // of the kernel
    parameter int WIDTH     = 3,
    parameter int ROWS      = 3,     // HEIGHT or 1
    parameter int ACC_BITS  = 20,
    parameter int CHANNELS  = 4,
    parameter int GROUPS    = 2,
    parameter int INFO_BITS = 1,
    localparam int COLUMNS  = PIXELS + WIDTH - 1
) (
    input  wire                             clk,
    input  wire                             rst,
    input  wire                             in_valid,
    input  wire                             in_first,
    input  wire                             in_end,
    input  wire                             in_row,
    input  wire                             in_frame,
    input  wire [INFO_BITS-1:0]             in_info,
    input  wire [ROWS*COLUMNS*ACC_BITS-1:0] in_columns,
    output logic                            out_valid,
    output logic [INFO_BITS-1:0]            out_info,
    output logic [PIXELS*ACC_BITS-1:0]      out_values
);
  if (ROWS != HEIGHT && ROWS != 1) begin : g_rows error_ROWS_must_be_HEIGHT_or_1 check (); end

  localparam int STEPS    = HEIGHT / ROWS;              // words of a channel
  localparam int CARRIED  = WIDTH - 1;                  // columns that wait for the next block
  localparam int VALUES   = PIXELS * ACC_BITS;
  localparam int PARTIAL  = (ROWS == 1 ? 1 : HEIGHT - 1) * VALUES;  // bits of a word of partial sums

  // ---- Pipeline: memories are read (1), their words masked (2), columns added (3), rows added (4).
  logic [3:0]             valid, first, ends;
  logic [4*INFO_BITS-1:0] info;
  logic                   row, frame;
  logic [ROWS*COLUMNS*ACC_BITS-1:0] read_columns, columns;
  always_ff @(posedge clk) begin
    valid <= {valid[2:0], in_valid};
    first <= {first[2:0], in_first};
    ends  <= {ends[2:0], in_end};
    info  <= {info[3*INFO_BITS-1:0], in_info};
    row   <= in_row;
    frame <= in_frame;
    read_columns <= in_columns;
    columns      <= read_columns;
    if (rst) valid <= '0;
  end

  // ---- Columns.
  wire [ROWS*COLUMNS*ACC_BITS-1:0] whole;  // with what the block before left
  logic [ROWS*VALUES-1:0]          values; // the columns that are complete
  if (CARRIED > 0) begin : g_carry
    localparam int CARRY      = ROWS * CARRIED * ACC_BITS;
    localparam int PLACES     = CHANNELS * STEPS;
    localparam int DEPTH      = PLACES > 2 ? PLACES : 2;
    localparam int PLACE_BITS = $clog2(DEPTH);
    logic [PLACE_BITS-1:0] rd_place, wr_place;
    logic [CARRY-1:0]      carry, left;
    wire  [CARRY-1:0]      read;
    ram_1w1r #(.WIDTH(CARRY), .DEPTH(DEPTH)) carries (
        .clk(clk), .wr_en(valid[2]), .wr_addr(wr_place), .wr_data(left), .rd_en(in_valid), .rd_addr(rd_place), .rd_data(read)
    );
    always_ff @(posedge clk) begin
      if (in_valid) rd_place <= rd_place == PLACE_BITS'(PLACES - 1) ? '0 : rd_place + 1'b1;
      if (valid[2]) wr_place <= wr_place == PLACE_BITS'(PLACES - 1) ? '0 : wr_place + 1'b1;
      if (row) carry <= '0;
      else carry <= read;
      if (rst) begin
        rd_place <= '0;
        wr_place <= '0;
      end
    end
    for (genvar r = 0; r < ROWS; r++) begin : g_row
      for (genvar j = 0; j < COLUMNS; j++) begin : g_column
        wire [ACC_BITS-1:0] column = columns[(r*COLUMNS+j)*ACC_BITS+:ACC_BITS];
        if (j < CARRIED) begin : g_add
          assign whole[(r*COLUMNS+j)*ACC_BITS+:ACC_BITS] = column + carry[(r*CARRIED+j)*ACC_BITS+:ACC_BITS];
        end else begin : g_keep
          assign whole[(r*COLUMNS+j)*ACC_BITS+:ACC_BITS] = column;
        end
      end
      always_ff @(posedge clk) left[r*CARRIED*ACC_BITS+:CARRIED*ACC_BITS] <= whole[(r*COLUMNS+PIXELS)*ACC_BITS+:CARRIED*ACC_BITS];
    end
  end else begin : g_single
    assign whole = columns;
    wire unused = &{1'b0, row};
  end
  for (genvar r = 0; r < ROWS; r++) begin : g_values
    always_ff @(posedge clk) values[r*VALUES+:VALUES] <= whole[r*COLUMNS*ACC_BITS+:VALUES];
  end

  // ---- Rows. Word i of a channel's partial sums (ROWS = 1) is kernel row HEIGHT-2-i: step t reads word t and writes word t-1.
  wire [ROWS*VALUES-1:0] totals;
  if (HEIGHT > 1) begin : g_partial
    localparam int PLACES     = GROUPS * CHANNELS * (ROWS == 1 ? HEIGHT - 1 : 1);
    localparam int DEPTH      = PLACES > 2 ? PLACES : 2;
    localparam int PLACE_BITS = $clog2(DEPTH);
    logic [PLACE_BITS-1:0] rd_place, wr_place;
    logic [PARTIAL-1:0]    masked, partial;
    wire  [PARTIAL-1:0]    read;
    logic [PARTIAL-1:0]    written;
    wire reads  = in_valid && (ROWS != 1 || !in_end);
    wire writes = valid[3] && (ROWS != 1 || !first[3]);
    ram_1w1r #(.WIDTH(PARTIAL), .DEPTH(DEPTH)) partials (
        .clk(clk), .wr_en(writes), .wr_addr(wr_place), .wr_data(written), .rd_en(reads), .rd_addr(rd_place), .rd_data(read)
    );
    always_ff @(posedge clk) begin
      if (reads) rd_place <= rd_place == PLACE_BITS'(PLACES - 1) ? '0 : rd_place + 1'b1;
      if (writes) wr_place <= wr_place == PLACE_BITS'(PLACES - 1) ? '0 : wr_place + 1'b1;
      if (frame || (ROWS == 1 && ends[0])) masked <= '0;
      else masked <= read;
      partial <= masked;
      written <= totals[PARTIAL-1:0];
      if (rst) begin
        rd_place <= '0;
        wr_place <= '0;
      end
    end
    for (genvar r = 0; r < ROWS; r++) begin : g_row
      for (genvar j = 0; j < PIXELS; j++) begin : g_column
        wire [ACC_BITS-1:0] value = values[(r*PIXELS+j)*ACC_BITS+:ACC_BITS];
        if (ROWS == 1) begin : g_add
          assign totals[j*ACC_BITS+:ACC_BITS] = value + partial[j*ACC_BITS+:ACC_BITS];
        end else if (r > 0) begin : g_above
          assign totals[(r*PIXELS+j)*ACC_BITS+:ACC_BITS] = value + partial[((r-1)*PIXELS+j)*ACC_BITS+:ACC_BITS];
        end else begin : g_top
          assign totals[(r*PIXELS+j)*ACC_BITS+:ACC_BITS] = value;
        end
      end
    end
  end else begin : g_whole
    assign totals = values;
    wire unused = &{1'b0, frame, ends[0]};
  end
  always_ff @(posedge clk) begin
    out_values <= totals[(ROWS-1)*VALUES+:VALUES];
    out_valid  <= valid[2] && first[2] && !rst;
    out_info   <= info[2*INFO_BITS+:INFO_BITS];
  end
  wire unused_pipe = &{1'b0, valid, first, ends, info};
endmodule
`default_nettype wire
