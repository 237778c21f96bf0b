// SPDX-License-Identifier: Apache-2.0
// map_add against integer arithmetic: mixed widths and signedness, one input waiting for the other.
#include <Vadd_mixed.h>
#include <Vadd_signed.h>
#include <Vadd_unsigned.h>
#include <Vadd_wrap.h>

#include "../stream/stalls.hpp"
#include "bench.hpp"
#include "catch2.hpp"

using namespace bench;

namespace {

struct AddCase {
  int lanes, a_bits;
  bool a_signed;
  int b_bits;
  bool b_signed;
  int out_bits;
};

std::int64_t number(const Bits& data, int lane, int bits, bool is_signed) {
  return is_signed ? data.get_signed(lane * bits, bits) : static_cast<std::int64_t>(data.get(lane * bits, bits));
}

/// Ends of the signed range and of the unsigned one in every lane, then anything.
Bits operand(Random& random, int lanes, int bits, int beat) {
  Bits data = random.bits(lanes * bits);
  for (int lane = 0; lane < lanes && beat < 4; ++lane)
    data.set(lane * bits, bits, (beat % 2 ? std::uint64_t{1} << (bits - 1) : 0) - (beat / 2 ? 1 : 0));
  return data;
}

template <class Model>
void check_add(const AddCase& map) {
  for (const PairStalls& stalls : pair_stall_cases) {
    CAPTURE(stalls.a, stalls.b, stalls.out, stalls.sink_waits);
    Dut<Model> dut(test_seed());
    Random random(test_seed());
    Source a(dut, {"a", {dut->a_valid, 1}, {dut->a_ready, 1}, {dut->a_data, map.lanes * map.a_bits}, Port{dut->a_last, 1}}, stalls.a);
    Source b(dut, {"b", {dut->b_valid, 1}, {dut->b_ready, 1}, {dut->b_data, map.lanes * map.b_bits}, Port{dut->b_last, 1}}, stalls.b);
    Sink out(dut, output_stream(dut, map.lanes * map.out_bits), stalls.out);
    if (stalls.sink_waits) out.wait_for_valid();
    const auto send = [&](int beats) {
      for (int beat = 0; beat < beats; ++beat) {
        const Bits left = operand(random, map.lanes, map.a_bits, beat), right = operand(random, map.lanes, map.b_bits, beat);
        Bits sums(map.lanes * map.out_bits);
        for (int lane = 0; lane < map.lanes; ++lane) {
          const std::int64_t sum = number(left, lane, map.a_bits, map.a_signed) + number(right, lane, map.b_bits, map.b_signed);
          sums.set(lane * map.out_bits, map.out_bits, static_cast<std::uint64_t>(sum));
        }
        const bool last = random.chance(0.2);
        a.push({left, last});
        b.push({right, last});
        out.expect({sums, last});
      }
    };
    send(20);
    REQUIRE_NOTHROW(dut.run(7));
    dut.reset();
    a.restart_count(), b.restart_count(), out.restart_count();
    send(300);
    REQUIRE_NOTHROW(dut.run_until([&] { return out.done(); }));
    REQUIRE_NOTHROW(dut.run(20));
    CHECK(a.transfers() == 300);
    CHECK(b.transfers() == 300);
    if (stalls.a == 1.0 && stalls.b == 1.0 && stalls.out == 1.0) {
      CHECK(out.span() == 300);
      CHECK(out.first_cycle() == a.first_cycle() + 1);
    }
    // One input alone goes nowhere.
    a.push({Bits(map.lanes * map.a_bits), false});
    REQUIRE_NOTHROW(dut.run(100));
    CHECK(a.transfers() == 300);
  }
}

}  // namespace

TEST_CASE("map_add, unsigned", "[layer]") { check_add<Vadd_unsigned>({1, 1, false, 1, false, 3}); }
TEST_CASE("map_add, signed, a wide result", "[layer]") { check_add<Vadd_signed>({3, 5, true, 2, true, 20}); }
TEST_CASE("map_add, unsigned and signed", "[layer]") { check_add<Vadd_mixed>({9, 8, false, 8, true, 10}); }
TEST_CASE("map_add, a sum narrower than an operand", "[layer]") { check_add<Vadd_wrap>({2, 3, true, 9, false, 6}); }
