// SPDX-License-Identifier: Apache-2.0
// stream_fifo: order under stalls, exact capacity, latency, one word per clock when empty, half full and full.
#include <Vfifo_d1.h>
#include <Vfifo_d16.h>
#include <Vfifo_d2.h>
#include <Vfifo_d8.h>
#include <Vfifo_d9.h>

#include "bench.hpp"
#include "catch2.hpp"
#include "stalls.hpp"

using namespace bench;

namespace {
template <class Model>
void check_fifo(int width, int depth) {
  const auto fill = [&](Random& random, Source& in, Sink& out, int words) {
    for (int i = 0; i < words; ++i) {
      const Beat beat{random.bits(width)};
      in.push(beat);
      out.expect(beat);
    }
  };
  for (const Stalls& stalls : stall_cases) {
    CAPTURE(stalls.in, stalls.out);
    Dut<Model> dut(test_seed());
    Random random(test_seed());
    Source in(dut, input_stream(dut, width), stalls.in);
    Sink out(dut, output_stream(dut, width), stalls.out);
    if (stalls.sink_waits) out.wait_for_valid();
    fill(random, in, out, 100);
    dut.run(40);
    dut.reset();
    fill(random, in, out, 500);
    out.restart_count();
    REQUIRE_NOTHROW(run_stream(dut, in, out));
    if (stalls.in == 1.0 && stalls.out == 1.0) {
      CHECK(out.span() == 500);
      CHECK(out.first_cycle() - in.first_cycle() >= (depth > 8 ? 2u : 1u));
    }
  }
  // Holds exactly DEPTH words, and streams at full rate from full.
  Dut<Model> dut(test_seed());
  Random random(test_seed());
  Source in(dut, input_stream(dut, width));
  Sink out(dut, output_stream(dut, width), 0.0);
  fill(random, in, out, 3 * depth + 50);
  dut.run(static_cast<std::uint64_t>(3 * depth));
  CHECK(in.transfers() == static_cast<std::uint64_t>(depth));
  out.set_probability(1.0);
  REQUIRE_NOTHROW(run_stream(dut, in, out));
  CHECK(out.span() == out.transfers());
  CHECK(out.transfers() == static_cast<std::uint64_t>(3 * depth + 50));
}
}  // namespace

TEST_CASE("stream_fifo, depth 1", "[stream]") { check_fifo<Vfifo_d1>(5, 1); }
TEST_CASE("stream_fifo, depth 2", "[stream]") { check_fifo<Vfifo_d2>(33, 2); }
TEST_CASE("stream_fifo, depth 8", "[stream]") { check_fifo<Vfifo_d8>(9, 8); }
TEST_CASE("stream_fifo, depth 9, RAM, addresses wrap early", "[stream]") { check_fifo<Vfifo_d9>(70, 9); }
TEST_CASE("stream_fifo, depth 16, RAM", "[stream]") { check_fifo<Vfifo_d16>(4, 16); }
