// SPDX-License-Identifier: Apache-2.0
// plane_array against integer arithmetic: groups of random words, doubled and subtracted, each word's passes in order, with gaps anywhere.
//
// The reference knows nothing of passes: a word adds weight * activation with the whole activation (an XNOR cell complements it where the
// weight is 0).
#include <Varray_all_planes.h>
#include <Varray_binary.h>
#include <Varray_columns.h>
#include <Varray_depthwise.h>
#include <Varray_own_pairs.h>
#include <Varray_pairs.h>
#include <Varray_serial.h>
#include <Varray_two_planes.h>

#include "bench.hpp"
#include "catch2.hpp"

using namespace bench;

namespace {

struct ArrayCase {
  int pe, simd, a_bits;
  bool a_signed;
  int apar;
  bool xnor;
  int acc_bits;
  int latency;  // from a word with last to group_valid
  bool depthwise = false;
  int wpar = 1;
  bool w_signed = false;

  int passes() const { return a_bits / apar; }
  int activations() const { return depthwise ? simd * pe : simd; }  // of a word
  int lane(int p, int i) const { return depthwise ? i * pe + p : i; }
  std::int64_t cell(bool weight, const Bits& data, int i) const {
    const std::int64_t a = a_signed ? data.get_signed(i * a_bits, a_bits) : static_cast<std::int64_t>(data.get(i * a_bits, a_bits));
    if (weight) return a;
    return !xnor ? 0 : a_signed ? -1 - a : (std::int64_t{1} << a_bits) - 1 - a;
  }
  std::int64_t plane_weight(int p) const { return wpar > 1 && w_signed && p == wpar - 1 ? -(std::int64_t{1} << p) : std::int64_t{1} << p; }
};

struct Group {
  std::uint64_t cycle;
  std::vector<std::int64_t> sums;
  bool frame;
};

template <class Model>
class ArrayBench {
 public:
  explicit ArrayBench(const ArrayCase& layer)
      : layer_(layer), dut_(test_seed()), random_(test_seed()), late_(random_.bits(layer.pe * layer.wpar * layer.simd)) {
    reset();
  }

