// SPDX-License-Identifier: Apache-2.0
// plane_array against integer arithmetic: groups of random length with gaps between their words, doubling, negating, several passes.
#include <Varray_and_signed.h>
#include <Varray_xnor.h>

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
};

struct Group {
  std::vector<std::int64_t> accumulators;
  bool frame;
};

std::int64_t wrap(std::int64_t value, int bits) {
  const std::int64_t range = std::int64_t{1} << bits;
  const std::int64_t low = ((value % range) + range) % range;
  return low >= range / 2 ? low - range : low;
}

template <class Model>
void check_array(const ArrayCase& c) {
  Dut<Model> dut(test_seed());
  Random random(test_seed());
  const int passes = c.a_bits / c.apar;
  std::deque<Group> expected;
  Bits weights_now(c.pe * c.simd), weights_next(c.pe * c.simd);
  int groups_seen = 0;
  const auto clock = [&](bool valid, const Bits& weights) {
    dut->word_valid = valid;
    weights_next = weights;
    // With several passes the array selects a plane group first: weights come one clock later.
    set_bits(dut->weights, passes > 1 ? weights_now : weights_next);
    weights_now = weights_next;
    dut.settle();
    if (dut->group_valid != 0) {
      REQUIRE_FALSE(expected.empty());
      for (int pe = 0; pe < c.pe; ++pe)
        REQUIRE(get_bits(dut->accumulators, pe * c.acc_bits, c.acc_bits).get_signed(0, c.acc_bits) ==
                expected.front().accumulators[static_cast<std::size_t>(pe)]);
      REQUIRE((dut->group_frame != 0) == expected.front().frame);
      expected.pop_front();
      ++groups_seen;
    }
    dut.tick();
  };

  for (int group = 0; group < 200; ++group) {
    const int words = 1 + static_cast<int>(random.below(6));
    Group result{std::vector<std::int64_t>(static_cast<std::size_t>(c.pe), 0), random.chance(0.3)};
    for (int word = 0; word < words; ++word) {
      const Bits data = random.bits(c.simd * c.a_bits), weights = random.bits(c.pe * c.simd);
      const bool negate = !c.xnor && random.chance(0.4), doubles = word > 0 && random.chance(0.4);
      for (int pe = 0; pe < c.pe; ++pe) {
        std::int64_t sum = 0;
        for (int i = 0; i < c.simd; ++i) {
          const std::int64_t a =
              c.a_signed ? data.get_signed(i * c.a_bits, c.a_bits) : static_cast<std::int64_t>(data.get(i * c.a_bits, c.a_bits));
          const std::int64_t complement = c.a_signed ? -1 - a : (std::int64_t{1} << c.a_bits) - 1 - a;
          sum += weights.get(pe * c.simd + i, 1) ? a : c.xnor ? complement : 0;
        }
        std::int64_t& acc = result.accumulators[static_cast<std::size_t>(pe)];
        acc = wrap((doubles ? 2 * acc : acc) + (negate ? -sum : sum), c.acc_bits);
      }
      for (int pass = 0; pass < passes; ++pass) {
        set_bits(dut->word_data, data);
        dut->word_pass = static_cast<std::uint8_t>(pass);
        dut->word_first = word == 0 && pass == 0;
        dut->word_last = word + 1 == words && pass + 1 == passes;
        dut->word_double = doubles && pass == 0;
        dut->word_negate = negate;
        dut->word_frame = result.frame;
        if (dut->word_last != 0) expected.push_back(result);
        clock(true, weights);
        while (random.chance(0.2)) clock(false, random.bits(c.pe * c.simd));
      }
    }
  }
  for (int i = 0; i < 20; ++i) clock(false, weights_now);
  CHECK(groups_seen == 200);
}

}  // namespace

TEST_CASE("plane_array, XNOR cells on 2-bit activations", "[arithmetic]") { check_array<Varray_xnor>({3, 6, 2, false, 2, true, 12}); }
TEST_CASE("plane_array, AND cells on signed 4-bit activations, two bits a pass", "[arithmetic]") {
  check_array<Varray_and_signed>({2, 5, 4, true, 2, false, 13});
}
