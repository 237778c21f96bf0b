// Whole models: what is written must be what was chosen, in the executor and in golden.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/resources.hpp"
#include "data/dataset.hpp"
#include "decompose/decompose.hpp"
#include "lower_build.hpp"
#include "onnx/import.hpp"

using namespace bitloom;
using namespace bitloom::testing;

namespace {

/// digits-w2a2: a 3x3 convolution of 1 to 16 channels, 16 to 16, 16 to 32, and a fully connected layer, of 2 bits.
struct Digits {
  Bytes file = read_file(resource("sw/train/models/digits-w2a2.onnx"));
  Graph graph = import_onnx_bytes({reinterpret_cast<const char*>(file.data()), file.size()}, "digits-w2a2.onnx");
  Network network = lower(graph);
  std::vector<Tensor> images;

  Digits() {
    const Dataset data = load_dataset("digits:train", {.offset = 0, .images = 40, .arrays = 1});
    for (std::int64_t i = 0; i < data.count; ++i) {
      const Tensor image = data.image(i);
      images.push_back(Tensor::floats({1, 1, 8, 8}, std::vector<float>(image.i().begin(), image.i().end())));
    }
  }
  Decomposed decomposed(const DecomposeOptions& options) const { return decompose(graph, network, file, images, options); }
};

Graph imported(const Bytes& model) { return import_onnx_bytes({reinterpret_cast<const char*>(model.data()), model.size()}, "decomposed.onnx"); }

std::string refusal(const Digits& digits, const DecomposeOptions& options) {
  try {
    digits.decomposed(options);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

/// Each decomposed convolution's output in the new model, from the old model's input to it: is it the convolution with the factors' kernels
/// and bias?
void check_convolutions(const Digits& digits, const Decomposed& result) {
  const FloatExecutor before(digits.graph), after(imported(result.model));
  const Tensors values = before.run_all({{"image", digits.images[0]}});
  for (const LayerChoice& choice : result.layers) {
    if (!choice.factors) continue;
    const auto node = std::find_if(digits.graph.nodes.begin(), digits.graph.nodes.end(), [&](const Node& n) { return n.name == choice.node; });
    REQUIRE(node != digits.graph.nodes.end());
    const Tensor found = after.run_from({{node->inputs[0], values.at(node->inputs[0])}}, {node->outputs[0]}).at(node->outputs[0]);
    Build dense(values.at(node->inputs[0]).shape);
    const Eigen::MatrixXd kernels = choice.factors->kernels();
    Tensor weights = Tensor::floats({choice.outputs, choice.inputs, choice.kernel_height, choice.kernel_width}, {});
    for (Eigen::Index k = 0; k < kernels.rows(); ++k)
      for (const double w : kernels.row(k)) weights.f().push_back(static_cast<float>(w));
    const std::vector<double>& bias = choice.factors->bias;
    dense.then("Conv", {weights, Tensor::floats({choice.outputs}, std::vector<float>(bias.begin(), bias.end()))}, node->attributes);
    const Tensor expected = FloatExecutor(dense.done()).run({{"x", values.at(node->inputs[0])}}).begin()->second;
    REQUIRE(found.shape == expected.shape);
    for (std::size_t i = 0; i < found.f().size(); ++i) REQUIRE(std::fabs(found.f()[i] - expected.f()[i]) < 1e-4F * (1 + std::fabs(expected.f()[i])));
  }
}

}  // namespace

TEST_CASE("a decomposed model is standard QONNX that computes what was chosen, and is lowered to decomposed convolutions") {
  const Digits digits;
  DecomposeOptions options;
  options.basis_count = 2;
  options.density = 0.3;
  for (const ScaleRule rule : {ScaleRule::Layer, ScaleRule::Channel}) {
    options.scales = rule;
    const Decomposed result = digits.decomposed(options);
    REQUIRE(result.layers.size() == 4);
    CHECK_FALSE(result.layers[3].factors);  // fully connected
    CHECK(result.layers[3].bits_after == result.layers[3].bits_before);
    CHECK(std::count_if(result.layers.begin(), result.layers.end(), [](const LayerChoice& l) { return l.factors.has_value(); }) >= 2);
    CHECK(result.bits_after() < result.bits_before());
    check_convolutions(digits, result);
    const Graph graph = imported(result.model);
    for (const Node& node : graph.nodes)
      CHECK((node.domain.empty() || node.domain == "qonnx.custom_op.general"));
    // Nothing is left of the dense weights.
    CHECK(graph.initializers.count("Conv_1_weight") == 0);
    CHECK(digits.graph.initializers.count("Conv_1_weight") == 1);
    LowerOptions lowering;
    lowering.input_bits = 4;
    const Network network = check_equal(graph, lowering);
    std::int64_t bits = 0, recognized = 0;
    for (const Layer& layer : network.layers) {
      const auto* conv = std::get_if<Convolution>(&layer.op);
      if (conv == nullptr) continue;
      bits += weight_bits(layer);
      const auto choice = std::find_if(result.layers.begin(), result.layers.end(),
                                       [&](const LayerChoice& l) { return l.factors && conv->decomposition && layer.source.starts_with(l.node); });
      if (choice == result.layers.end()) continue;
      ++recognized;
      CHECK(std::equal(choice->factors->coefficients.begin(), choice->factors->coefficients.end(), conv->decomposition->coefficients.begin(),
                       conv->decomposition->coefficients.end()));
    }
    CHECK(bits == result.bits_after());
    CHECK(recognized == std::count_if(result.layers.begin(), result.layers.end(), [](const LayerChoice& l) { return l.factors.has_value(); }));
  }
}

TEST_CASE("a budget of bytes is kept, and one of errors") {
  const Digits digits;
  DecomposeOptions options;
  options.basis_count = 3;  // density is searched
  for (const double share : {0.95, 0.7}) {
    options.bytes = static_cast<std::int64_t>(share * static_cast<double>(digits.decomposed({.basis_count = 1, .density = 0.05}).bits_before()) / 8);
    const Decomposed result = digits.decomposed(options);
    CHECK(result.bits_after() <= *options.bytes * 8);
    check_convolutions(digits, result);
  }
  options.bytes.reset();
  double loosest = 0;
  for (const double error : {0.3, 0.9}) {
    options.error = error;
    const Decomposed result = digits.decomposed(options);
    for (const LayerChoice& choice : result.layers) {
      CHECK(choice.bits_after <= choice.bits_before);
      if (!choice.factors) continue;
      CHECK(choice.factors->error <= error);
      CHECK(choice.bits_after < choice.bits_before);
      loosest = std::max(loosest, choice.factors->error);
    }
  }
  CHECK(loosest > 0.3);
}

TEST_CASE("options that contradict each other, and budgets that cannot be met, are refused by name") {
  const Digits digits;
  CHECK_THAT(refusal(digits, {}), contains_text("--basis"));
  CHECK_THAT(refusal(digits, {.basis_count = 4}), contains_text("--density"));
  CHECK_THAT(refusal(digits, {.basis_count = 0, .density = 0.1}), contains_text("--basis"));
  CHECK_THAT(refusal(digits, {.basis_count = 4, .density = 1.1}), contains_text("--density"));
  CHECK_THAT(refusal(digits, {.error = -1.0}), contains_text("--error"));
  CHECK_THAT(refusal(digits, {.error = 0.5, .bytes = 100}), contains_text("--error"));
  CHECK_THAT(refusal(digits, {.basis_count = 1, .density = 0.05, .bytes = 10}), contains_text("at least"));
  Digits none;
  none.images.clear();
  CHECK_THAT(refusal(none, {.basis_count = 4, .density = 0.1}), contains_text("--images"));
}
