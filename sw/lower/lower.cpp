// Symbolic execution of the float graph, node by node: constants are folded with the executor's operators, everything else is a stream.
#include "lower/lower.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "lower/chain.hpp"
#include "lower/context.hpp"
#include "lower/weights.hpp"
#include "onnx/broadcast.hpp"
#include "onnx/operator_list.hpp"
#include "onnx/operators.hpp"

namespace bitloom {
namespace lowering {

const Constant* constant_input(const Context& context, const Node& node, std::size_t i) {
  if (i >= node.inputs.size() || node.inputs[i].empty()) return nullptr;
  return std::get_if<Constant>(&context.symbols.at(node.inputs[i]));
}

const Constant& required_constant(const Context& context, const Node& node, std::size_t i, const char* what) {
  const Constant* constant = constant_input(context, node, i);
  if (constant == nullptr) throw Error(node.name, fmt::format("the {} of this {} must be constant", what, node.op));
  return *constant;
}

namespace {

/// The inputs of a node that are streams.
std::vector<std::size_t> stream_inputs(const Context& context, const Node& node) {
  std::vector<std::size_t> streams;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    if (node.inputs[i].empty()) continue;
    const Symbol& symbol = context.symbols.at(node.inputs[i]);
    if (const auto* refused = std::get_if<Refused>(&symbol)) throw Error(node.name, refused->reason);
    if (std::holds_alternative<Stream>(symbol)) streams.push_back(i);
  }
  return streams;
}

/// The constant inputs of a node whose first input is a stream; null there, and where nothing stands.
std::vector<const Tensor*> constant_inputs(const Context& context, const Node& node) {
  std::vector<const Tensor*> inputs{nullptr};
  for (std::size_t i = 1; i < node.inputs.size(); ++i) {
    const Constant* constant = constant_input(context, node, i);
    if (constant == nullptr && !node.inputs[i].empty())
      throw Error(node.name, fmt::format("input {} of this {} must be constant", i, node.op));
    inputs.push_back(constant == nullptr ? nullptr : &constant->value);
  }
  return inputs;
}

/// The operator's result over the positions of the stream's elements in the map.
Tensor moved_positions(Context& context, const Node& node, const Stream& stream) {
  const Tensor order = Tensor::ints(stream.dims, std::vector<std::int64_t>(stream.order.begin(), stream.order.end()));
  std::vector<const Tensor*> inputs = constant_inputs(context, node);
  inputs[0] = &order;
  return evaluate(node, inputs, context.opset()).at(0);
}

/// Reshape and its like.
Stream move_elements(Context& context, const Node& node, Stream stream) {
  const Tensor moved = moved_positions(context, node, stream);
  stream.dims = moved.shape;
  stream.order.assign(moved.i().begin(), moved.i().end());
  return stream;
}

/// Zeros around the pixels wait for a convolution that takes them in; else, the padding becomes a layer of its own.
Stream lower_pad(Context& context, Node node, Stream stream) {
  const double fill = op::pad_value({node, constant_inputs(context, node), context.opset()});
  node.attributes.erase("value");
  if (node.inputs.size() > 2) node.inputs[2].clear();
  const bool bare = stream.steps.empty() && stream.pools.empty();
  if (fill != 0 && !(bare && fill == stream.shift))
    throw Error(node.name, fmt::format("a Pad of {}; maps are padded with 0, or with the zero point of their quantizer", fill));
  const auto inputs = constant_inputs(context, node);
  if (fill == 0) {
    if (const auto window = spatial_padding(context, node, stream, inputs)) {
      if (window->has_padding()) stream.padding = std::make_shared<const DeferredPad>(DeferredPad{node, *window});
      return stream;
    }
    stream = integral(context, std::move(stream), node);
  }
  return lower_pick(context, node, std::move(stream), inputs, 0);
}

/// Emits the padding that a value waits with.
void settle_padding(Context& context, const std::string& name) {
  auto* stream = std::get_if<Stream>(&context.symbols.at(name));
  if (stream == nullptr || stream->padding == nullptr) return;
  Stream before = *stream;
  const std::shared_ptr<const DeferredPad> padding = std::exchange(before.padding, nullptr);
  *stream =
      lower_pick(context, padding->node, integral(context, std::move(before), padding->node), constant_inputs(context, padding->node), 0);
}

/// Kept for the host where it covers the whole output: the order of the scores is that of the probabilities.
Stream lower_softmax(Context& context, const Node& node, Stream stream) {
  const std::size_t axis = resolve_axis(node, node.int_attribute("axis", context.opset() < 13 ? 1 : -1), stream.dims.size());
  const bool all = stream.dims[axis] == element_count(stream.dims) || (context.opset() < 13 && axis <= 1);
  if (!all)
    throw Error(node.name,
                fmt::format("a {} over a part of the values, shape {}; it is supported over all of them", node.op, dims_text(stream.dims)));
  stream.function = node.op;
  return stream;
}

Stream lower_gemm(Context& context, const Node& node, Stream input) {
  if (node.int_attribute("transA", 0) != 0) throw Error(node.name, "a Gemm with a transposed input is not supported");
  if (input.dims.size() != 2) throw Error(node.name, fmt::format("a Gemm over shape {}; flatten it first", dims_text(input.dims)));
  Stream out =
      lower_product(context, node, std::move(input), required_constant(context, node, 1, "weights"), node.int_attribute("transB", 0) != 0);
  const float alpha = node.float_attribute("alpha", 1.0F);
  const float beta = node.float_attribute("beta", 1.0F);
  if (alpha != 1.0F) append_constant_step(out, "Mul", node.name, {alpha});
  if (node.inputs.size() > 2 && !node.inputs[2].empty()) {
    Tensor bias = required_constant(context, node, 2, "bias").value;
    if (!bias.is_float()) throw Error(node.name, "its bias holds integers; floats are expected");
    for (float& value : bias.f()) value = beta * value;
    Node add = node;
    add.op = "Add";
    append_step(out, add, 0, {nullptr, &bias}, context.opset());
  }
  return out;
}

Stream lower_reduction(Context& context, const Node& node, Stream stream) {
  const op::Reduction reduction = op::reduction_of({node, constant_inputs(context, node), context.opset()}, stream.dims);
  if (node.op != "ReduceMax") return lower_reduce(context, node, std::move(stream), reduction.place, reduction.dims);
  std::vector<std::size_t> pixels;
  for (std::size_t d = 2; d < stream.dims.size(); ++d) pixels.push_back(d);
  if (pixels.empty() || reduction.axes != pixels)
    throw Error(node.name, "a ReduceMax other than over all pixels of a map has no integer layer");
  Node pool = node;
  pool.op = "GlobalMaxPool";
  stream = lower_max_pool(context, pool, std::move(stream));
  stream.dims = reduction.dims;
  return stream;
}

/// The stream that a node makes of its only stream input. TopK's and Dropout's second outputs are handled by the caller.
Stream lower_node(Context& context, const Node& node, std::size_t stream_input) {
  Stream stream = std::get<Stream>(context.symbols.at(node.inputs[stream_input]));
  if (is_shape_operator(node) && stream_input == 0) return move_elements(context, node, std::move(stream));
  if (!stream.function.empty() && node.op != "ArgMax" && node.op != "TopK")
    throw Error(node.name,
                fmt::format("{} in front of this {} has no integer form; it is supported as the last node", stream.function, node.op));
  if (is_elementwise(node)) return lower_elementwise(context, node, stream_input, std::move(stream));
  if (stream_input != 0)
    throw Error(node.name, fmt::format("this {} takes a feature map as input {}, where a constant is expected", node.op, stream_input));
  if (node.op == "Conv") {
    const bool has_bias = node.inputs.size() > 2 && !node.inputs[2].empty();
    const Constant& weights = required_constant(context, node, 1, "weights");
    if (stream.coefficients == nullptr && may_be_coefficients(context, node, stream, weights)) {
      stream.coefficients = std::make_shared<const KeptConvolution>(KeptConvolution{node, weights});
      return stream;
    }
    return lower_conv(context, node, std::move(stream), weights,
                      has_bias ? &required_constant(context, node, 2, "bias") : nullptr);
  }
  if (node.op == "Softmax" || node.op == "LogSoftmax") return lower_softmax(context, node, std::move(stream));
  if (node.op == "Resize") return lower_resize(context, node, stream, moved_positions(context, node, stream));
  if (node.op == "Pad") return lower_pad(context, node, std::move(stream));
  if (node.op == "Slice" || node.op == "Gather") return lower_pick(context, node, std::move(stream), constant_inputs(context, node), 0);
  if (node.op == "ReduceMean" || node.op == "ReduceSum" || node.op == "ReduceMax") return lower_reduction(context, node, std::move(stream));
  if (node.op == "ConvInteger" || node.op == "MatMulInteger" || node.op == "QLinearConv" || node.op == "QLinearMatMul") {
    std::vector<const Constant*> constants;
    for (std::size_t i = 0; i < node.inputs.size(); ++i)
      constants.push_back(i == stream_input ? nullptr : constant_input(context, node, i));
    return lower_integer_product(context, node, std::move(stream), constants);
  }
  if (node.op == "Gemm") return lower_gemm(context, node, std::move(stream));
  if (node.op == "MatMul") return lower_product(context, node, std::move(stream), required_constant(context, node, 1, "weights"), false);
  if (node.op == "MaxPool" || node.op == "GlobalMaxPool") return lower_max_pool(context, node, std::move(stream));
  if (node.op == "AveragePool" || node.op == "GlobalAveragePool") return lower_average_pool(context, node, std::move(stream));
  if (node.op == "ArgMax") {
    if (node.int_attribute("select_last_index", 0) != 0) throw Error(node.name, "an ArgMax that selects the last index is not supported");
    return lower_arg_max(context, node, std::move(stream), node.int_attribute("axis", 0), node.int_attribute("keepdims", 1) != 0);
  }
  if (node.op == "TopK") {
    const Constant* k = constant_input(context, node, 1);
    const std::int64_t count = k != nullptr && !k->value.is_float() && k->value.size() == 1 ? k->value.i()[0] : node.int_attribute("k", 0);
    if (count != 1 || node.int_attribute("largest", 1) == 0)
      throw Error(node.name, "of TopK only k=1, the largest, is supported: an argmax");
    return lower_arg_max(context, node, std::move(stream), node.int_attribute("axis", -1), true);
  }
  throw Error(node.name,
              fmt::format("operator {} on a feature map has no integer layer; remove it from the exported model or replace it by Conv, "
                          "Gemm, MatMul, MaxPool, AveragePool, ArgMax, elementwise operators with constants, or a quantizer",
                          node.op));
}

Stream lower_join(Context& context, const Node& node, const std::vector<std::size_t>& streams) {
  std::vector<Stream> inputs;
  for (const std::size_t i : streams) inputs.push_back(std::get<Stream>(context.symbols.at(node.inputs[i])));
  for (const Stream& input : inputs)
    if (!input.function.empty()) throw Error(node.name, fmt::format("{} in front of this {} has no integer form", input.function, node.op));
  if (inputs.size() != node.inputs.size())
    throw Error(node.name, fmt::format("this {} joins feature maps and constants, which has no integer layer", node.op));
  if (node.op == "Add" || node.op == "Sub") return lower_sum(context, node, std::move(inputs));
  if (node.op == "Concat") return lower_concat(context, node, std::move(inputs));
  throw Error(
      node.name,
      fmt::format("this {} joins {} feature maps; of such nodes Add, Sub and Concat have integer layers: a product needs a constant "
                  "on one side",
                  node.op, inputs.size()));
}

void store(Context& context, const std::string& name, Symbol symbol) {
  if (name.empty()) return;
  if (auto* stream = std::get_if<Stream>(&symbol)) {
    stream->only_reader = stream->only_reader && context.readers[name] <= 1;
    stream->tensor = name;
    record_meaning(context, *stream, name);
  }
  context.symbols[name] = std::move(symbol);
}

/// Operators that others' integer networks have, and that this hardware has no layer for.
void refuse_known(const Node& node) {
  static const std::map<std::string, const char*> reasons = {{"iSoftmax", "divides by a sum over all values of a row"},
                                                             {"iLayerNorm", "divides by the deviation of the values of a row"},
                                                             {"iRMSNorm", "divides by a root of the squares of a row"},
                                                             {"LayerNormalization", "divides by the deviation of the values of a row"},
                                                             {"InstanceNormalization", "divides by the deviation of the values of a map"}};
  if (const auto found = reasons.find(node.op); found != reasons.end())
    throw Error(node.name,
                fmt::format("{} {}, which no integer layer here does; remove it, or end the model in front of it", node.op, found->second));
}

void visit_node(Context& context, const Node& node) {
  refuse_known(node);
  if (find_operator(node) == nullptr) evaluate(node, {}, context.opset());  // throws: names node, operator and what is supported
  const bool takes_padding = node.op == "Conv" && node.string_attribute("auto_pad", "NOTSET") == "NOTSET";
  for (std::size_t i = takes_padding ? 1 : 0; i < node.inputs.size(); ++i)
    if (!node.inputs[i].empty()) settle_padding(context, node.inputs[i]);
  const auto streams = stream_inputs(context, node);
  if (streams.empty() || node.op == "Shape") {
    std::vector<const Constant*> inputs;
    Constant shape_only;  // Shape looks at nothing but the shape
    for (std::size_t i = 0; i < node.inputs.size(); ++i) inputs.push_back(constant_input(context, node, i));
    if (!streams.empty()) {
      const Stream& stream = std::get<Stream>(context.symbols.at(node.inputs.at(0)));
      shape_only.value = Tensor::floats(stream.dims, std::vector<float>(stream.order.size()));
      inputs[0] = &shape_only;
    }
    std::vector<Constant> outputs = fold_constants(node, inputs, context.opset());
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      if (i >= outputs.size()) throw Error(node.name, fmt::format("output {} of {} is not supported", i, node.op));
      store(context, node.outputs[i], std::move(outputs[i]));
    }
    return;
  }
  if (node.op == "Split" && streams == std::vector<std::size_t>{0}) {
    const Stream whole = std::get<Stream>(context.symbols.at(node.inputs[0]));
    for (std::size_t i = 0; i < node.outputs.size(); ++i)
      if (!node.outputs[i].empty()) store(context, node.outputs[i], lower_pick(context, node, whole, constant_inputs(context, node), i));
    return;
  }
  Stream stream = streams.size() > 1 ? lower_join(context, node, streams) : lower_node(context, node, streams[0]);
  const bool top_k = node.op == "TopK";
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    if (i == (top_k ? 1U : 0U))
      store(context, node.outputs[i], stream);
    else
      store(context, node.outputs[i],
            Refused{fmt::format("output {} of {} ({}) cannot be represented in the integer network", i, node.name, node.op)});
  }
}

}  // namespace
}  // namespace lowering

