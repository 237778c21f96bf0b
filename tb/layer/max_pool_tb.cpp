// SPDX-License-Identifier: Apache-2.0
// max_pool against its definition: 2x2 by 2, 3x3 by 1, 3x3 by 2 with leftovers, several chunks a pixel, signed values; and its rate.
#include <Vpool_2x2.h>
#include <Vpool_3x3.h>
#include <Vpool_3x3_2.h>

#include "../stream/stalls.hpp"
#include "bench.hpp"
#include "catch2.hpp"

using namespace bench;

namespace {

struct PoolCase {
  std::string name;  // of the image
  int height, width, channels, kernel, stride, lanes, bits;
  bool is_signed;
  int offset_bits;
  int chunks() const { return channels / lanes; }
  int out_height() const { return (height - kernel) / stride + 1; }
  int out_width() const { return (width - kernel) / stride + 1; }
  int clocks() const { return out_height() * out_width() * kernel * kernel * chunks(); }
};

template <class Model>
void check_pool(const PoolCase& pool) {
  std::vector<Bits> program;
  for (int chunk = 0; chunk < pool.chunks(); ++chunk)
    for (int at = 0; at < pool.kernel * pool.kernel; ++at) {
      Bits word(pool.offset_bits + 1,
                static_cast<std::uint64_t>((at / pool.kernel * pool.width + at % pool.kernel) * pool.chunks() + chunk));
      word.set(pool.offset_bits, 1, at == pool.kernel * pool.kernel - 1);
      program.push_back(word);
    }
  write_image(pool.name + "_control.mem", program);

  for (const Stalls& stalls : stall_cases) {
    CAPTURE(pool.name, stalls.in, stalls.out, stalls.sink_waits);
    Dut<Model> dut(test_seed());
    Random random(test_seed());
    Source in(dut, input_stream(dut, pool.lanes * pool.bits), stalls.in);
    Sink out(dut, output_stream(dut, pool.lanes * pool.bits), stalls.out);
    if (stalls.sink_waits) out.wait_for_valid();
    const auto value_of = [&](const Bits& map, int y, int x, int c) {
      const int low = ((y * pool.width + x) * pool.channels + c) * pool.bits;
      return pool.is_signed ? map.get_signed(low, pool.bits) : static_cast<std::int64_t>(map.get(low, pool.bits));
    };
    const auto send = [&](int frames) {
      for (int f = 0; f < frames; ++f) {
        const int word = pool.lanes * pool.bits, words = pool.height * pool.width * pool.chunks();
        Bits map = random.bits(words * word);
        for (int i = 0; i < words; ++i) in.push({map.slice(i * word, word), i == words - 1});
        for (int y = 0; y < pool.out_height(); ++y)
          for (int x = 0; x < pool.out_width(); ++x)
            for (int chunk = 0; chunk < pool.chunks(); ++chunk) {
              Bits beat(word);
              for (int lane = 0; lane < pool.lanes; ++lane) {
                const int c = chunk * pool.lanes + lane;
                std::int64_t best = value_of(map, y * pool.stride, x * pool.stride, c);
                for (int at = 1; at < pool.kernel * pool.kernel; ++at)
                  best = std::max(best, value_of(map, y * pool.stride + at / pool.kernel, x * pool.stride + at % pool.kernel, c));
                beat.set(lane * pool.bits, pool.bits, static_cast<std::uint64_t>(best));
              }
              out.expect({beat, y == pool.out_height() - 1 && x == pool.out_width() - 1 && chunk == pool.chunks() - 1});
            }
      }
    };
    send(2);  // a reset within a frame drops it
    REQUIRE_NOTHROW(dut.run(30 + random.below(static_cast<std::uint32_t>(pool.clocks()))));
    dut.reset();
    const int frames = 8;
    send(frames);
    const auto beats = static_cast<std::uint64_t>(pool.out_height() * pool.out_width() * pool.chunks());
    out.restart_count();
    std::uint64_t busy = 0, begin = 0, end = 0;  // of frames 2 to the last: steady state
    for (std::uint64_t i = 0; !(in.done() && out.done()); ++i) {
      REQUIRE(i < 100000);
      REQUIRE_NOTHROW(dut.tick());
      if (dut->busy + dut->starved + dut->stalled > 1) FAIL("more than one of busy, starved, stalled");
      busy += dut->busy;
      if (out.transfers() <= 2 * beats) begin = i;
      if (out.transfers() <= (frames - 1) * beats) end = i;
    }
    REQUIRE_NOTHROW(dut.run(50));
    CHECK(busy == static_cast<std::uint64_t>(frames * pool.clocks()));
    // No clock is lost between words, windows, rows and frames; a frame takes at least as long as its words need to come.
    const int clocks = std::max(pool.clocks(), pool.height * pool.width * pool.chunks());
    if (stalls.in == 1.0 && stalls.out == 1.0) CHECK(static_cast<double>(end - begin) <= 1.01 * (frames - 3) * clocks);
  }
}

}  // namespace

TEST_CASE("max_pool, 2x2 by 2, two chunks of two channels", "[layer]") {
  check_pool<Vpool_2x2>({"pool_2x2", 6, 4, 4, 2, 2, 2, 3, false, 4});
}
TEST_CASE("max_pool, 3x3 by 1, signed", "[layer]") { check_pool<Vpool_3x3>({"pool_3x3", 5, 6, 3, 3, 1, 3, 2, true, 4}); }
TEST_CASE("max_pool, 3x3 by 2, signed, leftover row", "[layer]") { check_pool<Vpool_3x3_2>({"pool_3x3_2", 6, 7, 2, 3, 2, 1, 4, true, 6}); }
