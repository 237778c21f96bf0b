#include <random>

#include "catch2.hpp"
#include "core/coefficient_code.hpp"

using namespace bitloom;

namespace {

Decomposition random_decomposition(std::mt19937& random, int outputs, int channels, int kernels, int taps, double density) {
  Decomposition d;
  d.kernels = kernels;
  std::uniform_real_distribution<double> uniform(0, 1);
  for (int i = 0; i < outputs * channels * kernels; ++i)
    d.coefficients.push_back(uniform(random) >= density ? 0 : uniform(random) < 0.5 ? -1 : 1);
  for (int i = 0; i < kernels * taps; ++i) d.basis.push_back(static_cast<int>(random() % 255) - 127);
  return d;
}

}  // namespace

TEST_CASE("coefficients are read back from every code, and take as many clocks as words") {
  std::mt19937 random(test_seed());
  for (const int channels : {1, 2, 3, 7, 8, 9, 31, 64})
    for (const double density : {0.0, 0.02, 0.1, 0.4, 1.0}) {
      CAPTURE(channels, density);
      const std::vector<CoefficientTask> tasks = coefficient_tasks(random_decomposition(random, 5, channels, 3, 1, density), 5, channels);
      std::vector<CoefficientCode> codes{{true, 1, std::min(8, channels)}, choose_code({tasks}, channels)};
      for (int bits = 1; (1 << bits) - 1 <= channels; ++bits) codes.push_back({false, bits, 1});
      for (const CoefficientCode& code : codes) {
        const LaneCode lane = encode(code, tasks, channels);
        const std::vector<CoefficientTask> read = decode(code, lane, channels);
        REQUIRE(read.size() == tasks.size());
        std::size_t clocks = 0;
        for (std::size_t i = 0; i < tasks.size(); ++i) {
          CHECK(read[i].channels == tasks[i].channels);
          CHECK(read[i].negative == tasks[i].negative);
        }
        for (const int count : task_clocks(code, tasks, channels)) clocks += static_cast<std::size_t>(count);
        if (!code.bitmap) CHECK(clocks == lane.words.size());
      }
    }
}

TEST_CASE("a code that jumps over a task is refused") {
  CHECK_THROWS_AS(decode({false, 3, 1}, {{6U << 1}, {}}, 3), Error);
  CHECK_THROWS_AS(decode({true, 1, 4}, {{1}, {}}, 4), Error);  // without a sign
}

TEST_CASE("hand-made codes") {
  // Two tasks of four channels: -x3, then x0 - x1.
  const std::vector<CoefficientTask> tasks{{0, 0, {3}, {true}}, {0, 1, {0, 1}, {false, true}}};
  CHECK(encode({false, 2, 1}, tasks, 4).words == std::vector<std::uint32_t>{3U << 1, 0U << 1 | 1, 0U << 1, 0U << 1 | 1});
  const LaneCode bitmap = encode({true, 1, 4}, tasks, 4);
  CHECK(bitmap.words == std::vector<std::uint32_t>{8, 3});
  CHECK(bitmap.signs == std::vector<bool>{true, false, true});
  CHECK(code_bits({true, 1, 4}, bitmap) == 8 + 3);
  const TaskOrder order = task_order({{0, 0, {}, {}}, {1, 2, {}, {}}}, {0, 1}, 3, 2);
  CHECK(order.gap_bits == 3);
  CHECK(order.words == std::vector<std::uint32_t>{0, 4U << 1 | 1});
}

TEST_CASE("at 10 % gaps are the smaller code and near the entropy, at 60 % the bitmap") {
  std::mt19937 random(test_seed());
  Convolution conv;
  conv.out_channels = 64;
  conv.window.kernel_height = conv.window.kernel_width = 3;
  conv.decomposition = random_decomposition(random, 64, 64, 6, 9, 0.1);
  const double places = 64 * 64 * 6, entropy = places * (0.469 + 0.1);
  CHECK_FALSE(choose_code({coefficient_tasks(*conv.decomposition, 64, 64)}, 64).bitmap);
  CHECK(static_cast<double>(stored_bits(conv).coefficients) < 1.2 * entropy);
  conv.decomposition = random_decomposition(random, 64, 64, 6, 9, 0.6);
  CHECK(choose_code({coefficient_tasks(*conv.decomposition, 64, 64)}, 64).bitmap);
}
