// SPDX-License-Identifier: Apache-2.0
// pixel_block: words of one channel for blocks of pixels, against the definition; blocks back to back, at the rate of the definition.
#include <Vblock_1x4.h>
#include <Vblock_2x3.h>
#include <Vblock_4x2.h>
#include <Vblock_8x1.h>

#include "../stream/stalls.hpp"
#include "bench.hpp"
#include "catch2.hpp"

using namespace bench;

namespace {

template <class Model>
void check_blocks(int lanes, int bits, int channels, int pixels) {
  for (const Stalls& stalls : stall_cases) {
    CAPTURE(stalls.in, stalls.out);
    Dut<Model> dut(test_seed());
    Random random(test_seed());
    Source in(dut, input_stream(dut, lanes * bits), stalls.in);
    Sink out(dut, output_stream(dut, pixels * bits), stalls.out);
    if (stalls.sink_waits) out.wait_for_valid();
    const int blocks = 12, words = blocks * channels;
    const auto send = [&] {
      for (int block = 0; block < blocks; ++block) {
        std::vector<Bits> expected(static_cast<std::size_t>(channels), Bits(pixels * bits));
        for (int pixel = 0; pixel < pixels; ++pixel)
          for (int chunk = 0; chunk < channels / lanes; ++chunk) {
            const Bits beat = random.bits(lanes * bits);
            in.push({beat, false});
            for (int lane = 0; lane < lanes; ++lane)
              expected[static_cast<std::size_t>(chunk * lanes + lane)].place(pixel * bits, beat.slice(lane * bits, bits));
          }
        for (int c = 0; c < channels; ++c) out.expect({expected[static_cast<std::size_t>(c)], c == channels - 1});
      }
    };
    send();
    REQUIRE_NOTHROW(dut.run(1 + random.below(40)));  // a reset within a block starts a new one
    dut.reset();
    in.restart_count(), out.restart_count();
    send();
    REQUIRE_NOTHROW(run_stream(dut, in, out));
    CHECK(out.transfers() == static_cast<std::uint64_t>(words));
    const int clocks = channels + channels / lanes * (pixels - 1);  // of a block; a beat of a last pixel is taken in its last clock
    if (stalls.in == 1.0 && stalls.out == 1.0) CHECK(in.span() == static_cast<std::uint64_t>(blocks * clocks - (pixels == 1 ? lanes - 1 : 0)));
  }
}

}  // namespace

TEST_CASE("pixel_block, 2 channels a beat, 3 pixels", "[basis]") { check_blocks<Vblock_2x3>(2, 5, 6, 3); }
TEST_CASE("pixel_block, one beat a pixel", "[basis]") { check_blocks<Vblock_4x2>(4, 3, 4, 2); }
TEST_CASE("pixel_block, one channel", "[basis]") { check_blocks<Vblock_1x4>(1, 8, 1, 4); }
TEST_CASE("pixel_block, one pixel: narrower words", "[basis]") { check_blocks<Vblock_8x1>(8, 1, 16, 1); }
