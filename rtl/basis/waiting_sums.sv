// SPDX-License-Identifier: Apache-2.0
// waiting_sums - keeps what the kernel made of one block of pixels until the blocks that add to it come: the next in the row, and those of the rows below
//
// A block of PIXELS pixels of an input row gives, for each kernel row r, PIXELS + WIDTH - 1 output columns. The last WIDTH - 1 wait for the next block. The others
// wait for the next input row, where kernel row r + 1 adds to them; with kernel row HEIGHT - 1 an output row is complete. Sums of HEIGHT - 1 rows are held, whatever
// the map's height.
//
//   ask     a channel's sums begin, for each block of a row (GROUPS of them) and each of CHANNELS output channels: all kernel rows at once (ROWS = HEIGHT), or
//           (ROWS = 1) one after the other, HEIGHT - 1 first; ask_end with the last. ask_row: the row's first block, for which nothing waits from the one before;
//           ask_frame: the frame's first row
//   waiting what these sums start with, 3 clocks later; zero in all other clocks
//   in      the columns with all that adds to them; in_first with the first kernel row's
//   out     PIXELS output columns of the output row that ends with this input row; with WIDTH = 3 they are 2 columns behind the input, and so on
//
// Latency    1 clock from in to out.
// Rate       one word per clock; a channel's sums are asked for at least 3 clocks before they come in, and 2 clocks or more after those of the block before came
//            in, or 3 if ROWS = 1.
// Reset      control only.
`default_nettype none
module waiting_sums #(
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
    input  wire                             ask_valid,
    input  wire                             ask_end,
    input  wire                             ask_row,
    input  wire                             ask_frame,
    output wire  [ROWS*COLUMNS*ACC_BITS-1:0] waiting,
    input  wire                             in_valid,
    input  wire                             in_first,
    input  wire [INFO_BITS-1:0]             in_info,
    input  wire [ROWS*COLUMNS*ACC_BITS-1:0] in_columns,
    output logic                            out_valid,
    output logic [INFO_BITS-1:0]            out_info,
    output wire  [PIXELS*ACC_BITS-1:0]      out_values
);
  if (ROWS != HEIGHT && ROWS != 1) begin : g_rows error_ROWS_must_be_HEIGHT_or_1 check (); end

  localparam int STEPS    = HEIGHT / ROWS;              // words of a channel
  localparam int CARRIED  = WIDTH - 1;                  // columns that wait for the next block
  localparam int VALUES   = PIXELS * ACC_BITS;
  localparam int PARTIALS = ROWS == 1 ? 1 : HEIGHT - 1; // kernel rows of a word of partial sums

  // ---- Asking: memories are read (1), their words masked (2), and added where both wait for a column (3).
  logic asked, asked_row, asked_frame;
  always_ff @(posedge clk) begin
    asked       <= ask_valid && !rst;
    asked_row   <= ask_row;
    asked_frame <= ask_frame || (ROWS == 1 && ask_end);
  end

  // ---- Coming in: all is registered (1) and written (2).
  logic [ROWS*COLUMNS*ACC_BITS-1:0] done;
  logic                             done_valid, done_first;
  always_ff @(posedge clk) begin
    done       <= in_columns;
    done_valid <= in_valid && !rst;
    done_first <= in_first;
    out_valid  <= in_valid && in_first && !rst;
    out_info   <= in_info;
  end
  assign out_values = done[(ROWS-1)*COLUMNS*ACC_BITS+:VALUES];

  // ---- Columns that wait for the next block.
  localparam int CARRY = (CARRIED > 0 ? CARRIED : 1) * ACC_BITS;  // bits of a kernel row
  logic [ROWS*CARRY-1:0] carry;
  if (CARRIED > 0) begin : g_carry
    localparam int PLACES     = CHANNELS * STEPS;
    localparam int DEPTH      = PLACES > 2 ? PLACES : 2;
    localparam int PLACE_BITS = $clog2(DEPTH);
    logic [PLACE_BITS-1:0] rd_place, wr_place;
    wire  [ROWS*CARRY-1:0] read, left;
    for (genvar r = 0; r < ROWS; r++) begin : g_row
      assign left[r*CARRY+:CARRY] = done[(r*COLUMNS+PIXELS)*ACC_BITS+:CARRY];
    end
    ram_1w1r #(.WIDTH(ROWS * CARRY), .DEPTH(DEPTH)) carries (
        .clk(clk), .wr_en(done_valid), .wr_addr(wr_place), .wr_data(left), .rd_en(ask_valid), .rd_addr(rd_place), .rd_data(read)
    );
    always_ff @(posedge clk) begin
      if (ask_valid) rd_place <= rd_place == PLACE_BITS'(PLACES - 1) ? '0 : rd_place + 1'b1;
      if (done_valid) wr_place <= wr_place == PLACE_BITS'(PLACES - 1) ? '0 : wr_place + 1'b1;
      if (asked_row || !asked) carry <= '0;
      else carry <= read;
      if (rst) begin
        rd_place <= '0;
        wr_place <= '0;
      end
    end
  end else begin : g_no_carry
    assign carry = '0;
  end

  // ---- Rows. Word i of a channel's partial sums (ROWS = 1) is kernel row HEIGHT-2-i: step t reads word t and writes word t-1.
  logic [PARTIALS*VALUES-1:0] partial;
  if (HEIGHT > 1) begin : g_partial
    localparam int PLACES     = GROUPS * CHANNELS * (ROWS == 1 ? HEIGHT - 1 : 1);
    localparam int DEPTH      = PLACES > 2 ? PLACES : 2;
    localparam int PLACE_BITS = $clog2(DEPTH);
    logic [PLACE_BITS-1:0]      rd_place, wr_place;
    wire  [PARTIALS*VALUES-1:0] read, written;
    wire reads  = ask_valid && (ROWS != 1 || !ask_end);
    wire writes = done_valid && (ROWS != 1 || !done_first);
    for (genvar r = 0; r < PARTIALS; r++) begin : g_row
      assign written[r*VALUES+:VALUES] = done[r*COLUMNS*ACC_BITS+:VALUES];
    end
    ram_1w1r #(.WIDTH(PARTIALS * VALUES), .DEPTH(DEPTH)) partials (
        .clk(clk), .wr_en(writes), .wr_addr(wr_place), .wr_data(written), .rd_en(reads), .rd_addr(rd_place), .rd_data(read)
    );
    always_ff @(posedge clk) begin
      if (reads) rd_place <= rd_place == PLACE_BITS'(PLACES - 1) ? '0 : rd_place + 1'b1;
      if (writes) wr_place <= wr_place == PLACE_BITS'(PLACES - 1) ? '0 : wr_place + 1'b1;
      if (asked_frame || !asked) partial <= '0;
      else partial <= read;
      if (rst) begin
        rd_place <= '0;
        wr_place <= '0;
      end
    end
  end else begin : g_whole
    assign partial = '0;
  end

  // ---- Both, by kernel row and column.
  for (genvar r = 0; r < ROWS; r++) begin : g_row
    for (genvar j = 0; j < COLUMNS; j++) begin : g_column
      localparam bit ABOVE = HEIGHT > 1 && j < PIXELS && (ROWS == 1 || r > 0);
      localparam bit LEFT  = j < CARRIED;
      localparam int ROW_ABOVE = ROWS == 1 || r == 0 ? 0 : r - 1;
      logic [ACC_BITS-1:0] start;
      if (ABOVE && LEFT) begin : g_both
        always_ff @(posedge clk) start <= carry[r*CARRY+j*ACC_BITS+:ACC_BITS] + partial[ROW_ABOVE*VALUES+j*ACC_BITS+:ACC_BITS];
      end else if (LEFT) begin : g_left
        always_ff @(posedge clk) start <= carry[r*CARRY+j*ACC_BITS+:ACC_BITS];
      end else if (ABOVE) begin : g_above
        always_ff @(posedge clk) start <= partial[ROW_ABOVE*VALUES+j*ACC_BITS+:ACC_BITS];
      end else begin : g_none
        assign start = '0;
      end
      assign waiting[(r*COLUMNS+j)*ACC_BITS+:ACC_BITS] = start;
    end
  end
  wire unused_bits = &{1'b0, carry, partial, done, asked, asked_row, asked_frame, done_valid, done_first};
endmodule
`default_nettype wire
