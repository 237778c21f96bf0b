// The check of golden against the float model: equal networks, ties, and planted faults, which must be found at the right node.
#include "check/check.hpp"

#include <set>

#include "lower_build.hpp"

using namespace bitloom;
using namespace bitloom::testing;

namespace {

/// Two convolutions with quantizers, a pool behind sums, a bias, a fully connected end.
Graph network_graph(float scale = 0.25F) {
  std::mt19937_64 random(5);
  Build build({1, 2, 6, 6});
  build.quant(1, 4, false);
  build.conv(random_tensor(random, {4, 2, 3, 3}, -1, 1), scale, 3, {{"pads", std::vector<std::int64_t>{1, 1, 1, 1}}});
  build.then("MaxPool", {}, {{"kernel_shape", std::vector<std::int64_t>{2, 2}}, {"strides", std::vector<std::int64_t>{2, 2}}});
  build.then("Relu").quant(2, 3, false);
  build.last = build.add("Conv", {build.last, build.weights(random_tensor(random, {3, 4, 2, 2}, -1, 1), scale, 3),
                                  build.constant(random_tensor(random, {3}, -3, 3))});
  build.quant(1, 4, true).then("Flatten").matmul(random_tensor(random, {12, 3}, -1, 1), scale, 3);
  return build.done();
}

ImageCheck run_check(const Graph& graph, const Network& network, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::uniform_int_distribution<std::int32_t> pixel(0, 15);
  std::vector<std::int32_t> pixels(network.input_order.size());
  for (std::int32_t& p : pixels) p = pixel(random);
  std::vector<std::int64_t> shape = graph.inputs[0].shape;
  const Tensor x = Tensor::floats(shape, std::vector<float>(pixels.begin(), pixels.end()));
  return Checker(graph, network).check(Golden(network).run(network_input(network, pixels)), x);
}

const Node& node_of(const Graph& graph, const std::string& op, int which) {
  for (const Node& node : graph.nodes)
    if (node.op == op && which-- == 0) return node;
  throw Error(op, "no such node");
}

/// The first real difference of up to 30 images.
std::optional<Difference> find_fault(const Graph& graph, const Network& network) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    const ImageCheck check = run_check(graph, network, seed);
    if (check.first && !check.first->tie) return check.first;
  }
  return std::nullopt;
}

}  // namespace

TEST_CASE("a correct network is equal in every tensor") {
  const Graph graph = network_graph();
  const Network network = lower(graph);
  // Input, two sums, the fully connected end, and every quantizer behind its pool or directly behind its sums.
  std::set<std::string> tensors;
  for (const MapMeaning& meaning : network.meanings) tensors.insert(meaning.tensor);
  for (const char* op : {"Conv", "MatMul"}) CHECK(tensors.count(node_of(graph, op, 0).outputs[0]) == 1);
  CHECK(tensors.count(node_of(graph, "Conv", 1).outputs[0]) == 1);
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const ImageCheck check = run_check(graph, network, seed);
    CHECK_FALSE(check.first);
    CHECK(check.output_differences == 0);
    CHECK(check.values > 100);
  }
}

TEST_CASE("one changed weight is found at its convolution") {
  const Graph graph = network_graph();
  const Network network = lower(graph);
  for (const auto& [which, op] : {std::pair(0, "Conv"), std::pair(1, "Conv"), std::pair(2, "MatMul")}) {
    Network faulty = network;
    int seen = 0;
    for (Layer& layer : faulty.layers) {
      auto* conv = std::get_if<Convolution>(&layer.op);
      if (conv == nullptr || seen++ != which) continue;
      std::int32_t& weight = conv->weights[conv->weights.size() / 2];
      weight += weight < conv->weight_type.max() ? 1 : -1;
    }
    const auto found = find_fault(graph, faulty);
    CAPTURE(which);
    REQUIRE(found);
    CHECK(found->op == op);
    CHECK(found->node == node_of(graph, op, which == 1 ? 1 : 0).name);
    CHECK_THAT(found->text(), contains_text("a real difference"));
  }
}

TEST_CASE("one changed threshold is found at its quantizer, with the sum in front") {
  const Graph graph = network_graph();
  Network network = lower(graph);
  int quantizers = 0;
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    if (!std::holds_alternative<Threshold>(network.layers[l].op)) continue;
    Network faulty = network;
    auto& table = std::get<Threshold>(faulty.layers[l].op);
    for (std::int64_t& t : table.thresholds) t += 1;
    const auto found = find_fault(graph, faulty);
    CAPTURE(network.layers[l].name);
    REQUIRE(found);
    CHECK(found->op == "Quant");
    CHECK(found->node == network.layers[l].source);
    REQUIRE(found->front);
    CHECK(found->front->threshold);
    CHECK(found->local == found->real);
    ++quantizers;
  }
  CHECK(quantizers == 2);
}

TEST_CASE("a changed bias is found, at its channel") {
  const Graph graph = network_graph();
  const Network network = lower(graph);
  Network biased = network;
  for (Layer& layer : biased.layers)
    if (auto* conv = std::get_if<Convolution>(&layer.op); conv != nullptr && layer.name == "fc0") conv->bias = {0, 3, 0};
  const auto found = find_fault(graph, biased);
  REQUIRE(found);
  CHECK(found->op == "MatMul");
  CHECK(found->channel == 1);
}

TEST_CASE("a tie within float32 rounding is no real difference") {
  // 10 * 0.1 and the like: sums of rounded products fall on either side of a quantizer's step, golden's exact sums on the step itself.
  int ties = 0, images = 0;
  for (std::uint64_t model = 0; model < 12; ++model) {
    std::mt19937_64 random(model);
    Build build({1, 24});
    build.quant(1.0F, 4, false).then("Mul", {Tensor::floats({}, {0.1F})}).quant(0.1F, 4, false);
    build.matmul(random_tensor(random, {24, 16}, -0.35F, 0.35F), 0.1F, 3).quant(0.02F, 6, true);
    build.matmul(random_tensor(random, {16, 3}, -0.35F, 0.35F), 0.1F, 3);
    const Graph graph = build.done();
    const Network network = lower(graph);
    for (std::uint64_t seed = 0; seed < 20; ++seed, ++images) {
      const ImageCheck check = run_check(graph, network, seed);
      if (!check.first) continue;
      CAPTURE(check.first->text());
      REQUIRE(check.first->tie);
      ++ties;
      CHECK(check.first->op == "Quant");
      REQUIRE(check.first->front);
      REQUIRE(check.first->front->switching);
      CHECK(std::fabs(*check.first->front->switching - check.first->front->golden) < 1e-3 * check.first->front->unit);
      CHECK_THAT(check.first->text(), contains_text("a tie within float32 rounding"));
    }
  }
  CHECK(ties > 0);
  CHECK(ties < images);
}

TEST_CASE("an offset that is folded into the sums keeps its tensor's meaning") {
  std::mt19937_64 random(3);
  Build build({1, 8});
  build.quant(1, 4, false).matmul(random_tensor(random, {8, 4}, -1, 1), 0.25F, 3);
  build.then("Add", {Tensor::floats({4}, {0.25F, -0.5F, 1, 2})});
  build.then("ArgMax", {}, {{"axis", std::int64_t{1}}});
  const Graph graph = build.done();
  const Network network = lower(graph);
  CHECK_FALSE(std::get<Convolution>(network.layers[0].op).bias.empty());
  for (std::uint64_t seed = 0; seed < 10; ++seed) CHECK_FALSE(run_check(graph, network, seed).first);
}
