#include "catch2.hpp"
#include "map/cost.hpp"
#include "map/plan.hpp"
#include "map/raw.hpp"
#include "random_network.hpp"

using namespace bitloom;
using namespace bitloom::test;

namespace {

Network small(Random& random) {
  NetworkBuilder chain(random, {8, 8, 1}, ValueType::unsigned_bits(5));
  chain.convolution(16, square(3, 1, 1), ValueType::bipolar()).quantize(ValueType::bipolar());
  chain.convolution(16, square(3), ValueType::bipolar()).quantize(ValueType::bipolar()).max_pool(square(2, 2));
  chain.fully_connected(10, ValueType::bipolar()).argmax();
  return chain.build();
}

const Budget kBudget{"test board", 5280, 30, 4096, 16, 12e6, 0.6};

}  // namespace

TEST_CASE("a plan takes the folding that the clock budget asks for, and never more than the device has") {
  Random random(test_seed());
  const Network network = small(random);
  const Plan fastest = make_plan(network, kBudget, {});
  CHECK(fastest.cost.lut4 <= 0.6 * 5280);
  CHECK(fastest.cost.block_rams <= 30);
  const Plan slow = make_plan(network, kBudget, {0, 50000});
  CHECK(slow.clocks_per_image <= 50000);
  CHECK(slow.cost.lut4 <= fastest.cost.lut4);
  std::int64_t slowest = 0;
  for (const Stage& stage : fastest.stages) slowest = std::max(slowest, stage.clocks);
  CHECK(fastest.clocks_per_image >= slowest);
  CHECK(fastest.stages.size() == 5);
  CHECK(fastest.stages[3].in_shape == MapShape{1, 1, 144});  // the fully connected layer sees one pixel
  CHECK(make_plan(network, kBudget, {500, 0}).clocks_per_image <= 24000);
}

TEST_CASE("what does not fit is refused with the resource that binds") {
  Random random(test_seed());
  const Network network = small(random);
  CHECK_THROWS_WITH(make_plan(network, kBudget, {0, 250}), contains_text("LUT4"));
  CHECK_THROWS_WITH(make_plan(network, kBudget, {0, 3}), contains_text("cannot be reached"));
  Budget tiny = kBudget;
  tiny.lut4 = 100;
  CHECK_THROWS_WITH(make_plan(network, tiny, {}), contains_text("does not fit test board"));
}

TEST_CASE("a plan leaves room for the model's error and the link, and says what keeps it from being faster") {
  Random random(test_seed());
  const Network network = small(random);
  Budget whole = kBudget;
  whole.fraction = 1;
  whole.link_lut4 = 1000;
  const Plan plan = make_plan(network, whole, {});
  CHECK(plan.cost.lut4 * (1 + most_underestimated(kBudget)) <= 5280 - 1000);
  CHECK_THAT(plan.binding, contains_text("LUT4") && contains_text("of 5280"));
  Budget few = kBudget;
  few.lut4 = 1 << 20;
  const Plan fastest = make_plan(network, few, {});
  few.block_rams = 0;  // with ever more of them the fastest plan fits at last; the one before is kept from it by them
  std::string binding;
  for (Plan slower; few.block_rams < fastest.cost.block_rams; ++few.block_rams) {
    try {
      slower = make_plan(network, few, {});
    } catch (const Error&) {
      continue;
    }
    if (slower.clocks_per_image > fastest.clocks_per_image) binding = slower.binding;
  }
  CHECK_THAT(binding, contains_text("block RAMs"));
  // By hand all of the device may be asked for.
  const PlanOptions by_hand{0, 0, {parse_fold_rule("conv0:pe=1,simd=1")}};
  const double luts = make_plan(network, kBudget, {0, 50000, by_hand.fold}).cost.lut4;
  whole.lut4 = static_cast<std::int64_t>(luts) + 1;
  CHECK(make_plan(network, whole, {0, 50000, by_hand.fold}).cost.lut4 == luts);
  CHECK_THROWS_WITH(make_plan(network, whole, {0, 50000}), contains_text("LUT4"));
}

TEST_CASE("a grouped convolution reads each group's channels by its own program words") {
  Random random(test_seed());
  NetworkBuilder builder(random, {6, 6, 8}, ValueType::unsigned_bits(2));
  builder.convolution(4, square(3), ValueType::signed_bits(2), 2).quantize(ValueType::unsigned_bits(2));
  builder.convolution(4, square(2), ValueType::signed_bits(3), 4);
  const Plan plan = make_plan(builder.build(), kBudget, {0, 100000});
  REQUIRE(plan.stages.size() == 2);
  const Stage& grouped = plan.stages[0];
  CHECK(!grouped.depthwise);
  CHECK(grouped.window_plan.channel_groups == 2);
  CHECK(grouped.window_plan.group_step * grouped.folding.simd == 4);  // half of the pixel's channels
  const Stage& depthwise = plan.stages[1];
  CHECK(depthwise.depthwise);
  CHECK(depthwise.folding.simd == depthwise.folding.columns);
  CHECK(depthwise.window_plan.channel_groups == 4 / depthwise.folding.pe);
}

