// Programs of plane layers: planes that give the weights, words that are left out, channels that are sorted.
#include "catch2.hpp"
#include "map/channel_order.hpp"
#include "map/plan.hpp"
#include "map/program.hpp"
#include "random_network.hpp"

using namespace bitloom;
using namespace bitloom::test;

namespace {

const Budget kBudget{"test", 1 << 20, 1 << 20, 4096, 16, 1e6, 1.0, 1 << 20};

/// A 3x3 layer of 16 channels with 16 outputs, on a map of 8 x 8.
template <class Weight>
Network layer(Random& random, const ValueType& weights, const Weight& weight) {
  NetworkBuilder net(random, {8, 8, 16}, ValueType::unsigned_bits(2));
  net.convolution(16, square(3), weights).weights(weight).quantize(ValueType::unsigned_bits(2));
  return net.fully_connected(5, ValueType::signed_bits(2)).build();
}

Stage planned(const Network& network, const std::string& rule, const Budget& budget = kBudget) {
  PlanOptions options;
  options.fold = {parse_fold_rule("conv0:" + rule)};
  return make_plan(network, budget, options).stages[0];
}

/// Words for a pixel when none is left out.
std::int64_t dense_words(const Stage& stage, int planes) {
  return std::int64_t{9} * 16 * 16 * planes / (stage.folding.pe * stage.folding.simd);
}

}  // namespace

TEST_CASE("every decomposition gives every weight from -128 to 255") {
  for (const auto& [low, high] :
       {std::pair{-128, 127}, std::pair{0, 255}, std::pair{-1, 1}, std::pair{-1, 0}, std::pair{0, 1}, std::pair{-5, 2}}) {
    Convolution conv;
    conv.weight_type = ValueType::holding(low, high);
    for (int w = low; w <= high; ++w) conv.weights.push_back(w);
    conv.out_channels = static_cast<int>(conv.weights.size());
    const PlaneMasks masks(conv);
    CHECK(masks.has_levels() == (high - low <= 16));
    CHECK(masks.has_digits());
    for (const auto d : {PlaneForm::TwosComplement, PlaneForm::SignedDigits, PlaneForm::Levels}) {
      if (d == PlaneForm::Levels && !masks.has_levels()) continue;
      const std::vector<PlaneMasks::Plane> planes = masks.planes(d, low, high);
      for (std::size_t i = 0; i < conv.weights.size(); ++i) {
        std::int64_t sum = 0;
        int digits = 0;
        for (const PlaneMasks::Plane& plane : planes)
          if ((masks[i] >> plane.bit & 1) != 0) sum += plane.coefficient, ++digits;
        CAPTURE(low, high, conv.weights[i], static_cast<int>(d));
        REQUIRE(sum == conv.weights[i]);
        if (d == PlaneForm::SignedDigits) REQUIRE(digits <= 5);  // no two neighbours
      }
    }
  }
}

TEST_CASE("weights of a wide type take the planes of their values, and wide ones all theirs") {
  Random random(test_seed());
  const Network narrow = layer(random, ValueType::signed_bits(16), [&](int, int) { return pick(random, -128, 127); });
  CHECK(planned(narrow, "pe=4,simd=8,wpar=all").folding.wpar == 8);
  const Network wide = layer(random, ValueType::signed_bits(16), [&](int, int) { return pick(random, -3000, 3000); });
  const Stage stage = planned(wide, "pe=4,simd=8,wpar=1");
  CHECK(stage.words_per_pixel == dense_words(stage, 13));
  CHECK(stage.planes == "two's complement");
}

TEST_CASE("random weights take every word of every plane") {
  Random random(test_seed());
  const Network network = layer(random, ValueType::signed_bits(4), [&](int, int) { return pick(random, -8, 7); });
  const Stage stage = planned(network, "pe=4,simd=8,wpar=1");
  CHECK(stage.words_per_pixel == dense_words(stage, 4));
  CHECK(stage.planes == "two's complement");
}

