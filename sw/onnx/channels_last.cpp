#include "onnx/channels_last.hpp"

#include <fmt/format.h>

#include <set>

namespace bitloom {
namespace {

/// From channels last to channels first, or back, for data of `rank` dimensions.
std::vector<std::int64_t> permutation(std::size_t rank, bool to_first) {
  const auto count = static_cast<std::int64_t>(rank);
  std::vector<std::int64_t> order{0};
  if (to_first) order.push_back(count - 1);
  for (std::int64_t d = to_first ? 1 : 2; d < (to_first ? count - 1 : count); ++d) order.push_back(d);
  if (!to_first) order.push_back(1);
  return order;
}

Node transpose(const std::string& name, const std::string& input, std::vector<std::int64_t> order) {
  Node node;
  node.name = name;
  node.op = "Transpose";
  node.inputs = {input};
  node.outputs = {name + "_out"};
  node.attributes["perm"] = std::move(order);
  return node;
}

}  // namespace

void expand_channels_last(Graph& graph) {
  static const std::set<std::string> known = {"AveragePool", "BatchNormalization", "Conv", "GlobalAveragePool", "MaxPool"};
  std::vector<Node> nodes;
  for (Node& node : graph.nodes) {
    if (node.domain != "qonnx.custom_op.channels_last") {
      nodes.push_back(std::move(node));
      continue;
    }
    const std::string where = fmt::format("{}: {}", graph.file, node.name);
    if (known.count(node.op) == 0)
      throw Error(where, fmt::format("{} of domain {} is not supported; of its operators AveragePool, BatchNormalization, Conv, "
                                     "GlobalAveragePool and MaxPool are",
                                     node.op, node.domain));
    if (node.outputs.size() != 1 || node.inputs.empty())
      throw Error(where, fmt::format("{} has one output and at least one input", node.op));
    // The rank is that of the kernel plus batch and channels; without a kernel, maps are two-dimensional.
    const std::size_t rank = 2 + node.ints_attribute("kernel_shape", {0, 0}).size();
    const std::string output = node.outputs[0];
    nodes.push_back(transpose(node.name + "_to_first", node.inputs[0], permutation(rank, true)));
    node.inputs[0] = nodes.back().outputs[0];
    if (node.op == "Conv" && node.inputs.size() > 1) {
      nodes.push_back(transpose(node.name + "_weights", node.inputs[1], permutation(rank, true)));
      node.inputs[1] = nodes.back().outputs[0];
    }
    node.domain.clear();
    node.outputs[0] = node.name + "_first";
    Node back = transpose(node.name + "_to_last", node.outputs[0], permutation(rank, false));
    back.outputs[0] = output;
    nodes.push_back(std::move(node));
    nodes.push_back(std::move(back));
  }
  graph.nodes = std::move(nodes);
}

}  // namespace bitloom
