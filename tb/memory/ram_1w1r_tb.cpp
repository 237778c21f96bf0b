// SPDX-License-Identifier: Apache-2.0
// ram_1w1r against an array, with reads and writes that never collide; and the collision that simulation must corrupt.
#include <Vram_lut.h>
#include <Vram_w1.h>
#include <Vram_w72.h>
#include <Vram_w8.h>

#include <optional>

#include "bench.hpp"
#include "catch2.hpp"

using namespace bench;

TEMPLATE_TEST_CASE("ram_1w1r behaves as an array", "[memory]", Vram_w8, Vram_w72, Vram_w1, Vram_lut) {
  const int width = std::is_same_v<TestType, Vram_w8> ? 8 : std::is_same_v<TestType, Vram_w72> ? 72 : std::is_same_v<TestType, Vram_lut> ? 9 : 1;
  const std::uint32_t depth = std::is_same_v<TestType, Vram_w8> ? 16 : std::is_same_v<TestType, Vram_w72> ? 37 : std::is_same_v<TestType, Vram_lut> ? 40 : 2;
  Dut<TestType> dut(test_seed());
  Random random(test_seed());
  std::vector<std::optional<Bits>> model(depth);
  std::optional<Bits> expected;
  for (int i = 0; i < 2000; ++i) {
    const std::uint32_t write = random.below(depth), read = random.below(depth);
    dut->wr_en = random.chance(0.5);
    dut->rd_en = random.chance(0.7) && !(dut->wr_en && write == read);
    set_bits(dut->wr_addr, Bits(6, write));
    set_bits(dut->rd_addr, Bits(6, read));
    const Bits data = random.bits(width);
    set_bits(dut->wr_data, data);
    if (dut->rd_en) expected = model[read];
    if (dut->wr_en) model[write] = data;
    dut.tick();
    if (expected) REQUIRE(get_bits(dut->rd_data, width) == *expected);
  }
}

TEST_CASE("ram_1w1r corrupts a word read while it is written", "[memory]") {
  Dut<Vram_w8> dut(test_seed());
  dut->wr_en = 1;
  dut->wr_addr = dut->rd_addr = 3;
  dut->wr_data = 0x5a;
  dut->rd_en = 0;
  dut.tick();
  dut->rd_en = 1;
  dut.tick();
  CHECK(dut->rd_data == (0x5a ^ 0xff));
}
