// SPDX-License-Identifier: Apache-2.0
// program_reader against the program that was written: every word with its place in run, group and window, and its weight index, under
// random steps; ready in the third clock after reset, and a word in every clock from then on.
#include <Vprogram_groups.h>
#include <Vprogram_mixed.h>
#include <Vprogram_one.h>
#include <Vprogram_passes.h>

#include "bench.hpp"
#include "catch2.hpp"
#include "programs.hpp"

using namespace bench;

namespace {

template <class Model>
void check_program(const TestProgram& program) {
  Random random(test_seed());
  const std::vector<TestProgram::Word> words = program.make(1 << program.offset_bits, random);
  Dut<Model> dut(test_seed());
  for (const double chance : {1.0, 0.5, 0.05}) {
    CAPTURE(program.name, chance);
    for (int round = 0; round < 3; ++round) {  // a reset within a window starts the program again
      dut->step = 0;
      dut.reset(1);
      for (int clock = 0; clock < 2; ++clock) {
        REQUIRE(dut->ready == 0);
        dut.tick();
      }
      const std::size_t steps = round == 2 ? 6 * words.size() + 50 : 1 + random.below(static_cast<std::uint32_t>(2 * words.size()));
      for (std::size_t at = 0; at < steps;) {
        dut.settle();
        REQUIRE(dut->ready == 1);
        const TestProgram::Word& word = words[at % words.size()];
        CAPTURE(at);
        REQUIRE(get_bits(dut->offset, program.offset_bits).value() == static_cast<std::uint64_t>(word.offset));
        REQUIRE(dut->index == static_cast<std::uint32_t>(word.index));
        REQUIRE(dut->run_first == word.run_first);
        REQUIRE(dut->run_last == word.run_last);
        REQUIRE(dut->group_first == word.group_first);
        REQUIRE(dut->group_last == word.group_last);
        REQUIRE(dut->window_last == word.window_last);
        REQUIRE(get_bits(dut->fields, program.field_bits).value() == word.fields);
        const bool step = random.chance(chance);
        dut->step = step;
        dut.tick();
        at += step;
      }
    }
  }
}

}  // namespace

TEST_CASE("program_reader, one word", "[layer]") { check_program<Vprogram_one>({"program_one", {{{1}}}, 1, 0, 1, 1}); }
TEST_CASE("program_reader, groups without run words, repeated control words", "[layer]") {
  check_program<Vprogram_groups>({"program_groups", {{{4}}, {{2}}, {{4}}, {{2}}}, 6, 0, 5, 2});
}
TEST_CASE("program_reader, runs of one word and more, groups of one run and more", "[layer]") {
  check_program<Vprogram_mixed>({"program_mixed", {{{3}, {1}, {1}}, {{2}}, {{40}, {1}}, {{1}}, {{1}}}, 50, 8, 30, 7});
}
TEST_CASE("program_reader, two and three passes over the same weights, repeated run words", "[layer]") {
  check_program<Vprogram_passes>(
      {"program_passes", {{{3, true}, {3, true}, {3}, {1, true}, {1}}, {{3, true}, {3, true}, {3}, {1, true}, {1}}}, 11, 5, 4, 3});
}
