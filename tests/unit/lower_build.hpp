// Float graphs built in code, and the comparison of their execution with golden on the lowered network: for the tests of lowering.
#pragma once

#include <cmath>
#include <random>

#include "catch2.hpp"
#include "golden/golden.hpp"
#include "lower/lower.hpp"
#include "onnx/broadcast.hpp"
#include "onnx/executor.hpp"

namespace bitloom::testing {

/// A graph that grows at its end: every added node reads the value of the last one.
struct Build {
  Graph graph;
  std::string last = "x";
  int count = 0;

  explicit Build(std::vector<std::int64_t> shape) {
    graph.name = "built";
    graph.file = "built.onnx";
    graph.opset = 13;
    graph.inputs = {{"x", std::move(shape), true}};
  }
  std::string constant(Tensor tensor) {
    const std::string name = "c" + std::to_string(count++);
    graph.initializers[name] = std::move(tensor);
    return name;
  }
  std::string scalar(float value) { return constant(Tensor::floats({}, {value})); }
  std::string add(const std::string& op, std::vector<std::string> inputs, std::map<std::string, Attribute> attributes = {}) {
    Node node;
    node.op = op;
    node.name = op + "_" + std::to_string(count++);
    node.inputs = std::move(inputs);
    node.outputs = {node.name + "_out"};
    node.attributes = std::move(attributes);
    graph.nodes.push_back(node);
    return node.outputs[0];
  }
  /// A node on the last value, with constants behind it.
  Build& then(const std::string& op, const std::vector<Tensor>& constants = {}, std::map<std::string, Attribute> attributes = {}) {
    std::vector<std::string> inputs{last};
    for (const Tensor& tensor : constants) inputs.push_back(constant(tensor));
    last = add(op, std::move(inputs), std::move(attributes));
    return *this;
  }
  static std::map<std::string, Attribute> quant_attributes(bool is_signed, bool narrow = false, const std::string& rounding = "ROUND") {
    return {{"signed", std::int64_t{is_signed}}, {"narrow", std::int64_t{narrow}}, {"rounding_mode", rounding}};
  }
  Build& quant(float scale, float bits, bool is_signed, bool narrow = false, float zero = 0, const std::string& rounding = "ROUND") {
    return then("Quant", {Tensor::floats({}, {scale}), Tensor::floats({}, {zero}), Tensor::floats({}, {bits})},
                quant_attributes(is_signed, narrow, rounding));
  }
  Build& bipolar(float scale = 1) { return then("BipolarQuant", {Tensor::floats({}, {scale})}); }
  /// Weights through a quantizer node of their own.
  std::string weights(Tensor tensor, float scale, float bits) {
    const std::string name = constant(std::move(tensor));
    if (bits == 1) return add("BipolarQuant", {name, scalar(scale)});
    return add("Quant", {name, scalar(scale), scalar(0), scalar(bits)}, quant_attributes(true, true));
  }
  Build& conv(Tensor tensor, float scale, float bits, std::map<std::string, Attribute> attributes = {}) {
    last = add("Conv", {last, weights(std::move(tensor), scale, bits)}, std::move(attributes));
    return *this;
  }
  Build& matmul(Tensor tensor, float scale, float bits) {
    last = add("MatMul", {last, weights(std::move(tensor), scale, bits)});
    return *this;
  }
  const Graph& done() {
    graph.outputs = {{last, {}, true}};
    return graph;
  }
};

inline Tensor random_tensor(std::mt19937_64& random, std::vector<std::int64_t> shape, float low, float high) {
  std::uniform_real_distribution<float> value(low, high);
  Tensor tensor = Tensor::floats(std::move(shape), {});
  for (std::int64_t i = 0; i < tensor.size(); ++i) tensor.f().push_back(value(random));
  return tensor;
}

/// Golden's real outputs for an image.
inline std::vector<double> golden_output(const Golden& golden, const std::vector<std::int32_t>& pixels) {
  const NetworkOutput& output = golden.network().outputs.at(0);
  const auto maps = golden.run(network_input(golden.network(), pixels));
  return real_output(output, maps[static_cast<std::size_t>(output.map)]);
}

inline std::vector<float> float_output(const FloatExecutor& executor, const std::vector<std::int32_t>& pixels,
                                       const LowerOptions& options) {
  std::vector<std::int64_t> shape = executor.graph().inputs[0].shape;
  if (element_count(shape) != static_cast<std::int64_t>(pixels.size())) shape[0] = 1;  // else the leading dimension is no batch
  std::vector<float> x;
  for (const std::int32_t p : pixels) x.push_back(static_cast<float>(p * options.input_scale + options.input_shift));
  const Tensors out = executor.run({{executor.graph().inputs[0].name, Tensor::floats(shape, std::move(x))}});
  const Tensor& tensor = out.at(executor.graph().outputs[0].name);
  return tensor.is_float() ? tensor.f() : std::vector<float>(tensor.i().begin(), tensor.i().end());
}

/// Lowers the graph and compares golden with the float executor on random images. Returns the network.
inline Network check_equal(const Graph& graph, const LowerOptions& options = {}, int images = 20, std::uint64_t seed = 1) {
  const Network network = lower(graph, options);
  const Golden golden(network);
  const FloatExecutor executor(graph);
  std::mt19937_64 random(seed);
  std::uniform_int_distribution<std::int32_t> pixel(0, (1 << options.input_bits) - 1);
  for (int image = 0; image < images; ++image) {
    std::vector<std::int32_t> pixels(network.input_order.size());
    for (std::int32_t& p : pixels) p = pixel(random);
    const auto exact = golden_output(golden, pixels);
    const auto real = float_output(executor, pixels, options);
    REQUIRE(exact.size() == real.size());
    for (std::size_t i = 0; i < exact.size(); ++i) {
      INFO("image " << image << ", element " << i);
      REQUIRE(std::fabs(exact[i] - static_cast<double>(real[i])) <= 1e-5 * (1 + std::fabs(exact[i])));
    }
  }
  return network;
}

template <class Op>
const Op& layer_op(const Network& network, std::size_t index) {
  return std::get<Op>(network.layers.at(index).op);
}

}  // namespace bitloom::testing
