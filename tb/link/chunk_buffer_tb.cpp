// SPDX-License-Identifier: Apache-2.0
// chunk_buffer against a queue: packets that are committed leave in order, those rolled back never do, and a packet that finds no room says
// so.
#include <Vchunks_4.h>
#include <Vchunks_64.h>

#include "bench.hpp"
#include "catch2.hpp"

using namespace bench;

namespace {
template <class Model>
void check_chunks(unsigned depth, double ready) {
  Dut<Model> dut(test_seed());
  Random random(test_seed());
  Sink out(dut, output_stream(dut, 8), ready);
  dut->rst = 1, dut->clear = 1, dut->wr_valid = 0, dut->commit = 0, dut->rollback = 0;
  dut.tick();
  dut->rst = 0, dut->clear = 0;
  dut.tick();
  unsigned committed = 0;
  int lost = 0, kept = 0;
  for (int round = 0; round < 2000; ++round) {
    if (random.chance(0.01)) {  // a new session
      dut->clear = 1;
      dut.tick();
      out.reset();
      dut->clear = 0;
      dut.tick();
      committed = 0;
    }
    std::vector<std::uint8_t> bytes(random.below(depth + depth / 4 + 2));
    const unsigned room = dut->free;
    for (std::uint8_t& byte : bytes) {
      byte = static_cast<std::uint8_t>(random.below(256));
      dut->wr_valid = 1, dut->wr_data = byte;
      dut.tick();
      dut->wr_valid = 0;
      if (random.chance(0.5)) dut.run(random.below(4));
    }
    if (bytes.size() <= room) REQUIRE(dut->lost == 0);
    if (bytes.size() > depth) REQUIRE(dut->lost == 1);
    const bool keep = dut->lost == 0 && random.chance(0.7);
    lost += dut->lost;
    if (keep) {
      for (const std::uint8_t byte : bytes) out.expect({Bits(8, byte), false});
      committed = (committed + static_cast<unsigned>(bytes.size())) % (2 * depth);
      ++kept;
    }
    (keep ? dut->commit : dut->rollback) = 1;
    dut.tick();
    dut->commit = 0, dut->rollback = 0;
    dut.settle();
    REQUIRE(dut->position == committed);
    REQUIRE(dut->lost == 0);
    dut.run(random.below(10));
  }
  REQUIRE_NOTHROW(dut.run_until([&] { return out.done(); }, 100000));
  dut.run(50);
  CHECK(dut->free == depth);
  CHECK(lost > 50);
  CHECK(kept > 500);
}
}  // namespace

TEST_CASE("chunk_buffer lets only committed bytes out", "[link]") {
  const double ready = GENERATE(0.2, 0.9);
  check_chunks<Vchunks_4>(4, ready);
  check_chunks<Vchunks_64>(64, ready);
}
TEST_CASE("chunk_buffer: bytes that come with clear make their packet lost", "[link]") {
  Dut<Vchunks_4> dut(test_seed());
  dut->rst = 1, dut->clear = 1, dut->wr_valid = 0, dut->commit = 0, dut->rollback = 0, dut->out_ready = 1;
  dut.tick();
  dut->rst = 0, dut->wr_valid = 1;
  dut.tick();
  dut->wr_valid = 0, dut->clear = 0;
  dut.run(3);
  CHECK(dut->lost == 1);
  CHECK(dut->free == 4);
}
