// A C interface to one verilated board with a serial line at its pins, compiled per design into a shared library that `bitloom board`
// loads. The line's other end is here, so that the loop over clocks stays inside.
#include <Vboard_pins.h>
#include <verilated.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "flash_model.hpp"

namespace {

struct Board {
  VerilatedContext context;
  std::unique_ptr<Vboard_pins> top;
  double clocks_per_bit = 1;
  // To the board: bits of the byte under way, stop bit last.
  unsigned sending = 0;  // bits left
  unsigned send_bits = 0;
  double send_time = 0;
  // From the board
  int receiving = -1;  // bits sampled, the start bit included; -1: idle
  unsigned receive_bits = 0;
  double receive_time = 0;
  std::unique_ptr<bitloom::FlashModel> flash;
};

}  // namespace

extern "C" {

void* bitloom_board_create(unsigned seed, double clocks_per_bit) {
  auto* board = new Board;
  board->context.randReset(2);
  board->context.randSeed(static_cast<int>(seed % 0x7fffffffU) + 1);
  board->top = std::make_unique<Vboard_pins>(&board->context);
  board->clocks_per_bit = clocks_per_bit;
  board->top->clk = 0;
  board->top->rx = 1;
  board->top->eval();
  return board;
}

/// What the board's flash holds from byte `offset` on. Without it the flash is erased.
void bitloom_board_flash(void* handle, const std::uint8_t* contents, unsigned count, unsigned offset) {
  constexpr int kWake = 100;  // clocks: 8 us at 12 MHz
  static_cast<Board*>(handle)->flash =
      std::make_unique<bitloom::FlashModel>(std::vector<std::uint8_t>(contents, contents + count), offset, kWake);
}

/// Runs `clocks` clocks, feeding the line from `in` as it takes bytes, and stops early when `out` is full. Adds to what the pointers count.
void bitloom_board_run(void* handle, long long clocks, const std::uint8_t* in, unsigned in_count, unsigned* in_used, std::uint8_t* out,
                       unsigned out_room, unsigned* out_count, long long* clocks_run, long long* frames) {
  Board& board = *static_cast<Board*>(handle);
  Vboard_pins& top = *board.top;
  for (long long clock = 0; clock < clocks && *out_count < out_room; ++clock) {
    if (board.sending == 0 && *in_used < in_count) {
      board.send_bits = 0x200U | static_cast<unsigned>(in[(*in_used)++]) << 1;
      board.sending = 10;
    }
    if (board.sending > 0) {
      top.rx = board.send_bits & 1U;
      board.send_time += 1;
      if (board.send_time >= board.clocks_per_bit) {
        board.send_time -= board.clocks_per_bit;
        board.send_bits >>= 1;
        --board.sending;
      }
    } else {
      top.rx = 1;
    }
#ifdef BITLOOM_FLASH
    top.flash_miso = board.flash == nullptr || board.flash->pins(top.flash_cs_n, top.flash_sck, top.flash_mosi);
#endif
    top.eval();
    *frames += top.frame;
    if (board.receiving < 0 && !top.tx) {
      board.receiving = 0;
      board.receive_time = -1;
      board.receive_bits = 0;
    }
    if (board.receiving >= 0) {
      board.receive_time += 1;
      if (board.receive_time >= (board.receiving + 0.5) * board.clocks_per_bit - 0.5) {
        board.receive_bits |= static_cast<unsigned>(top.tx) << board.receiving;
        if (++board.receiving == 10) {
          board.receiving = -1;
          if ((board.receive_bits & 0x200U) != 0) out[(*out_count)++] = static_cast<std::uint8_t>(board.receive_bits >> 1);
        }
      }
    }
    top.clk = 1;
    top.eval();
    top.clk = 0;
    ++*clocks_run;
  }
}

/// Whether a byte is under way in either direction.
int bitloom_board_busy(void* handle) {
  const Board& board = *static_cast<const Board*>(handle);
  return board.sending > 0 || board.receiving >= 0;
}

void bitloom_board_destroy(void* handle) {
  auto* board = static_cast<Board*>(handle);
  board->top->final();
  delete board;
}
}
