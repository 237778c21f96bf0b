#include "core/parallel.hpp"

#include <stdexcept>
#include <vector>

#include "catch2.hpp"

using namespace bitloom;

TEST_CASE("every piece of work is done once, on any number of threads") {
  const int jobs = GENERATE(1, 2, 7);
  const std::int64_t count = GENERATE(0, 1, 3, 1000);
  std::vector<int> done(static_cast<std::size_t>(count));
  parallel_for(jobs, count, [&](std::int64_t i) { ++done[static_cast<std::size_t>(i)]; });
  CHECK(done == std::vector<int>(done.size(), 1));
  CHECK(cores() >= 1);
}

TEST_CASE("the lowest error is the one reported") {
  const int jobs = GENERATE(1, 2, 5);
  for (int repeat = 0; repeat < 50; ++repeat)
    CHECK_THROWS_WITH(parallel_for(jobs, 1000,
                                   [](std::int64_t i) {
                                     if (i >= 7 && i % 2 == 1) throw std::runtime_error("at " + std::to_string(i));
                                   }),
                      "at 7");
}
