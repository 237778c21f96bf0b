// SPDX-License-Identifier: Apache-2.0
// window_reader against the address formula: the word at base + offset of every window, its flags and its program index, under random gaps
// of input and credit; groups are not interrupted; nothing is overwritten before it is read; full rate where the neighbours allow it.
#include <Vreader_kernel.h>
#include <Vreader_point.h>
#include <Vreader_skip.h>

#include <deque>

#include "bench.hpp"
#include "catch2.hpp"

using namespace bench;

namespace {

struct ReaderCase {
  std::string name;  // of the image
  int width, extent, out_height, out_width, step_x, step_row, step_frame, program_words, control_words, groups, passes, offset_bits;
  int frame_words() const { return out_height * (out_width - 1) * step_x + (out_height - 1) * step_row + step_frame; }
  int frame_clocks() const { return out_height * out_width * program_words * passes; }
};

struct Issue {
  Bits word;
  int index, pass;
  bool first, last, doubles, negates, frame;
};

template <class Model>
void check_reader(const ReaderCase& reader) {
  Random random(test_seed());
  const int group_words = reader.program_words / reader.groups;
  std::vector<int> offsets;
  std::vector<bool> doubles, negates;
  std::vector<Bits> program;
  for (int j = 0; j < reader.control_words; ++j) {
    offsets.push_back(j == 0 ? reader.extent - 1 : j == 1 ? 0 : static_cast<int>(random.below(static_cast<std::uint32_t>(reader.extent))));
    doubles.push_back(random.chance(0.3));
    negates.push_back(random.chance(0.3));
    Bits word(reader.offset_bits + 3, static_cast<std::uint64_t>(offsets.back()));
    word.set(reader.offset_bits, 1, negates.back());
    word.set(reader.offset_bits + 1, 1, doubles.back());
    word.set(reader.offset_bits + 2, 1, j % group_words == group_words - 1);
    program.push_back(word);
  }
  write_image(reader.name + "_control.mem", program);

  struct Chances {
    double in, credit;
  };
  for (const Chances& chances : {Chances{1, 1}, Chances{0.3, 1}, Chances{1, 0.3}, Chances{0.6, 0.6}, Chances{0.05, 1}}) {
    CAPTURE(reader.name, chances.in, chances.credit);
    Dut<Model> dut(test_seed());
    Source in(dut, input_stream(dut, reader.width), chances.in);
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
            for (int j = 0; j < reader.program_words; ++j)
              for (int pass = 0; pass < reader.passes; ++pass) {
                const auto control = static_cast<std::size_t>(j % reader.control_words);
                expected.push_back({words[base + static_cast<std::size_t>(offsets[control])], j, pass, pass == 0 && j % group_words == 0,
                                    pass == reader.passes - 1 && j % group_words == group_words - 1, pass == 0 && doubles[control],
                                    negates[control],
                                    j == reader.program_words - 1 && y == reader.out_height - 1 && x == reader.out_width - 1});
              }
            const bool row_ends = x == reader.out_width - 1, frame_ends = row_ends && y == reader.out_height - 1;
            base += static_cast<std::size_t>(frame_ends ? reader.step_frame : row_ends ? reader.step_row : reader.step_x);
          }

      // A window cannot be read before its words came, and a group runs through.
      int index_1 = 0, index_2 = 0, in_group = 0;
      std::uint64_t busy = 0, started = 0, begin = 0, end = 0;
      const std::size_t total = expected.size(), frame = total / static_cast<std::size_t>(frames);
      for (std::uint64_t i = 0; !expected.empty(); ++i) {
        if (i > 200000) FAIL("the words do not come");
        if (round == 0 && total - expected.size() > total / 2) break;
        dut->credit = random.chance(chances.credit);
        REQUIRE_NOTHROW(dut.tick());  // what follows is after the edge, before the inputs change
        if (total - expected.size() <= 2 * frame) begin = i;
        if (total - expected.size() <= static_cast<std::size_t>(frames - 1) * frame) end = i;
        if (dut->word_valid) {
          const Issue& issue = expected.front();
          const bool same = get_bits(dut->word_data, 0, reader.width) == issue.word && index_2 == issue.index &&
                            dut->word_pass == issue.pass && (dut->word_first != 0) == issue.first && (dut->word_last != 0) == issue.last &&
                            (dut->word_double != 0) == issue.doubles && (dut->word_negate != 0) == issue.negates &&
                            (!issue.last || (dut->word_frame != 0) == issue.frame);
          CAPTURE(total - expected.size(), issue.index, index_2, issue.pass);
          if (!same) FAIL("a word, its index or a flag is wrong");
          expected.pop_front();
          if (issue.first) in_group = group_words * reader.passes;
          --in_group;
        } else if (in_group > 0) {
          FAIL("a group was interrupted");
        }
        index_2 = index_1;
        index_1 = dut->word_index;
        busy += dut->busy;
        started += dut->group_start;
        if (dut->busy + dut->starved + dut->stalled != 1) FAIL("not exactly one of busy, starved, stalled");
        if (dut->stalled && dut->credit) FAIL("stalled with credit");
      }
      if (round == 1) {
        dut.run(20);
        CHECK(dut->word_valid == 0);
        if (chances.in == 1 && chances.credit == 1)
          CHECK(static_cast<double>(end - begin) <= 1.01 * (frames - 3) * std::max(reader.frame_clocks(), reader.frame_words()));
      }
      CHECK(busy > 0);
      CHECK(started > 0);
      dut.reset();
    }
  }
}

}  // namespace

TEST_CASE("window_reader, 3x3 windows, two groups of two passes, repeated program", "[layer]") {
  check_reader<Vreader_kernel>({"reader_kernel", 9, 15, 4, 4, 1, 3, 15, 18, 9, 2, 2, 4});
}
TEST_CASE("window_reader, one word a window", "[layer]") {
  check_reader<Vreader_point>({"reader_point", 5, 1, 2, 3, 1, 1, 1, 1, 1, 1, 1, 1});
}
TEST_CASE("window_reader, base overtakes what is written; depth no power of two", "[layer]") {
  check_reader<Vreader_skip>({"reader_skip", 70, 7, 3, 2, 9, 40, 290, 3, 3, 1, 1, 3});
}
