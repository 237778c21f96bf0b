// SPDX-License-Identifier: Apache-2.0
// map_scale against integer arithmetic: single bits (bipolar maps), signed and unsigned numbers, results that wrap.
#include <Vscale_bipolar.h>
#include <Vscale_signed.h>
#include <Vscale_signed_bit.h>
#include <Vscale_unsigned.h>
#include <Vscale_wrap.h>

#include "../stream/stalls.hpp"
#include "bench.hpp"
#include "catch2.hpp"

using namespace bench;

namespace {

struct ScaleCase {
  int lanes, in_bits;
  bool in_signed;
  std::int64_t scale, offset;
  int out_bits;
};

template <class Model>
void check_scale(const ScaleCase& map) {
  for (const Stalls& stalls : stall_cases) {
    CAPTURE(stalls.in, stalls.out, stalls.sink_waits);
    Dut<Model> dut(test_seed());
    Random random(test_seed());
    Source in(dut, input_stream(dut, map.lanes * map.in_bits), stalls.in);
    Sink out(dut, output_stream(dut, map.lanes * map.out_bits), stalls.out);
    if (stalls.sink_waits) out.wait_for_valid();
    const auto send = [&](std::uint64_t beats) {
      for (std::uint64_t beat = 0; beat < beats; ++beat) {
        Bits values = random.bits(map.lanes * map.in_bits);
        if (beat < 2) {  // the ends of an unsigned range, of a signed one
          for (int lane = 0; lane < map.lanes; ++lane)
            values.set(lane * map.in_bits, map.in_bits, (beat == 0 ? std::uint64_t{1} << (map.in_bits - 1) : 0) - (lane % 2 ? 1 : 0));
        }
        Bits results(map.lanes * map.out_bits);
        for (int lane = 0; lane < map.lanes; ++lane) {
          const std::int64_t value = map.in_signed ? values.get_signed(lane * map.in_bits, map.in_bits)
                                                   : static_cast<std::int64_t>(values.get(lane * map.in_bits, map.in_bits));
          results.set(lane * map.out_bits, map.out_bits, static_cast<std::uint64_t>(value * map.scale + map.offset));
        }
        const bool last = random.chance(0.2);
        in.push({values, last});
        out.expect({results, last});
      }
    };
    send(20);
    REQUIRE_NOTHROW(dut.run(7));
    dut.reset();
    in.restart_count();
    out.restart_count();
    send(300);
    REQUIRE_NOTHROW(run_stream(dut, in, out));
    if (stalls.in == 1.0 && stalls.out == 1.0) {
      CHECK(out.span() == 300);
      CHECK(out.first_cycle() == in.first_cycle() + 1);
    }
  }
}

}  // namespace

TEST_CASE("map_scale, a bipolar map", "[layer]") { check_scale<Vscale_bipolar>({5, 1, false, 6, -3, 3}); }
TEST_CASE("map_scale, one signed bit", "[layer]") { check_scale<Vscale_signed_bit>({1, 1, true, 5, 2, 4}); }
TEST_CASE("map_scale, unsigned, negative factor", "[layer]") { check_scale<Vscale_unsigned>({3, 4, false, -7, 11, 8}); }
TEST_CASE("map_scale, signed, wide result", "[layer]") { check_scale<Vscale_signed>({2, 6, true, 100003, -70000, 40}); }
TEST_CASE("map_scale, a result narrower than the input", "[layer]") { check_scale<Vscale_wrap>({2, 9, true, 3, -1, 5}); }
