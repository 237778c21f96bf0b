// SPDX-License-Identifier: Apache-2.0
// plane_array against integer arithmetic: runs of random words, back to back and with gaps, for each fabric's structure.
//
// The reference adds weight * activation cell by cell; a cell's value follows from the header of plane_array.sv alone.
#include <Varray_binary.h>
#include <Varray_binary_ecp5.h>
#include <Varray_columns_ecp5.h>
#include <Varray_depthwise.h>
#include <Varray_depthwise_ecp5.h>
#include <Varray_lone_ecp5.h>
#include <Varray_minus_ecp5.h>
#include <Varray_octets_ecp5.h>
#include <Varray_pairs.h>
#include <Varray_pairs_ecp5.h>
#include <Varray_pairs_ice40.h>
#include <Varray_planes.h>
#include <Varray_planes_ecp5.h>
#include <Varray_products.h>
#include <Varray_products_ecp5.h>
#include <Varray_products_ice40.h>
#include <Varray_products_own.h>
#include <Varray_products_unsigned.h>
#include <Varray_select_ice40.h>
#include <Varray_select_odd.h>
#include <Varray_select_signed.h>
#include <Varray_select_two_bits.h>
#include <Varray_signed_bit_ecp5.h>
#include <Varray_signed_ecp5.h>
#include <Varray_signed_ice40.h>
#include <Varray_signed_planes_ecp5.h>
#include <Varray_signed_xnor_ecp5.h>
#include <Varray_signed_xnor_ice40.h>
#include <Varray_triples.h>
#include <Varray_triples_left.h>
#include <Varray_triples_one.h>
#include <Varray_triples_two.h>
#include <Varray_two_planes_ecp5.h>
#include <Varray_xnor_triples_ecp5.h>

#include "bench.hpp"
#include "catch2.hpp"

using namespace bench;

namespace {

struct ArrayCase {
  int pe, simd, act_bits, run_bits;
  bool can_sign = false, xnor = false, depthwise = false;
  int wpar = 1;
  bool w_signed = false;
  bool pairs = false, triples = false;  // weights come a clock later
  bool products = false;                // activations with sign have all their bits

