// SPDX-License-Identifier: Apache-2.0
// replay_buffer against a queue: bytes come in order, again after rewind, never again after confirm, and the writer waits when it is full.
#include <Vreplay_4.h>
#include <Vreplay_64.h>

#include "bench.hpp"
#include "catch2.hpp"

using namespace bench;

namespace {
template <class Model>
void check_replay(unsigned depth, double offered) {
  Dut<Model> dut(test_seed());
  Random random(test_seed());
  Source in(dut, input_stream(dut, 8), offered);
  dut->clear = 1, dut->rd_ready = 0, dut->rewind = 0, dut->confirm = 0;
  dut.tick();
  dut->clear = 0;
  std::vector<std::uint8_t> all(5000);
  for (std::uint8_t& byte : all) {
    byte = static_cast<std::uint8_t>(random.below(256));
    in.push({Bits(8, byte), false});
  }
  std::size_t confirmed = 0, next = 0;
  int rewinds = 0;
  for (int cycle = 0; confirmed < all.size(); ++cycle) {
    REQUIRE(cycle < 400000);
    const unsigned what = random.below(40);
    dut->rewind = what == 0, dut->confirm = what == 1;
    dut->rd_ready = what > 1 && random.chance(0.5);
    in.drive();
    dut.settle();
    REQUIRE(dut->available <= depth);
    REQUIRE(next - confirmed <= dut->available);
    if (dut->rd_valid && dut->rd_ready) {
      REQUIRE(next < all.size());
      REQUIRE(dut->rd_data == all[next]);
      ++next;
    }
    if (what == 0) next = confirmed, ++rewinds;
    if (what == 1) confirmed = next;
    dut.tick();
  }
  CHECK(rewinds > 20);
  dut->rewind = 0, dut->confirm = 0, dut->rd_ready = 1;
  dut.run(10);
  CHECK(dut->rd_valid == 0);
  CHECK(dut->available == 0);
}
}  // namespace

TEST_CASE("replay_buffer reads again until confirmed", "[link]") {
  const double offered = GENERATE(1.0, 0.1);
  check_replay<Vreplay_4>(4, offered);
  check_replay<Vreplay_64>(64, offered);
}
TEST_CASE("replay_buffer: what is there is readable within two clocks", "[link]") {
  Dut<Vreplay_4> dut(test_seed());
  dut->clear = 1, dut->rd_ready = 0, dut->rewind = 0, dut->confirm = 0, dut->in_valid = 0;
  dut.tick();
  dut->clear = 0, dut->in_valid = 1, dut->in_data = 0x5a;
  dut.tick();
  dut->in_valid = 0;
  dut.run(2);
  CHECK(dut->rd_valid == 1);
  CHECK(dut->rd_data == 0x5a);
}
