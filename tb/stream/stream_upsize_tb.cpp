// SPDX-License-Identifier: Apache-2.0
// stream_upsize: RATIO beats become one, `last` with the group's last; one input beat per clock.
#include <Vupsize_w1_r2.h>
#include <Vupsize_w24_r8.h>
#include <Vupsize_w7_r3.h>

#include "bench.hpp"
#include "catch2.hpp"
#include "stalls.hpp"

using namespace bench;

namespace {
template <class Model>
void check_upsize(int width, int ratio) {
  for (const Stalls& stalls : stall_cases) {
    CAPTURE(stalls.in, stalls.out);
    Dut<Model> dut(test_seed());
    Random random(test_seed());
    Source in(dut, input_stream(dut, width), stalls.in);
    Sink out(dut, output_stream(dut, width * ratio), stalls.out);
    if (stalls.sink_waits) out.wait_for_valid();
    in.push({random.bits(width), false});  // a group begun, then a reset
    dut.run(30);
    dut.reset();
    for (int group = 0; group < 100; ++group) {
      const Beat wide{random.bits(width * ratio), random.chance(0.2)};
      for (int i = 0; i < ratio; ++i) in.push({wide.data.slice(i * width, width), wide.last && i == ratio - 1});
      out.expect(wide);
    }
    in.restart_count();
    REQUIRE_NOTHROW(run_stream(dut, in, out));
    if (stalls.in == 1.0 && stalls.out == 1.0) CHECK(in.span() == static_cast<std::uint64_t>(100 * ratio));
  }
}
}  // namespace

TEST_CASE("stream_upsize, 1 bit, ratio 2", "[stream]") { check_upsize<Vupsize_w1_r2>(1, 2); }
TEST_CASE("stream_upsize, 7 bits, ratio 3", "[stream]") { check_upsize<Vupsize_w7_r3>(7, 3); }
TEST_CASE("stream_upsize, 24 bits, ratio 8", "[stream]") { check_upsize<Vupsize_w24_r8>(24, 8); }
