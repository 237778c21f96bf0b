// Builds nodes and runs them: for the tests of the operators.
#pragma once

#include "catch2.hpp"
#include "core/graph.hpp"
#include "onnx/operators.hpp"

namespace bitloom::testing {

inline Node make_node(const std::string& op, std::map<std::string, Attribute> attributes = {}, const std::string& domain = "") {
  Node node;
  node.name = op + "_test";
  node.op = op;
  node.domain = domain;
  node.outputs = {"y"};
  node.attributes = std::move(attributes);
  return node;
}

inline Tensor run(const Node& node, const std::vector<Tensor>& inputs, int opset = 13) {
  std::vector<const Tensor*> pointers;
  for (const Tensor& input : inputs) pointers.push_back(&input);
  return evaluate(node, pointers, opset).at(0);
}

inline Tensor vec(std::vector<float> values) {
  const auto count = static_cast<std::int64_t>(values.size());
  return Tensor::floats({count}, std::move(values));
}
inline Tensor scalar(float value) { return Tensor::floats({}, {value}); }

using Floats = std::vector<float>;
using Ints = std::vector<std::int64_t>;

}  // namespace bitloom::testing
