// SPDX-License-Identifier: Apache-2.0
// rom reads its image, one clock after the address, in each style, and holds what it read while rd_en is low; an image is written before
// the model is made.
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
  std::uint32_t read = 0;
  for (int i = 0; i < 400; ++i) {
    const std::uint32_t address = random.below(depth);
    const bool enable = i == 0 || random.chance(0.5);
    set_bits(dut->rd_addr, Bits(8, address));
    dut->rd_en = enable;
    dut.tick();
    if (enable) read = address;
    REQUIRE(get_bits(dut->rd_data, width) == words[read]);
  }
}
}  // namespace

TEST_CASE("rom, automatic", "[memory]") { check_rom<Vrom_w8>("rom_w8.mem", 8, 16); }
TEST_CASE("rom, block, depth no power of two, wide", "[memory]") { check_rom<Vrom_w100>("rom_w100.mem", 100, 5); }
TEST_CASE("rom, logic, one word", "[memory]") { check_rom<Vrom_d1>("rom_d1.mem", 7, 1); }