TEST_CASE("constants that the RTL cannot hold are refused by the layer's name") {
  Random random(test_seed());
  NetworkBuilder builder(random, {2, 2, 2}, ValueType::unsigned_bits(1));
  const Network network = builder.sum({0, 0}, {1, 3}).build();
  CHECK_NOTHROW(make_plan(network, kBudget, {}));
  Network wide = network;
  std::get<Add>(wide.layers[0].op).scale = {std::int64_t{1} << 31, 1};
  wide.maps.back().type = ValueType::signed_bits(32);
  CHECK_THROWS_WITH(make_plan(wide, kBudget, {}), contains_text("31 bits") || contains_text("range"));
}

TEST_CASE("an output that is the input has no hardware") {
  Random random(test_seed());
  NetworkBuilder builder(random, {2, 2, 2}, ValueType::unsigned_bits(4));
  builder.output().max_pool(square(2)).output();
  CHECK_THROWS_WITH(make_plan(builder.build(), kBudget, {}), contains_text("output0") && contains_text("input itself"));
}

TEST_CASE("a bias is part of what separates the raw accumulator from the sum") {
  Convolution conv;
  conv.out_channels = 2;
  conv.weight_type = ValueType::signed_bits(4);
  conv.weights = {3, -2};
  conv.bias = {7, -100};
  const RawAccumulator raw = raw_accumulator(conv, ValueType::unsigned_bits(4));
  CHECK(raw.beta == std::vector<std::int64_t>{7, -100});
  CHECK(raw.raw_threshold(10, 0) == 3);  // raw + 7 >= 10
}

TEST_CASE("no layer with tables has more lanes than their images can name") {
  Random random(test_seed());
  NetworkBuilder builder(random, {1, 1, 256}, ValueType::signed_bits(4));
  builder.requantize(ValueType::unsigned_bits(5))
      .convolution(512, square(1), ValueType::signed_bits(2))
      .quantize(ValueType::unsigned_bits(2));
  Budget large = kBudget;
  large.lut4 = 1 << 30, large.block_rams = 1 << 30, large.dsps = 1 << 20;
  for (const Stage& stage : make_plan(builder.build(), large, {}).stages) CHECK(stage.folding.lanes <= 100);
}

TEST_CASE("a layer gets the folding that is asked for, and the others the planner's") {
  Random random(test_seed());
  NetworkBuilder builder(random, {6, 6, 8}, ValueType::unsigned_bits(4));
  builder.convolution(8, square(3), ValueType::signed_bits(3)).quantize(ValueType::unsigned_bits(2));
  builder.convolution(4, square(1), ValueType::signed_bits(2));
  const Network network = builder.build();
  const std::string first = network.layers[0].name, second = network.layers[2].name;
  const auto plan = [&](const std::vector<std::string>& rules) {
    PlanOptions options;
    for (const std::string& rule : rules) options.fold.push_back(parse_fold_rule(rule));
    Budget large = kBudget;
    large.lut4 = 1 << 20, large.block_rams = 1 << 10;
    return make_plan(network, large, options);
  };
  const Stage parallel = plan({first + ":pe=2,simd=4,apar=all,wpar=all,pixels=1"}).stages[0];
  CHECK((parallel.folding.pe == 2 && parallel.folding.simd == 4 && parallel.folding.apar == 4 && parallel.folding.wpar == 3));
  CHECK(parallel.clocks == 16 * (8 / 2) * (8 / 4) * 9);
  const Stage serial = plan({first + ":pe=2,simd=4,apar=1,wpar=1,pixels=1"}).stages[0];
  CHECK(serial.clocks == parallel.clocks * 4 * 3);  // every activation bit with every weight plane, one after the other
  for (const Stage& stage : plan({"*:wpar=1", second + ":pe=1"}).stages) CHECK(stage.folding.wpar == 1);
  CHECK(plan({"*:wpar=1", second + ":pe=1"}).stages[1].folding.pe == 1);
  CHECK_THROWS_WITH(plan({first + ":pe=3"}), contains_text(first) && contains_text("pe=3"));
  CHECK_THROWS_WITH(plan({first + ":apar=3"}), contains_text("divisor of its input's 4 bits"));
  CHECK_THROWS_WITH(plan({first + ":apar=1,wpar=all"}), contains_text("no folding"));
  CHECK_THROWS_WITH(plan({"elsewhere:pe=1"}), contains_text("elsewhere") && contains_text(first));
  for (const char* wrong : {"", "conv0", "conv0:", ":pe=1", "conv0:pe", "conv0:pe=0", "conv0:pe=all", "conv0:width=3", "conv0:pe=1x"}) {
    CAPTURE(wrong);
    CHECK_THROWS_WITH(parse_fold_rule(wrong), contains_text("--fold"));
  }
}

