// SPDX-License-Identifier: Apache-2.0
// window_reader against the address formula: the word at base + offset of every window, its flags and its program index, under random gaps
// of input and credit; groups are not interrupted; nothing is overwritten before it is read; full rate where the neighbours allow it.
#include <Vreader_column.h>
#include <Vreader_direct.h>
#include <Vreader_four.h>
#include <Vreader_kernel.h>
#include <Vreader_late.h>
#include <Vreader_late_skip.h>
#include <Vreader_pair.h>
#include <Vreader_pixels.h>
#include <Vreader_point.h>
#include <Vreader_runs.h>
#include <Vreader_shared.h>
#include <Vreader_shared_skip.h>
#include <Vreader_skip.h>

#include <deque>

#include "bench.hpp"
#include "catch2.hpp"
#include "programs.hpp"

using namespace bench;

namespace {

struct ReaderCase {
  TestProgram program;
  int width, extent, out_height, out_width, step_x, step_row, step_frame;
  int pixels = 1, pixel_step = 1;
  bool shared = false;     // words are written between groups, a clock each
  bool registered = true;  // the index comes a clock earlier
  int frame_words() const { return out_height * (out_width - 1) * step_x + (out_height - 1) * step_row + step_frame; }
  int windows() const { return out_height * out_width; }
  int frame_clocks() const {
    return windows() * program.words() + (shared ? frame_words() + windows() * static_cast<int>(program.groups.size()) : 0);
  }
};

struct Issue {
  Bits words;  // of all pixels
  TestProgram::Word flags;
  bool frame;
};

/// Counts words and groups as they are issued.
template <class Model>
class Issued : public Agent {
 public:
  explicit Issued(Dut<Model>& dut) : dut_(dut) { dut.attach(*this); }
  void observe(std::uint64_t cycle) override {
    const auto check = [&](bool good, const char* what) {
      if (!good) throw BenchError("cycle " + std::to_string(cycle) + ": " + what);
    };
    check(dut_->busy + dut_->starved + dut_->stalled == 1, "not exactly one of busy, starved, stalled");
    check(!(dut_->stalled && dut_->credit), "stalled with credit");
    check(!dut_->group_start || (dut_->busy && dut_->credit), "a group starts without credit");
    words += dut_->busy;
    groups += dut_->group_start;
  }
  void reset() override { words = groups = 0; }
  std::uint64_t words = 0, groups = 0;

 private:
  Dut<Model>& dut_;
};

template <class Model>
void check_reader(const ReaderCase& reader) {
  Random random(test_seed());
  const int last_offset = reader.extent - (reader.pixels - 1) * reader.pixel_step;
  const std::vector<TestProgram::Word> program = reader.program.make(last_offset, random);

  struct Chances {
    double in, credit;
  };
  for (const Chances& chances : {Chances{1, 1}, Chances{0.3, 1}, Chances{1, 0.3}, Chances{0.6, 0.6}, Chances{0.05, 1}}) {
    CAPTURE(reader.program.name, chances.in, chances.credit);
    Dut<Model> dut(test_seed());
    Source in(dut, input_stream(dut, reader.width), chances.in);
    Issued issued(dut);
    dut->credit = 0;
    for (int round = 0; round < 2; ++round) {  // the second after a reset with words under way
      const int frames = 6 + 600 / std::max(reader.frame_clocks(), reader.frame_words());
      std::vector<Bits> words;
      for (int i = 0; i < frames * reader.frame_words(); ++i) {
        words.push_back(random.bits(reader.width));
        in.push({words.back(), false});
      }
      std::deque<Issue> expected;
      std::size_t base = 0;
      for (int f = 0; f < frames; ++f)
        for (int y = 0; y < reader.out_height; ++y)
          for (int x = 0; x < reader.out_width; ++x) {
            for (const TestProgram::Word& word : program) {
              std::vector<Bits> read;
              for (int i = 0; i < reader.pixels; ++i)
                read.push_back(words[base + static_cast<std::size_t>(word.offset + i * reader.pixel_step)]);
              expected.push_back({concat(read), word, word.window_last && y == reader.out_height - 1 && x == reader.out_width - 1});
            }
            const bool row_ends = x == reader.out_width - 1, frame_ends = row_ends && y == reader.out_height - 1;
            base += static_cast<std::size_t>(frame_ends ? reader.step_frame : row_ends ? reader.step_row : reader.step_x);
          }

      // A window cannot be read before its words came, and a group runs through.
      int index_1 = 0, index_2 = 0;  // of one and two clocks ago
      bool in_group = false;
      std::uint64_t begin = 0, end = 0;
      const std::size_t total = expected.size(), frame = total / static_cast<std::size_t>(frames);
      for (std::uint64_t i = 0; !expected.empty(); ++i) {
        if (i > 200000) FAIL("the words do not come");
        if (round == 0 && total - expected.size() > total / 2) break;
        dut->credit = random.chance(chances.credit);
        REQUIRE_NOTHROW(dut.tick());  // what follows is after the edge, before the inputs change
        if (total - expected.size() <= 2 * frame) begin = i;
        if (total - expected.size() <= static_cast<std::size_t>(frames - 1) * frame) end = i;
        if (dut->word_valid) {
          const auto [data, flags, frame_last] = expected.front();
          const bool same = get_bits(dut->word_data, 0, reader.pixels * reader.width) == data && (reader.registered ? index_2 : index_1) == flags.index &&
                            (dut->word_first != 0) == flags.run_first && (dut->word_last != 0) == flags.run_last &&
                            (dut->group_first != 0) == flags.group_first && (dut->group_last != 0) == flags.group_last &&
                            (dut->frame_last != 0) == frame_last &&
                            get_bits(dut->run_fields, reader.program.field_bits).value() == flags.fields;
          CAPTURE(total - expected.size(), flags.index, index_2, flags.offset);
          if (!same) FAIL("a word, its index or a flag is wrong");
          expected.pop_front();
          in_group = !(flags.run_last && flags.group_last);
        } else if (in_group) {
          FAIL("a group was interrupted");
        }
        index_2 = index_1;
        index_1 = dut->word_index;
      }
      if (round == 1) {
        dut.run(20);
        CHECK(dut->word_valid == 0);
        CHECK(issued.groups == static_cast<std::uint64_t>(frames * reader.out_height * reader.out_width) * reader.program.groups.size());
        CHECK(issued.words == total);
        if (chances.in == 1 && chances.credit == 1)
          CHECK(static_cast<double>(end - begin) <= 1.01 * (frames - 3) * std::max(reader.frame_clocks(), reader.frame_words()));
      }
      dut.reset();
    }
  }
}

}  // namespace

