// The float reference: what the ONNX file means. Executes the graph node by node in float32, each operator as its specification defines it.
// Sums of products (Conv, Gemm, MatMul) are accumulated in double and rounded once, since ONNX fixes no order of summation.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/graph.hpp"

namespace bitloom {

using Tensors = std::map<std::string, Tensor>;

class FloatExecutor {
 public:
  /// Executes at once what depends on initializers only (weights through their quantizers).
  explicit FloatExecutor(Graph graph);

  /// The graph's outputs. Any batch size that the graph itself admits.
  Tensors run(const Tensors& inputs) const;
  /// Every value that depends on the inputs.
  Tensors run_all(const Tensors& inputs) const;

  /// The wanted values, computed from those that are given: inputs, or any values in the middle of the graph, whatever defines them.
  /// Throws Error when they follow from inputs that are not given.
  Tensors run_from(const Tensors& given, const std::vector<std::string>& wanted) const;

  const Graph& graph() const { return graph_; }
  /// Initializers and all values that follow from them.
  const Tensors& constants() const { return constants_; }

 private:
  Graph graph_;
  Tensors constants_;
  std::vector<bool> folded_;  ///< per node: its outputs are in constants_
};

}  // namespace bitloom