  int activations() const { return depthwise ? simd * pe : simd; }  // of a word
  int lane(int p, int i) const { return depthwise ? i * pe + p : i; }
  int most_latency() const {
    const auto log2 = [](int n) {
      int bits = 0;
      while (1 << bits < n) ++bits;
      return bits;
    };
    return products ? log2(simd) + 5 : log2(simd) + log2(wpar) + 3;
  }
  std::int64_t cell(bool weight, const Bits& data, int i, bool top) const {
    const std::uint64_t mask = (std::uint64_t{1} << act_bits) - 1, a = data.get(i * act_bits, act_bits);
    const std::uint64_t value = weight ? a : xnor ? ~a & mask : 0;
    return static_cast<std::int64_t>(value) - (top && value >> (act_bits - 1) ? std::int64_t{1} << act_bits : 0);
  }
  /// What lanes 2i and 2i + 1 contribute with pairs: their activations as they count, added or subtracted, ~x for -x.
  std::int64_t pair(bool first, bool second, const Bits& data, int i) const {
    const std::int64_t half = std::int64_t{1} << (act_bits - 1);
    const auto value = [&](int lane) {
      const auto code = static_cast<std::int64_t>(data.get(lane * act_bits, act_bits));
      return can_sign && code >= half ? code - 2 * half : can_sign ? code : code - half;
    };
    const std::int64_t x = value(2 * i) + (first == second ? 1 : -1) * value(2 * i + 1);
    return first ? x : -x - 1;
  }
  /// Weights as the array takes them: three by three {w1 ^ w2, w0 ^ w2, majority} with triples.
  Bits as_given(const Bits& weights) const {
    Bits given = weights;
    for (int p = 0; triples && p < pe; ++p)
      for (int i = 0; i + 3 <= simd; i += 3) {
        const int at = p * simd + i;
        const std::uint64_t w0 = weights.get(at, 1), w1 = weights.get(at + 1, 1), w2 = weights.get(at + 2, 1);
        given.set(at, 1, w1 ^ w2);
        given.set(at + 1, 1, w0 ^ w2);
        given.set(at + 2, 1, w0 + w1 + w2 >= 2);
      }
    return given;
  }
  std::int64_t plane_weight(int p) const { return w_signed && p == wpar - 1 ? -(std::int64_t{1} << p) : std::int64_t{1} << p; }
};

struct Run {
  std::uint64_t latest;  ///< cycle
  Bits totals;
  std::uint64_t info;
};

constexpr int kInfoBits = 5;

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
      const int words = random_.chance(0.3) ? 1 : 1 + static_cast<int>(random_.below(6));
      const std::uint32_t kind = random_.below(4);  // 0, 1: every activation and weight at an end of its range
      const bool top = random_.chance(0.5) || layer_.products;  // without effect unless can_sign
      for (int w = 0; w < words; ++w) {
        while (random_.chance(gap)) step();
        Bits data = random_.bits(layer_.activations() * layer_.act_bits), weights = random_.bits(layer_.pe * layer_.wpar * layer_.simd);
        for (int i = 0; kind < 2 && i < layer_.activations(); ++i)
          data.set(i * layer_.act_bits, layer_.act_bits, kind == 0 ? std::uint64_t{1} << (layer_.act_bits - 1) : ~std::uint64_t{0});
        for (int i = 0; kind < 2 && i < layer_.pe * layer_.wpar * layer_.simd; ++i) weights.set(i, 1, random_.below(8) != 0);
        for (int pe = 0; layer_.pairs && pe < layer_.pe; ++pe)
          for (int i = 0; i < layer_.simd / 2; ++i) {
            const int lane = pe * layer_.simd + 2 * i;
            sums[static_cast<std::size_t>(pe)] += layer_.pair(weights.get(lane, 1) != 0, weights.get(lane + 1, 1) != 0, data, i);
          }
        for (int pe = 0; !layer_.pairs && pe < layer_.pe; ++pe)
          for (int p = 0; p < layer_.wpar; ++p)
            for (int i = 0; i < layer_.simd; ++i)
              sums[static_cast<std::size_t>(pe)] +=
                  layer_.plane_weight(p) * layer_.cell(weights.get((pe * layer_.wpar + p) * layer_.simd + i, 1) != 0, data,
                                                       layer_.lane(pe, i), layer_.can_sign && top);
        const std::uint64_t info = random_.below(1u << kInfoBits);
        dut_->word_valid = 1;
        dut_->word_first = w == 0;
        dut_->word_last = w == words - 1;
        dut_->word_top = top;
        dut_->word_info = static_cast<CData>(info);
        set_bits(dut_->activations, data);
        give(layer_.as_given(weights));
        if (w == words - 1) {
          Bits totals(layer_.pe * layer_.run_bits);
          for (int pe = 0; pe < layer_.pe; ++pe)
            totals.set(pe * layer_.run_bits, layer_.run_bits, static_cast<std::uint64_t>(sums[static_cast<std::size_t>(pe)]));
          expected_.push_back({dut_.cycle() + static_cast<std::uint64_t>(layer_.most_latency()), totals, info});
        }
        step();
      }
    }
  }
  void drain() {
    for (int i = 0; i < layer_.most_latency() + 5; ++i) step();
    REQUIRE(expected_.empty());
  }

 private:
  void idle() {  // no word, anything on the other ports
    dut_->word_valid = 0;
    dut_->word_first = random_.chance(0.5), dut_->word_last = random_.chance(0.5), dut_->word_top = random_.chance(0.5);
    dut_->word_info = static_cast<CData>(random_.below(1u << kInfoBits));
    set_bits(dut_->activations, random_.bits(layer_.activations() * layer_.act_bits));
    give(random_.bits(layer_.pe * layer_.wpar * layer_.simd));
  }
  /// Weights of the word that is set: at once, or in the next clock.
  void give(const Bits& weights) { next_weights_ = weights; }
  void step() {
    set_bits(dut_->weights, layer_.pairs || layer_.triples ? late_weights_ : next_weights_);
    late_weights_ = next_weights_;
    dut_.settle();
    if (dut_->run_valid) {
      REQUIRE(!expected_.empty());
      REQUIRE(get_bits(dut_->totals, layer_.pe * layer_.run_bits) == expected_.front().totals);
      REQUIRE(dut_->run_info == expected_.front().info);
      REQUIRE(dut_.cycle() <= expected_.front().latest);
      expected_.pop_front();
    }
    dut_.tick();
    idle();
  }

  ArrayCase layer_;
  Dut<Model> dut_;
  Random random_;
  std::deque<Run> expected_;
  Bits next_weights_, late_weights_{layer_.pe * layer_.wpar * layer_.simd};
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

