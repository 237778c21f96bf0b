// SPDX-License-Identifier: Apache-2.0
// plane_array against integer arithmetic: runs of random words, back to back and with gaps anywhere.
#include <Varray_all_planes.h>
#include <Varray_binary.h>
#include <Varray_columns.h>
#include <Varray_depthwise.h>
#include <Varray_own_pairs.h>
#include <Varray_pairs.h>
#include <Varray_serial.h>
#include <Varray_two_planes.h>

#include <deque>

#include "bench.hpp"
#include "catch2.hpp"

using namespace bench;

namespace {

struct ArrayCase {
  int pe, simd, act_bits;
  bool can_sign, xnor;
  int run_bits;
  int latency;  // from a run's last word to run_valid
  bool depthwise = false;
  int wpar = 1;
  bool w_signed = false;

  int activations() const { return depthwise ? simd * pe : simd; }  // of a word
  int lane(int p, int i) const { return depthwise ? i * pe + p : i; }
  std::int64_t cell(bool weight, const Bits& data, bool top, int i) const {
    const bool is_signed = can_sign && top;
    const std::int64_t a =
        is_signed ? data.get_signed(i * act_bits, act_bits) : static_cast<std::int64_t>(data.get(i * act_bits, act_bits));
    if (weight) return a;
    return !xnor ? 0 : is_signed ? -1 - a : (std::int64_t{1} << act_bits) - 1 - a;
  }
  std::int64_t plane_weight(int p) const { return wpar > 1 && w_signed && p == wpar - 1 ? -(std::int64_t{1} << p) : std::int64_t{1} << p; }
};

constexpr int kInfoBits = 3;

struct RunTotals {
  std::uint64_t cycle;
  Bits totals, info;
};

template <class Model>
class ArrayBench {
 public:
  explicit ArrayBench(const ArrayCase& layer) : layer_(layer), dut_(test_seed()), random_(test_seed()) { reset(); }

  void reset() {
    idle();
    dut_.reset();
    expected_.clear();
  }
  /// Runs of 1 to 6 words; `gap`: probability of a clock without a word.
  void runs(int count, double gap) {
    for (int r = 0; r < count; ++r) {
      std::vector<std::int64_t> sums(static_cast<std::size_t>(layer_.pe), 0);
      const int words = 1 + static_cast<int>(random_.below(6));
      const std::uint32_t kind = random_.below(4);  // 0, 1: every activation and weight at an end of its range
      for (int w = 0; w < words; ++w) {
        Bits data = random_.bits(layer_.activations() * layer_.act_bits), weights = random_.bits(layer_.pe * layer_.wpar * layer_.simd);
        for (int i = 0; kind < 2 && i < layer_.activations(); ++i)
          data.set(i * layer_.act_bits, layer_.act_bits, kind == 0 ? std::uint64_t{1} << (layer_.act_bits - 1) : ~std::uint64_t{0});
        for (int i = 0; kind < 2 && i < layer_.pe * layer_.wpar * layer_.simd; ++i) weights.set(i, 1, kind);
        const bool top = random_.chance(0.5), last = w == words - 1;
        const Bits info = random_.bits(kInfoBits);
        for (int pe = 0; pe < layer_.pe; ++pe)
          for (int p = 0; p < layer_.wpar; ++p)
            for (int i = 0; i < layer_.simd; ++i)
              sums[static_cast<std::size_t>(pe)] +=
                  layer_.plane_weight(p) *
                  layer_.cell(weights.get((pe * layer_.wpar + p) * layer_.simd + i, 1) != 0, data, top, layer_.lane(pe, i));
        while (random_.chance(gap)) step();
        dut_->word_valid = 1;
        dut_->word_first = w == 0, dut_->word_last = last, dut_->word_top = top;
        set_bits(dut_->word_info, info);
        set_bits(dut_->activations, data);
        set_bits(dut_->weights, weights);
        if (last) {
          Bits totals(layer_.pe * layer_.run_bits);
          for (int pe = 0; pe < layer_.pe; ++pe)
            totals.set(pe * layer_.run_bits, layer_.run_bits, static_cast<std::uint64_t>(sums[static_cast<std::size_t>(pe)]));
          expected_.push_back({dut_.cycle() + static_cast<std::uint64_t>(layer_.latency), totals, info});
        }
        step();
      }
    }
  }
  void drain() {
    for (int i = 0; i < layer_.latency + 5; ++i) step();
    REQUIRE(expected_.empty());
  }

 private:
  void idle() {  // no word, anything on the other ports
    dut_->word_valid = 0;
    dut_->word_first = random_.chance(0.5), dut_->word_last = random_.chance(0.5), dut_->word_top = random_.chance(0.5);
    set_bits(dut_->word_info, random_.bits(kInfoBits));
    set_bits(dut_->activations, random_.bits(layer_.activations() * layer_.act_bits));
    set_bits(dut_->weights, random_.bits(layer_.pe * layer_.wpar * layer_.simd));
  }
  void step() {
    dut_.settle();
    const bool due = !expected_.empty() && expected_.front().cycle == dut_.cycle();
    REQUIRE(dut_->run_valid == due);
    if (due) {
      REQUIRE(get_bits(dut_->totals, layer_.pe * layer_.run_bits).hex() == expected_.front().totals.hex());
      REQUIRE(get_bits(dut_->run_info, kInfoBits).hex() == expected_.front().info.hex());
      expected_.pop_front();
    }
    dut_.tick();
    idle();
  }

  ArrayCase layer_;
  Dut<Model> dut_;
  Random random_;
  std::deque<RunTotals> expected_;
};

template <class Model>
void check_array(const ArrayCase& layer) {
  ArrayBench<Model> test(layer);
  for (const double gap : {0.0, 0.2, 0.8}) {
    CAPTURE(gap);
    test.runs(5, gap);
    test.reset();  // runs under way are dropped
    test.drain();
    test.runs(300, gap);
    test.drain();
  }
}

}  // namespace

TEST_CASE("plane_array, binary XNOR", "[arithmetic]") { check_array<Varray_binary>({2, 5, 1, false, true, 10, 3}); }
TEST_CASE("plane_array, signed AND, pairs of bits", "[arithmetic]") { check_array<Varray_pairs>({3, 4, 2, true, false, 9, 2}); }
TEST_CASE("plane_array, signed XNOR, one activation, totals cut", "[arithmetic]") {
  check_array<Varray_serial>({1, 1, 1, true, true, 3, 1});
}
TEST_CASE("plane_array, depthwise, 2-bit activations", "[arithmetic]") {
  check_array<Varray_depthwise>({4, 1, 2, false, false, 11, 1, true});
}
TEST_CASE("plane_array, depthwise XNOR, three columns", "[arithmetic]") {
  check_array<Varray_columns>({2, 3, 1, false, true, 10, 2, true});
}
TEST_CASE("plane_array, depthwise signed AND", "[arithmetic]") { check_array<Varray_own_pairs>({3, 2, 4, true, false, 13, 2, true}); }
TEST_CASE("plane_array, five signed weight planes at once", "[arithmetic]") {
  check_array<Varray_all_planes>({2, 6, 3, true, false, 18, 5, false, 5, true});
}
TEST_CASE("plane_array, depthwise, two unsigned weight planes at once", "[arithmetic]") {
  check_array<Varray_two_planes>({3, 1, 2, false, false, 14, 2, true, 2, false});
}
