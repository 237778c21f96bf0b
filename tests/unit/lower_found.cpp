// What the random networks (tests/random) found in lowering, each case as small as it got.
#include "lower_build.hpp"

using namespace bitloom;
using namespace bitloom::testing;

TEST_CASE("a narrow image of many channels is [N, C, H, W] where a window reads it behind its quantizer") {
  std::mt19937_64 random(1);
  Build build({1, 5, 3, 3});
  build.quant(64, 2, false).conv(random_tensor(random, {2, 5, 2, 2}, -2, 2), 1, 2).quant(32, 2, true);
  const Network network = check_equal(build.done());
  CHECK(network.maps[0].shape == MapShape{3, 3, 5});
}

TEST_CASE("an image of many rows and few columns in [N, H, W, C] is still taken as such behind its quantizer") {
  std::mt19937_64 random(2);
  Build build({1, 5, 3, 3});
  build.quant(64, 2, false).then("Transpose", {}, {{"perm", std::vector<std::int64_t>{0, 3, 1, 2}}});
  build.conv(random_tensor(random, {2, 3, 2, 2}, -2, 2), 1, 2).quant(32, 2, true);
  const Network network = check_equal(build.done());
  CHECK(network.maps[0].shape == MapShape{5, 3, 3});
}

TEST_CASE("an image is taken as it lies where a dense layer reads it behind a constant for each channel") {
  std::mt19937_64 random(3);
  Build build({1, 5, 3, 3});
  build.then("Mul", {Tensor::floats({1, 5, 1, 1}, {1, 2, 1, 3, 1})}).quant(64, 2, false).then("Flatten");
  build.matmul(random_tensor(random, {45, 2}, -2, 2), 1, 2);
  const Network network = check_equal(build.done());
  CHECK(network.maps[0].shape == MapShape{3, 3, 5});
}

TEST_CASE("a sum of dequantized integers holds floats") {
  Build build({1, 1});
  build.graph.inputs[0] = {"x", {1, 1}, false, ElementType::Uint8};
  Tensor zero = Tensor::ints({}, {2});
  zero.type = ElementType::Uint8;
  build.then("DequantizeLinear", {Tensor::floats({}, {0.5F}), zero});
  build.last = build.add("Add", {build.last, build.last});
  build.quant(16, 4, true);
  const Graph graph = build.done();
  const Network network = lower(graph);
  const Golden golden(network);
  for (const std::int32_t p : {0, 1, 2, 100, 255}) {
    Tensor x = Tensor::ints({1, 1}, {p});
    x.type = ElementType::Uint8;
    CHECK(golden_output(golden, {p})[0] == static_cast<double>(FloatExecutor(graph).run({{"x", x}}).begin()->second.f()[0]));
  }
}

TEST_CASE("a layer reads a map of nothing but zeros") {
  Build build({1, 1});
  build.quant(2, 2, false).then("Floor").then("Mul", {Tensor::floats({}, {0.0F})}).then("Relu").matmul(Tensor::floats({1, 1}, {1}), 1, 2);
  build.quant(1, 2, true);
  check_equal(build.done());
}

TEST_CASE("what no output depends on makes no layer") {
  std::mt19937_64 random(4);
  Build build({1, 2, 3, 3});
  build.quant(64, 2, false);
  const std::string before = build.last;
  build.conv(random_tensor(random, {2, 2, 2, 2}, -2, 2), 1, 2).quant(32, 2, true);
  build.last = before;
  build.conv(random_tensor(random, {1, 2, 1, 1}, -2, 2), 1, 2).quant(32, 2, true);
  const Network network = check_equal(build.done());
  CHECK(network.layers.size() == 3);
}

TEST_CASE("values without a smallest step among them lie on the grid of their sums") {
  LowerOptions options;
  options.input_bits = 1;
  Build build({1, 1, 1, 1});
  build.conv(Tensor::floats({2, 1, 1, 1}, {0.4375F, 1}), 0.0625F, 6).then("Relu");  // 0, 7/16 and 1
  build.conv(Tensor::floats({1, 2, 1, 1}, {1, 1}), 1, 2).quant(0.25F, 4, false);
  check_equal(build.done(), options);
}
