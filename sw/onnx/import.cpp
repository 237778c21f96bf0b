// ModelProto to Graph: initializers, inputs and outputs, nodes with their attributes; then Constant nodes are turned into initializers and
// the nodes sorted topologically (Kahn's algorithm in file order, so that a sorted file keeps its order).
#include "onnx/import.hpp"

#include <fmt/format.h>

#include <fstream>
#include <limits>
#include <map>
#include <set>
#include <sstream>

#include "onnx/channels_last.hpp"
#include "onnx/proto.hpp"

namespace bitloom {
namespace {

Attribute read_attribute(const ::onnx::AttributeProto& proto, const std::string& where) {
  using Proto = ::onnx::AttributeProto;
  switch (proto.type()) {
    case Proto::INT: return std::int64_t{proto.i()};
    case Proto::FLOAT: return proto.f();
    case Proto::STRING: return proto.s();
    case Proto::INTS: return std::vector<std::int64_t>(proto.ints().begin(), proto.ints().end());
    case Proto::FLOATS: return std::vector<float>(proto.floats().begin(), proto.floats().end());
    case Proto::TENSOR: return read_tensor(proto.t(), fmt::format("{}, attribute '{}'", where, proto.name()));
    default: break;
  }
  throw Error(where, fmt::format("attribute '{}' is of kind {}; numbers, strings, lists of numbers and tensors are supported", proto.name(),
                                 static_cast<int>(proto.type())));
}

Node read_node(const ::onnx::NodeProto& proto, int index, const std::string& file) {
  Node node;
  node.op = proto.op_type();
  node.domain = proto.domain() == "ai.onnx" ? "" : proto.domain();
  node.name = proto.name().empty() ? fmt::format("{}_{}", node.op, index) : proto.name();
  const std::string where = fmt::format("{}: {}", file, node.name);
  if (node.op.empty()) throw Error(where, "this node has no operator");
  node.inputs.assign(proto.input().begin(), proto.input().end());
  node.outputs.assign(proto.output().begin(), proto.output().end());
  for (const auto& attribute : proto.attribute()) {
    if (!node.attributes.emplace(attribute.name(), read_attribute(attribute, where)).second)
      throw Error(where, fmt::format("attribute '{}' is given twice", attribute.name()));
  }
  return node;
}

ValueInfo read_value_info(const ::onnx::ValueInfoProto& proto, const std::string& file) {
  const std::string where = fmt::format("{}: {}", file, proto.name());
  if (proto.name().empty()) throw Error(file, "an input or output of the graph has no name");
  if (!proto.type().has_tensor_type()) throw Error(where, "this input or output is not a tensor");
  const auto& type = proto.type().tensor_type();
  ValueInfo info;
  info.name = proto.name();
  if (type.elem_type() != 0 && !is_supported_type(type.elem_type()))
    throw Error(where, fmt::format("tensor type {} is not supported; float and integer types are", type_name(type.elem_type())));
  info.is_float = type.elem_type() == 0 || is_float_type(type.elem_type());
  info.type = static_cast<ElementType>(type.elem_type());
  for (const auto& dim : type.shape().dim()) {
    if (dim.has_dim_value() && dim.dim_value() < 0)
      throw Error(where, fmt::format("a dimension is {}, 0 or more expected", dim.dim_value()));
    info.shape.push_back(dim.has_dim_value() ? std::int64_t{dim.dim_value()} : -1);
  }
  return info;
}

/// The tensor that a Constant node stands for.
Tensor constant_value(const Node& node, const std::string& file) {
  const std::string where = fmt::format("{}: {}", file, node.name);
  if (node.attributes.size() != 1) throw Error(where, "a Constant node must have exactly one attribute with its value");
  const auto& [name, attribute] = *node.attributes.begin();
  if (const auto* tensor = std::get_if<Tensor>(&attribute); tensor != nullptr && name == "value") return *tensor;
  if (const auto* value = std::get_if<float>(&attribute)) return Tensor::floats({}, {*value});
  if (const auto* value = std::get_if<std::int64_t>(&attribute)) return Tensor::ints({}, {*value});
  if (const auto* values = std::get_if<std::vector<float>>(&attribute))
    return Tensor::floats({static_cast<std::int64_t>(values->size())}, *values);
  if (const auto* values = std::get_if<std::vector<std::int64_t>>(&attribute))
    return Tensor::ints({static_cast<std::int64_t>(values->size())}, *values);
  throw Error(where, fmt::format("a Constant with attribute '{}' is not supported", name));
}

/// Moves Constant nodes into the initializers.
void take_constants(Graph& graph) {
  std::vector<Node> rest;
  for (Node& node : graph.nodes) {
    if (node.op != "Constant" || !node.domain.empty()) {
      rest.push_back(std::move(node));
      continue;
    }
    if (node.outputs.size() != 1) throw Error(fmt::format("{}: {}", graph.file, node.name), "a Constant node has one output");
    if (!graph.initializers.emplace(node.outputs[0], constant_value(node, graph.file)).second)
      throw Error(fmt::format("{}: {}", graph.file, node.name), fmt::format("value '{}' is defined twice", node.outputs[0]));
  }
  graph.nodes = std::move(rest);
}

/// Names every value once and reports values that nothing defines. Returns the defining node of each computed value.
std::map<std::string, std::size_t> find_producers(const Graph& graph) {
  std::map<std::string, std::size_t> producer;
  std::set<std::string> given;
  for (const ValueInfo& input : graph.inputs)
    if (!given.insert(input.name).second) throw Error(graph.file, fmt::format("input '{}' is declared twice", input.name));
  for (const auto& [name, tensor] : graph.initializers) given.insert(name);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    for (const std::string& output : graph.nodes[i].outputs) {
      if (output.empty()) continue;
      if (given.count(output) != 0 || !producer.emplace(output, i).second)
        throw Error(fmt::format("{}: {}", graph.file, graph.nodes[i].name), fmt::format("value '{}' is defined twice", output));
    }
  }
  for (const Node& node : graph.nodes) {
    for (const std::string& input : node.inputs) {
      if (!input.empty() && given.count(input) == 0 && producer.count(input) == 0)
        throw Error(fmt::format("{}: {}", graph.file, node.name), fmt::format("input '{}' is defined nowhere in the model", input));
    }
  }
  for (const ValueInfo& output : graph.outputs) {
    if (given.count(output.name) == 0 && producer.count(output.name) == 0)
      throw Error(graph.file, fmt::format("output '{}' is computed by no node", output.name));
  }
  return producer;
}

void sort_nodes(Graph& graph) {
  const auto producer = find_producers(graph);
  std::vector<int> missing(graph.nodes.size(), 0);
  std::vector<std::vector<std::size_t>> users(graph.nodes.size());
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    for (const std::string& input : graph.nodes[i].inputs) {
      const auto found = producer.find(input);
      if (found == producer.end()) continue;
      ++missing[i];
      users[found->second].push_back(i);
    }
  }
  std::set<std::size_t> ready;
  for (std::size_t i = 0; i < missing.size(); ++i)
    if (missing[i] == 0) ready.insert(i);
  std::vector<Node> sorted;
  while (!ready.empty()) {
    const std::size_t i = *ready.begin();
    ready.erase(ready.begin());
    sorted.push_back(graph.nodes[i]);
    for (const std::size_t user : users[i])
      if (--missing[user] == 0) ready.insert(user);
  }
  for (std::size_t i = 0; i < missing.size(); ++i)
    if (missing[i] > 0)
      throw Error(fmt::format("{}: {}", graph.file, graph.nodes[i].name), "this node depends on its own output (a cycle)");
  graph.nodes = std::move(sorted);
}

