// SPDX-License-Identifier: Apache-2.0
// stream_join: word n of the output is word n of every input; one word per clock.
#include <Vjoin_2.h>
#include <Vjoin_3.h>

#include "bench.hpp"
#include "catch2.hpp"
#include "stalls.hpp"

using namespace bench;

namespace {
template <class Model>
void check_join(int width, int inputs) {
  for (const Stalls& stalls : stall_cases) {
    CAPTURE(stalls.in, stalls.out);
    Dut<Model> dut(test_seed());
    Random random(test_seed());
    std::deque<Source> sources;
    for (int i = 0; i < inputs; ++i) {
      sources.emplace_back(
          dut, Stream{"in" + std::to_string(i), {dut->in_valid, i, 1}, {dut->in_ready, i, 1}, {dut->in_data, i * width, width}, {}},
          i == 0 && stalls.in < 1.0 ? 0.8 : stalls.in);
    }
    Sink out(dut, output_stream(dut, width * inputs), stalls.out);
    if (stalls.sink_waits) out.wait_for_valid();
    for (int n = 0; n < 300; ++n) {
      const Beat wide{random.bits(width * inputs)};
      for (int i = 0; i < inputs; ++i) sources[static_cast<std::size_t>(i)].push({wide.data.slice(i * width, width)});
      out.expect(wide);
    }
    REQUIRE_NOTHROW(dut.run_until([&] { return out.done(); }));
    dut.run(20);
    for (const Source& source : sources) CHECK(source.transfers() == 300);
    if (stalls.in == 1.0 && stalls.out == 1.0) CHECK(out.span() == 300);
  }
}
}  // namespace

TEST_CASE("stream_join, 2 inputs", "[stream]") { check_join<Vjoin_2>(8, 2); }
TEST_CASE("stream_join, 3 inputs", "[stream]") { check_join<Vjoin_3>(23, 3); }
