// SPDX-License-Identifier: Apache-2.0
// loaded_rom takes its words from a load, passes on what comes behind them, and reads them one clock after the address; a further load replaces them.
#include <Vloaded_rom_narrow.h>
#include <Vloaded_rom_wide.h>

#include "bench.hpp"
#include "catch2.hpp"

using namespace bench;

namespace {
template <class Model>
void check_load(int width, std::uint32_t depth) {
  constexpr int kBehind = 20;  // words that are not for this memory
  Dut<Model> dut(test_seed());
  Random random(test_seed());
  dut->load_start = 0, dut->load_valid = 0, dut->load_data = 0;
  for (int load = 0; load < 3; ++load) {
    std::vector<Bits> words;
    std::vector<std::uint16_t> load_words;
    for (std::uint32_t i = 0; i < depth; ++i) {
      words.push_back(random.bits(width));
      for (int low = 0; low < width; low += 16) {
        const int bits = std::min(16, width - low);
        const auto above = static_cast<std::uint16_t>(random.below(65536) << (bits - 1) << 1);  // is ignored
        load_words.push_back(static_cast<std::uint16_t>(words.back().get(low, bits) | above));
      }
    }
    const std::size_t mine = load_words.size();
    for (int i = 0; i < kBehind; ++i) load_words.push_back(static_cast<std::uint16_t>(random.below(65536)));
    dut->load_start = 1;
    dut.tick();
    dut->load_start = 0;
    for (std::size_t i = 0; i < load_words.size();) {
      dut->load_valid = random.chance(0.6);
      dut->load_data = load_words[i];
      set_bits(dut->rd_addr, Bits(6, random.below(depth)));
      dut.settle();
      REQUIRE(dut->next_valid == (dut->load_valid && i >= mine));
      i += dut->load_valid;
      dut.tick();
    }
    dut->load_valid = 0;
    for (int i = 0; i < 300; ++i) {
      const std::uint32_t address = i < static_cast<int>(depth) ? static_cast<std::uint32_t>(i) : random.below(depth);
      set_bits(dut->rd_addr, Bits(6, address));
      dut.tick();
      REQUIRE(get_bits(dut->rd_data, width) == words[address]);
    }
  }
}
}  // namespace

TEST_CASE("loaded_rom, three RAMs wide, depth no power of two", "[memory]") { check_load<Vloaded_rom_wide>(41, 37); }
TEST_CASE("loaded_rom, narrower than a RAM", "[memory]") { check_load<Vloaded_rom_narrow>(9, 64); }
