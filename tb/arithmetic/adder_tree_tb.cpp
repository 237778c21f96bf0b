// SPDX-License-Identifier: Apache-2.0
// adder_tree against a plain sum: a new one each clock, with the ends of the range among the inputs.
#include <Vtree_1.h>
#include <Vtree_21x3s.h>
#include <Vtree_64x1.h>

#include "bench.hpp"
#include "catch2.hpp"

using namespace bench;

namespace {

template <class Model>
void check_tree(int n, int width, bool is_signed) {
  Dut<Model> dut(test_seed());
  Random random(test_seed());
  int sum_bits = width, latency = 0;
  for (int power = 1; power < n; power *= 2) ++sum_bits;
  for (int left = n; left > 1; left = (left + 3) / 4) ++latency;
  std::deque<std::int64_t> expected;
  for (int clock = 0; clock < 1000; ++clock) {
    Bits in = random.bits(n * width);
    if (clock % 4 == 0)  // all numbers at one end of the range
      for (int i = 0; i < n; ++i) in.set(i * width, width, clock % 8 == 0 ? 0 : (std::uint64_t{1} << (width - (is_signed ? 1 : 0))) - 1);
    if (clock % 16 == 1 && is_signed)
      for (int i = 0; i < n; ++i) in.set(i * width, width, std::uint64_t{1} << (width - 1));
    std::int64_t sum = 0;
    for (int i = 0; i < n; ++i) sum += is_signed ? in.get_signed(i * width, width) : static_cast<std::int64_t>(in.get(i * width, width));
    expected.push_back(sum);
    set_bits(dut->numbers, in);
    dut.settle();
    if (clock >= latency) {
      const Bits out = get_bits(dut->sum, 0, sum_bits);
      REQUIRE((is_signed ? out.get_signed(0, sum_bits) : static_cast<std::int64_t>(out.value())) == expected.front());
      expected.pop_front();
    }
    dut.tick();
  }
}

}  // namespace

TEST_CASE("adder_tree, one number", "[arithmetic]") { check_tree<Vtree_1>(1, 4, false); }
TEST_CASE("adder_tree, 64 bits", "[arithmetic]") { check_tree<Vtree_64x1>(64, 1, false); }
TEST_CASE("adder_tree, 21 signed numbers of 3 bits", "[arithmetic]") { check_tree<Vtree_21x3s>(21, 3, true); }
