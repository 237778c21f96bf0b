// SPDX-License-Identifier: Apache-2.0
// Thresholds and biases of channels, their memory images as docs/architecture.md defines them, and the code of a value by counting.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "bench.hpp"

namespace bench {

/// Channel c is served in beat c / lanes by lane c % lanes.
struct ChannelTables {
  std::string name;  // of the images
  int lanes, beats, value_bits;
  int search_bits, levels, low, step;  // search_bits 0: scores
  int alpha_shift;                     // scores only
  int out_bits;
  std::vector<std::vector<std::int64_t>> thresholds = {};
  std::vector<bool> falling = {};
  std::vector<std::int64_t> biases = {};

  int channels() const { return lanes * beats; }
  std::int64_t min() const { return -(std::int64_t{1} << (value_bits - 1)); }
  std::int64_t max() const { return -min() - (search_bits > 0 ? 2 : 1); }  // thresholds: max + 1 is the one that is never reached

  void fill(Random& random) {
    for (int c = 0; c < channels(); ++c) {
      std::vector<std::int64_t> t;
      for (int i = 0; i < levels; ++i) t.push_back(random.chance(0.1) ? max() + 1 : value(random));
      std::sort(t.begin(), t.end());
      thresholds.push_back(t);
      falling.push_back(c % 3 == 1 || random.chance(0.2));
      biases.push_back(random.bits(out_bits).get_signed(0, out_bits));
    }
    for (int lane = 0; lane < lanes; ++lane)
      for (int level = 0; level < std::max(1, search_bits); ++level) {
        std::vector<Bits> words;
        for (int beat = 0; beat < beats; ++beat) {
          const auto c = static_cast<std::size_t>(beat * lanes + lane);
          if (search_bits == 0) words.push_back(Bits(out_bits, static_cast<std::uint64_t>(biases[c])));
          for (int found = 0; search_bits > 0 && found < 1 << level; ++found) {
            const int rest = search_bits - level, index = (found << rest) + (1 << (rest - 1)) - 1;
            Bits word(value_bits + (level == 0 ? 1 : 0));
            word.set(0, value_bits,
                     static_cast<std::uint64_t>(index < levels ? thresholds[c][static_cast<std::size_t>(index)] : max() + 1));
            if (level == 0) word.set(value_bits, 1, falling[c]);
            words.push_back(word);
          }
        }
        write_image(name + "_level" + std::to_string(level) + "_lane" + std::to_string(lane / 10) + std::to_string(lane % 10) + ".mem",
                    words);
      }
  }
  /// Any value of the range, both ends among them.
  std::int64_t value(Random& random) const {
    const auto range = static_cast<std::uint32_t>(max() - min() + 1);
    return random.chance(0.1) ? (random.chance(0.5) ? min() : max()) : min() + random.below(range);
  }
  /// A value of a channel: often one of its thresholds, or one less.
  std::int64_t value(int channel, Random& random) const {
    if (search_bits == 0 || random.chance(0.5)) return value(random);
    const std::vector<std::int64_t>& t = thresholds[static_cast<std::size_t>(channel)];
    return std::clamp(t[random.below(static_cast<std::uint32_t>(levels))] - random.below(2), min(), max());
  }
  std::int64_t code(int channel, std::int64_t value) const {
    const auto c = static_cast<std::size_t>(channel);
    if (search_bits == 0) return value * (std::int64_t{1} << alpha_shift) + biases[c];
    std::int64_t n = 0;
    for (const std::int64_t t : thresholds[c]) n += value >= t;
    return low + step * (falling[c] ? levels - n : n);
  }
  /// The ports of one beat: random values of its channels, and their codes.
  void draw(int beat, Random& random, Bits& values, Bits& codes) const {
    values = Bits(lanes * value_bits), codes = Bits(lanes * out_bits);
    for (int lane = 0; lane < lanes; ++lane) {
      const std::int64_t v = value(beat * lanes + lane, random);
      values.set(lane * value_bits, value_bits, static_cast<std::uint64_t>(v));
      codes.set(lane * out_bits, out_bits, static_cast<std::uint64_t>(code(beat * lanes + lane, v)));
    }
  }
};

/// threshold_search or score_bias: a beat each clock, in any order; its codes after `latency` clocks.
template <class Model>
void check_lanes(ChannelTables tables, int latency, unsigned seed) {
  Random random(seed);
  tables.fill(random);
  Dut<Model> dut(seed);
  std::deque<Bits> expected;
  for (int cycle = 0; cycle < 3000; ++cycle) {
    const auto beat = static_cast<int>(random.below(static_cast<std::uint32_t>(tables.beats)));
    Bits values, codes;
    tables.draw(beat, random, values, codes);
    set_bits(dut->beat, Bits(8, static_cast<std::uint64_t>(beat)));
    set_bits(dut->values, values);
    expected.push_back(codes);
    dut.settle();
    if (cycle >= latency) {
      const Bits got = get_bits(dut->codes, codes.width());
      if (got != expected.front())
        throw BenchError("cycle " + std::to_string(cycle) + ": expected " + expected.front().hex() + ", got " + got.hex());
      expected.pop_front();
    }
    dut.tick();
  }
}

}  // namespace bench
