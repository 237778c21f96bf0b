// SPDX-License-Identifier: Apache-2.0
// map_concat: beats of a and b in turn, as channels of a pixel and as whole frames; last of b alone counts.
#include <Vconcat_1_1.h>
#include <Vconcat_1_5.h>
#include <Vconcat_3_2.h>
#include <Vconcat_4_1.h>

#include "bench.hpp"
#include "catch2.hpp"
#include "stalls.hpp"

using namespace bench;

namespace {
template <class Model>
void check_concat(int width, int a_beats, int b_beats) {
  for (const PairStalls& stalls : pair_stall_cases) {
    CAPTURE(stalls.a, stalls.b, stalls.out, stalls.sink_waits);
    Dut<Model> dut(test_seed());
    Random random(test_seed());
    Source a(dut, {"a", {dut->a_valid, 1}, {dut->a_ready, 1}, {dut->a_data, width}, Port{dut->a_last, 1}}, stalls.a);
    Source b(dut, {"b", {dut->b_valid, 1}, {dut->b_ready, 1}, {dut->b_data, width}, Port{dut->b_last, 1}}, stalls.b);
    Sink out(dut, output_stream(dut, width), stalls.out);
    if (stalls.sink_waits) out.wait_for_valid();
    const int turns = 100;
    const auto send = [&] {
      for (int turn = 0; turn < turns; ++turn) {
        for (int beat = 0; beat < a_beats; ++beat) {
          const Bits data = random.bits(width);
          a.push({data, random.chance(0.3)});
          out.expect({data, false});
        }
        const bool frame_ends = random.chance(0.2);
        for (int beat = 0; beat < b_beats; ++beat) {
          const Beat data{random.bits(width), frame_ends && beat == b_beats - 1};
          b.push(data);
          out.expect(data);
        }
      }
    };
    send();
    REQUIRE_NOTHROW(dut.run(3 + random.below(20)));  // a reset within a turn starts with a
    dut.reset();
    a.restart_count(), b.restart_count(), out.restart_count();
    send();
    REQUIRE_NOTHROW(dut.run_until([&] { return out.done(); }));
    REQUIRE_NOTHROW(dut.run(20));
    CHECK(a.transfers() == static_cast<std::uint64_t>(turns * a_beats));
    CHECK(b.transfers() == static_cast<std::uint64_t>(turns * b_beats));
    if (stalls.a == 1.0 && stalls.b == 1.0 && stalls.out == 1.0) {
      CHECK(out.span() == static_cast<std::uint64_t>(turns * (a_beats + b_beats)));
      CHECK(out.first_cycle() == a.first_cycle() + 1);
    }
    // b waits for its turn.
    b.push({Bits(width), false});
    REQUIRE_NOTHROW(dut.run(100));
    CHECK(b.transfers() == static_cast<std::uint64_t>(turns * b_beats));
  }
}
}  // namespace

TEST_CASE("map_concat, one beat of each, one bit", "[stream]") { check_concat<Vconcat_1_1>(1, 1, 1); }
TEST_CASE("map_concat, 3 and 2 beats", "[stream]") { check_concat<Vconcat_3_2>(66, 3, 2); }
TEST_CASE("map_concat, 1 and 5 beats", "[stream]") { check_concat<Vconcat_1_5>(7, 1, 5); }
TEST_CASE("map_concat, 4 and 1 beats", "[stream]") { check_concat<Vconcat_4_1>(8, 4, 1); }
