// Fully connected layers over several rows: rows as pixels, or every value of the image as a channel where constants differ between rows.
#include "lower_build.hpp"

using namespace bitloom;
using namespace bitloom::testing;
using Longs = std::vector<std::int64_t>;

namespace {

Tensor floats(std::vector<std::int64_t> shape, std::vector<float> values) { return Tensor::floats(std::move(shape), std::move(values)); }

Tensor whole_tensor(std::mt19937_64& random, std::vector<std::int64_t> shape, float limit) {
  Tensor tensor = random_tensor(random, std::move(shape), -limit, limit);
  for (float& value : tensor.f()) value = std::nearbyint(value);
  return tensor;
}

}  // namespace

TEST_CASE("rows of an image are the pixels of a map") {
  std::mt19937_64 random(1);
  Build build({1, 6, 8});
  build.quant(1, 8, false).matmul(random_tensor(random, {8, 5}, -4, 4), 1, 3).then("Add", {whole_tensor(random, {5}, 9)});
  build.quant(32, 6, true).matmul(random_tensor(random, {5, 3}, -4, 4), 0.5F, 3);
  const Network network = check_equal(build.done());
  CHECK(network.maps[0].shape == MapShape{1, 6, 8});
  CHECK(network.maps.back().shape == MapShape{1, 6, 3});
  CHECK(layer_op<Convolution>(network, 0).groups == 1);
  CHECK(network.outputs[0].shape == Longs{6, 3});
}

TEST_CASE("an input that several products read may still be given another order") {
  std::mt19937_64 random(2);
  Build build({1, 4, 4});  // without the second look, rows and columns could not be told apart
  const std::string left = build.add("MatMul", {"x", build.weights(random_tensor(random, {4, 4}, -4, 4), 1, 3)});
  const std::string right = build.add("MatMul", {"x", build.weights(random_tensor(random, {4, 4}, -4, 4), 1, 3)});
  build.last = build.add("Sub", {left, right});
  build.last = build.add("Add", {build.last, "x"});
  const Network network = check_equal(build.done());
  CHECK(network.layers.size() == 4);
}

TEST_CASE("a leading dimension is a batch as long as its rows are treated alike") {
  std::mt19937_64 random(3);
  Build build({20, 6});
  const std::string bias = build.constant(whole_tensor(random, {4}, 9));
  build.last = build.add("Gemm", {"x", build.weights(random_tensor(random, {4, 6}, -4, 4), 1, 3), bias},
                         {{"transB", std::int64_t{1}}, {"alpha", 2.0F}, {"beta", 3.0F}});
  CHECK(lower(build.done()).input_shape == Longs{6});
  CHECK(lower(build.done()).outputs[0].shape == Longs{4});
}

TEST_CASE("constants of their own make the rows one image") {
  std::mt19937_64 random(4);
  Build build({5, 6});
  build.last =
      build.add("Gemm", {"x", build.weights(random_tensor(random, {4, 6}, -4, 4), 1, 3), build.constant(whole_tensor(random, {5, 4}, 90))},
                {{"transB", std::int64_t{1}}, {"alpha", 2.0F}, {"beta", 3.0F}});
  build.then("RequantShift", {whole_tensor(random, {5, 1}, 500), whole_tensor(random, {5, 1}, 5000)},
             {{"div", floats({}, {4096})}, {"n_levels", floats({}, {256})}, {"signed", floats({}, {1})}});
  build.matmul(random_tensor(random, {4, 3}, -4, 4), 1, 3);
  const Network network = check_equal(build.done());
  CHECK(network.input_shape == Longs{5, 6});
  CHECK(network.outputs[0].shape == Longs{5, 3});
  CHECK(layer_op<Convolution>(network, 0).groups == 5);

  Build positions({1, 5, 6});  // a position's offset, as transformers have
  positions.matmul(random_tensor(random, {6, 4}, -4, 4), 1, 3).then("Add", {whole_tensor(random, {5, 4}, 90)}).then("Relu");
  positions.quant(16, 5, false).matmul(random_tensor(random, {4, 2}, -4, 4), 1, 3);
  CHECK(layer_op<Convolution>(check_equal(positions.done()), 2).groups == 5);
}

TEST_CASE("rows that do not lie along the channels are refused") {
  std::mt19937_64 random(5);
  Build build({1, 2, 4, 4});
  build.conv(random_tensor(random, {3, 2, 1, 1}, -4, 4), 1, 3).quant(16, 4, true);
  build.matmul(random_tensor(random, {4, 2}, -4, 4), 1, 3);  // along the width of the map
  CHECK_THROWS_WITH(lower(build.done()), contains_text("do not lie along the channels"));
}
