// SPDX-License-Identifier: Apache-2.0
// bitmap_reader against the tasks that were coded: places, signs, ends of tasks and of the program, tasks without any; a place per clock where bits are dense.
#include <Vbitmap_dense.h>
#include <Vbitmap_empty.h>
#include <Vbitmap_one.h>
#include <Vbitmap_sparse.h>

#include "catch2.hpp"
#include "coefficients.hpp"

using namespace bench;

namespace {

template <class Model>
void check_bitmap(const std::string& name, int span, int chunk, int tasks, int signs) {
  Random random(test_seed());
  bitloom::LaneCode code;
  const auto made = random_bitmap(span, chunk, tasks, signs, random, code);
  write_code(name + ".mem", name + "_signs.mem", chunk, code);
  struct Place {
    int place;
    bool counts, negative, last, ends;
  };
  std::vector<Place> places;
  for (std::size_t t = 0; t < made.size(); ++t) {
    const bool program_ends = t + 1 == made.size();
    for (std::size_t i = 0; i < made[t].channels.size(); ++i) {
      const bool last = i + 1 == made[t].channels.size();
      places.push_back({made[t].channels[i], true, made[t].negative[i], last, last && program_ends});
    }
    if (made[t].channels.empty()) places.push_back({0, false, false, true, program_ends});
  }
  Dut<Model> dut(test_seed());
  for (const double chance : {1.0, 0.5, 0.05}) {
    dut->step = 0;
    dut.reset(1);
    std::size_t clocks = 0;
    for (std::size_t at = 0; at < 3 * places.size() + 5; ++clocks) {
      REQUIRE(clocks < 4000 * places.size());
      dut.settle();
      CAPTURE(name, chance, at);
      const bool step = dut->ready && random.chance(chance);
      if (dut->ready) {
        const Place& place = places[at % places.size()];
        REQUIRE(dut->counts == place.counts);
        if (place.counts) REQUIRE(dut->place == static_cast<std::uint32_t>(place.place));
        if (place.counts) REQUIRE(dut->negative == place.negative);
        REQUIRE(dut->last == place.last);
        REQUIRE(dut->ends == place.ends);
      }
      dut->step = step;
      dut.tick();
      at += step;
    }
    if (chance == 1.0 && signs > span * tasks / 2) CHECK(clocks <= 3 * places.size() + 5 + 8);
  }
}

}  // namespace

TEST_CASE("bitmap_reader, dense", "[basis]") { check_bitmap<Vbitmap_dense>("bitmap_dense", 20, 8, 9, 130); }
TEST_CASE("bitmap_reader, most words empty", "[basis]") { check_bitmap<Vbitmap_sparse>("bitmap_sparse", 64, 8, 12, 20); }
TEST_CASE("bitmap_reader, no bit at all", "[basis]") { check_bitmap<Vbitmap_empty>("bitmap_empty", 17, 8, 3, 0); }
TEST_CASE("bitmap_reader, one task of one place", "[basis]") { check_bitmap<Vbitmap_one>("bitmap_one", 1, 1, 1, 1); }
