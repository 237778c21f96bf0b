// Random small networks through plan, emit and the simulated RTL: every layer boundary equals golden, stalled and not; clocks as predicted.
#include "catch2.hpp"
#include "emit/design.hpp"
#include "emit/loads.hpp"
#include "golden/golden.hpp"
#include "map/channel_order.hpp"
#include "random_network.hpp"
#include "sim/simulate.hpp"
#include "support.hpp"

using namespace bitloom;
using namespace bitloom::test;

namespace {

const Budget kBudget{"test", 1 << 20, 1 << 20, 4096, 16, 1e6, 1.0, 1 << 20};

fs::path write(const TemporaryFolder& folder, const std::string& name, const Network& network, const Design& design) {
  write_file_atomically(folder / "model", std::string("none"));
  DesignOptions options;
  options.board = "none";
  options.model = folder / "model";
  write_design(folder / name, network, design, options, "");
  return folder / name;
}

SimulationResult run_design(const fs::path& design, const Network& network, const std::vector<MapData>& images,
                            const SimulationOptions& options) {
  const Golden golden(network);
  return simulate(
      design, network, images, [&](const MapData& image) { return golden.run(image); }, options);
}

std::vector<MapData> random_images(const Network& network, int count, Random& random) {
  std::vector<MapData> images;
  for (int i = 0; i < count; ++i) images.push_back(random_map(random, network.maps[static_cast<std::size_t>(network.input)]));
  return images;
}

void run_network(const Network& network, const PlanOptions& plan_options, Random& random) {
  const TemporaryFolder folder;
  const Design made = make_design(network, kBudget, plan_options);
  const Plan& plan = made.plan;
  const fs::path design = write(folder, "design", network, made);
  const std::vector<MapData> images = random_images(network, 8, random);
  SimulationOptions free, stalled;
  stalled.stall = 0.4;
  stalled.seed = static_cast<unsigned>(random());
  const SimulationResult steady = run_design(design, network, images, free);
  CHECK(steady.failure.empty());
  for (const BoundaryResult& boundary : steady.boundaries) {
    CAPTURE(boundary.first ? boundary.first->to_string() : boundary.map);
    CHECK(boundary.mismatches == 0);
  }
  CHECK(steady.bit_exact);
  CHECK(steady.clocks_per_image == Catch::Approx(static_cast<double>(plan.clocks_per_image)).epsilon(0.01));
  const SimulationResult uneven = run_design(design, network, images, stalled);
  CAPTURE(stalled.seed, uneven.failure);
  CHECK(uneven.bit_exact);
}

void run_network(const Network& network, std::int64_t clocks, Random& random) { run_network(network, PlanOptions{0, clocks, {}}, random); }

}  // namespace

TEST_CASE("2-bit weights and activations, padding, pooling, fully connected, argmax") {
  Random random(test_seed());
  NetworkBuilder chain(random, {8, 8, 1}, ValueType::unsigned_bits(5));
  chain.convolution(8, square(3, 1, 1), ValueType::signed_bits(2)).quantize(ValueType::unsigned_bits(2)).max_pool(square(2, 2));
  chain.convolution(8, square(3, 1, 1), ValueType::signed_bits(2)).quantize(ValueType::unsigned_bits(2));
  chain.fully_connected(10, ValueType::signed_bits(2)).argmax();
  run_network(chain.build(), 3000, random);
}

TEST_CASE("binary weights on signed, binary and wide activations, stride, overlapping and padded pools") {
  Random random(test_seed() + 1);
  NetworkBuilder chain(random, {9, 7, 2}, ValueType::signed_bits(3));
  chain.convolution(6, square(3, 2, 1), ValueType::bipolar()).quantize(ValueType::signed_bits(3)).max_pool(square(3, 1, 1));
  chain.convolution(4, square(3), ValueType::bipolar()).quantize(ValueType::bipolar());
  chain.convolution(6, square(1), ValueType::bipolar()).threshold(ValueType::signed_bits(2), 2, -1, 1);
  chain.fully_connected(5, ValueType::bipolar());
  run_network(chain.build(), 2000, random);
}

