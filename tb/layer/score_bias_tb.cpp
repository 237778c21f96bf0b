// SPDX-License-Identifier: Apache-2.0
// score_bias against (value << ALPHA_SHIFT) + bias: doubled values, more than ten lanes, scores that wrap.
#include <Vbias_lanes.h>
#include <Vbias_narrow.h>
#include <Vbias_shift.h>

#include "bench.hpp"
#include "catch2.hpp"
#include "channel_tables.hpp"

using namespace bench;

TEST_CASE("score_bias, doubled, one lane", "[layer]") {
  REQUIRE_NOTHROW(check_lanes<Vbias_shift>({"bias_shift", 1, 3, 6, 0, 0, 0, 0, 1, 9}, 2, test_seed()));
}
TEST_CASE("score_bias, 11 lanes, one beat", "[layer]") {
  REQUIRE_NOTHROW(check_lanes<Vbias_lanes>({"bias_lanes", 11, 1, 5, 0, 0, 0, 0, 0, 7}, 2, test_seed()));
}
TEST_CASE("score_bias, fewer bits than the value: modulo", "[layer]") {
  REQUIRE_NOTHROW(check_lanes<Vbias_narrow>({"bias_narrow", 2, 4, 9, 0, 0, 0, 0, 2, 8}, 2, test_seed()));
}
