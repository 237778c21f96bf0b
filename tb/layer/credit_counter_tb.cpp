// SPDX-License-Identifier: Apache-2.0
// credit_counter against a count of what is under way: available exactly while that is below CREDITS.
#include <Vcredits_1.h>
#include <Vcredits_3.h>
#include <Vcredits_4.h>

#include "bench.hpp"
#include "catch2.hpp"

using namespace bench;

namespace {

template <class Model>
void check_credits(int credits) {
  Dut<Model> dut(test_seed());
  Random random(test_seed());
  dut->take = dut->give = 0;
  dut.reset();
  int under_way = 0, full = 0, both = 0;
  for (int cycle = 0; cycle < 3000; ++cycle) {
    if (cycle % 500 == 250) {  // forgets what is under way
      dut.reset();
      under_way = 0;
    }
    const double take = cycle / 100 % 3 * 0.45, give = cycle / 70 % 3 * 0.45;  // fills, drains, both at once
    dut->take = under_way < credits && random.chance(take);
    dut->give = under_way > 0 && random.chance(give);
    dut.settle();
    REQUIRE(dut->available == (under_way < credits));
    full += under_way == credits, both += dut->take && dut->give;
    under_way += dut->take - dut->give;
    dut.tick();
  }
  CHECK(full > 100);
  CHECK((credits == 1 || both > 100));
}

}  // namespace

TEST_CASE("credit_counter, one credit", "[layer]") { check_credits<Vcredits_1>(1); }
TEST_CASE("credit_counter, 3 credits", "[layer]") { check_credits<Vcredits_3>(3); }
TEST_CASE("credit_counter, 4 credits", "[layer]") { check_credits<Vcredits_4>(4); }
