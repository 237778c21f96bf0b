// SPDX-License-Identifier: Apache-2.0
// stream_fork: each output gets each word once, whatever the others do; one word per clock.
#include <Vfork_2.h>
#include <Vfork_3.h>

#include "bench.hpp"
#include "catch2.hpp"
#include "stalls.hpp"

using namespace bench;

namespace {
template <class Model>
void check_fork(int width, int outputs) {
  for (const Stalls& stalls : stall_cases) {
    CAPTURE(stalls.in, stalls.out);
    Dut<Model> dut(test_seed());
    Random random(test_seed());
    Source in(dut, input_stream(dut, width), stalls.in);
    std::deque<Sink> sinks;
    for (int i = 0; i < outputs; ++i) {
      sinks.emplace_back(dut, Stream{"out" + std::to_string(i), {dut->out_valid, i, 1}, {dut->out_ready, i, 1}, {dut->out_data, width}, {}},
                         i == 0 && stalls.out < 1.0 ? 0.6 : stalls.out);
      if (stalls.sink_waits) sinks.back().wait_for_valid();
    }
    const auto send = [&](int words) {
      for (int i = 0; i < words; ++i) {
        const Beat beat{random.bits(width)};
        in.push(beat);
        for (Sink& sink : sinks) sink.expect(beat);
      }
    };
    send(10);
    dut.run(5);
    dut.reset();
    send(300);
    for (Sink& sink : sinks) sink.restart_count();
    REQUIRE_NOTHROW(
        dut.run_until([&] { return in.done() && std::all_of(sinks.begin(), sinks.end(), [](const Sink& s) { return s.done(); }); }));
    dut.run(20);
    for (const Sink& sink : sinks) {
      CHECK(sink.transfers() == 300);
      if (stalls.in == 1.0 && stalls.out == 1.0) CHECK(sink.span() == 300);
    }
  }
}
}  // namespace

TEST_CASE("stream_fork, 2 outputs", "[stream]") { check_fork<Vfork_2>(8, 2); }
TEST_CASE("stream_fork, 3 outputs, 65 bits", "[stream]") { check_fork<Vfork_3>(65, 3); }
