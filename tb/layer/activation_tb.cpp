// SPDX-License-Identifier: Apache-2.0
// activation: every code in its clock, with the marks of a group's and a frame's last beat; accumulators as close as allowed and with
// random gaps; whole groups and parts of them at once, several pixels; both modes.
#include <Vactivation_beats.h>
#include <Vactivation_codes.h>
#include <Vactivation_pixel_beats.h>
#include <Vactivation_pixels.h>
#include <Vactivation_scores.h>
#include <Vactivation_short.h>
#include <Vactivation_whole.h>

#include "bench.hpp"
#include "catch2.hpp"
#include "channel_tables.hpp"

using namespace bench;

namespace {

struct Code {
  std::uint64_t cycle;
  Bits codes;
  bool group, frame;
};

struct ActivationCase {
  int count, pe, pixels, groups;  // count: accumulators at once
  int short_pixels = 0;           // > 0: of some groups so many pixels only; then a group comes at once
};

template <class Model>
class ActivationBench {
 public:
  ActivationBench(const ActivationCase& shape, ChannelTables tables, int latency)
      : shape_(shape),
        beats_(shape.count / tables.lanes),
        latency_(latency),
        random_(test_seed()),
        tables_(filled(std::move(tables), random_)),
        dut_(test_seed()) {
    reset();
  }

  void reset() {
    dut_->in_valid = 0;
    dut_.reset();
    expected_.clear();
    group_ = 0;
  }
  /// `count` groups, their accumulators COUNT/LANES clocks apart plus random ones; `cut`: stops after the first clock of the last.
  void send(int count, double gap, bool cut = false) {
    const int pe_beats = shape_.pe / tables_.lanes, all_beats = pe_beats * shape_.pixels;
    for (int i = 0; i < count; ++i) {
      const bool frame = group_ == shape_.groups - 1 && random_.chance(0.4), is_short = shape_.short_pixels > 0 && random_.chance(0.5);
      const int group_beats = is_short ? pe_beats * shape_.short_pixels : all_beats, beats = std::min(beats_, group_beats);
      for (int start = 0; start < group_beats; start += beats_) {
        while (random_.chance(gap)) step();
        Bits accumulators(shape_.count * tables_.value_bits);
        for (int beat = 0; beat < beats; ++beat) {
          Bits values, codes;
          tables_.draw(group_ * pe_beats + (start + beat) % pe_beats, random_, values, codes);
          accumulators.place(beat * values.width(), values);
          const bool last = start + beat == group_beats - 1;
          expected_.push_back({dut_.cycle() + static_cast<std::uint64_t>(latency_ + beat), codes, last, last && frame});
        }
        dut_->in_valid = 1;
        dut_->in_last = start + beats == group_beats;
        dut_->in_short = is_short;
        dut_->in_frame = frame;
        set_bits(dut_->in_values, accumulators);
        clock();
        if (cut && i == count - 1) return;
        for (int beat = 1; beat < beats; ++beat) step();
      }
      group_ = (group_ + 1) % shape_.groups;
    }
  }
  void drain() {
    for (int i = 0; i < latency_ + beats_ + 5; ++i) step();
    REQUIRE(expected_.empty());
  }

 private:
  static ChannelTables filled(ChannelTables tables, Random& random) {  // the images must stand before the model is made
    tables.fill(random);
    return tables;
  }
  void step() {  // no accumulators, anything on the other ports
    dut_->in_valid = 0;
    dut_->in_last = random_.chance(0.5);
    dut_->in_short = random_.chance(0.5);
    dut_->in_frame = random_.chance(0.5);
    set_bits(dut_->in_values, random_.bits(shape_.count * tables_.value_bits));
    clock();
  }
  void clock() {
    dut_.settle();
    const bool due = !expected_.empty() && expected_.front().cycle == dut_.cycle();
    REQUIRE(dut_->code_valid == due);
    if (due) {
      const Code& code = expected_.front();
      REQUIRE(get_bits(dut_->codes, code.codes.width()).hex() == code.codes.hex());
      REQUIRE(dut_->code_group == code.group);
      REQUIRE(dut_->code_frame == code.frame);
      expected_.pop_front();
    }
    dut_.tick();
  }

  ActivationCase shape_;
  int beats_, latency_;
  Random random_;
  ChannelTables tables_;
  Dut<Model> dut_;
  std::deque<Code> expected_;
  int group_ = 0;
};

template <class Model>
void check_activation(const ActivationCase& shape, const ChannelTables& tables, int latency) {
  ActivationBench<Model> test(shape, tables, latency);
  for (const double gap : {0.0, 0.3, 0.9}) {
    CAPTURE(gap);
    test.send(shape.groups * 2 + 1, gap, true);
    test.reset();  // codes under way are dropped, the next group is a window's first
    test.drain();
    test.send(200, gap);
    test.drain();
    test.reset();
  }
}

}  // namespace

TEST_CASE("activation, thresholds, 3 beats a group, 2 groups", "[layer]") {
  check_activation<Vactivation_codes>({6, 6, 1, 2}, {"activation_codes", 2, 6, 7, 2, 3, -1, 1, 0, 2}, 6);
}
TEST_CASE("activation, thresholds, whole groups at once", "[layer]") {
  check_activation<Vactivation_whole>({3, 3, 1, 3}, {"activation_whole", 3, 3, 8, 3, 5, -5, 2, 0, 4}, 7);
}
TEST_CASE("activation, scores, 4 beats a group", "[layer]") {
  check_activation<Vactivation_scores>({4, 4, 1, 2}, {"activation_scores", 1, 8, 6, 0, 0, 0, 0, 1, 9}, 3);
}
TEST_CASE("activation, thresholds, 3 beats a group, one after the other", "[layer]") {
  check_activation<Vactivation_beats>({2, 6, 1, 2}, {"activation_beats", 2, 6, 7, 2, 3, 0, 1, 0, 2}, 5);
}
TEST_CASE("activation, thresholds, 4 pixels of 2 beats, 3 groups", "[layer]") {
  check_activation<Vactivation_pixels>({16, 4, 4, 3}, {"activation_pixels", 2, 6, 7, 1, 1, 0, 1, 0, 1}, 4);
}
TEST_CASE("activation, thresholds, 4 pixels of 2 beats, or the first 2 of them, 3 groups", "[layer]") {
  check_activation<Vactivation_short>({16, 4, 4, 3, 2}, {"activation_short", 2, 6, 7, 1, 1, 0, 1, 0, 1}, 4);
}
TEST_CASE("activation, scores, 2 pixels of one beat, 2 groups, one after the other", "[layer]") {
  check_activation<Vactivation_pixel_beats>({3, 3, 2, 2}, {"activation_pixel_beats", 3, 2, 6, 0, 0, 0, 0, 0, 8}, 2);
}