TEST_CASE("channels of 1 to 4 bits, 2.5 on average: at least 35 % fewer clocks than with 4, once they are sorted") {
  Random random(test_seed());
  const Network mixed =
      layer(random, ValueType::signed_bits(4), [&](int k, int) { return random_value(random, ValueType::signed_bits(1 + k % 4)); });
  const Stage sorted = planned(order_channels(mixed), "pe=4,simd=8,wpar=1"), unsorted = planned(mixed, "pe=4,simd=8,wpar=1");
  CHECK(unsorted.words_per_pixel > sorted.words_per_pixel);
  CHECK(static_cast<double>(sorted.words_per_pixel) <= 0.65 * static_cast<double>(dense_words(sorted, 4)));
  CHECK(sorted.words_per_pixel == dense_words(sorted, 4) * 10 / 16);
}

TEST_CASE("ternary weights of one sign take one plane; pruned words take none") {
  Random random(test_seed());
  const Network minus = layer(random, ValueType::signed_bits(2), [&](int, int) { return pick(random, -1, 0); });
  const Stage one = planned(minus, "pe=2,simd=4,wpar=1");
  CHECK(one.words_per_pixel <= dense_words(one, 1));
  CHECK(one.combines);  // it is subtracted
  // Three of four words of four channels are pruned.
  const Network pruned =
      layer(random, ValueType::signed_bits(2), [&](int k, int i) { return (k / 4 + i / 4) % 4 == 0 ? 1 - 2 * pick(random, 0, 1) : 0; });
  const Stage few = planned(pruned, "pe=4,simd=4,wpar=1");
  CHECK(few.words_per_pixel <= dense_words(few, 2) * 30 / 100);
  const Stage parallel = planned(pruned, "pe=4,simd=4,wpar=all");
  CHECK(parallel.words_per_pixel <= dense_words(parallel, 1) * 30 / 100);
}

TEST_CASE("a codebook of four levels takes a plane for each level that is not zero") {
  Random random(test_seed());
  const std::vector<int> levels = {-91, 0, 23, 107};
  const Network network =
      layer(random, ValueType::signed_bits(8), [&](int, int) { return levels[static_cast<std::size_t>(pick(random, 0, 3))]; });
  const Stage stage = planned(network, "pe=4,simd=8,wpar=1");
  CHECK(stage.words_per_pixel == dense_words(stage, 3));
  CHECK(stage.planes == "levels");
  // A multiplier for each lane: in blocks where every multiplication takes them, or where they are left and its factors fit one.
  CHECK(stage.multiplies_in_blocks);
  CHECK(stage.cost.dsps == stage.folding.run_lanes);
  Budget few = kBudget;
  few.infers_dsps = false;
  few.dsps = stage.folding.run_lanes;
  CHECK(planned(network, "pe=4,simd=8,wpar=1", few).cost.dsps == few.dsps);
  few.dsps = stage.folding.run_lanes - 1;
  const Stage of_luts = planned(network, "pe=4,simd=8,wpar=1", few);
  CHECK(of_luts.cost.dsps == 0);
  CHECK(of_luts.cost.lut4 > stage.cost.lut4);
}

TEST_CASE("wide products take multiplier blocks while there are enough") {
  Random random(test_seed());
  const Network network = layer(random, ValueType::signed_bits(8), [&](int, int) { return pick(random, -128, 127); });
  const Stage blocks = planned(network, "pe=4,simd=8,wpar=all,pixels=1");
  CHECK(blocks.folding.products);
  CHECK(blocks.cost.dsps == 4 * 8);
  const Stage logic = planned(network, "pe=4,simd=8,wpar=all,pixels=1,products=logic");
  CHECK(!logic.folding.products);
  CHECK(logic.cost.dsps == 0);
  CHECK(logic.clocks == blocks.clocks);
  CHECK(logic.cost.lut4 > blocks.cost.lut4);
  Budget few = kBudget;
  few.dsps = 4 * 8 - 1;
  CHECK(!planned(network, "pe=4,simd=8,wpar=all,pixels=1", few).folding.products);
  Budget named = kBudget;
  named.infers_dsps = false;
  CHECK(!planned(network, "pe=4,simd=8,wpar=all,pixels=1", named).folding.products);
  CHECK(planned(network, "pe=4,simd=8,wpar=all,pixels=1,products=blocks", named).folding.products);
  CHECK_THROWS_WITH(planned(network, "pe=4,simd=8,products=blocks,wpar=1"), contains_text("products=blocks is for wpar above 1"));
  CHECK_THROWS_WITH(parse_fold_rule("conv0:products=some"), contains_text("blocks or logic expected"));
}

