// SPDX-License-Identifier: Apache-2.0
// status_leds: ready after reset, busy from a frame's first beat to its result, error for good after an overflow.
#include <Vstatus_leds_model.h>

#include "bench.hpp"
#include "catch2.hpp"

TEST_CASE("status_leds says ready, busy and error", "[board]") {
  bench::Dut<Vstatus_leds_model> dut(test_seed());
  const auto clock = [&](bool beat_in, bool frame_out, bool overflow) {
    dut->beat_in = beat_in;
    dut->frame_out = frame_out;
    dut->overflow = overflow;
    dut.tick();
    return std::vector<bool>{dut->ready != 0, dut->busy != 0, dut->error != 0};
  };
  CHECK(clock(false, false, false) == std::vector<bool>{true, false, false});
  CHECK(clock(true, false, false) == std::vector<bool>{true, true, false});
  CHECK(clock(false, false, false) == std::vector<bool>{true, true, false});
  CHECK(clock(true, true, false) == std::vector<bool>{true, true, false});  // the next frame is already coming in
  CHECK(clock(false, true, false) == std::vector<bool>{true, false, false});
  CHECK(clock(false, false, true) == std::vector<bool>{true, false, true});
  CHECK(clock(false, false, false) == std::vector<bool>{true, false, true});
  dut.reset();
  CHECK(clock(false, false, false) == std::vector<bool>{true, false, false});
}