TEST_CASE("window_reader, 3x3 windows, two groups of two passes, repeated program", "[layer]") {
  check_reader<Vreader_kernel>({{"reader_kernel", {{{9, true}, {9}}, {{9, true}, {9}}}, 9, 2, 4, 3}, 9, 15, 4, 4, 1, 3, 15});
}
TEST_CASE("window_reader, no register behind the buffer", "[layer]") {
  check_reader<Vreader_direct>(
      {{"reader_direct", {{{4}, {1}, {2}}, {{3, true}, {3, true}, {3}}, {{1, true}, {1}}}, 18, 8, 4, 5}, 33, 13, 3, 2, 2, 4, 13, 2, 1, false, false});
}
TEST_CASE("window_reader, one word a window", "[layer]") {
  check_reader<Vreader_point>({{"reader_point", {{{1}}}, 1, 0, 1, 1}, 5, 1, 2, 3, 1, 1, 1});
}
TEST_CASE("window_reader, one word a window, rows of two windows", "[layer]") {  // a row's end is asked for in the clock after the one before it
  check_reader<Vreader_pair>({{"reader_pair", {{{1}}}, 1, 0, 1, 1}, 5, 1, 3, 2, 1, 2, 3});
}
TEST_CASE("window_reader, one word a window, rows of one window", "[layer]") {
  check_reader<Vreader_column>({{"reader_column", {{{1}}}, 1, 0, 1, 1}, 5, 1, 3, 1, 1, 2, 3});
}
TEST_CASE("window_reader, base overtakes what is written; depth no power of two", "[layer]") {
  check_reader<Vreader_skip>({{"reader_skip", {{{3}}}, 3, 0, 3, 1}, 70, 7, 3, 2, 9, 40, 290});
}
TEST_CASE("window_reader, words written a clock later, 3x3 windows, two groups of two passes, repeated program", "[layer]") {
  check_reader<Vreader_late>({{"reader_late", {{{9, true}, {9}}, {{9, true}, {9}}}, 9, 2, 4, 3}, 9, 15, 4, 4, 1, 3, 15});
}
TEST_CASE("window_reader, words written a clock later, base overtakes what is written; depth no power of two", "[layer]") {
  check_reader<Vreader_late_skip>({{"reader_late_skip", {{{3}}}, 3, 0, 3, 1}, 70, 7, 3, 2, 9, 40, 290});
}
TEST_CASE("window_reader, runs of different lengths, groups of different numbers of runs, repeats", "[layer]") {
  check_reader<Vreader_runs>(
      {{"reader_runs", {{{4}, {1}, {2}}, {{3, true}, {3, true}, {3}}, {{1, true}, {1}}}, 18, 8, 4, 5}, 33, 12, 3, 2, 2, 4, 12});
}
TEST_CASE("window_reader, 2 pixels, 3 groups without run words", "[layer]") {
  check_reader<Vreader_pixels>({{"reader_pixels", {{{5}}, {{5}}, {{5}}}, 5, 0, 4, 2}, 6, 12, 3, 2, 6, 7, 12, 2, 3});
}
TEST_CASE("window_reader, 4 pixels, runs, depth no power of two", "[layer]") {
  check_reader<Vreader_four>({{"reader_four", {{{2}, {2}, {1}}, {{1}}, {{5}, {1}}}, 12, 6, 4, 4}, 11, 21, 2, 3, 8, 8, 21, 4, 2});
}
TEST_CASE("window_reader, one port for reading and writing", "[layer]") {
  check_reader<Vreader_shared>({{"reader_shared", {{{9, true}, {9}}, {{9, true}, {9}}}, 9, 2, 4, 3}, 9, 15, 4, 4, 1, 3, 15, 1, 1, true});
}
TEST_CASE("window_reader, one port, a word a group, base overtakes what is written", "[layer]") {
  check_reader<Vreader_shared_skip>({{"reader_shared_skip", {{{1}}, {{1}}, {{1}}}, 3, 0, 3, 1}, 70, 7, 3, 2, 9, 40, 290, 1, 1, true});
}
