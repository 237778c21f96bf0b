// SPDX-License-Identifier: Apache-2.0
// striped_rom gives the words whose bits stand in the stripes' images, lowest bits in stripe 0; with one stripe those of its own image.
#include <Vstriped_rom_two.h>
#include <Vstriped_rom_whole.h>

#include <functional>
#include <numeric>

#include "bench.hpp"
#include "catch2.hpp"

using namespace bench;

namespace {
template <class Model>
void check_stripes(const std::vector<int>& widths, const std::function<std::string(std::size_t)>& file, std::uint32_t depth) {
  Random random(test_seed());
  const int width = std::accumulate(widths.begin(), widths.end(), 0);
  std::vector<Bits> words(depth, Bits(width));
  int below = 0;
  for (std::size_t s = 0; s < widths.size(); ++s) {
    std::vector<Bits> stripe;
    for (Bits& word : words) {
      stripe.push_back(random.bits(widths[s]));
      word.place(below, stripe.back());
    }
    write_image(file(s), stripe);
    below += widths[s];
  }
  Dut<Model> dut(test_seed());
  for (int i = 0; i < 300; ++i) {
    const std::uint32_t address = random.below(depth);
    set_bits(dut->rd_addr, Bits(8, address));
    dut->rd_en = 1;
    dut.tick();
    REQUIRE(get_bits(dut->rd_data, width) == words[address]);
  }
}
}  // namespace

TEST_CASE("striped_rom, two stripes", "[memory]") {
  check_stripes<Vstriped_rom_two>({36, 21}, [](std::size_t s) { return "striped_stripe" + std::to_string(s) + ".mem"; }, 50);
}
TEST_CASE("striped_rom, a single stripe", "[memory]") {
  check_stripes<Vstriped_rom_whole>({20}, [](std::size_t) { return std::string("striped_whole.mem"); }, 33);
}
