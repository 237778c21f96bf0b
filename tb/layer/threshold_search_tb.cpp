// SPDX-License-Identifier: Apache-2.0
// threshold_search against counting: rising and falling channels, fewer levels than places, signed codes in steps of 2, more than ten
// lanes.
#include <Vsearch_bit.h>
#include <Vsearch_many.h>
#include <Vsearch_registered.h>
#include <Vsearch_steps.h>

#include "bench.hpp"
#include "catch2.hpp"
#include "channel_tables.hpp"

using namespace bench;

TEST_CASE("threshold_search, one bit, 11 lanes", "[layer]") {
  REQUIRE_NOTHROW(check_lanes<Vsearch_bit>({"search_bit", 11, 2, 6, 1, 1, 0, 1, 0, 1}, 3, test_seed()));
}
TEST_CASE("threshold_search, 5 of 7 levels, steps of 2, signed codes", "[layer]") {
  REQUIRE_NOTHROW(check_lanes<Vsearch_steps>({"search_steps", 3, 5, 8, 3, 5, -5, 2, 0, 4}, 7, test_seed()));
}
TEST_CASE("threshold_search, one beat, all 15 levels", "[layer]") {
  REQUIRE_NOTHROW(check_lanes<Vsearch_many>({"search_many", 2, 1, 7, 4, 15, 0, 1, 0, 4}, 9, test_seed()));
}
TEST_CASE("threshold_search, a register behind the memory", "[layer]") {
  REQUIRE_NOTHROW(check_lanes<Vsearch_registered>({"search_registered", 3, 5, 8, 3, 5, -5, 2, 0, 4}, 10, test_seed()));
}