namespace {

/// The nodes that an output depends on, in the graph's order: what nothing reads would be a stream without an end.
std::vector<const Node*> nodes_behind_outputs(const Graph& graph) {
  std::set<std::string> wanted;
  for (const ValueInfo& output : graph.outputs) wanted.insert(output.name);
  std::vector<const Node*> nodes;
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
    if (std::none_of(node->outputs.begin(), node->outputs.end(), [&](const std::string& name) { return wanted.count(name) != 0; }))
      continue;
    wanted.insert(node->inputs.begin(), node->inputs.end());
    nodes.push_back(&*node);
  }
  std::reverse(nodes.begin(), nodes.end());
  return nodes;
}

Network lower_as(const Graph& graph, const LowerOptions& options, lowering::InputForm form) {
  lowering::Context context{graph, options, {}, {}, {}, form, true};
  const std::vector<const Node*> nodes = nodes_behind_outputs(graph);
  for (const Node* node : nodes)
    for (const std::string& input : node->inputs)
      if (!input.empty() && node->op != "Shape") ++context.readers[input];
  for (const ValueInfo& output : graph.outputs) ++context.readers[output.name];
  for (const auto& [name, tensor] : graph.initializers) context.symbols[name] = lowering::Constant{tensor, std::nullopt};
  lowering::add_input(context);
  for (const Node* node : nodes) {
    try {
      lowering::visit_node(context, *node);
    } catch (const Error& error) {
      if (!error.where().empty()) throw;
      throw Error(node->name, error.what());
    }
  }
  for (const ValueInfo& output : graph.outputs) lowering::settle_padding(context, output.name);
  lowering::lower_outputs(context);
  auto& meanings = context.builder.network().meanings;
  std::sort(meanings.begin(), meanings.end(), [](const MapMeaning& a, const MapMeaning& b) { return a.map < b.map; });
  check(context.builder.network());
  return std::move(context.builder.network());
}

