// SPDX-License-Identifier: Apache-2.0
// ram_1rw against an array, reads and writes in any order.
#include <Vshared_w16.h>
#include <Vshared_w72.h>

#include <optional>

#include "bench.hpp"
#include "catch2.hpp"

using namespace bench;

TEMPLATE_TEST_CASE("ram_1rw behaves as an array", "[memory]", Vshared_w16, Vshared_w72) {
  const bool narrow = std::is_same_v<TestType, Vshared_w16>;
  const int width = narrow ? 16 : 72;
  const std::uint32_t depth = narrow ? 64 : 37;
  Dut<TestType> dut(test_seed());
  Random random(test_seed());
  std::vector<std::optional<Bits>> model(depth);
  std::optional<Bits> expected;
  for (int i = 0; i < 3000; ++i) {
    const std::uint32_t address = random.below(depth);
    dut->wr_en = random.chance(0.4);
    dut->rd_en = !dut->wr_en && random.chance(0.7);
    set_bits(dut->addr, Bits(6, address));
    const Bits data = random.bits(width);
    set_bits(dut->wr_data, data);
    if (dut->rd_en) expected = model[address];
    if (dut->wr_en) model[address] = data;
    dut.tick();
    if (expected) REQUIRE(get_bits(dut->rd_data, width) == *expected);
  }
}
