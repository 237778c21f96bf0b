// SPDX-License-Identifier: Apache-2.0
// activation: every code in its clock, with the marks of a group's and a frame's last beat; groups as close as allowed and with random
// gaps; both modes.
#include <Vactivation_codes.h>
#include <Vactivation_scores.h>
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

template <class Model>
class ActivationBench {
 public:
  ActivationBench(int pe, int groups, ChannelTables tables, int latency)
      : pe_(pe),
        groups_(groups),
        beats_(pe / tables.lanes),
        latency_(latency),
        random_(test_seed()),
        tables_(filled(std::move(tables), random_)),
        dut_(test_seed()) {
    reset();
  }

  void reset() {
    dut_->group_valid = 0;
    dut_.reset();
    expected_.clear();
    group_ = 0;
  }
  /// `count` groups, PE/LANES clocks apart plus random ones; `cut`: stops after the first clock of the last.
  void send(int count, double gap, bool cut = false) {
    for (int i = 0; i < count; ++i) {
      while (random_.chance(gap)) step();
      const bool frame = group_ == groups_ - 1 && random_.chance(0.4);
      Bits accumulators(pe_ * tables_.value_bits);
      for (int beat = 0; beat < beats_; ++beat) {
        Bits values, codes;
        tables_.draw(group_ * beats_ + beat, random_, values, codes);
        accumulators.place(beat * values.width(), values);
        const bool last = beat == beats_ - 1;
        expected_.push_back({dut_.cycle() + static_cast<std::uint64_t>(latency_ + beat), codes, last, last && frame});
      }
      group_ = (group_ + 1) % groups_;
      dut_->group_valid = 1;
      dut_->group_frame = frame;
      set_bits(dut_->accumulators, accumulators);
      clock();
      if (cut && i == count - 1) return;
      for (int beat = 1; beat < beats_; ++beat) step();
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
  void step() {  // no group, anything on the other ports
    dut_->group_valid = 0;
    dut_->group_frame = random_.chance(0.5);
    set_bits(dut_->accumulators, random_.bits(pe_ * tables_.value_bits));
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

  int pe_, groups_, beats_, latency_;
  Random random_;
  ChannelTables tables_;
  Dut<Model> dut_;
  std::deque<Code> expected_;
  int group_ = 0;
};

template <class Model>
void check_activation(int pe, int groups, const ChannelTables& tables, int latency) {
  ActivationBench<Model> test(pe, groups, tables, latency);
  for (const double gap : {0.0, 0.3, 0.9}) {
    CAPTURE(gap);
    test.send(groups * 2 + 1, gap, true);
    test.reset();  // codes under way are dropped, the next group is a window's first
    test.drain();
    test.send(200, gap);
    test.drain();
    test.reset();
  }
}

}  // namespace

TEST_CASE("activation, thresholds, 3 beats a group, 2 groups", "[layer]") {
  check_activation<Vactivation_codes>(6, 2, {"activation_codes", 2, 6, 7, 2, 3, -1, 1, 0, 2}, 6);
}
TEST_CASE("activation, thresholds, whole groups at once", "[layer]") {
  check_activation<Vactivation_whole>(3, 3, {"activation_whole", 3, 3, 8, 3, 5, -5, 2, 0, 4}, 7);
}
TEST_CASE("activation, scores, 4 beats a group", "[layer]") {
  check_activation<Vactivation_scores>(4, 2, {"activation_scores", 1, 8, 6, 0, 0, 0, 0, 1, 9}, 3);
}
