// SPDX-License-Identifier: Apache-2.0
// gap_reader against the code's own decoder: every word's place, sign, and whether it ends its task or the program, under random steps.
#include <Vgaps_all.h>
#include <Vgaps_narrow.h>
#include <Vgaps_one.h>
#include <Vgaps_order.h>
#include <Vgaps_wide.h>

#include "catch2.hpp"
#include "coefficients.hpp"

using namespace bench;

namespace {

struct Word {
  int place;
  bool counts, last, ends;
  std::uint32_t field;
};

/// What the head must show, word by word.
std::vector<Word> words_of(int span, int gap_bits, bool skips, const std::vector<std::uint32_t>& gaps, const std::vector<std::uint32_t>& fields) {
  std::vector<Word> words;
  int place = span - 1;
  std::vector<bool> starts;
  for (std::size_t i = 0; i < gaps.size(); ++i) {
    const bool skip = skips && gaps[i] == (1U << gap_bits) - 1;
    place += static_cast<int>(gaps[i]) + (skip ? 0 : 1);
    starts.push_back(place >= span);
    place %= span;
    words.push_back({place, !skip, false, i + 1 == gaps.size(), fields[i]});
  }
  for (std::size_t i = 0; i < words.size(); ++i) words[i].last = i + 1 == words.size() || starts[i + 1];
  return words;
}

template <class Model>
void check_words(const std::vector<Word>& words) {
  Random random(test_seed());
  Dut<Model> dut(test_seed());
  for (const double chance : {1.0, 0.5, 0.05}) {
    dut->step = 0;
    dut.reset(1);
    for (int clock = 0; clock < 3; ++clock) {
      REQUIRE(dut->ready == 0);
      dut.tick();
    }
    for (std::size_t at = 0; at < 3 * words.size() + 7;) {
      dut.settle();
      CAPTURE(chance, at);
      const Word& word = words[at % words.size()];
      REQUIRE(dut->ready == 1);
      REQUIRE(dut->place == static_cast<std::uint32_t>(word.place));
      REQUIRE(dut->counts == word.counts);
      if (word.counts) REQUIRE(dut->field == word.field);
      REQUIRE(dut->last == word.last);
      REQUIRE(dut->ends == word.ends);
      const bool step = random.chance(chance);
      dut->step = step;
      dut.tick();
      at += step;
    }
  }
}

template <class Model>
void check_gaps(const std::string& file, int span, int gap_bits, int count) {
  Random random(test_seed());
  bitloom::LaneCode code;
  random_gaps(span, gap_bits, count, random, code);
  write_code(file, "", gap_bits + 1, code);
  std::vector<std::uint32_t> gaps, fields;
  for (const std::uint32_t word : code.words) gaps.push_back(word >> 1), fields.push_back(word & 1);
  check_words<Model>(words_of(span, gap_bits, true, gaps, fields));
}

}  // namespace

TEST_CASE("gap_reader, 64 places, gaps of 5 bits", "[basis]") { check_gaps<Vgaps_wide>("gaps_wide.mem", 64, 5, 200); }
TEST_CASE("gap_reader, 9 places, gaps of 1 bit", "[basis]") { check_gaps<Vgaps_narrow>("gaps_narrow.mem", 9, 1, 50); }
TEST_CASE("gap_reader, one place, one word", "[basis]") { check_gaps<Vgaps_one>("gaps_one.mem", 1, 1, 1); }
TEST_CASE("gap_reader, the order of tasks: gaps without skips, fields of 3 bits", "[basis]") {
  Random random(test_seed());
  std::vector<std::uint32_t> gaps, fields;
  std::vector<Bits> image;
  for (int i = 0; i < 40; ++i) {
    gaps.push_back(random.below(4));
    fields.push_back(random.below(8));
    image.emplace_back(5, gaps.back() << 3 | fields.back());
  }
  write_image("gaps_order.mem", image);
  check_words<Vgaps_order>(words_of(6, 2, false, gaps, fields));
}
TEST_CASE("gap_reader without a memory: every place", "[basis]") {
  check_words<Vgaps_all>(words_of(3, 1, false, std::vector<std::uint32_t>(12, 0), std::vector<std::uint32_t>(12, 0)));
}
