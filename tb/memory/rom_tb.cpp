// SPDX-License-Identifier: Apache-2.0
// rom reads its image, one clock after the address, in each style; an image is written before the model is made.
#include <Vrom_d1.h>
#include <Vrom_w100.h>
#include <Vrom_w8.h>

#include "bench.hpp"
#include "catch2.hpp"

using namespace bench;

namespace {
template <class Model>
void check_rom(const std::string& image, int width, std::uint32_t depth) {
  Random random(test_seed());
  std::vector<Bits> words;
  for (std::uint32_t i = 0; i < depth; ++i) words.push_back(random.bits(width));
  write_image(image, words);
  Dut<Model> dut(test_seed());
  for (int i = 0; i < 200; ++i) {
    const std::uint32_t address = random.below(depth);
    set_bits(dut->rd_addr, Bits(8, address));
    dut.tick();
    REQUIRE(get_bits(dut->rd_data, width) == words[address]);
  }
}
}  // namespace

TEST_CASE("rom, automatic", "[memory]") { check_rom<Vrom_w8>("rom_w8.mem", 8, 16); }
TEST_CASE("rom, block, depth no power of two, wide", "[memory]") { check_rom<Vrom_w100>("rom_w100.mem", 100, 5); }
TEST_CASE("rom, logic, one word", "[memory]") { check_rom<Vrom_d1>("rom_d1.mem", 7, 1); }
