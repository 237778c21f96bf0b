#include "onnx/executor.hpp"

#include <fmt/format.h>

#include <set>

#include "onnx/broadcast.hpp"
#include "onnx/operators.hpp"

namespace bitloom {
namespace {

/// Runs a node on values found by `find` and stores its outputs.
template <class Find>
void run_node(const Node& node, int opset, Find find, Tensors& values) {
  std::vector<const Tensor*> inputs;
  for (const std::string& name : node.inputs) inputs.push_back(name.empty() ? nullptr : find(name));
  std::vector<Tensor> outputs = evaluate(node, inputs, opset);
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    if (node.outputs[i].empty()) continue;
    if (i >= outputs.size()) throw Error(node.name, fmt::format("output {} of {} is not supported", i, node.op));
    values[node.outputs[i]] = std::move(outputs[i]);
  }
}

void check_input(const ValueInfo& info, const Tensor& tensor) {
  if (tensor.is_float() != info.is_float)
    throw Error(info.name, fmt::format("this input holds {}, the model expects {}", tensor.is_float() ? "floats" : "integers",
                                       info.is_float ? "floats" : "integers"));
  bool fits = tensor.shape.size() == info.shape.size() || info.shape.empty();
  // The first dimension is the batch: any size is admitted, whatever the file says.
  for (std::size_t i = 1; fits && i < info.shape.size(); ++i) fits = info.shape[i] < 0 || info.shape[i] == tensor.shape[i];
  if (!fits)
    throw Error(info.name, fmt::format("this input has shape {}, the model expects {}", dims_text(tensor.shape), dims_text(info.shape)));
  const std::size_t stored = std::visit([](const auto& values) { return values.size(); }, tensor.data);
  if (static_cast<std::int64_t>(stored) != tensor.size())
    throw Error(info.name, fmt::format("{} values given for shape {}", stored, dims_text(tensor.shape)));
}

}  // namespace

FloatExecutor::FloatExecutor(Graph graph) : graph_(std::move(graph)), constants_(graph_.initializers) {
  const auto find = [&](const std::string& name) { return &constants_.at(name); };
  for (const Node& node : graph_.nodes) {
    if (find_operator(node) == nullptr) evaluate(node, {}, graph_.opset);  // throws: names node, operator and what is supported
    bool constant = true;
    for (const std::string& name : node.inputs) constant = constant && (name.empty() || constants_.count(name) != 0);
    if (constant) run_node(node, graph_.opset, find, constants_);
    folded_.push_back(constant);
  }
}

Tensors FloatExecutor::run_all(const Tensors& inputs) const {
  Tensors values;
  for (const ValueInfo& info : graph_.inputs) {
    const auto found = inputs.find(info.name);
    if (found == inputs.end()) throw Error(graph_.file, fmt::format("no value given for input '{}'", info.name));
    check_input(info, found->second);
    values[info.name] = found->second;
  }
  const auto find = [&](const std::string& name) {
    const auto computed = values.find(name);
    return computed != values.end() ? &computed->second : &constants_.at(name);
  };
  for (std::size_t i = 0; i < graph_.nodes.size(); ++i)
    if (!folded_[i]) run_node(graph_.nodes[i], graph_.opset, find, values);
  return values;
}

Tensors FloatExecutor::run_from(const Tensors& given, const std::vector<std::string>& wanted) const {
  std::set<std::string> missing(wanted.begin(), wanted.end());
  std::vector<bool> needed(graph_.nodes.size(), false);
  for (std::size_t i = graph_.nodes.size(); i-- > 0;) {
    const Node& node = graph_.nodes[i];
    for (const std::string& output : node.outputs) needed[i] = needed[i] || missing.count(output) != 0;
    if (folded_[i] || !needed[i]) continue;
    for (const std::string& output : node.outputs) missing.erase(output);
    for (const std::string& input : node.inputs)
      if (!input.empty() && given.count(input) == 0) missing.insert(input);
  }
  Tensors values;
  const auto find = [&](const std::string& name) -> const Tensor* {
    if (const auto found = given.find(name); found != given.end()) return &found->second;
    if (const auto found = values.find(name); found != values.end()) return &found->second;
    const auto constant = constants_.find(name);
    if (constant == constants_.end()) throw Error(graph_.file, fmt::format("no value given for '{}'", name));
    return &constant->second;
  };
  for (std::size_t i = 0; i < graph_.nodes.size(); ++i)
    if (needed[i] && !folded_[i]) run_node(graph_.nodes[i], graph_.opset, find, values);
  Tensors out;
  for (const std::string& name : wanted) {
    const auto computed = values.find(name);
    out[name] = computed != values.end() ? computed->second : *find(name);
  }
  return out;
}

Tensors FloatExecutor::run(const Tensors& inputs) const {
  const Tensors values = run_all(inputs);
  Tensors outputs;
  for (const ValueInfo& info : graph_.outputs) {
    const auto computed = values.find(info.name);
    outputs[info.name] = computed != values.end() ? computed->second : constants_.at(info.name);
  }
  return outputs;
}

}  // namespace bitloom
