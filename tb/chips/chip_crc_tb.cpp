// SPDX-License-Identifier: Apache-2.0
// chip_crc: the published check value, random symbols against a division by bits, and the way out to zero.
#include <Vcrc_1.h>
#include <Vcrc_3.h>
#include <Vcrc_8.h>

#include "bench.hpp"
#include "catch2.hpp"
#include "chips/frames.hpp"

using namespace bench;

namespace {
template <class Model>
struct Crc {
  Dut<Model> dut{test_seed()};
  void clear() {
    dut->clear = 1, dut->step = 0, dut->symbol = 0;
    dut.tick();
    dut->clear = 0;
  }
  void feed(std::uint32_t symbol) {
    dut->step = 1, dut->symbol = static_cast<std::uint8_t>(symbol);
    dut.tick();
    dut->step = 0;
    dut.tick();  // a clock without a step changes nothing
  }
};

template <class Model>
void check_crc(int lanes) {
  Crc<Model> crc;
  Random random(test_seed());
  for (int trial = 0; trial < 50; ++trial) {
    chips::Symbols data(random.below(40));
    for (std::uint32_t& symbol : data) symbol = random.below(1U << lanes);
    crc.clear();
    for (const std::uint32_t symbol : data) crc.feed(symbol);
    REQUIRE(crc.dut->crc == chips::crc(data, lanes));
    for (int bit = 0; bit < 32; bit += lanes) crc.feed(crc.dut->crc & ((1U << lanes) - 1));
    REQUIRE(crc.dut->crc == 0);
    crc.feed(0);
    REQUIRE(crc.dut->crc == 0);
  }
}
}  // namespace

TEST_CASE("chip_crc gives the published check value, 0xCBF43926 for the digits 1 to 9, less the complement", "[chips]") {
  Crc<Vcrc_8> crc;
  crc.clear();
  for (const char digit : std::string("123456789")) crc.feed(static_cast<std::uint8_t>(digit));
  CHECK(crc.dut->crc == ~0xcbf43926U);
}
TEST_CASE("chip_crc over symbols of 1, 3 and 8 bits", "[chips]") {
  check_crc<Vcrc_1>(1);
  check_crc<Vcrc_3>(3);
  check_crc<Vcrc_8>(8);
}
