// SPDX-License-Identifier: Apache-2.0
// map_crop against the definition: which pixels of a row pass, last, full rate.
#include <Vcrop_all.h>
#include <Vcrop_one.h>
#include <Vcrop_stride.h>

#include "bench.hpp"
#include "catch2.hpp"
#include "stalls.hpp"

using namespace bench;

namespace {
template <class Model>
void check_crop(int width, int chunks, int in_width, int first, int stride, int out_width, int rows) {
  for (const Stalls& stalls : stall_cases) {
    CAPTURE(stalls.in, stalls.out);
    Dut<Model> dut(test_seed());
    Random random(test_seed());
    Source in(dut, input_stream(dut, width), stalls.in);
    Sink out(dut, output_stream(dut, width), stalls.out);
    if (stalls.sink_waits) out.wait_for_valid();
    const int frames = 6;
    const auto send = [&] {
      for (int row = 0; row < frames * rows; ++row)
        for (int x = 0; x < in_width; ++x)
          for (int chunk = 0; chunk < chunks; ++chunk) {
            const Beat beat{random.bits(width), random.chance(0.1)};
            in.push(beat);
            const int column = (x - first) / stride;
            if (x < first || (x - first) % stride != 0 || column >= out_width) continue;
            out.expect({beat.data, row % rows == rows - 1 && column == out_width - 1 && chunk == chunks - 1});
          }
    };
    send();
    REQUIRE_NOTHROW(dut.run(1 + random.below(60)));  // a reset within a row starts a frame
    dut.reset();
    in.restart_count();
    send();
    REQUIRE_NOTHROW(run_stream(dut, in, out));
    if (stalls.in == 1.0 && stalls.out == 1.0) CHECK(in.span() == static_cast<std::uint64_t>(frames * rows * in_width * chunks));
  }
}
}  // namespace

TEST_CASE("map_crop, every second pixel, two chunks", "[stream]") { check_crop<Vcrop_stride>(5, 2, 9, 1, 2, 3, 2); }
TEST_CASE("map_crop, one pixel of a row", "[stream]") { check_crop<Vcrop_one>(66, 1, 4, 3, 1, 1, 1); }
TEST_CASE("map_crop, all pixels", "[stream]") { check_crop<Vcrop_all>(4, 3, 5, 0, 1, 5, 3); }
