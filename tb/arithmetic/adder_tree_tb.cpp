// SPDX-License-Identifier: Apache-2.0
// adder_tree against a plain sum, a new one each clock: random numbers and the ends of the range, where the sum is widest.
#include <Vtree_1.h>
#include <Vtree_21.h>
#include <Vtree_7s.h>

#include "bench.hpp"
#include "catch2.hpp"

using namespace bench;

namespace {

template <class Model>
void check_tree(int count, int width, bool is_signed, int latency) {
  Dut<Model> dut(test_seed());
  Random random(test_seed());
  int sum_bits = width;
  for (int n = 1; n < count; n *= 2) ++sum_bits;
  std::deque<std::int64_t> expected;
  for (int vector = 0; vector < 2000; ++vector) {
    Bits numbers = random.bits(count * width);
    if (vector % 4 == 0) {  // every number the same: zeros, ones, the least, the largest of two's complement
      const Bits ends[] = {Bits(width), Bits(width, ~std::uint64_t{0}), Bits(width, std::uint64_t{1} << (width - 1)),
                           Bits(width, (std::uint64_t{1} << (width - 1)) - 1)};
      for (int i = 0; i < count; ++i) numbers.place(i * width, ends[vector / 4 % 4]);
    }
    std::int64_t sum = 0;
    for (int i = 0; i < count; ++i)
      sum += is_signed ? numbers.get_signed(i * width, width) : static_cast<std::int64_t>(numbers.get(i * width, width));
    expected.push_back(sum);
    set_bits(dut->numbers, numbers);
    dut.settle();
    if (vector >= latency) {
      const Bits got = get_bits(dut->sum, sum_bits);
      REQUIRE((is_signed ? got.get_signed(0, sum_bits) : static_cast<std::int64_t>(got.value())) == expected.front());
      expected.pop_front();
    }
    dut.tick();
  }
}

}  // namespace

TEST_CASE("adder_tree, one number: a wire", "[arithmetic]") { check_tree<Vtree_1>(1, 4, true, 0); }
TEST_CASE("adder_tree, 7 signed numbers, 2 levels", "[arithmetic]") { check_tree<Vtree_7s>(7, 3, true, 2); }
TEST_CASE("adder_tree, 21 unsigned numbers, 3 levels", "[arithmetic]") { check_tree<Vtree_21>(21, 2, false, 3); }
