#include "lower/join_inputs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <numeric>

namespace bitloom {
namespace {

using Dims = std::vector<std::int64_t>;

Dims closed_shape(const Graph& graph, const ValueInfo& input) {
  Dims shape = input.shape;
  if (!shape.empty() && shape[0] < 1) shape[0] = 1;  // the batch
  if (shape.empty() || std::any_of(shape.begin(), shape.end(), [](std::int64_t d) { return d < 1; }))
    throw Error(fmt::format("{}: {}", graph.file, input.name),
                "a model with several inputs needs the shape of each; export it with fixed shapes");
  return shape;
}

bool maps_of_one_size(const std::vector<Dims>& shapes) {
  return std::all_of(shapes.begin(), shapes.end(), [&](const Dims& shape) {
    return shape.size() >= 3 && shape.size() == shapes[0].size() && shape[0] == 1 &&
           std::equal(shape.begin() + 2, shape.end(), shapes[0].begin() + 2);
  });
}

/// Values from..to of the second axis.
Node slice(Graph& graph, const std::string& name, const std::string& input, const std::string& output, std::int64_t from, std::int64_t to) {
  Node node;
  node.name = name;
  node.op = "Slice";
  node.inputs = {input};
  node.outputs = {output};
  const std::vector<std::pair<std::string, std::int64_t>> bounds = {{"starts", from}, {"ends", to}, {"axes", 1}};
  for (const auto& [bound, value] : bounds) {
    if (graph.opset < 10) {
      node.attributes[bound] = Dims{value};
      continue;
    }
    node.inputs.push_back(name + "_" + bound);
    graph.initializers[node.inputs.back()] = Tensor::ints({1}, {value});
  }
  return node;
}

}  // namespace

Graph join_inputs(Graph graph) {
  if (graph.inputs.size() < 2) return graph;
  std::vector<Dims> shapes;
  ValueInfo joined = graph.inputs[0];
  joined.name = "";
  for (const ValueInfo& input : graph.inputs) {
    if (input.is_float != joined.is_float || input.type != joined.type)
      throw Error(fmt::format("{}: {}", graph.file, input.name),
                  "has another element type than the model's first input; inputs that are joined need one type");
    shapes.push_back(closed_shape(graph, input));
    joined.name += (joined.name.empty() ? "" : "+") + input.name;
  }
  const bool by_channels = maps_of_one_size(shapes);
  std::vector<Node> nodes;
  std::int64_t from = 0;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const ValueInfo& input = graph.inputs[i];
    const std::int64_t values = std::accumulate(shapes[i].begin(), shapes[i].end(), std::int64_t{1}, std::multiplies<>());
    const std::int64_t to = from + (by_channels ? shapes[i][1] : values);
    const std::string name = "input_" + std::to_string(i);
    const bool reshapes = !by_channels && shapes[i] != Dims{1, values};
    nodes.push_back(slice(graph, name + "_slice", joined.name, reshapes ? name + "_row" : input.name, from, to));
    if (reshapes) {
      Node reshape;
      reshape.name = name + "_reshape";
      reshape.op = "Reshape";
      reshape.inputs = {name + "_row", name + "_shape"};
      reshape.outputs = {input.name};
      graph.initializers[name + "_shape"] = Tensor::ints({static_cast<std::int64_t>(shapes[i].size())}, shapes[i]);
      nodes.push_back(std::move(reshape));
    }
    from = to;
  }
  joined.shape = by_channels ? shapes[0] : Dims{1, 0};
  joined.shape[1] = from;
  graph.inputs = {joined};
  nodes.insert(nodes.end(), std::make_move_iterator(graph.nodes.begin()), std::make_move_iterator(graph.nodes.end()));
  graph.nodes = std::move(nodes);
  return graph;
}

}  // namespace bitloom
