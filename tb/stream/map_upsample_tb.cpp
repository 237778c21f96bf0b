// SPDX-License-Identifier: Apache-2.0
// map_upsample against repetition in an array; frames back to back, one output beat per clock, and what the buffer holds.
#include <Vup_2x2.h>
#include <Vup_columns.h>
#include <Vup_copy.h>
#include <Vup_dot.h>
#include <Vup_dot_copy.h>
#include <Vup_odd.h>
#include <Vup_rows.h>

#include "bench.hpp"
#include "catch2.hpp"
#include "stalls.hpp"

using namespace bench;

namespace {
struct Map {
  int width, chunks, height, map_width, up_height, up_width;
  int words() const { return chunks * height * map_width; }
  int copies() const { return up_height * up_width; }
  int depth() const { return 2 * chunks * (up_height > 1 ? map_width : 1); }
};

template <class Model>
void check_upsample(const Map& map) {
  const int frames = 5;
  for (const Stalls& stalls : stall_cases) {
    CAPTURE(stalls.in, stalls.out, stalls.sink_waits);
    Dut<Model> dut(test_seed());
    Random random(test_seed());
    Source in(dut, input_stream(dut, map.width), stalls.in);
    Sink out(dut, output_stream(dut, map.width), stalls.out);
    if (stalls.sink_waits) out.wait_for_valid();
    const auto send = [&] {
      std::vector<Bits> frame;
      for (int i = 0; i < map.words(); ++i) {
        frame.push_back(random.bits(map.width));
        in.push({frame.back(), i == map.words() - 1});
      }
      const int rows = map.height * map.up_height, columns = map.map_width * map.up_width;
      for (int y = 0; y < rows; ++y)
        for (int x = 0; x < columns; ++x)
          for (int chunk = 0; chunk < map.chunks; ++chunk)
            out.expect({frame[static_cast<std::size_t>((y / map.up_height * map.map_width + x / map.up_width) * map.chunks + chunk)],
                        y == rows - 1 && x == columns - 1 && chunk == map.chunks - 1});
    };
    for (int frame = 0; frame < frames; ++frame) send();
    REQUIRE_NOTHROW(dut.run(5 + random.below(30)));  // a reset within a frame starts a new one
    dut.reset();
    in.restart_count(), out.restart_count();
    for (int frame = 0; frame < frames; ++frame) send();
    REQUIRE_NOTHROW(run_stream(dut, in, out));
    if (stalls.in == 1.0 && stalls.out == 1.0) {
      CHECK(out.span() == static_cast<std::uint64_t>(frames * map.words() * map.copies()));
      CHECK(out.first_cycle() == in.first_cycle() + 2);
    }
    // With nobody listening it fills up; the word at the output has left the buffer if it is sent once.
    out.set_probability(0);
    in.restart_count();
    for (int frame = 0; frame < 4; ++frame) send();
    REQUIRE_NOTHROW(dut.run(20 * static_cast<std::uint64_t>(map.depth() + 2)));
    const int held = std::min(4 * map.words(), map.depth() + (map.copies() == 1 ? 1 : 0));
    if (stalls.in >= 0.5) CHECK(in.transfers() == static_cast<std::uint64_t>(held));
    out.set_probability(stalls.out);
    REQUIRE_NOTHROW(run_stream(dut, in, out));
  }
}
}  // namespace

TEST_CASE("map_upsample, 2x2, one beat a pixel", "[stream]") { check_upsample<Vup_2x2>({8, 1, 3, 4, 2, 2}); }
TEST_CASE("map_upsample, 3x2, three beats a pixel, odd sizes", "[stream]") { check_upsample<Vup_odd>({66, 3, 2, 5, 3, 2}); }
TEST_CASE("map_upsample, columns only", "[stream]") { check_upsample<Vup_columns>({5, 2, 3, 3, 1, 3}); }
TEST_CASE("map_upsample, rows only", "[stream]") { check_upsample<Vup_rows>({5, 2, 3, 3, 3, 1}); }
TEST_CASE("map_upsample, a map of one pixel and one bit", "[stream]") { check_upsample<Vup_dot>({1, 1, 1, 1, 2, 3}); }
TEST_CASE("map_upsample, no repetition", "[stream]") { check_upsample<Vup_copy>({4, 3, 2, 3, 1, 1}); }
TEST_CASE("map_upsample, one pixel, no repetition", "[stream]") { check_upsample<Vup_dot_copy>({4, 1, 1, 1, 1, 1}); }
