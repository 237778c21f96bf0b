// SPDX-License-Identifier: Apache-2.0
// Random tasks and the images of their codes (core/coefficient_code.hpp), for the benches of what reads them.
#pragma once

#include "bench.hpp"
#include "core/coefficient_code.hpp"

namespace bench {

/// `words` words of gaps, as any are allowed, and what they say: tasks of `span` places each.
inline std::vector<bitloom::CoefficientTask> random_gaps(int span, int gap_bits, int words, Random& random, bitloom::LaneCode& code) {
  const std::uint32_t skip = (1U << gap_bits) - 1;
  code = {};
  for (int i = 0; i < words; ++i) {
    const bool skips = random.chance(0.15);
    code.words.push_back((skips ? skip : random.below(skip)) << 1 | (skips ? 0 : random.below(2)));
  }
  return bitloom::decode({false, gap_bits, 1}, code, span);
}

/// `tasks` tasks of `span` places with `signs` coefficients in all.
inline std::vector<bitloom::CoefficientTask> random_bitmap(int span, int chunk, int tasks, int signs, Random& random, bitloom::LaneCode& code) {
  std::vector<bool> set(static_cast<std::size_t>(span * tasks), false);
  for (int left = signs; left > 0;) {
    const auto place = random.below(static_cast<std::uint32_t>(set.size()));
    if (!set[place]) --left;
    set[place] = true;
  }
  std::vector<bitloom::CoefficientTask> made(static_cast<std::size_t>(tasks));
  for (std::size_t place = 0; place < set.size(); ++place)
    if (set[place]) {
      made[place / static_cast<std::size_t>(span)].channels.push_back(static_cast<int>(place) % span);
      made[place / static_cast<std::size_t>(span)].negative.push_back(random.chance(0.5));
    }
  code = bitloom::encode({true, 1, chunk}, made, span);
  return made;
}

/// Images of a lane's code.
inline void write_code(const std::string& words_file, const std::string& signs_file, int word_bits, const bitloom::LaneCode& code) {
  std::vector<Bits> words, signs;
  for (const std::uint32_t word : code.words) words.emplace_back(word_bits, word);
  for (const bool sign : code.signs) signs.emplace_back(1, sign);
  write_image(words_file, words);
  if (!signs_file.empty()) write_image(signs_file, signs);
}

}  // namespace bench
