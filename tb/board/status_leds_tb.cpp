// SPDX-License-Identifier: Apache-2.0
// status_leds against what was seen since the last reset: busy from a beat in until a result leaves, error from the first loss on.
#include <Vstatus_leds.h>

#include "bench.hpp"
#include "catch2.hpp"

using namespace bench;

TEST_CASE("status_leds shows reset, images and losses", "[board]") {
  Dut<Vstatus_leds> dut(test_seed());
  Random random(test_seed());
  bool in_reset = true, inside = false, lost = false;  // after the last clock
  dut->rst = 1, dut->beat_in = 0, dut->frame_out = 0, dut->link_error = 0;
  dut.tick();
  for (int cycle = 0; cycle < 5000; ++cycle) {
    dut->rst = random.chance(0.02), dut->link_error = random.chance(0.02);
    dut->beat_in = random.chance(0.2), dut->frame_out = random.chance(0.2);
    dut.settle();
    REQUIRE(dut->ready == !in_reset);
    REQUIRE(dut->busy == inside);
    REQUIRE(dut->error == lost);
    in_reset = dut->rst;
    if (dut->beat_in)
      inside = true;  // the next image's, if a result leaves in the same clock
    else if (dut->frame_out)
      inside = false;
    if (dut->link_error) lost = true;
    if (in_reset) inside = lost = false;
    dut.tick();
  }
}
