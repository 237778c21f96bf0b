// SPDX-License-Identifier: Apache-2.0
// run_combiner against integer arithmetic: every accumulator in its clock, Horner's rule and coefficients, passes, signed and unsigned
// totals; runs as close as allowed and with random gaps.
#include <Vcombiner_lane.h>
#include <Vcombiner_levels.h>
#include <Vcombiner_levels_whole.h>
#include <Vcombiner_passes.h>
#include <Vcombiner_signed.h>
#include <Vcombiner_whole.h>

#include <deque>

#include "bench.hpp"
#include "catch2.hpp"

using namespace bench;

namespace {

struct CombinerCase {
  int count, lanes, total_bits;
  bool total_signed;
  int acc_bits, passes, apar, coefficient_bits;  // coefficient_bits 0: Horner
  int info_bits;
  int beats() const { return count / lanes; }
  int latency() const { return beats() > 1 ? 3 : 2; }
  int factor_bits() const { return coefficient_bits > 0 ? coefficient_bits : 2; }
  int pass_bits() const { return passes > 2 ? 2 : 1; }
};

struct GroupBeat {
  std::uint64_t cycle;
  Bits values, info;
  bool last;
};

template <class Model>
class CombinerBench {
 public:
  explicit CombinerBench(const CombinerCase& shape) : shape_(shape), dut_(test_seed()), random_(test_seed()) { reset(); }

  void reset() {
    idle();
    dut_.reset();
    expected_.clear();
  }
  /// `count` groups of 1 to 5 runs, COUNT/LANES clocks apart plus random ones; `cut`: stops after the first clock of a group's last run.
  void groups(int count, double gap, bool cut = false) {
    for (int g = 0; g < count; ++g) {
      const int runs = 1 + static_cast<int>(random_.below(5));
      std::vector<std::int64_t> accumulators(static_cast<std::size_t>(shape_.count), 0);
      for (int r = 0; r < runs; ++r) {
        while (random_.chance(gap)) step();
        const bool last = r == runs - 1;
        const auto pass = static_cast<int>(random_.below(static_cast<std::uint32_t>(shape_.passes)));
        const Bits factor = random_.bits(shape_.factor_bits()), info = random_.bits(shape_.info_bits);
        Bits totals = random_.bits(shape_.count * shape_.total_bits);
        if (random_.chance(0.2)) {  // ends of the range
          const std::uint64_t end = std::uint64_t{1} << (shape_.total_bits - 1), extreme = random_.chance(0.5) ? end : end - 1;
          for (int i = 0; i < shape_.count; ++i) totals.set(i * shape_.total_bits, shape_.total_bits, extreme);
        }
        for (int i = 0; i < shape_.count; ++i) {
          const int low = i * shape_.total_bits;
          const std::int64_t total = shape_.total_signed ? totals.get_signed(low, shape_.total_bits)
                                                         : static_cast<std::int64_t>(totals.get(low, shape_.total_bits));
          const std::int64_t placed = total * (std::int64_t{1} << (pass * shape_.apar));
          std::int64_t& accumulator = accumulators[static_cast<std::size_t>(i)];
          if (r == 0) accumulator = 0;
          if (shape_.coefficient_bits > 0) {
            accumulator += factor.get_signed(0, shape_.coefficient_bits) * placed;
          } else {
            if (factor.get(1, 1) != 0) accumulator *= 2;
            accumulator += (factor.get(0, 1) != 0 ? -1 : 1) * placed;
          }
        }
        for (int beat = 0; last && beat < shape_.beats(); ++beat) {
          Bits values(shape_.lanes * shape_.acc_bits);
          for (int lane = 0; lane < shape_.lanes; ++lane)
            values.set(lane * shape_.acc_bits, shape_.acc_bits,
                       static_cast<std::uint64_t>(accumulators[static_cast<std::size_t>(beat * shape_.lanes + lane)]));
          expected_.push_back(
              {dut_.cycle() + static_cast<std::uint64_t>(shape_.latency() + beat), values, info, beat == shape_.beats() - 1});
        }
        dut_->in_valid = 1;
        dut_->in_first = r == 0;
        dut_->in_last = last;
        dut_->in_pass = static_cast<CData>(pass);
        set_bits(dut_->in_factor, factor);
        set_bits(dut_->in_info, info);
        set_bits(dut_->in_totals, totals);
        clock();
        if (cut && last && g == count - 1) return;
        for (int beat = 1; beat < shape_.beats(); ++beat) step();
      }
    }
  }
  void drain() {
    for (int i = 0; i < shape_.latency() + shape_.beats() + 5; ++i) step();
    REQUIRE(expected_.empty());
  }

 private:
  void idle() {  // no run, anything on the other ports
    dut_->in_valid = 0;
    dut_->in_first = random_.chance(0.5), dut_->in_last = random_.chance(0.5);
    dut_->in_pass = static_cast<CData>(random_.below(static_cast<std::uint32_t>(shape_.passes)));
    set_bits(dut_->in_factor, random_.bits(shape_.factor_bits()));
    set_bits(dut_->in_info, random_.bits(shape_.info_bits));
    set_bits(dut_->in_totals, random_.bits(shape_.count * shape_.total_bits));
  }
  void step() {
    idle();
    clock();
  }
  void clock() {
    dut_.settle();
    const bool due = !expected_.empty() && expected_.front().cycle == dut_.cycle();
    REQUIRE(dut_->out_valid == due);
    if (due) {
      const GroupBeat& beat = expected_.front();
      REQUIRE(get_bits(dut_->out_values, beat.values.width()).hex() == beat.values.hex());
      REQUIRE(get_bits(dut_->out_info, shape_.info_bits).hex() == beat.info.hex());
      REQUIRE(dut_->out_last == beat.last);
      expected_.pop_front();
    }
    dut_.tick();
  }

  CombinerCase shape_;
  Dut<Model> dut_;
  Random random_;
  std::deque<GroupBeat> expected_;
};

template <class Model>
void check_combiner(const CombinerCase& shape) {
  CombinerBench<Model> test(shape);
  for (const double gap : {0.0, 0.3, 0.9}) {
    CAPTURE(gap);
    test.groups(5, gap, true);
    test.reset();  // a group under way is dropped
    test.drain();
    test.groups(200, gap);
    test.drain();
  }
}

}  // namespace

TEST_CASE("run_combiner, Horner, one lane of four", "[layer]") { check_combiner<Vcombiner_lane>({4, 1, 5, false, 14, 1, 1, 0, 2}); }
TEST_CASE("run_combiner, Horner, signed totals, two lanes of six, results cut to the accumulator", "[layer]") {
  check_combiner<Vcombiner_signed>({6, 2, 7, true, 9, 1, 1, 0, 1});
}
TEST_CASE("run_combiner, Horner, all lanes at once", "[layer]") { check_combiner<Vcombiner_whole>({3, 3, 6, false, 20, 1, 1, 0, 3}); }
TEST_CASE("run_combiner, Horner, three passes of two bits", "[layer]") {
  check_combiner<Vcombiner_passes>({4, 2, 6, true, 18, 3, 2, 0, 1});
}
TEST_CASE("run_combiner, coefficients, four passes of one bit, unsigned totals", "[layer]") {
  check_combiner<Vcombiner_levels>({4, 1, 6, false, 20, 4, 1, 5, 1});
}
TEST_CASE("run_combiner, coefficients, all lanes at once, signed totals", "[layer]") {
  check_combiner<Vcombiner_levels_whole>({5, 5, 8, true, 17, 1, 1, 7, 2});
}
