// SPDX-License-Identifier: Apache-2.0
// activation, and in it threshold_search and score_bias: groups as close as they may come and further apart, against counting and adding.
#include <Vactivation_counts.h>
#include <Vactivation_scores.h>

#include "bench.hpp"
#include "catch2.hpp"

using namespace bench;

namespace {

struct ActivationCase {
  std::string name;  // of the images
  int pe, groups, acc_bits, lanes, out_bits;
  bool scores;
  int alpha_shift, search_bits, levels, low, step;
  int channels() const { return pe * groups; }
  std::string image(int level, int lane) const {
    return name + "_level" + std::to_string(level) + "_lane0" + std::to_string(lane) + ".mem";
  }
};

struct Tables {
  std::vector<std::vector<std::int64_t>> thresholds;  // or one bias, per channel
  std::vector<bool> falling;
};

Tables write_tables(const ActivationCase& c, Random& random) {
  Tables tables;
  const std::int64_t reach = std::int64_t{1} << (c.acc_bits - 2), never = (std::int64_t{1} << (c.acc_bits - 1)) - 1;
  for (int channel = 0; channel < c.channels(); ++channel) {
    std::vector<std::int64_t> row;
    for (int i = 0; i < (c.scores ? 1 : c.levels); ++i)
      row.push_back(static_cast<std::int64_t>(random.below(static_cast<std::uint32_t>(2 * reach))) - reach);
    std::sort(row.begin(), row.end());
    tables.thresholds.push_back(row);
    tables.falling.push_back(random.chance(0.4));
  }
  const int beats = c.channels() / c.lanes;
  for (int lane = 0; lane < c.lanes; ++lane)
    for (int level = 0; level < (c.scores ? 1 : c.search_bits); ++level) {
      std::vector<Bits> words;
      for (int beat = 0; beat < beats; ++beat)
        for (int found = 0; found < 1 << level; ++found) {
          const auto channel = static_cast<std::size_t>(beat * c.lanes + lane);
          const int bits = c.scores ? c.out_bits : c.acc_bits, rest = c.search_bits - level, i = (found << rest) + (1 << (rest - 1)) - 1;
          Bits word(bits + (!c.scores && level == 0 ? 1 : 0));
          const std::int64_t value = c.scores       ? tables.thresholds[channel][0]
                                     : i < c.levels ? tables.thresholds[channel][static_cast<std::size_t>(i)]
                                                    : never;
          word.set(0, bits, static_cast<std::uint64_t>(value));
          if (!c.scores && level == 0) word.set(bits, 1, tables.falling[channel]);
          words.push_back(word);
        }
      write_image(c.image(level, lane), words);
    }
  return tables;
}

std::uint64_t code(const ActivationCase& c, const Tables& tables, std::size_t channel, std::int64_t value) {
  std::int64_t result = 0;
  if (c.scores) {
    result = (value << c.alpha_shift) + tables.thresholds[channel][0];
  } else {
    int n = 0;
    for (const std::int64_t threshold : tables.thresholds[channel]) n += value >= threshold ? 1 : 0;
    result = c.low + c.step * (tables.falling[channel] ? c.levels - n : n);
  }
  return static_cast<std::uint64_t>(result) & ((std::uint64_t{1} << c.out_bits) - 1);
}

struct Beat {
  std::vector<std::uint64_t> codes;
  bool group, frame;
};

template <class Model>
void check_activation(const ActivationCase& c) {
  Random random(test_seed());
  const Tables tables = write_tables(c, random);
  Dut<Model> dut(test_seed());
  std::deque<Beat> expected;
  int beats = 0;
  const auto clock = [&] {
    dut.settle();
    if (dut->code_valid != 0) {
      REQUIRE_FALSE(expected.empty());
      for (int lane = 0; lane < c.lanes; ++lane)
        REQUIRE(get_bits(dut->codes, lane * c.out_bits, c.out_bits).value() == expected.front().codes[static_cast<std::size_t>(lane)]);
      REQUIRE((dut->code_group != 0) == expected.front().group);
      REQUIRE((dut->code_frame != 0) == expected.front().frame);
      expected.pop_front();
      ++beats;
    }
    dut.tick();
  };
  const int group_beats = c.pe / c.lanes;
  for (int group = 0; group < 60 * c.groups; ++group) {
    const bool frame = group % c.groups == c.groups - 1 && random.chance(0.3);
    Bits accumulators(c.pe * c.acc_bits);
    std::vector<std::int64_t> values;
    const std::int64_t reach = std::int64_t{1} << (c.acc_bits - 2);
    for (int pe = 0; pe < c.pe; ++pe) {
      values.push_back(static_cast<std::int64_t>(random.below(static_cast<std::uint32_t>(2 * reach))) - reach);
      accumulators.set(pe * c.acc_bits, c.acc_bits, static_cast<std::uint64_t>(values.back()));
    }
    for (int beat = 0; beat < group_beats; ++beat) {
      Beat result{{}, beat + 1 == group_beats, frame && beat + 1 == group_beats};
      for (int lane = 0; lane < c.lanes; ++lane) {
        const auto pe = static_cast<std::size_t>(beat * c.lanes + lane);
        result.codes.push_back(code(c, tables, static_cast<std::size_t>(group % c.groups * c.pe) + pe, values[pe]));
      }
      expected.push_back(result);
    }
    set_bits(dut->accumulators, accumulators);
    dut->group_frame = frame;
    dut->group_valid = 1;
    clock();
    dut->group_valid = 0;
    set_bits(dut->accumulators, random.bits(c.pe * c.acc_bits));
    for (int wait = 1; wait < group_beats; ++wait) clock();  // the closest that groups may come
    while (random.chance(0.3)) clock();
  }
  for (int i = 0; i < 40; ++i) clock();
  CHECK(beats == 60 * c.groups * group_beats);
}

}  // namespace

TEST_CASE("activation: thresholds, two lanes of four channels, fewer levels than places", "[layer]") {
  check_activation<Vactivation_counts>({"activation_counts", 4, 3, 10, 2, 3, false, 0, 3, 5, -3, 1});
}
TEST_CASE("activation: scores, all channels at once", "[layer]") {
  check_activation<Vactivation_scores>({"activation_scores", 3, 2, 9, 3, 12, true, 1, 1, 1, 0, 1});
}
