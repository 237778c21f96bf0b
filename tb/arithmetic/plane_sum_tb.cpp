// SPDX-License-Identifier: Apache-2.0
// plane_sum against its definition: every input where there are few enough, else random ones and the ends of the range; a new sum each
// clock.
#include <Vsum_and_17x3s.h>
#include <Vsum_and_33x8.h>
#include <Vsum_and_4x2.h>
#include <Vsum_xnor_1.h>
#include <Vsum_xnor_3x2s.h>
#include <Vsum_xnor_5.h>
#include <Vsum_xnor_64.h>

#include "bench.hpp"
#include "catch2.hpp"

using namespace bench;

namespace {

struct Cells {
  int simd, act_bits;
  bool is_signed, xnor;
  int sum_bits() const {
    int bits = act_bits + (is_signed ? 1 : 0);
    for (int n = 1; n < simd; n *= 2) ++bits;
    return bits;
  }
  int latency() const {  // one clock a level of four
    int clocks = 0;
    for (int left = simd; left > 1; left = (left + 3) / 4) ++clocks;
    return clocks;
  }
  std::int64_t sum(const Bits& weights, const Bits& activations, bool top) const {
    std::int64_t total = 0;
    for (int i = 0; i < simd; ++i) {
      const std::int64_t range = std::int64_t{1} << act_bits;
      std::int64_t value = static_cast<std::int64_t>(activations.get(i * act_bits, act_bits));
      if (is_signed && top && value >= range / 2) value -= range;
      const std::int64_t complement = is_signed && top ? -1 - value : range - 1 - value;
      total += weights.get(i, 1) ? value : xnor ? complement : 0;
    }
    return total;
  }
};

template <class Model>
void check_sum(const Cells& cells) {
  Dut<Model> dut(test_seed());
  Random random(test_seed());
  const int bits = cells.simd * (1 + cells.act_bits) + 1;
  const bool exhaustive = bits <= 14;
  const std::uint32_t vectors = exhaustive ? 1u << bits : 5000;
  std::deque<std::int64_t> expected;
  int wrong = 0;
  for (std::uint32_t v = 0; v < vectors + static_cast<std::uint32_t>(cells.latency()); ++v) {
    Bits in = exhaustive ? Bits(bits, v) : random.bits(bits);
    if (!exhaustive && v % 5 < 4) {  // ends of the range: all weights and activations 0 or 1, where the sum is widest
      for (int i = 0; v % 5 < 2 && i < cells.simd; ++i) in.set(i, 1, v % 5);
      for (int i = cells.simd; v % 7 < 2 && i < bits - 1; ++i) in.set(i, 1, v % 7);
    }
    const Bits weights = in.slice(0, cells.simd), activations = in.slice(cells.simd, cells.simd * cells.act_bits);
    const bool top = in.get(bits - 1, 1) != 0;
    set_bits(dut->weights, weights);
    set_bits(dut->activations, activations);
    dut->top = top;
    expected.push_back(cells.sum(weights, activations, top));
    dut.settle();
    if (v >= static_cast<std::uint32_t>(cells.latency())) {
      const Bits sum = get_bits(dut->sum, 0, cells.sum_bits());
      const std::int64_t got = cells.is_signed ? sum.get_signed(0, cells.sum_bits()) : static_cast<std::int64_t>(sum.value());
      if (got != expected.front() && ++wrong < 4) CHECK(got == expected.front());
      expected.pop_front();
    }
    dut.tick();
  }
  CHECK(wrong == 0);
}

}  // namespace

TEST_CASE("plane_sum, one XNOR cell", "[arithmetic]") { check_sum<Vsum_xnor_1>({1, 1, false, true}); }
TEST_CASE("plane_sum, 5 XNOR cells, all inputs", "[arithmetic]") { check_sum<Vsum_xnor_5>({5, 1, false, true}); }
TEST_CASE("plane_sum, 4 AND cells of 2 bits, all inputs", "[arithmetic]") { check_sum<Vsum_and_4x2>({4, 2, false, false}); }
TEST_CASE("plane_sum, 3 signed XNOR cells of 2 bits, all inputs", "[arithmetic]") { check_sum<Vsum_xnor_3x2s>({3, 2, true, true}); }
TEST_CASE("plane_sum, 17 signed AND cells of 3 bits", "[arithmetic]") { check_sum<Vsum_and_17x3s>({17, 3, true, false}); }
TEST_CASE("plane_sum, 64 XNOR cells", "[arithmetic]") { check_sum<Vsum_xnor_64>({64, 1, false, true}); }
TEST_CASE("plane_sum, 33 AND cells of 8 bits", "[arithmetic]") { check_sum<Vsum_and_33x8>({33, 8, false, false}); }
