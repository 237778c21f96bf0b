// SPDX-License-Identifier: Apache-2.0
// column_unfold against slices of rows; frames back to back, one input pixel per clock.
#include <Vunfold_2of2.h>
#include <Vunfold_3of8.h>
#include <Vunfold_5of7.h>

#include "bench.hpp"
#include "catch2.hpp"
#include "stalls.hpp"

using namespace bench;

namespace {
template <class Model>
void check_unfold(int width, int map_width, int columns) {
  for (const Stalls& stalls : stall_cases) {
    CAPTURE(stalls.in, stalls.out);
    Dut<Model> dut(test_seed());
    Random random(test_seed());
    Source in(dut, input_stream(dut, width), stalls.in);
    Sink out(dut, output_stream(dut, width * columns), stalls.out);
    if (stalls.sink_waits) out.wait_for_valid();
    for (int i = 0; i + 1 < columns; ++i) in.push({random.bits(width), false});  // a row begun, then a reset
    dut.run(30);
    dut.reset();
    const int rows = 40;
    for (int y = 0; y < rows; ++y) {
      std::vector<Bits> row;
      const bool ends = y % 4 == 3;
      for (int x = 0; x < map_width; ++x) {
        row.push_back(random.bits(width));
        in.push({row.back(), ends && x == map_width - 1});
      }
      for (int x = 0; x + columns <= map_width; ++x) {
        out.expect({concat({row.begin() + x, row.begin() + x + columns}), ends && x + columns == map_width});
      }
    }
    in.restart_count();
    REQUIRE_NOTHROW(run_stream(dut, in, out));
    if (stalls.in == 1.0 && stalls.out == 1.0) CHECK(in.span() == static_cast<std::uint64_t>(rows * map_width));
  }
}
}  // namespace

TEST_CASE("column_unfold, whole row", "[stream]") { check_unfold<Vunfold_2of2>(3, 2, 2); }
TEST_CASE("column_unfold, 3 of 8", "[stream]") { check_unfold<Vunfold_3of8>(5, 8, 3); }
TEST_CASE("column_unfold, 5 of 7, wide", "[stream]") { check_unfold<Vunfold_5of7>(24, 7, 5); }
