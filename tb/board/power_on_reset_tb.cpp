// SPDX-License-Identifier: Apache-2.0
// power_on_reset: high for CYCLES clocks after configuration, and for as long after the button is let go.
// The bench's Dut drives a port named rst, which is an output here, so the model is clocked by hand.
#include <Vpower_on_reset_8.h>
#include <verilated.h>

#include "catch2.hpp"

TEST_CASE("power_on_reset holds reset, and again after each press", "[board]") {
  VerilatedContext context;
  context.randReset(2);
  context.randSeed(static_cast<int>(test_seed() % 0x7fffffffU) + 1);
  Vpower_on_reset_8 model(&context);
  const auto tick = [&] {
    model.clk = 1;
    model.eval();
    model.clk = 0;
    model.eval();
  };
  const auto clocks_high = [&] {
    int clocks = 0;
    for (; model.rst != 0 && clocks < 100; ++clocks) tick();
    return clocks;
  };
  model.clk = 0;
  model.button = 0;
  model.eval();
  CHECK(clocks_high() == 8);
  for (int i = 0; i < 20; ++i) {
    tick();
    CHECK(model.rst == 0);
  }
  model.button = 1;
  for (int i = 0; i < 5; ++i) tick();
  CHECK(model.rst == 1);
  model.button = 0;
  CHECK(clocks_high() == 10);  // two registers of the button, then eight
  model.final();
}
