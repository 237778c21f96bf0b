// SPDX-License-Identifier: Apache-2.0
// stream_downsize: one beat becomes RATIO, `last` with the last part only; one output beat per clock.
#include <Vdownsize_w1_r2.h>
#include <Vdownsize_w24_r8.h>
#include <Vdownsize_w7_r3.h>

#include "bench.hpp"
#include "catch2.hpp"
#include "stalls.hpp"

using namespace bench;

namespace {
template <class Model>
void check_downsize(int width, int ratio) {
  for (const Stalls& stalls : stall_cases) {
    CAPTURE(stalls.in, stalls.out);
    Dut<Model> dut(test_seed());
    Random random(test_seed());
    Source in(dut, input_stream(dut, width * ratio), stalls.in);
    Sink out(dut, output_stream(dut, width), stalls.out);
    if (stalls.sink_waits) out.wait_for_valid();
    const auto send = [&](int words) {
      for (int word = 0; word < words; ++word) {
        const Beat wide{random.bits(width * ratio), random.chance(0.2)};
        in.push(wide);
        for (int i = 0; i < ratio; ++i) out.expect({wide.data.slice(i * width, width), wide.last && i == ratio - 1});
      }
    };
    send(20);  // a reset within a word drops its rest
    dut.run(2 * static_cast<std::uint64_t>(ratio) + 2);
    dut.reset();
    send(100);
    out.restart_count();
    REQUIRE_NOTHROW(run_stream(dut, in, out));
    if (stalls.in == 1.0 && stalls.out == 1.0) CHECK(out.span() == static_cast<std::uint64_t>(100 * ratio));
  }
}
}  // namespace

TEST_CASE("stream_downsize, 1 bit, ratio 2", "[stream]") { check_downsize<Vdownsize_w1_r2>(1, 2); }
TEST_CASE("stream_downsize, 7 bits, ratio 3", "[stream]") { check_downsize<Vdownsize_w7_r3>(7, 3); }
TEST_CASE("stream_downsize, 24 bits, ratio 8", "[stream]") { check_downsize<Vdownsize_w24_r8>(24, 8); }
