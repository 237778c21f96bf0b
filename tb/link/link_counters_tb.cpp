// SPDX-License-Identifier: Apache-2.0
// link_counters against counting by hand.
#include <Vcounters.h>

#include "bench.hpp"
#include "catch2.hpp"

using namespace bench;

TEST_CASE("link_counters counts events and the clocks between results", "[link]") {
  Dut<Vcounters> dut(test_seed());
  Random random(test_seed());
  dut->clear = 1, dut->frame = 0, dut->stall = 0, dut->error = 0;
  dut.tick();
  dut->clear = 0;
  std::uint64_t frames = 0, stalls = 0, errors = 0, interval = 0, last = 0;
  const auto read = [&](unsigned first) {
    std::uint64_t value = 0;
    for (unsigned i = 0; i < 4; ++i) {
      dut->index = static_cast<std::uint8_t>(first + i);
      dut.settle();
      value |= static_cast<std::uint64_t>(dut->value) << (8 * i);
    }
    return value;
  };
  for (std::uint64_t cycle = 0; cycle < 70000; ++cycle) {
    dut->frame = random.chance(0.001), dut->stall = random.chance(0.9), dut->error = random.chance(0.95);
    stalls += dut->stall, errors += dut->error;
    if (dut->frame) {
      ++frames;
      interval = cycle - last;
      last = cycle;
    }
    dut.tick();
    if (cycle % 97 != 0) continue;
    dut->frame = 0, dut->stall = 0, dut->error = 0;
    REQUIRE(read(0) == frames);
    REQUIRE(read(4) == stalls);
    if (frames > 1) REQUIRE(read(8) == interval);
    REQUIRE(read(12) == errors % 65536);
  }
  CHECK(frames > 30);
  CHECK(errors > 65536);
  dut->clear = 1;
  dut.tick();
  for (const unsigned counter : {0u, 4u, 8u, 12u}) CHECK(read(counter) == 0);
}
TEST_CASE("link_counters: an interval beyond 2^23 clocks stays there", "[link]") {
  Dut<Vcounters> dut(test_seed());
  dut->clear = 1, dut->frame = 0, dut->stall = 0, dut->error = 0;
  dut.tick();
  dut->clear = 0;
  dut.run((1U << 23) + 1000);
  dut->frame = 1;
  dut.tick();
  dut->frame = 0, dut->index = 10;
  dut.settle();
  CHECK(dut->value == 0x80);
}
