// SPDX-License-Identifier: Apache-2.0
// lane_shifter: every beat of values in its clock, with its info and the mark of the last; values as close as allowed and with random gaps.
#include <Vlanes_all.h>
#include <Vlanes_one.h>
#include <Vlanes_pairs.h>
#include <Vlanes_short.h>

#include <deque>

#include "bench.hpp"
#include "catch2.hpp"

using namespace bench;

namespace {

struct LaneBeat {
  std::uint64_t cycle;
  Bits values, info;
  bool last;
};

template <class Model>
void check_shifter(int count, int lanes, int bits, int info_bits, int short_count = 0) {
  Dut<Model> dut(test_seed());
  Random random(test_seed());
  std::deque<LaneBeat> expected;
  const int beats = count / lanes;
  const std::uint64_t latency = beats > 1 ? 1 : 0;
  const auto clock = [&](bool valid, bool is_short = false) {
    const int given = is_short ? short_count / lanes : beats;
    const Bits values = random.bits(count * bits), info = random.bits(info_bits);  // without valid, anything
    dut->in_valid = valid;
    dut->in_short = valid ? is_short : random.chance(0.5);
    set_bits(dut->in_values, values);
    set_bits(dut->in_info, info);
    for (int beat = 0; valid && beat < given; ++beat)
      expected.push_back({dut.cycle() + latency + static_cast<std::uint64_t>(beat), values.slice(beat * lanes * bits, lanes * bits), info,
                          beat == given - 1});
    dut.settle();
    const bool due = !expected.empty() && expected.front().cycle == dut.cycle();
    REQUIRE(dut->out_valid == due);
    if (due) {
      const LaneBeat& beat = expected.front();
      REQUIRE(get_bits(dut->out_values, lanes * bits).hex() == beat.values.hex());
      REQUIRE(get_bits(dut->out_info, info_bits).hex() == beat.info.hex());
      REQUIRE(dut->out_last == beat.last);
      expected.pop_front();
    }
    dut.tick();
  };
  const auto send = [&](double gap) {
    while (random.chance(gap)) clock(false);
    const bool is_short = short_count > 0 && random.chance(0.5);
    clock(true, is_short);
    return is_short ? short_count / lanes : beats;
  };
  for (const double gap : {0.0, 0.3, 0.9}) {
    CAPTURE(gap);
    for (int i = 0; i < 200; ++i) {
      const int given = send(gap);
      if (i == 100) {  // a reset drops the beats that are still to come
        dut->in_valid = 0;
        dut.reset();
        expected.clear();
        for (int j = 0; j < beats + 2; ++j) clock(false);
        continue;
      }
      for (int beat = 1; beat < given; ++beat) clock(false);
    }
    for (int i = 0; i < beats + 2; ++i) clock(false);
    REQUIRE(expected.empty());
  }
}

}  // namespace

TEST_CASE("lane_shifter, one lane of six", "[layer]") { check_shifter<Vlanes_one>(6, 1, 5, 3); }
TEST_CASE("lane_shifter, two lanes of eight, wide", "[layer]") { check_shifter<Vlanes_pairs>(8, 2, 19, 1); }
TEST_CASE("lane_shifter, all lanes at once", "[layer]") { check_shifter<Vlanes_all>(3, 3, 7, 2); }
TEST_CASE("lane_shifter, two lanes of eight, sometimes of four", "[layer]") { check_shifter<Vlanes_short>(8, 2, 5, 2, 4); }
