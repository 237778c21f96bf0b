// SPDX-License-Identifier: Apache-2.0
// Programs for the benches of program_reader and window_reader: runs in groups, their memory images, and the words of one window by the
// definition.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "bench.hpp"

namespace bench {

struct ProgramRun {
  int words;
  bool repeats = false;  // the next run has the same weights
};

/// Random offsets and fields are drawn for the words that the memories hold; the program repeats them.
struct TestProgram {
  std::string name;  // of the images
  std::vector<std::vector<ProgramRun>> groups;
  int control_words, run_words;  // that are stored; run_words 0: no run memory, every group is one run
  int offset_bits, field_bits;

  struct Word {
    int offset, index;  // index: of the weight word
    bool run_first, run_last, group_first, group_last, window_last;
    std::uint64_t fields;
  };

  int weight_words() const {
    int words = 0;
    for (const std::vector<ProgramRun>& group : groups)
      for (const ProgramRun& run : group) words += run.repeats ? 0 : run.words;
    return words;
  }
  int words() const {
    int words = 0;
    for (const std::vector<ProgramRun>& group : groups)
      for (const ProgramRun& run : group) words += run.words;
    return words;
  }

  /// Draws offsets below `limit`, both ends among them, and writes the images. The words of a window, in order.
  std::vector<Word> make(int limit, Random& random) const {
    std::vector<int> offsets;
    for (int i = 0; i < control_words; ++i)
      offsets.push_back(i == 0 ? limit - 1 : i == 1 ? 0 : static_cast<int>(random.below(static_cast<std::uint32_t>(limit))));
    std::vector<std::uint64_t> fields;
    for (int i = 0; i < run_words; ++i) fields.push_back(random.bits(field_bits).value());

    std::vector<Word> result;
    std::vector<Bits> control, run_image;
    int index = 0;
    std::size_t run_number = 0;
    for (std::size_t g = 0; g < groups.size(); ++g) {
      for (std::size_t r = 0; r < groups[g].size(); ++r) {
        const ProgramRun& run = groups[g][r];
        const bool ends = r + 1 == groups[g].size();
        const std::uint64_t field = run_words > 0 ? fields[run_number % fields.size()] : 0;
        for (int j = 0; j < run.words; ++j) {
          const int offset = offsets[result.size() % offsets.size()];
          Bits word(offset_bits + 1, static_cast<std::uint64_t>(offset));
          word.set(offset_bits, 1, j == run.words - 1);
          put(control, result.size(), control_words, word);
          result.push_back({offset, index + j, j == 0, j == run.words - 1, r == 0, ends, ends && g + 1 == groups.size(), field});
        }
        if (!run.repeats) index += run.words;
        Bits word(field_bits + 2, field);
        word.set(field_bits, 1, run.repeats);
        word.set(field_bits + 1, 1, ends);
        if (run_words > 0) put(run_image, run_number, run_words, word);
        ++run_number;
      }
    }
    if (result.size() % static_cast<std::size_t>(control_words) != 0) throw BenchError(name + ": control_words do not divide the program");
    write_image(name + "_control.mem", control);
    if (run_words > 0) write_image(name + "_runs.mem", run_image);
    return result;
  }

 private:
  /// A memory of `period` words: the first period is stored, the rest must repeat it.
  void put(std::vector<Bits>& image, std::size_t at, int period, const Bits& word) const {
    if (at < static_cast<std::size_t>(period))
      image.push_back(word);
    else if (image[at % static_cast<std::size_t>(period)] != word)
      throw BenchError(name + ": the program does not repeat its memory");
  }
};

}  // namespace bench