TEST_CASE("a threshold on the input, 4-bit weights on bipolar maps, everything in parallel") {
  Random random(test_seed() + 2);
  NetworkBuilder chain(random, {5, 5, 4}, ValueType::unsigned_bits(8));
  chain.quantize(ValueType::bipolar()).convolution(4, square(2), ValueType::signed_bits(4)).threshold(ValueType::signed_bits(2), 1, -1, 2);
  chain.convolution(3, square(3, 1, 1), ValueType::unsigned_bits(2)).quantize(ValueType::unsigned_bits(3));
  chain.fully_connected(4, ValueType::signed_bits(3));
  run_network(chain.build(), 130, random);
}

TEST_CASE("a residual block, a depthwise and a grouped convolution, requantizers") {
  Random random(test_seed() + 3);
  NetworkBuilder net(random, {8, 6, 4}, ValueType::unsigned_bits(4));
  const int fork = net.convolution(8, square(3, 1, 1), ValueType::signed_bits(3)).requantize(ValueType::signed_bits(6)).here();
  const int main = net.convolution(8, square(3, 1, 1), ValueType::signed_bits(2), 8)
                       .requantize(ValueType::unsigned_bits(5))
                       .convolution(8, square(3, 1, 1), ValueType::signed_bits(4), 2)
                       .quantize(ValueType::unsigned_bits(2))
                       .here();
  net.sum({fork, main}, {3, -2}).requantize(ValueType::unsigned_bits(8));
  net.convolution(8, square(3, 2), ValueType::bipolar(), 8).quantize(ValueType::bipolar());
  net.convolution(8, square(2), ValueType::signed_bits(2), 8).quantize(ValueType::unsigned_bits(3));
  net.fully_connected(5, ValueType::signed_bits(8));
  run_network(net.build(), 8000, random);
}

TEST_CASE("an encoder and decoder with concatenations, upsampling and two outputs") {
  Random random(test_seed() + 4);
  NetworkBuilder net(random, {8, 8, 2}, ValueType::signed_bits(4));
  const int wide = net.convolution(4, square(3, 1, 1), ValueType::signed_bits(2)).quantize(ValueType::bipolar()).here();
  const int deep = net.max_pool(square(2, 2)).convolution(6, square(1), ValueType::bipolar()).quantize(ValueType::unsigned_bits(2)).here();
  const int up = net.upsample(2, 2).here();
  net.concat({wide, up, 0}, {2, 1, -1}).convolution(2, square(3, 1, 1), ValueType::signed_bits(3)).output();
  net.from(deep).fully_connected(3, ValueType::signed_bits(2)).output();
  run_network(net.build(), 3000, random);
}

TEST_CASE("three paths from the input: a sum of three, a bipolar concatenation, an output that other layers read") {
  Random random(test_seed() + 5);
  NetworkBuilder net(random, {5, 7, 4}, ValueType::bipolar());
  const int a = net.convolution(4, square(1), ValueType::signed_bits(2)).here();
  const int b = net.from(0).max_pool(square(2, 1)).upsample(1, 1).here();
  const int c = net.from(0).convolution(4, square(3, 1, 0), ValueType::signed_bits(4)).quantize(ValueType::bipolar()).output().here();
  net.sum({a, 0, a}, {1, 2, 3}).quantize(ValueType::unsigned_bits(3)).fully_connected(3, ValueType::signed_bits(3)).output();
  net.concat({c, c}, {1, 1}).fully_connected(2, ValueType::bipolar()).argmax().output();
  net.from(b).fully_connected(2, ValueType::bipolar()).output();
  run_network(net.build(), 1000, random);
}

