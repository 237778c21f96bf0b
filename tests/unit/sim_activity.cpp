// Counting ones and toggles of many bits at once, against counting bit by bit.
#include <random>

#include "catch2.hpp"
#include "sim/activity.hpp"

using namespace bitloom;

TEST_CASE("ones of every bit are counted, over the planes' capacity of 255") {
  std::mt19937_64 random(1);
  BitCounter counter(3);
  std::vector<std::uint64_t> expected(192), ones(3);
  for (int clock = 0; clock < 1000; ++clock) {
    for (std::size_t w = 0; w < 3; ++w) ones[w] = w == 2 ? ~std::uint64_t{0} : random();
    for (std::size_t i = 0; i < 192; ++i) expected[i] += (ones[i / 64] >> (i % 64)) & 1;
    counter.add(ones);
    if (clock == 254 || clock == 300) CHECK(counter.totals() == expected);
  }
  CHECK(counter.totals() == expected);
  CHECK(counter.totals()[191] == 1000);
}

TEST_CASE("toggles begin at the start, accesses behind it") {
  std::uint8_t nets[12] = {}, accesses[1] = {};
  NetCounter counter(Port(nets, sizeof nets), Port(accesses, sizeof accesses));
  nets[0] = 1;
  counter.start();
  accesses[0] = 2;
  counter.sample();  // net 0 stays
  nets[0] = 0, nets[11] = 0x80;
  counter.sample();  // nets 0 and 95 toggle
  accesses[0] = 0;
  nets[11] = 0;
  counter.sample();  // net 95
  std::vector<std::uint64_t> toggles, accessed;
  counter.read(toggles, accessed);
  CHECK(toggles[0] == 1);
  CHECK(toggles[95] == 2);
  CHECK(toggles[1] == 0);
  CHECK(accessed[0] == 0);
  CHECK(accessed[1] == 2);
}
