// SPDX-License-Identifier: Apache-2.0
// credit_counter: never more than CREDITS taken and not given back, and available whenever there is one.
#include <Vcredits_1.h>
#include <Vcredits_5.h>

#include "bench.hpp"
#include "catch2.hpp"

using namespace bench;

namespace {

template <class Model>
void check_credits(int credits) {
  Dut<Model> dut(test_seed());
  Random random(test_seed());
  int taken = 0, emptied = 0;
  for (int clock = 0; clock < 3000; ++clock) {
    // Phases that drain, fill and mix.
    const double take_chance = clock / 300 % 3 == 0 ? 0.9 : 0.4, give_chance = clock / 300 % 3 == 1 ? 0.9 : 0.4;
    dut.settle();
    REQUIRE((dut->available != 0) == (taken < credits));
    if (taken == credits) ++emptied;
    const bool take = taken < credits && random.chance(take_chance), give = taken > 0 && random.chance(give_chance);
    dut->take = take;
    dut->give = give;
    taken += (take ? 1 : 0) - (give ? 1 : 0);
    dut.tick();
  }
  CHECK(emptied > 100);
  dut.reset();
  CHECK(dut->available != 0);
}

}  // namespace

TEST_CASE("credit_counter, one credit", "[layer]") { check_credits<Vcredits_1>(1); }
TEST_CASE("credit_counter, five credits", "[layer]") { check_credits<Vcredits_5>(5); }
