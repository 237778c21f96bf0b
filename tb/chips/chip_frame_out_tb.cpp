// SPDX-License-Identifier: Apache-2.0
// chip_frame_out: what is on the line is the frame, symbol by symbol, each as long as it should be, and the line is invalid between frames.
#include <Vout_1.h>
#include <Vout_3.h>
#include <Vout_8.h>

#include "bench.hpp"
#include "catch2.hpp"
#include "chips/frames.hpp"

using namespace bench;

namespace {
template <class Model>
void check_frames(int lanes, int clocks, int header, int width) {
  CAPTURE(lanes, clocks, header, width);
  Dut<Model> dut(test_seed());
  Random random(test_seed());
  dut->start = 0;
  for (int trial = 0; trial < 60; ++trial) {
    const Bits head = random.bits(header);
    std::vector<Bits> words(random.below(5));
    for (Bits& word : words) word = random.bits(width);
    for (std::uint32_t wait = random.below(3) == 0 ? random.below(20) : 0; wait > 0; --wait) dut.tick();
    const chips::Symbols expected = chips::frame(head, words, lanes);
    chips::Symbols found;
    std::size_t taken = 0;
    int invalid = 0;
    bool started = false;
    for (int clock = 0; found.size() < expected.size() * static_cast<std::size_t>(clocks) || dut->idle == 0; ++clock) {
      REQUIRE(clock < 10000);
      set_bits(dut->header, head);
      dut->count = static_cast<std::uint8_t>(words.size());
      set_bits(dut->word, taken < words.size() ? words[taken] : random.bits(width));
      dut->start = !started && dut->idle;
      started = started || dut->start != 0;
      dut.settle();
      const bool valid = (dut->line >> lanes & 1) != 0;
      if (valid) found.push_back(dut->line & ((1U << lanes) - 1));
      if (!valid && found.empty() && started) ++invalid;
      taken += dut->word_take != 0 ? 1U : 0U;
      dut.tick();
      dut->start = 0;
      dut.settle();
    }
    CHECK(invalid >= clocks);
    CHECK(taken == words.size());
    REQUIRE(found.size() == expected.size() * static_cast<std::size_t>(clocks));
    for (std::size_t i = 0; i < found.size(); ++i) REQUIRE(found[i] == expected[i / static_cast<std::size_t>(clocks)]);
  }
}
}  // namespace

TEST_CASE("chip_frame_out", "[chips]") {
  check_frames<Vout_1>(1, 1, 13, 7);
  check_frames<Vout_3>(3, 4, 9, 31);
  check_frames<Vout_8>(8, 2, 16, 8);
}
