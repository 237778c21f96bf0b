// SPDX-License-Identifier: Apache-2.0
// power_on_reset against the history of the button: `rst` until the button has been open for CYCLES clocks on end, two clocks later for the
// synchronizer.
#include <Vpower_16.h>
#include <Vpower_2.h>

#include "bench.hpp"
#include "catch2.hpp"

using namespace bench;

namespace {

/// Without bench::Dut, which takes `rst` for an input and spends clocks on it: the first clock after configuration counts here.
template <class Model>
void check_power(int cycles, bool pressed_at_start) {
  VerilatedContext context;
  context.randReset(2);
  context.randSeed(static_cast<int>(test_seed() % 0x7fffffffu) + 1);
  Model model(&context);
  Random random(test_seed());
  std::vector<bool> button;  // at each rising edge
  int releases = 0;
  bool down = pressed_at_start, before = true;
  for (int clock = 0; clock < 4000; ++clock) {
    model.clk = 0;
    model.button = down;
    model.eval();
    bool expected = clock < cycles;  // since configuration
    for (int back = 3; back < 3 + cycles && back <= clock; ++back) expected = expected || button[static_cast<std::size_t>(clock - back)];
    CAPTURE(clock);
    REQUIRE(model.rst == expected);
    releases += before && !expected;
    before = expected;
    button.push_back(down);
    model.clk = 1;
    model.eval();
    // Bounces, then long quiet times; nothing else in the first quarter.
    if (clock < 1000)
      down = down && clock < 5;
    else
      down = clock / (8 * cycles) % 2 == 1 ? random.chance(0.3) : random.chance(0.02);
  }
  model.final();
  CHECK(releases > 5);
}

}  // namespace

TEST_CASE("power_on_reset, 16 clocks", "[board]") {
  check_power<Vpower_16>(16, false);
  check_power<Vpower_16>(16, true);
}
TEST_CASE("power_on_reset, 2 clocks", "[board]") { check_power<Vpower_2>(2, false); }