TEST_CASE("programs: a codebook, signed digits, widths by channel, several pixels, activation bits one after the other") {
  Random random(test_seed() + 8);
  const std::vector<int> levels = {-91, 0, 23, 107};
  NetworkBuilder net(random, {6, 8, 4}, ValueType::unsigned_bits(4));
  net.convolution(8, square(3, 1, 1), ValueType::signed_bits(8)).weights([&](int, int) {
    return levels[static_cast<std::size_t>(pick(random, 0, 3))];
  });
  net.quantize(ValueType::unsigned_bits(2));
  net.convolution(8, square(3, 1, 1), ValueType::signed_bits(6)).weights([&](int k, int) {
    return (pick(random, 0, 1) * 2 - 1) * (k < 4 ? 17 : 31);
  });
  net.quantize(ValueType::signed_bits(3));
  net.convolution(8, square(1), ValueType::signed_bits(4)).weights([&](int k, int) {
    return random_value(random, ValueType::signed_bits(1 + k / 2));
  });
  net.quantize(ValueType::bipolar()).convolution(8, square(3), ValueType::bipolar()).quantize(ValueType::unsigned_bits(2));
  net.fully_connected(4, ValueType::signed_bits(2));
  const Network network = net.build();
  for (const std::vector<std::string>& rules : {std::vector<std::string>{"conv0:pe=4,simd=2,apar=2,pixels=2", "conv2:pe=2,simd=4,pixels=4",
                                                                         "conv4:pe=2,simd=8,pixels=2,apar=1", "conv6:pe=4,simd=8,pixels=2"},
                                                {"conv0:pe=2,simd=4,apar=1,pixels=4", "conv2:pe=8,simd=8,wpar=all,pixels=2",
                                                 "conv4:pe=4,simd=2,pixels=1,apar=3", "conv6:pe=8,simd=4,pixels=2"}}) {
    PlanOptions options;
    for (const std::string& rule : rules) options.fold.push_back(parse_fold_rule(rule));
    run_network(network, options, random);
  }
}

TEST_CASE("an order of channels changes no output; pruned layers of several widths") {
  Random random(test_seed());
  const auto sparse = [&](int k, int) { return pick(random, 0, 2) == 0 ? random_value(random, ValueType::signed_bits(1 + k * 7 % 4)) : 0; };
  NetworkBuilder net(random, {9, 8, 3}, ValueType::unsigned_bits(3));
  net.convolution(12, square(3, 1, 1), ValueType::signed_bits(4))
      .weights(sparse)
      .quantize(ValueType::unsigned_bits(2))
      .max_pool(square(2, 2));
  net.convolution(12, square(3, 1, 1), ValueType::signed_bits(3), 12).requantize(ValueType::unsigned_bits(3));  // depthwise
  const int fork = net.convolution(8, square(1), ValueType::signed_bits(4)).weights(sparse).requantize(ValueType::unsigned_bits(3)).here();
  net.convolution(8, square(3, 1, 1), ValueType::signed_bits(4)).weights(sparse).requantize(ValueType::unsigned_bits(3)).upsample(1, 1);
  const int main = net.convolution(8, square(1), ValueType::signed_bits(4)).weights(sparse).requantize(ValueType::unsigned_bits(3)).here();
  net.sum({fork, main}, {1, 1}).convolution(6, square(3), ValueType::signed_bits(4)).weights(sparse).quantize(ValueType::unsigned_bits(2));
  net.fully_connected(4, ValueType::signed_bits(2));
  const Network network = net.build(), ordered = order_channels(network);
  int changed = 0;
  for (std::size_t i = 0; i < network.layers.size(); ++i) changed += network.layers[i].op == ordered.layers[i].op ? 0 : 1;
  CHECK(changed >= 6);
  // What a sum sees keeps its order.
  CHECK(std::get<Requantize>(network.layers[static_cast<std::size_t>(fork) - 1].op) ==
        std::get<Requantize>(ordered.layers[static_cast<std::size_t>(fork) - 1].op));
  const Golden golden(network), reordered(ordered);
  for (int image = 0; image < 4; ++image) {
    const MapData in = random_map(random, network.maps[0]);
    CHECK(golden.run(in).back().values == reordered.run(in).back().values);
  }
  run_network(ordered, 20000, random);
}

