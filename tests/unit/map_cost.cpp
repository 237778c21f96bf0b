// The cost model's formulas, against what Yosys makes of memories (bench/memories wrote the figures) and what multiplier blocks take.
#include <cmath>

#include "core/files.hpp"
#include "map/cost.hpp"
#include "map/plan.hpp"
#include "support.hpp"

using namespace bitloom;
using namespace bitloom::test;

namespace {

const Budget kEcp5Device{.board = "ECP5", .block_bits = 18432, .block_width = 36, .fabric = kEcp5};
const Budget kIce40Device{.board = "iCE40", .fabric = kIce40};

struct Memory {
  std::string kind;
  std::int64_t width, depth, blocks;
  double luts;
};

std::vector<Memory> measured() {
  std::vector<Memory> out;
  const auto results = nlohmann::json::parse(read_text_file(resource("bench/results/memories.json")));
  for (const auto& row : results.at("rows"))
    out.push_back({row.at("memory"), row.at("width"), row.at("depth"), row.at("blocks"), row.at("luts")});
  return out;
}

}  // namespace

TEST_CASE("memories in LUTs are estimated as Yosys makes them") {
  for (const auto& [kind, formula, worst, mean] : {std::tuple{"rom", &rom_luts, 0.30, 0.11}, std::tuple{"lut_ram", &ram_luts, 0.08, 0.03}}) {
    double sum = 0;
    int count = 0;
    for (const Memory& memory : measured()) {
      if (memory.kind != kind || memory.luts < 16) continue;  // smaller ones are a LUT or two, and so is their error
      const double error = std::abs(formula(memory.width, memory.depth) / memory.luts - 1);
      INFO(kind << " of " << memory.depth << " words of " << memory.width << " bits: " << memory.luts << " LUTs, estimated " << formula(memory.width, memory.depth));
      CHECK(error < worst);
      sum += error;
      ++count;
    }
    REQUIRE(count > 20);
    CHECK(sum / count < mean);
  }
}

TEST_CASE("a RAM becomes LUTs or blocks as Yosys decides") {
  int blocks = 0, luts = 0;
  for (const Memory& memory : measured()) {
    if (memory.kind != "ram") continue;
    Cost cost;
    add_ram(cost, kEcp5Device, memory.width, memory.depth);
    INFO(memory.depth << " words of " << memory.width << " bits");
    CHECK(cost.block_rams == memory.blocks);
    ++(memory.blocks > 0 ? blocks : luts);
  }
  CHECK(blocks > 5);
  CHECK(luts > 5);
}

TEST_CASE("a multiplier block takes signed factors of 18 bits, of 16 on iCE40, and wider ones take several") {
  CHECK(dsps_of(kEcp5Device, 18, 18) == 1);
  CHECK(dsps_of(kEcp5Device, 19, 18) == 2);
  CHECK(dsps_of(kEcp5Device, 19, 36) == 6);
  CHECK(dsps_of(kEcp5Device, 1, 1) == 1);
  CHECK(dsps_of(kIce40Device, 16, 16) == 1);
  CHECK(dsps_of(kIce40Device, 17, 16) == 2);
}
