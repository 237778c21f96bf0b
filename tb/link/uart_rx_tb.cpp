// SPDX-License-Identifier: Apache-2.0
// uart_rx: every byte, back to back, from senders that are a little fast or slow; framing errors, breaks, glitches, overflow.
#include <Vuart_rx_12.h>
#include <Vuart_rx_4.h>
#include <Vuart_rx_8.h>

#include "bench.hpp"
#include "catch2.hpp"
#include "serial.hpp"

using namespace bench;

namespace {
template <class Model>
struct Line {
  Dut<Model> dut{test_seed()};
  SerialSender line;
  Sink out{dut, output_stream(dut, 8)};
  int framing_errors = 0, overflows = 0;

  explicit Line(double clocks_per_bit) : line(dut, {dut->rx, 1}, clocks_per_bit) { dut.run(10); }
  void send(unsigned byte, bool arrives = true) {
    line.send(static_cast<std::uint8_t>(byte));
    if (arrives) out.expect({Bits(8, byte)});
  }
  void run(int cycles) {
    for (int i = 0; i < cycles; ++i) {
      dut.tick();
      framing_errors += dut->framing_error;
      overflows += dut->overflow;
    }
  }
  void drain() {
    while (!line.done()) run(1);
    run(200);
  }
};

template <class Model>
void all_bytes(double clocks_per_bit) {
  Line<Model> test(clocks_per_bit);
  Random random(test_seed());
  for (unsigned byte = 0; byte < 256; ++byte) {
    test.send(byte);
    if (random.chance(0.3)) test.line.idle(1 + static_cast<int>(random.below(3)));
  }
  REQUIRE_NOTHROW(test.drain());
  CHECK(test.out.done());
  CHECK(test.framing_errors == 0);
  CHECK(test.overflows == 0);
}
}  // namespace

TEST_CASE("uart_rx takes every byte", "[link]") {
  all_bytes<Vuart_rx_12>(12.0);
  all_bytes<Vuart_rx_4>(4.0);
  all_bytes<Vuart_rx_8>(25.0 / 3.0);
}
TEST_CASE("uart_rx takes bytes from a clock that is 3 % off", "[link]") {
  all_bytes<Vuart_rx_12>(12.0 * 1.03);
  all_bytes<Vuart_rx_12>(12.0 * 0.97);
}
TEST_CASE("uart_rx reports a missing stop bit and a break once, and goes on", "[link]") {
  Line<Vuart_rx_12> test(12.0);
  test.send(0x55);
  test.line.send(0x0f, false);
  test.line.idle(2);
  test.send(0xaa);
  for (int i = 0; i < 3; ++i) test.line.send(0x00, false);  // 30 bit times low
  test.line.idle(2);
  test.send(0x33);
  REQUIRE_NOTHROW(test.drain());
  CHECK(test.out.done());
  CHECK(test.framing_errors == 2);
}
TEST_CASE("uart_rx ignores a glitch", "[link]") {
  Line<Vuart_rx_12> test(12.0);
  test.dut->rx = 0;
  test.dut.settle();
  for (int i = 0; i < 4; ++i) {  // shorter than half a bit
    test.dut->rx = 0;
    test.dut->clk = 1;
    test.dut.settle();
    test.dut->clk = 0;
    test.dut.settle();
  }
  test.run(200);
  test.send(0x5a);
  REQUIRE_NOTHROW(test.drain());
  CHECK(test.out.done());
  CHECK(test.framing_errors == 0);
}
TEST_CASE("uart_rx keeps the old byte when nobody takes it", "[link]") {
  Line<Vuart_rx_12> test(12.0);
  test.out.set_probability(0.0);
  test.send(0x11);
  test.send(0x22, false);
  REQUIRE_NOTHROW(test.drain());
  CHECK(test.overflows == 1);
  test.out.set_probability(1.0);
  test.run(5);
  CHECK(test.out.done());
}
