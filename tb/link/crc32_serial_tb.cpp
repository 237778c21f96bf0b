// SPDX-License-Identifier: Apache-2.0
// crc32_serial: the published check value of CRC-32, random packets against a check computed by bytes, the residue, and the way out.
#include <Vcrc32.h>

#include "bench.hpp"
#include "catch2.hpp"
#include "packets.hpp"

using namespace bench;

namespace {
struct Crc {
  Dut<Vcrc32> dut{test_seed()};
  void clear() {
    dut->clear = 1, dut->step = 0;
    dut.tick();
    dut->clear = 0;
  }
  void bit(bool value, bool feed = true) {
    dut->step = 1, dut->feed = feed, dut->in_bit = value;
    dut.tick();
    dut->step = 0;
    dut.tick();  // a clock without a step changes nothing
  }
  void byte(std::uint8_t value) {
    for (int i = 0; i < 8; ++i) bit((value >> i & 1) != 0);
  }
  std::uint32_t check() { return ~static_cast<std::uint32_t>(dut->crc); }
};
}  // namespace

TEST_CASE("crc32_serial gives the published check value, 0xCBF43926 for the digits 1 to 9", "[link]") {
  Crc crc;
  crc.clear();
  for (const char digit : std::string("123456789")) crc.byte(static_cast<std::uint8_t>(digit));
  CHECK(crc.check() == 0xcbf43926U);
}
TEST_CASE("crc32_serial on random packets; the check sequence fed back leaves the residue, and shifted out it is the check sequence",
          "[link]") {
  Crc crc;
  Random random(test_seed());
  for (int round = 0; round < 50; ++round) {
    ByteString bytes(1 + random.below(40));
    crc.clear();
    for (std::uint8_t& byte : bytes) {
      byte = static_cast<std::uint8_t>(random.below(256));
      crc.byte(byte);
    }
    const std::uint32_t check = crc32(bytes);
    REQUIRE(crc.check() == check);
    if (round % 2 == 0) {
      for (int i = 0; i < 4; ++i) crc.byte(static_cast<std::uint8_t>(check >> (8 * i)));
      REQUIRE(crc.dut->crc == 0xdebb20e3U);
    } else {
      for (int i = 0; i < 4; ++i) {
        REQUIRE((crc.check() & 0xff) == (check >> (8 * i) & 0xff));
        for (int bit = 0; bit < 8; ++bit) crc.bit(random.chance(0.5), false);
      }
    }
  }
}