  void reset() {
    idle();
    dut_.reset();
    expected_.clear();
  }
  /// Groups of 1 to 6 words; `gap`: probability of a clock without a word.
  void groups(int count, double gap) {
    for (int g = 0; g < count; ++g) {
      std::vector<std::int64_t> sums(static_cast<std::size_t>(layer_.pe), 0);
      const int words = 1 + static_cast<int>(random_.below(6));
      const std::uint32_t kind = random_.below(4);  // 0, 1: every activation and weight at an end of its range
      for (int w = 0; w < words; ++w) {
        Bits data = random_.bits(layer_.activations() * layer_.a_bits), weights = random_.bits(layer_.pe * layer_.wpar * layer_.simd);
        for (int i = 0; kind < 2 && i < layer_.activations(); ++i)
          data.set(i * layer_.a_bits, layer_.a_bits, kind == 0 ? std::uint64_t{1} << (layer_.a_bits - 1) : ~std::uint64_t{0});
        for (int i = 0; kind < 2 && i < layer_.pe * layer_.wpar * layer_.simd; ++i) weights.set(i, 1, kind);
        const bool twice = random_.chance(0.4), minus = random_.chance(0.4),
                   negate = !layer_.xnor && layer_.wpar == 1 && minus;  // others ignore it
        const bool frame = random_.chance(0.5);
        for (int pe = 0; pe < layer_.pe; ++pe) {
          std::int64_t& sum = sums[static_cast<std::size_t>(pe)];
          if (w == 0)
            sum = 0;
          else if (twice)
            sum *= 2;
          for (int p = 0; p < layer_.wpar; ++p)
            for (int i = 0; i < layer_.simd; ++i)
              sum += (negate ? -1 : 1) * layer_.plane_weight(p) *
                     layer_.cell(weights.get((pe * layer_.wpar + p) * layer_.simd + i, 1) != 0, data, layer_.lane(pe, i));
        }
        for (int pass = 0; pass < layer_.passes(); ++pass) {
          while (random_.chance(gap)) step();
          const bool last = w == words - 1 && pass == layer_.passes() - 1;
          dut_->word_valid = 1;
          set_bits(dut_->word_data, data);
          dut_->word_pass = static_cast<CData>(pass);
          dut_->word_first = w == 0 && pass == 0;
          dut_->word_double = twice && pass == 0;
          dut_->word_negate = minus;
          dut_->word_last = last;
          dut_->word_frame = frame;
          if (last) expected_.push_back({dut_.cycle() + static_cast<std::uint64_t>(layer_.latency), sums, frame});
          step(&weights);
        }
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
    set_bits(dut_->word_data, random_.bits(layer_.activations() * layer_.a_bits));
    dut_->word_pass = static_cast<CData>(random_.below(static_cast<std::uint32_t>(layer_.passes())));
    dut_->word_first = random_.chance(0.5), dut_->word_last = random_.chance(0.5), dut_->word_double = random_.chance(0.5);
    dut_->word_negate = random_.chance(0.5), dut_->word_frame = random_.chance(0.5);
  }
  /// One clock; the weights of its word come now, or in the next clock if there are several passes.
  void step(const Bits* weights = nullptr) {
    const Bits now = weights ? *weights : random_.bits(layer_.pe * layer_.wpar * layer_.simd);
    set_bits(dut_->weights, layer_.passes() > 1 ? late_ : now);
    late_ = now;
    dut_.settle();
    const bool due = !expected_.empty() && expected_.front().cycle == dut_.cycle();
    REQUIRE(dut_->group_valid == due);
    if (due) {
      const Bits got = get_bits(dut_->accumulators, layer_.pe * layer_.acc_bits);
      std::vector<std::int64_t> sums;
      for (int pe = 0; pe < layer_.pe; ++pe) sums.push_back(got.get_signed(pe * layer_.acc_bits, layer_.acc_bits));
      REQUIRE(sums == expected_.front().sums);
      REQUIRE(dut_->group_frame == expected_.front().frame);
      expected_.pop_front();
    }
    dut_.tick();
    idle();
  }

  ArrayCase layer_;
  Dut<Model> dut_;
  Random random_;
  Bits late_;
  std::deque<Group> expected_;
};

template <class Model>
void check_array(const ArrayCase& layer) {
  ArrayBench<Model> test(layer);
  for (const double gap : {0.0, 0.2, 0.8}) {
    CAPTURE(gap);
    test.groups(5, gap);
    test.reset();  // groups under way are dropped
    test.drain();
    test.groups(300, gap);
    test.drain();
  }
}

}  // namespace

TEST_CASE("plane_array, binary XNOR", "[arithmetic]") { check_array<Varray_binary>({2, 5, 1, false, 1, true, 10, 4}); }
TEST_CASE("plane_array, signed AND, two passes of two bits", "[arithmetic]") {
  check_array<Varray_pairs>({3, 4, 4, true, 2, false, 13, 4});
}
TEST_CASE("plane_array, signed XNOR, three passes, one activation", "[arithmetic]") {
  check_array<Varray_serial>({1, 1, 3, true, 1, true, 10, 3});
}
TEST_CASE("plane_array, depthwise, 2-bit activations", "[arithmetic]") {
  check_array<Varray_depthwise>({4, 1, 2, false, 2, false, 11, 2, true});
}
TEST_CASE("plane_array, depthwise XNOR, three columns", "[arithmetic]") {
  check_array<Varray_columns>({2, 3, 1, false, 1, true, 10, 3, true});
}
TEST_CASE("plane_array, depthwise signed AND, two passes", "[arithmetic]") {
  check_array<Varray_own_pairs>({3, 2, 4, true, 2, false, 13, 4, true});
}
TEST_CASE("plane_array, five signed weight planes at once", "[arithmetic]") {
  check_array<Varray_all_planes>({2, 6, 3, true, 3, false, 18, 6, false, 5, true});
}
TEST_CASE("plane_array, depthwise, two unsigned weight planes at once", "[arithmetic]") {
  check_array<Varray_two_planes>({3, 1, 2, false, 2, false, 14, 3, true, 2, false});
}
