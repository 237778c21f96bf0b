// SPDX-License-Identifier: Apache-2.0
// skid_buffer: the waveform of its header, order under stalls, one word per clock, and a reset with words inside.
#include <Vskid_w1.h>
#include <Vskid_w70.h>

#include "bench.hpp"
#include "catch2.hpp"
#include "stalls.hpp"

using namespace bench;

namespace {
template <class Model>
void random_traffic(int width) {
  for (const Stalls& stalls : stall_cases) {
    CAPTURE(stalls.in, stalls.out);
    Dut<Model> dut(test_seed());
    Random random(test_seed());
    Source in(dut, input_stream(dut, width), stalls.in);
    Sink out(dut, output_stream(dut, width), stalls.out);
    if (stalls.sink_waits) out.wait_for_valid();
    for (int run = 0; run < 2; ++run) {
      for (int i = 0; i < 300; ++i) {
        const Beat beat{random.bits(width)};
        in.push(beat);
        out.expect(beat);
      }
      if (run == 0) {  // a reset in the middle: what is inside is gone
        dut.run(100);
        dut.reset();
        REQUIRE(dut->out_valid == 0);
      }
    }
    out.restart_count();
    REQUIRE_NOTHROW(run_stream(dut, in, out));
    if (stalls.in == 1.0 && stalls.out == 1.0) CHECK(out.span() == 300);
  }
}
}  // namespace

TEST_CASE("skid_buffer keeps order, 1 bit", "[stream]") { random_traffic<Vskid_w1>(1); }
TEST_CASE("skid_buffer keeps order, 70 bits", "[stream]") { random_traffic<Vskid_w70>(70); }

TEST_CASE("skid_buffer has the waveform of its header", "[stream]") {
  Dut<Vskid_w1> dut(test_seed());
  const std::vector<Observe> observed = {{"in_ready ", "---_---", [&] { return dut->in_ready != 0; }},
                                         {"out_valid", "_----__", [&] { return dut->out_valid != 0; }}};
  CHECK(play(dut, {{"---____", [&](bool v) { dut->in_valid = v; }}, {"--_----", [&](bool v) { dut->out_ready = v; }}}, observed) ==
        expected(observed));
}

TEST_CASE("the monitor sees broken handshakes", "[bench]") {
  Dut<Vskid_w70> dut(test_seed());
  Monitor monitor(dut, input_stream(dut, 70));
  // Fill it, so that in_ready is low; then break the source's promise.
  dut->in_valid = 1;
  dut->out_ready = 0;
  set_bits(dut->in_data, Bits(70, 1));
  dut.run(4);
  SECTION("valid falls") { dut->in_valid = 0; }
  SECTION("data changes") { set_bits(dut->in_data, 69, Bits(1, 1)); }
  CHECK_THROWS_AS(dut.tick(), BenchError);
}
TEST_CASE("the sink sees wrong and surplus beats", "[bench]") {
  Dut<Vskid_w1> dut(test_seed());
  Source in(dut, input_stream(dut, 1));
  Sink out(dut, output_stream(dut, 1));
  in.push({Bits(1, 1)});
  SECTION("wrong") { out.expect({Bits(1, 0)}); }
  SECTION("surplus") {}
  CHECK_THROWS_AS(dut.run(10), BenchError);
}
