// The operators of ONNX and QONNX as functions over tensors, one each, in one table. The float executor, constant folding and lowering all
// use these same functions, so that a threshold is found on the operator as it is executed.
#pragma once

#include <string>
#include <vector>

#include "core/graph.hpp"

namespace bitloom {

/// One call of an operator. An omitted optional input is a null pointer.
struct Arguments {
  const Node& node;
  std::vector<const Tensor*> inputs;
  int opset;

  bool has(std::size_t i) const { return i < inputs.size() && inputs[i] != nullptr; }
  /// Input i; throws Error naming the node when it is missing.
  const Tensor& at(std::size_t i) const;
};

using Evaluate = std::vector<Tensor> (*)(const Arguments&);

struct Operator {
  Evaluate evaluate = nullptr;
  /// Output element i depends on element i of input 0 (and of other inputs, broadcast or per channel) alone.
  bool elementwise = false;
};

/// The operator of a node, or null when its op or domain is not supported.
const Operator* find_operator(const Node& node);

/// Runs one node. Throws Error naming node, op, domain and the supported operators when it is unknown; or why its inputs do not fit.
std::vector<Tensor> evaluate(const Node& node, const std::vector<const Tensor*>& inputs, int opset);

bool is_elementwise(const Node& node);

/// "Abs, Add, ArgMax, ..." for messages.
std::string supported_operators();

}  // namespace bitloom
