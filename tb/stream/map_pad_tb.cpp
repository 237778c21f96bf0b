// SPDX-License-Identifier: Apache-2.0
// map_pad against a padded array; frames back to back, one output beat per clock.
#include <Vpad_all.h>
#include <Vpad_end.h>
#include <Vpad_none.h>
#include <Vpad_one.h>

#include "bench.hpp"
#include "catch2.hpp"
#include "stalls.hpp"

using namespace bench;

namespace {
struct Map {
  int width, chunks, height, map_width, top, left, bottom, right;
  std::uint64_t pad_value;
};

template <class Model>
void check_pad(const Map& map) {
  const int rows = map.top + map.height + map.bottom, columns = map.left + map.map_width + map.right;
  const int frames = 5;
  for (const Stalls& stalls : stall_cases) {
    CAPTURE(stalls.in, stalls.out);
    Dut<Model> dut(test_seed());
    Random random(test_seed());
    Source in(dut, input_stream(dut, map.width), stalls.in);
    Sink out(dut, output_stream(dut, map.width), stalls.out);
    if (stalls.sink_waits) out.wait_for_valid();
    const auto send = [&] {
      for (int y = 0; y < rows; ++y) {
        for (int x = 0; x < columns; ++x) {
          for (int chunk = 0; chunk < map.chunks; ++chunk) {
            const bool inside = y >= map.top && y < map.top + map.height && x >= map.left && x < map.left + map.map_width;
            const Beat beat{inside ? random.bits(map.width) : Bits(map.width, map.pad_value),
                            y == rows - 1 && x == columns - 1 && chunk == map.chunks - 1};
            if (inside) {
              in.push({beat.data, y == map.top + map.height - 1 && x == map.left + map.map_width - 1 && chunk == map.chunks - 1});
            }
            out.expect(beat);
          }
        }
      }
    };
    // A reset within a frame starts a new one.
    for (int frame = 0; frame < frames; ++frame) send();
    dut.run(7);
    dut.reset();
    for (int frame = 0; frame < frames; ++frame) send();
    const auto beats = static_cast<std::uint64_t>(frames * rows * columns * map.chunks);
    out.restart_count();
    REQUIRE_NOTHROW(dut.run_until([&] { return out.done(); }));
    CHECK(in.done());
    if (stalls.in == 1.0 && stalls.out == 1.0) CHECK(out.span() == beats);
    // The border above the next frame comes of itself; the frame does not.
    const int ahead = map.top > 0 ? map.top * columns + map.left : map.left;
    for (int i = 0; i < ahead * map.chunks; ++i) out.expect({Bits(map.width, map.pad_value), false});
    REQUIRE_NOTHROW(dut.run(1000));
    CHECK(out.done());
  }
}
}  // namespace

TEST_CASE("map_pad, four different borders, two chunks", "[stream]") { check_pad<Vpad_all>({6, 2, 3, 5, 1, 2, 3, 1, 37}); }
TEST_CASE("map_pad, one pixel, one border pixel", "[stream]") { check_pad<Vpad_one>({66, 1, 1, 1, 0, 1, 0, 0, 0}); }
TEST_CASE("map_pad, no border", "[stream]") { check_pad<Vpad_none>({4, 3, 4, 8, 0, 0, 0, 0, 0}); }
TEST_CASE("map_pad, right and bottom only", "[stream]") { check_pad<Vpad_end>({4, 1, 2, 3, 0, 0, 2, 2, 9}); }