// Parameters: benches.cmake.
TEST_CASE("plane_array, binary XNOR", "[arithmetic]") {
  const ArrayCase layer{.pe = 2, .simd = 21, .act_bits = 1, .run_bits = 10, .xnor = true};
  check_array<Varray_binary>(layer);
  check_array<Varray_binary_ecp5>(layer);
}
TEST_CASE("plane_array, two bits AND", "[arithmetic]") {
  const ArrayCase layer{.pe = 3, .simd = 16, .act_bits = 2, .run_bits = 9};
  check_array<Varray_pairs>(layer);
  check_array<Varray_pairs_ecp5>(layer);
  check_array<Varray_pairs_ice40>(layer);
}
TEST_CASE("plane_array, depthwise", "[arithmetic]") {
  check_array<Varray_depthwise>({.pe = 4, .simd = 1, .act_bits = 4, .run_bits = 7, .depthwise = true});
  check_array<Varray_depthwise_ecp5>({.pe = 4, .simd = 1, .act_bits = 4, .run_bits = 7, .depthwise = true});
  check_array<Varray_columns_ecp5>({.pe = 3, .simd = 9, .act_bits = 2, .run_bits = 12, .can_sign = true, .xnor = true, .depthwise = true});
  check_array<Varray_two_planes_ecp5>({.pe = 3, .simd = 3, .act_bits = 2, .run_bits = 10, .depthwise = true, .wpar = 2});
}
TEST_CASE("plane_array, several weight planes at once", "[arithmetic]") {
  const ArrayCase layer{.pe = 2, .simd = 6, .act_bits = 3, .run_bits = 18, .can_sign = true, .wpar = 5, .w_signed = true};
  check_array<Varray_planes>(layer);
  check_array<Varray_planes_ecp5>(layer);
  check_array<Varray_signed_planes_ecp5>({.pe = 2, .simd = 8, .act_bits = 4, .run_bits = 16, .wpar = 4, .w_signed = true});
}
TEST_CASE("plane_array, products", "[arithmetic]") {
  check_array<Varray_products>({.pe = 3, .simd = 5, .act_bits = 8, .run_bits = 20, .wpar = 8, .w_signed = true, .products = true});
  check_array<Varray_products_ecp5>({.pe = 2, .simd = 9, .act_bits = 8, .run_bits = 22, .wpar = 8, .w_signed = true, .products = true});
  check_array<Varray_products_ice40>(
      {.pe = 2, .simd = 4, .act_bits = 8, .run_bits = 14, .can_sign = true, .wpar = 5, .w_signed = true, .products = true});
  check_array<Varray_products_unsigned>({.pe = 2, .simd = 1, .act_bits = 4, .run_bits = 11, .wpar = 3, .products = true});
  check_array<Varray_products_own>(
      {.pe = 3, .simd = 3, .act_bits = 4, .run_bits = 14, .can_sign = true, .depthwise = true, .wpar = 4, .w_signed = true, .products = true});
}
TEST_CASE("plane_array, eight bits", "[arithmetic]") {
  check_array<Varray_octets_ecp5>({.pe = 2, .simd = 64, .act_bits = 8, .run_bits = 16});
}
TEST_CASE("plane_array, three bits XNOR", "[arithmetic]") {
  check_array<Varray_xnor_triples_ecp5>({.pe = 2, .simd = 36, .act_bits = 3, .run_bits = 12, .xnor = true});
}
TEST_CASE("plane_array, signed activations", "[arithmetic]") {
  check_array<Varray_signed_ecp5>({.pe = 2, .simd = 20, .act_bits = 4, .run_bits = 14, .can_sign = true});
  check_array<Varray_signed_xnor_ecp5>({.pe = 2, .simd = 8, .act_bits = 2, .run_bits = 9, .can_sign = true, .xnor = true});
  check_array<Varray_signed_ice40>({.pe = 2, .simd = 20, .act_bits = 4, .run_bits = 14, .can_sign = true});
  check_array<Varray_signed_xnor_ice40>(
      {.pe = 2, .simd = 8, .act_bits = 2, .run_bits = 9, .can_sign = true, .xnor = true, .depthwise = true});
  check_array<Varray_signed_bit_ecp5>({.pe = 2, .simd = 12, .act_bits = 1, .run_bits = 10, .can_sign = true, .xnor = true});
}
TEST_CASE("plane_array, one negative plane", "[arithmetic]") {
  check_array<Varray_minus_ecp5>({.pe = 2, .simd = 4, .act_bits = 3, .run_bits = 10, .w_signed = true});
}
TEST_CASE("plane_array, one binary activation", "[arithmetic]") {
  check_array<Varray_lone_ecp5>({.pe = 1, .simd = 1, .act_bits = 1, .run_bits = 4, .xnor = true});
}

TEST_CASE("plane_array, cells two by two", "[arithmetic]") {
  check_array<Varray_select_ice40>({.pe = 3, .simd = 16, .act_bits = 8, .run_bits = 14, .xnor = true, .pairs = true});
  check_array<Varray_select_odd>({.pe = 2, .simd = 6, .act_bits = 3, .run_bits = 9, .xnor = true, .pairs = true});
  check_array<Varray_select_signed>({.pe = 2, .simd = 2, .act_bits = 4, .run_bits = 8, .can_sign = true, .xnor = true, .pairs = true});
  check_array<Varray_select_two_bits>({.pe = 2, .simd = 12, .act_bits = 2, .run_bits = 8, .can_sign = true, .xnor = true, .pairs = true});
}
TEST_CASE("plane_array, cells three by three", "[arithmetic]") {
  check_array<Varray_triples>({.pe = 2, .simd = 21, .act_bits = 1, .run_bits = 10, .xnor = true, .triples = true});
  check_array<Varray_triples_left>({.pe = 3, .simd = 64, .act_bits = 1, .run_bits = 9, .xnor = true, .triples = true});
  check_array<Varray_triples_two>({.pe = 2, .simd = 5, .act_bits = 1, .run_bits = 6, .xnor = true, .triples = true});
  check_array<Varray_triples_one>({.pe = 1, .simd = 1, .act_bits = 1, .run_bits = 3, .xnor = true, .triples = true});
}