/// Whether a small image may be taken with a channel for every value.
bool may_own_channels(const Graph& graph) {
  if (graph.inputs.size() != 1) return false;
  std::int64_t count = 1;
  for (std::size_t i = 0; i < graph.inputs[0].shape.size(); ++i) {
    const std::int64_t dim = graph.inputs[0].shape[i];
    if (dim < 1 && i > 0) return false;
    count = std::min<std::int64_t>(count * std::max<std::int64_t>(dim, 1), 1 << 20);
  }
  return count <= 1 << 16;
}

}  // namespace

// Where the usual form of the input does not fit, others are tried. A map of rows has no channels for constants that differ between the
// rows (offsets of a position, one factor per row): with a channel for every value, such a model lowers where it has only products and
// elementwise operators.
Network lower(const Graph& graph, const LowerOptions& options) {
  using lowering::InputForm;
  try {
    return lower_as(graph, options, InputForm::kUsual);
  } catch (const Error&) {
    std::vector<InputForm> others;
    if (graph.inputs.size() == 1 && graph.inputs[0].shape.size() == 4) others.push_back(InputForm::kOtherLayout);
    if (may_own_channels(graph)) others.push_back(InputForm::kOwnChannels);
    for (const InputForm form : others) {
      try {
        return lower_as(graph, options, form);
      } catch (const Error&) {
      }
    }
    throw;  // what the usual form met
  }
}

}  // namespace bitloom