TEST_CASE("FIFOs of the computed depth cannot deadlock, and one word less does") {
  Random random(test_seed() + 6);
  NetworkBuilder net(random, {7, 6, 3}, ValueType::unsigned_bits(2));
  const int fork = net.convolution(4, square(3, 1, 1), ValueType::signed_bits(2)).quantize(ValueType::unsigned_bits(2)).here();
  net.convolution(4, square(3, 1, 1), ValueType::signed_bits(2)).quantize(ValueType::unsigned_bits(2));
  const int main = net.convolution(4, square(3, 1, 1), ValueType::signed_bits(2)).quantize(ValueType::unsigned_bits(2)).here();
  net.sum({fork, main}, {1, 1});
  const Network network = net.build();
  const Plan plan = make_plan(network, kBudget, {0, 4000});
  Design design = elaborate(network, plan, 0);
  REQUIRE(design.fifos.size() == 1);
  CHECK(design.fifos[0].depth == design.fifos[0].deadlock);
  CAPTURE(design.fifos[0].depth);
  const std::vector<MapData> images = random_images(network, 4, random);
  const TemporaryFolder folder;
  SimulationOptions options;
  options.stall = 0.3;
  const SimulationResult runs = run_design(write(folder, "enough", network, design), network, images, options);
  CAPTURE(runs.failure);
  CHECK(runs.bit_exact);
  for (Instance& instance : design.instances)
    if (instance.name == design.fifos[0].name) instance.parameters[1].second = std::to_string(design.fifos[0].depth - 1);
  const SimulationResult stuck = run_design(write(folder, "short", network, design), network, images, options);
  CHECK(!stuck.bit_exact);
  CHECK_THAT(stuck.failure, contains_text("no beat moved"));
}

TEST_CASE("weights that block RAMs have no room for are loaded after reset; a damaged file of them is refused") {
  Random random(test_seed() + 20);
  NetworkBuilder chain(random, {8, 8, 4}, ValueType::unsigned_bits(4));
  chain.convolution(32, square(3, 1, 1), ValueType::signed_bits(4)).quantize(ValueType::unsigned_bits(2)).max_pool(square(2, 2));
  chain.convolution(48, square(3, 1, 1), ValueType::bipolar()).quantize(ValueType::bipolar());
  chain.fully_connected(10, ValueType::bipolar());
  const Network network = chain.build();
  Budget budget = kBudget;
  budget.sprams = 4, budget.loads_weights = true, budget.lut4 = 20000;
  Design made;
  for (budget.block_rams = 40; budget.block_rams > 0 && made.loaded.empty(); --budget.block_rams) made = make_design(network, budget, {0, 200000, {}});
  REQUIRE(!made.loaded.empty());
  const TemporaryFolder folder;
  const fs::path design = write(folder, "design", network, made);
  const std::vector<MapData> images = random_images(network, 4, random);
  for (const double stall : {0.0, 0.4}) {
    SimulationOptions options;
    options.stall = stall;
    options.seed = static_cast<unsigned>(random());
    const SimulationResult result = run_design(design, network, images, options);
    CAPTURE(stall, options.seed, result.failure);
    CHECK(result.bit_exact);
  }
  budget.block_rams = 100;  // no need
  CHECK(make_design(network, budget, {0, 200000, {}}).loaded.empty());

  const nlohmann::json description = read_design(design);
  std::vector<std::uint8_t> bytes = read_file(design / kWeightsFile);
  CHECK(read_flash_image(design, description) == load_words(made));
  const std::vector<std::uint8_t> right = bytes;
  for (const std::size_t place : {std::size_t{0}, bytes.size() / 2, bytes.size() - 1}) {
    bytes = right;
    bytes[place] ^= 4;
    write_file_atomically(design / kWeightsFile, std::span<const std::uint8_t>(bytes));
    CHECK_THROWS_WITH(read_flash_image(design, description), contains_text("is damaged, or of another design"));
  }
  bytes.pop_back();
  write_file_atomically(design / kWeightsFile, std::span<const std::uint8_t>(bytes));
  CHECK_THROWS_WITH(run_design(design, network, images, {}), contains_text("compile the model again"));
}
