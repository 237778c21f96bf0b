// SPDX-License-Identifier: Apache-2.0
// flash_reader - reads a design's weights from the board's SPI flash after reset and hands them to the core's memories (memory/loaded_rom)
//
// From the byte OFFSET on the flash holds, bit after bit as it sends them: the design's hash (64 bits), WORDS words of 16 bits, and the CRC-32 of all that
// (crc32_serial), each lowest bit first. Where hash or check is wrong, `wrong` rises and the reader begins again, until it finds them right.
//
//   spi_cs_n  ~~\___________/~~~ .. ~~\______________________________________/~~
//   spi_mosi  ---< AB: wake >--- .. ---< 03: read >< OFFSET, 24 bits >----------
//   spi_miso                                                      < hash, words, check >
//
// SPI mode 0, commands that every 25-series NOR flash has (JEDEC JESD216: 03h, address of 3 bytes; ABh releases it from the deep power-down in which the
// configuration leaves it). MISO is sampled just before the clock falls, half a clock of SPI after the flash saw it rise and a whole one after it sent the bit.
//
// Latency    about 2 * HALF * (16 * WORDS + 140) + WAIT clocks.
// Rate       a bit in 2 * HALF clocks.
// Reset      begins again.
`default_nettype none
module flash_reader #(
    parameter logic [23:0] OFFSET = 24'h10_0000,  // of the first byte
    parameter int          WORDS  = 1,            // of 16 bits, >= 1
    parameter logic [63:0] DESIGN_HASH = 64'd0,   // first thing in the flash
    parameter int          HALF   = 1,            // clocks of half a clock of SPI, >= 1
    parameter int          WAIT   = 1024          // clocks that the flash takes to wake up, >= 2
) (
    input  wire         clk,
    input  wire         rst,

    output logic        spi_cs_n,
    output logic        spi_sck,
    output logic        spi_mosi,
    input  wire         spi_miso,

    output logic        load_start,  // memories forget what they took; while the flash wakes up, and before each further attempt
    output logic        load_valid,
    output logic [15:0] load_data,
    output logic        loaded,      // all is there, and was right
    output logic        wrong        // the flash held something else; until loaded
);
  if (WORDS < 1) begin : g_words error_WORDS_must_be_at_least_1 check (); end
  if (HALF < 1) begin : g_half error_HALF_must_be_at_least_1 check (); end
  if (WAIT < 2) begin : g_wait error_WAIT_must_be_at_least_2 check (); end

  localparam int BITS       = 64 + 16 * WORDS + 32;  // that the flash sends
  localparam int COUNT_BITS = $clog2((BITS > WAIT ? BITS : WAIT) + 1);
  localparam int HALF_BITS  = HALF > 1 ? $clog2(HALF) : 1;
  localparam logic [31:0] RESIDUE = 32'hDEBB20E3;  // of crc32_serial, when data and check sequence were fed

  typedef enum logic [2:0] {StWake, StWait, StCommand, StRead, StEnd, StDone} state_t;
  state_t                state;
  logic [COUNT_BITS-1:0] count;    // bits, or clocks to wait, that are behind
  logic [HALF_BITS-1:0]  half;
  logic [31:0]           command;  // its next bit on top
  logic                  differs;  // from the hash

  wire moves  = half == HALF_BITS'(HALF - 1);   // SCK
  wire bit_at = moves && spi_sck;               // falls: the bit is over
  wire sends  = state == StWake || state == StCommand || state == StRead;

  logic [31:0] crc;
  crc32_serial check (.clk(clk), .clear(state == StCommand), .step(bit_at && state == StRead), .feed(1'b1), .in_bit(spi_miso), .crc(crc));

  assign spi_mosi = command[31];

  always_ff @(posedge clk) begin
    load_valid <= bit_at && state == StRead && count >= COUNT_BITS'(64) && count < COUNT_BITS'(64 + 16 * WORDS) && count[3:0] == 4'd15;
    if (bit_at) load_data <= {spi_miso, load_data[15:1]};
    load_start  <= state == StWait;
    spi_cs_n    <= !sends;

    half <= moves || !sends || spi_cs_n ? '0 : half + 1'b1;
    if (!sends || spi_cs_n) spi_sck <= 1'b0;
    else if (moves) spi_sck <= !spi_sck;

    if (bit_at) begin
      command <= {command[30:0], 1'b0};
      count   <= count + 1'b1;
      if (state == StRead && count < COUNT_BITS'(64)) differs <= differs || DESIGN_HASH[count[5:0]] != spi_miso;
    end

    unique case (state)
      StWake: if (bit_at && count == COUNT_BITS'(7)) begin
        state <= StWait;
        count <= '0;
      end
      StWait: begin
        count <= count + 1'b1;
        if (count == COUNT_BITS'(WAIT - 1)) begin
          state   <= StCommand;
          count   <= '0;
          command <= {8'h03, OFFSET};
        end
      end
      StCommand: begin
        differs <= 1'b0;
        if (bit_at && count == COUNT_BITS'(31)) begin
          state <= StRead;
          count <= '0;
        end
      end
      StRead: if (bit_at && count == COUNT_BITS'(BITS - 1)) state <= StEnd;
      StEnd: begin
        count <= '0;
        if (differs || crc != RESIDUE) begin
          state <= StWait;
          wrong <= 1'b1;
        end else begin
          state  <= StDone;
          wrong  <= 1'b0;
          loaded <= 1'b1;
        end
      end
      default: ;
    endcase

    if (rst) begin
      state    <= StWake;
      count    <= '0;
      command  <= {8'hAB, 24'd0};
      spi_cs_n <= 1'b1;
      spi_sck  <= 1'b0;
      loaded   <= 1'b0;
      wrong    <= 1'b0;
    end
  end
endmodule
`default_nettype wire