Graph read_graph(const ::onnx::ModelProto& model, const std::string& file) {
  Graph graph;
  graph.name = model.graph().name();
  graph.file = file;
  for (const auto& opset : model.opset_import()) {
    if (!opset.domain().empty() && opset.domain() != "ai.onnx") continue;
    if (opset.version() < 1 || opset.version() > 1000)
      throw Error(file, fmt::format("operator set {} of standard ONNX is not a version", opset.version()));
    graph.opset = static_cast<int>(opset.version());
  }
  if (graph.opset == 0) throw Error(file, "the model does not say which version of the standard ONNX operators it uses (opset_import)");
  for (const auto& entry : model.metadata_props()) graph.metadata[entry.key()] = entry.value();

  const auto& proto = model.graph();
  if (proto.sparse_initializer_size() > 0) throw Error(file, "sparse initializers are not supported");
  for (const auto& tensor : proto.initializer()) {
    if (tensor.name().empty()) throw Error(file, "an initializer has no name");
    if (!graph.initializers.emplace(tensor.name(), read_tensor(tensor, fmt::format("{}: {}", file, tensor.name()))).second)
      throw Error(file, fmt::format("initializer '{}' is given twice", tensor.name()));
  }
  for (const auto& input : proto.input())
    if (graph.initializers.count(input.name()) == 0) graph.inputs.push_back(read_value_info(input, file));
  for (const auto& output : proto.output()) graph.outputs.push_back(read_value_info(output, file));
  if (graph.outputs.empty()) throw Error(file, "the model has no outputs");
  for (int i = 0; i < proto.node_size(); ++i) graph.nodes.push_back(read_node(proto.node(i), i, file));
  take_constants(graph);
  sort_nodes(graph);
  expand_channels_last(graph);
  return graph;
}

}  // namespace

Graph import_onnx_bytes(std::string_view bytes, const std::string& file) {
  if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()))
    throw Error(file, "the file is larger than 2 GiB, which an ONNX file cannot be");
  ::onnx::ModelProto model;
  if (!model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    throw Error(file, fmt::format("this is not an ONNX file, or it is damaged ({} bytes)", bytes.size()));
  if (!model.has_graph()) throw Error(file, "this is not an ONNX model: it has no graph");
  return read_graph(model, file);
}

Graph import_onnx(const std::filesystem::path& file) {
  std::error_code failure;
  if (std::filesystem::is_directory(file, failure)) throw Error(file.string(), "this is a folder; an ONNX file was expected");
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw Error(file.string(), "cannot open the file; does it exist, and may it be read?");
  std::ostringstream bytes;
  bytes << stream.rdbuf();
  if (stream.bad()) throw Error(file.string(), "reading the file failed");
  return import_onnx_bytes(bytes.str(), file.string());
}

}  // namespace bitloom
