// SPDX-License-Identifier: Apache-2.0
// pixel_order: blocks of beats leave in the order of the definition, with `last` on the last beat of a frame's last block; full rate.
#include <Vorder_1x1.h>
#include <Vorder_1x3.h>
#include <Vorder_2x3.h>
#include <Vorder_4x1.h>
#include <Vorder_4x2.h>
#include <Vorder_short.h>

#include "bench.hpp"
#include "catch2.hpp"
#include "stalls.hpp"

using namespace bench;

namespace {
template <class Model>
void check_order(int width, int all_pixels, int groups, int beats, int row = 1, int short_pixels = 0) {
  for (const Stalls& stalls : stall_cases) {
    CAPTURE(stalls.in, stalls.out, stalls.sink_waits);
    Dut<Model> dut(test_seed());
    Random random(test_seed());
    Source in(dut, input_stream(dut, width), stalls.in);
    Sink out(dut, output_stream(dut, width), stalls.out);
    if (stalls.sink_waits) out.wait_for_valid();
    const int blocks = 40, block = all_pixels * groups * beats;
    const int total = blocks * block - (short_pixels > 0 ? blocks / row * (all_pixels - short_pixels) * groups * beats : 0);
    const auto send = [&] {
      for (int i = 0; i < blocks; ++i) {
        const bool frame_ends = random.chance(0.3);
        const int pixels = short_pixels > 0 && i % row == row - 1 ? short_pixels : all_pixels;
        std::vector<Bits> data;  // in the order in which they come
        for (int at = 0; at < pixels * groups * beats; ++at) {
          data.push_back(random.bits(width));
          in.push({data.back(), frame_ends && at == pixels * groups * beats - 1});
        }
        for (int pixel = 0; pixel < pixels; ++pixel)
          for (int group = 0; group < groups; ++group)
            for (int beat = 0; beat < beats; ++beat)
              out.expect({data[static_cast<std::size_t>((group * pixels + pixel) * beats + beat)],
                          frame_ends && pixel == pixels - 1 && group == groups - 1 && beat == beats - 1});
      }
    };
    for (int round = 0; round < 3; ++round) {  // a reset within a block, with beats in both halves, starts a block
      send();
      REQUIRE_NOTHROW(dut.run(1 + random.below(static_cast<std::uint32_t>(6 * block + 4))));
      dut.reset();
    }
    in.restart_count(), out.restart_count();
    send();
    REQUIRE_NOTHROW(run_stream(dut, in, out));
    CHECK(in.transfers() == static_cast<std::uint64_t>(total));
    CHECK(out.transfers() == static_cast<std::uint64_t>(total));
    if (stalls.in == 1.0 && stalls.out == 1.0 && short_pixels == 0) {  // a block takes the clocks of the one before
      CHECK(in.span() == static_cast<std::uint64_t>(total));
      CHECK(out.span() == static_cast<std::uint64_t>(total));
      CHECK(out.first_cycle() == in.first_cycle() + static_cast<std::uint64_t>(block) + 1);
    }
    if (short_pixels > 0) continue;
    // It holds two blocks, and a beat at the output.
    out.set_probability(0);
    in.restart_count();
    for (int i = 0; i < 4 * block; ++i) in.push({random.bits(width), false});
    REQUIRE_NOTHROW(dut.run(static_cast<std::uint64_t>(100 * block)));
    CHECK(in.transfers() == static_cast<std::uint64_t>(block == 1 ? 3 : 2 * block));
  }
}
}  // namespace

TEST_CASE("pixel_order, 2 pixels, 3 groups of 2 beats", "[stream]") { check_order<Vorder_2x3>(7, 2, 3, 2); }
TEST_CASE("pixel_order, 4 pixels, 2 groups of one beat, wide", "[stream]") { check_order<Vorder_4x2>(66, 4, 2, 1); }
TEST_CASE("pixel_order, 4 pixels, one group of 3 beats: nothing to do", "[stream]") { check_order<Vorder_4x1>(5, 4, 1, 3); }
TEST_CASE("pixel_order, 1 pixel, 3 groups: nothing to do", "[stream]") { check_order<Vorder_1x3>(5, 1, 3, 1); }
TEST_CASE("pixel_order, one beat a block", "[stream]") { check_order<Vorder_1x1>(4, 1, 1, 1); }
TEST_CASE("pixel_order, 4 pixels, 2 groups, every third block of 1 pixel", "[stream]") { check_order<Vorder_short>(6, 4, 2, 1, 3, 1); }