TEST_CASE("narrow products stay in logic, where blocks would save a LUT or two each") {
  Random random(test_seed());
  NetworkBuilder net(random, {6, 6, 16}, ValueType::unsigned_bits(2));
  const Network network = net.convolution(16, square(3), ValueType::signed_bits(2)).quantize(ValueType::unsigned_bits(2)).build();
  Budget ecp5 = kBudget;
  ecp5.fabric = kEcp5;
  const Stage logic = planned(network, "pe=4,simd=16,wpar=all,apar=2", ecp5), blocks = planned(network, "pe=4,simd=16,wpar=all,apar=2,products=blocks", ecp5);
  CHECK(!logic.folding.products);
  CHECK(blocks.folding.products);
  CHECK(logic.cost.lut4 - blocks.cost.lut4 < 8 * static_cast<double>(blocks.cost.dsps));
}

TEST_CASE("a group without weights still gives its results, at the rate of its lanes") {
  Random random(test_seed());
  const Network network = layer(random, ValueType::signed_bits(3), [&](int k, int) { return k < 8 ? 0 : pick(random, -4, 3); });
  const Stage stage = planned(network, "pe=8,simd=16,wpar=1");
  CHECK(stage.shortest_group * stage.folding.lanes >= stage.folding.pe);
  CHECK(stage.words_per_pixel == dense_words(stage, 3) / 2 + stage.shortest_run);
}

TEST_CASE("several pixels share each weight word") {
  Random random(test_seed());
  NetworkBuilder net(random, {6, 10, 4}, ValueType::unsigned_bits(2));
  net.convolution(8, square(3), ValueType::signed_bits(2))
      .quantize(ValueType::unsigned_bits(2))
      .fully_connected(3, ValueType::signed_bits(2));
  const Network network = net.build();
  const Stage one = planned(network, "pe=4,simd=4,wpar=1,pixels=1"), four = planned(network, "pe=4,simd=4,wpar=1,pixels=4");
  CHECK(four.clocks * 4 == one.clocks);
  CHECK(four.weight_words == one.weight_words);
  CHECK_THROWS_WITH(planned(network, "pe=4,simd=4,pixels=3"), contains_text("pixels"));
}

TEST_CASE("small ROMs go into spare block RAMs where that saves LUTs: on iCE40") {
  Random random(test_seed());
  NetworkBuilder net(random, {8, 8, 16}, ValueType::unsigned_bits(2));
  net.convolution(64, square(3), ValueType::bipolar()).weights([&](int, int) { return pick(random, 0, 1) * 2 - 1; }).quantize(ValueType::unsigned_bits(2));
  const Network network = net.fully_connected(5, ValueType::signed_bits(2)).build();
  Budget ice40 = kBudget;
  ice40.fabric = kIce40;
  Stage stage = planned(network, "pe=4,simd=4,wpar=1", ice40);
  REQUIRE(stage.lut_bits < kLutBits);
  const Cost in_blocks = stage.cost;
  stage.lut_bits = kLutBits;
  const Cost in_luts = estimate(network, stage, ice40);
  CHECK(in_blocks.lut4 < in_luts.lut4);
  CHECK(in_blocks.block_rams > in_luts.block_rams);
  CHECK(planned(network, "pe=4,simd=4,wpar=1").lut_bits == kLutBits);
}
