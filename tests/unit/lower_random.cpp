// The property of lowering: on random small networks, golden and the float executor agree on every output.
// Scales are powers of two, so that float32 arithmetic is exact and every tie is a real one.
#include "lower_build.hpp"

using namespace bitloom;
using namespace bitloom::testing;

namespace {

struct Random {
  std::mt19937_64 engine;
  int integer(int low, int high) { return std::uniform_int_distribution<int>(low, high)(engine); }
  bool coin() { return integer(0, 1) == 1; }
  float power_of_two() { return std::ldexp(1.0F, integer(-3, 2)); }
};

void add_batch_norm(Build& build, Random& random, std::int64_t channels) {
  Tensor gamma = Tensor::floats({channels}, {}), beta = gamma, mean = gamma, variance = gamma;
  for (std::int64_t c = 0; c < channels; ++c) {
    gamma.f().push_back(static_cast<float>(random.integer(-2, 4)) * 0.25F);
    beta.f().push_back(static_cast<float>(random.integer(-8, 8)) * 0.25F);
    mean.f().push_back(static_cast<float>(random.integer(-20, 20)));
    variance.f().push_back(std::ldexp(1.0F, 2 * random.integer(-1, 2)));
  }
  build.then("BatchNormalization", {gamma, beta, mean, variance}, {{"epsilon", 0.0F}});
}

void add_quantizer(Build& build, Random& random, std::int64_t channels) {
  static const char* modes[] = {"ROUND", "FLOOR", "CEIL", "HALF_UP", "HALF_DOWN", "UP", "DOWN"};
  switch (random.integer(0, 3)) {
    case 0: build.bipolar(random.power_of_two()); break;
    case 1: build.quant(random.power_of_two() * 4, 2, true, true, 0, modes[random.integer(0, 6)]); break;
    case 2:
      build.quant(random.power_of_two() * 2, static_cast<float>(random.integer(2, 5)), random.coin(), false,
                  static_cast<float>(random.integer(0, 1)), modes[random.integer(0, 6)]);
      break;
    default: {
      std::vector<float> table;
      for (std::int64_t c = 0; c < channels; ++c) {
        const float first = static_cast<float>(random.integer(-30, 10));
        for (int level = 0; level < 3; ++level) table.push_back(first + static_cast<float>(level * random.integer(0, 3)) * 4);
        std::sort(table.end() - 3, table.end());
      }
      build.then("MultiThreshold", {Tensor::floats({channels, 3}, std::move(table))}, {{"out_bias", -2.0F}});
    }
  }
}

Graph random_graph(std::uint64_t seed) {
  Random random{std::mt19937_64(seed)};
  std::int64_t channels = random.integer(1, 3);
  const int height = random.integer(4, 9), width = random.integer(4, 9);
  Build build({1, channels, height, width});
  if (random.coin()) build.quant(random.coin() ? 1.0F : 16.0F, static_cast<float>(random.integer(2, 8)), false);
  const int layers = random.integer(1, 2);
  for (int i = 0; i < layers; ++i) {
    const bool depthwise = channels > 1 && random.integer(0, 3) == 0;
    const std::int64_t outputs = depthwise ? channels : random.integer(1, 5);
    const auto pad = std::int64_t{random.integer(0, 1)};
    const std::int64_t kernel = random.integer(1, 2) + pad;
    std::map<std::string, Attribute> attributes{{"pads", std::vector<std::int64_t>{pad, pad, pad, 0}},
                                                {"strides", std::vector<std::int64_t>{1, random.integer(1, 2)}},
                                                {"group", depthwise ? channels : std::int64_t{1}}};
    const float bits = static_cast<float>(random.integer(1, 4));
    build.conv(random_tensor(random.engine, {outputs, depthwise ? 1 : channels, kernel, kernel}, -4, 4), random.power_of_two(), bits,
               attributes);
    channels = outputs;
    const bool pool = i == 0 && random.coin();
    const bool pool_first = pool && random.coin();
    const std::map<std::string, Attribute> window{{"kernel_shape", std::vector<std::int64_t>{2, 2}},
                                                  {"pads", std::vector<std::int64_t>{0, 0, 1, 1}}};
    if (random.coin()) add_batch_norm(build, random, channels);
    if (pool_first) build.then("MaxPool", {}, window);
    if (random.coin()) build.then("Relu");
    add_quantizer(build, random, channels);
    if (pool && !pool_first) build.then("MaxPool", {}, window);
  }
  build.then("Flatten");
  // The flattened size follows from executing the graph so far.
  const FloatExecutor executor(build.done());
  Tensor x = Tensor::floats(build.graph.inputs[0].shape, {});
  x.f().assign(static_cast<std::size_t>(x.size()), 0.0F);
  const std::int64_t size = executor.run({{"x", x}}).begin()->second.shape[1];
  build.matmul(random_tensor(random.engine, {size, 3}, -4, 4), random.power_of_two(), static_cast<float>(random.integer(1, 4)));
  if (random.coin()) build.then("Add", {random_tensor(random.engine, {3}, -1, 1)});
  return build.done();
}

}  // namespace

TEST_CASE("golden and the float executor agree on random networks") {
  int lowered = 0;
  for (std::uint64_t seed = 1; seed <= 80; ++seed) {
    INFO("graph of seed " << seed);
    const Graph graph = random_graph(seed);
    Network network;
    REQUIRE_NOTHROW(network = check_equal(graph, {}, 6, seed));
    lowered += network.layers.empty() ? 0 : 1;
  }
  CHECK(lowered == 80);
}

TEST_CASE("a wrong threshold is seen") {
  // The comparison itself must be able to fail: every threshold of a lowered network matters to some image.
  Build build({1, 1});
  build.matmul(Tensor::floats({1, 1}, {1}), 1, 1).quant(16, 4, false);
  const Graph graph = build.done();
  Network network = lower(graph);
  std::get<Threshold>(network.layers[1].op).thresholds[7] += 1;
  const Golden golden(network);
  const FloatExecutor executor(graph);
  int different = 0;
  for (int p = 0; p < 256; ++p)
    different += golden_output(golden, {p})[0] == static_cast<double>(float_output(executor, {p}, {})[0]) ? 0 : 1;
  CHECK(different == 1);
}