TEST_CASE("windows move to single-port RAMs, or hold less, only where block RAMs are short") {
  Random random(test_seed());
  NetworkBuilder chain(random, {16, 16, 16}, ValueType::unsigned_bits(8));
  chain.convolution(16, square(3, 1, 1), ValueType::bipolar()).quantize(ValueType::unsigned_bits(2)).max_pool(square(2, 2));
  const Network network = chain.build();
  const auto plan = [&](std::int64_t block_rams, std::int64_t sprams) {
    Budget budget = kBudget;
    budget.lut4 = 20000, budget.block_rams = block_rams, budget.sprams = sprams;
    return make_plan(network, budget, {0, 80000});
  };
  const Plan ample = plan(60, 4);
  CHECK(ample.cost.sprams == 0);
  for (const Stage& stage : ample.stages) CHECK((!stage.window_plan.shared && !stage.window_plan.shallow));
  std::int64_t fewest = ample.cost.block_rams;  // without single-port RAMs
  for (std::int64_t blocks = fewest - 1; blocks > 0; --blocks) try {
      fewest = plan(blocks, 0).cost.block_rams;
    } catch (const Error&) {
      break;
    }
  const Plan shared = plan(fewest - 1, 4);
  CHECK(shared.cost.block_rams < fewest);
  CHECK((shared.cost.sprams > 0 && shared.cost.sprams <= 4));
  for (const Stage& stage : shared.stages) {
    CHECK((stage.cost.sprams > 0) == stage.window_plan.shared);
    if (!stage.window_plan.shared || stage.kind != StageKind::Plane) continue;
    const std::int64_t windows = 256, words = 18 * 18 * (16 / stage.in_lanes);  // a clock for each word, and for each group
    CHECK(stage.clocks == windows * (stage.words_per_pixel + 16 / stage.folding.pe) + words);
  }
}

TEST_CASE("a requantizer's constants move to LUTs only where block RAMs are short, and what binds is said") {
  Random random(test_seed());
  NetworkBuilder chain(random, {4, 4, 96}, ValueType::signed_bits(12));
  chain.requantize(ValueType::unsigned_bits(8));
  const Network network = chain.build();
  Budget budget = kBudget;
  budget.fabric = kEcp5, budget.block_bits = 18432, budget.block_width = 36, budget.dsps = 8, budget.lut4 = 20000;
  const PlanOptions slow{0, 4 * 4 * 96};
  const Plan ample = make_plan(network, budget, slow);
  REQUIRE(ample.cost.block_rams > 0);
  CHECK(ample.stages[0].lut_bits == kLutBits);
  budget.block_rams = 0;
  const Plan without = make_plan(network, budget, slow);
  CHECK(without.cost.block_rams == 0);
  CHECK(without.stages[0].lut_bits > kLutBits);
  CHECK(without.cost.lut4 > ample.cost.lut4);
  budget.lut4 = static_cast<std::int64_t>((ample.cost.lut4 + without.cost.lut4) / 2 / 0.6);  // room for either, but not for constants in LUTs
  CHECK_THROWS_WITH(make_plan(network, budget, slow), contains_text("block RAMs are needed, 0 exist; with fewer block RAMs, about") && contains_text("LUT4"));
}

TEST_CASE("pairs of XNOR cells differ from the sum by a constant of the weights") {
  Random random(test_seed());
  for (const ValueType& type : {ValueType::unsigned_bits(8), ValueType::signed_bits(4)}) {
    NetworkBuilder builder(random, {1, 1, 6}, type);
    builder.convolution(5, square(1), ValueType::bipolar());
    const Network network = builder.build();
    const auto& conv = std::get<Convolution>(network.layers[0].op);
    const RawAccumulator raw = raw_accumulator(conv, type, true);
    for (std::size_t k = 0; k < 5; ++k) {
      std::int64_t sum = conv.bias.empty() ? 0 : conv.bias[k], terms = 0;
      const std::int64_t centre = type.is_signed() ? 0 : 128;
      for (std::size_t pair = 0; pair < 3; ++pair) {
        const std::int64_t a = type.min() + static_cast<std::int64_t>(random() % static_cast<std::uint32_t>(type.max() - type.min() + 1));
        const std::int64_t b = type.min() + static_cast<std::int64_t>(random() % static_cast<std::uint32_t>(type.max() - type.min() + 1));
        const std::int64_t v = conv.weights[k * 6 + 2 * pair], w = conv.weights[k * 6 + 2 * pair + 1];
        sum += v * a + w * b;
        const std::int64_t x = v == w ? a + b - 2 * centre : a - b;
        terms += v > 0 ? x : -x - 1;
      }
      CHECK(raw.alpha * terms + raw.beta[k] == sum);
      CHECK((terms >= raw.low && terms <= raw.high));
    }
  }
}
