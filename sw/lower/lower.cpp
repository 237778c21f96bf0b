// Symbolic execution of the float graph, node by node: constants are folded with the executor's operators, everything else is a stream.
#include "lower/lower.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "lower/chain.hpp"
#include "lower/context.hpp"
#include "lower/grids.hpp"
#include "lower/weights.hpp"
#include "onnx/broadcast.hpp"
#include "onnx/operators.hpp"

namespace bitloom {
namespace lowering {
namespace {

const Constant* constant_input(const Context& context, const Node& node, std::size_t i) {
  if (i >= node.inputs.size() || node.inputs[i].empty()) return nullptr;
  return std::get_if<Constant>(&context.symbols.at(node.inputs[i]));
}

const Constant& required_constant(const Context& context, const Node& node, std::size_t i, const char* what) {
  const Constant* constant = constant_input(context, node, i);
  if (constant == nullptr) throw Error(node.name, fmt::format("the {} of this {} must be constant", what, node.op));
  return *constant;
}

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

/// The operator's result over the positions of the stream's elements in the map.
Tensor moved_positions(Context& context, const Node& node, const Stream& stream) {
  const Tensor order = Tensor::ints(stream.dims, std::vector<std::int64_t>(stream.order.begin(), stream.order.end()));
  std::vector<const Tensor*> inputs{&order};
  for (std::size_t i = 1; i < node.inputs.size(); ++i) {
    const Constant* constant = constant_input(context, node, i);
    if (constant == nullptr && !node.inputs[i].empty())
      throw Error(node.name, fmt::format("input {} of this {} must be constant", i, node.op));
    inputs.push_back(constant == nullptr ? nullptr : &constant->value);
  }
  return evaluate(node, inputs, context.opset()).at(0);
}

/// Reshape and its like.
Stream move_elements(Context& context, const Node& node, Stream stream) {
  const Tensor moved = moved_positions(context, node, stream);
  stream.dims = moved.shape;
  stream.order.assign(moved.i().begin(), moved.i().end());
  return stream;
}

Stream lower_pad(Context& context, const Node& node, Stream stream) {
  const Tensor moved = moved_positions(context, node, stream);
  if (moved.shape != stream.dims)
    throw Error(node.name,
                "a Pad of a feature map has no integer layer yet; write the padding into the Conv or pool behind it (attribute pads)");
  return stream;
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

/// Products with whole numbers and sums of them, in front of a Cast to integers, as the integers that they are, even where a float32 tensor
/// would round them (beyond 2^24): the integer networks that are written so mean integers. Else the stream stays as it is.
void take_as_integers(const Context& context, const Node& node, Stream& stream) {
  const auto lines = stream.pools.empty() && !stream.steps.empty() ? as_lines(stream, stream.steps.size()) : std::nullopt;
  if (!lines) return;
  const auto whole = [](double value) { return std::nearbyint(value) == value && std::fabs(value) <= 0x1p31; };
  Stream taken = stream;
  taken.scale = {1.0};
  taken.shift = 0;
  taken.steps.clear();
  taken.integer = true;
  std::vector<std::int64_t> slopes, offsets;
  for (const std::int32_t position : stream.order) {
    const Line& line = (*lines)[static_cast<std::size_t>(position % stream.shape.channels)];
    if (!whole(line.slope) || !whole(line.offset)) return;
    slopes.push_back(static_cast<std::int64_t>(line.slope));
    offsets.push_back(static_cast<std::int64_t>(line.offset));
  }
  Node step = node;
  for (const auto& [op, values] : {std::pair("Mul", slopes), std::pair("Add", offsets)}) {
    step.op = op;
    const Tensor constant = Tensor::ints(stream.dims, values);
    append_step(taken, step, 0, {nullptr, &constant}, context.opset());
  }
  stream = std::move(taken);
}

/// A Cast changes nothing where the values are integers that both types hold; else it is a step like any other.
Stream lower_cast(Context& context, const Node& node, Stream stream) {
  const std::int64_t to = node.int_attribute("to", 0);
  const bool to_float = to == 1 || to == 11;
  const bool from_integers = holds_integers(stream, stream.steps.size());
  if (to_float && !from_integers) return stream;
  const bool whole = stream.scale == std::vector<double>{1.0} && std::nearbyint(stream.shift) == stream.shift;
  if (stream.steps.empty() && stream.pools.empty() && whole && (to_float || to == 6 || to == 7)) {
    stream.integer = !to_float;
    return stream;
  }
  if (to == 7 && !from_integers) take_as_integers(context, node, stream);
  append_step(stream, node, 0, {nullptr}, context.opset());
  return stream;
}

Stream lower_elementwise(Context& context, const Node& node, std::size_t stream_input, Stream stream) {
  if (node.op == "Cast") return lower_cast(context, node, std::move(stream));
  if (node.op == "RequantShift" && stream_input == 0)
    return lower_requant_shift(context, node, std::move(stream), required_constant(context, node, 1, "factor").value,
                               required_constant(context, node, 2, "summand").value);
  if ((node.op == "QuantizeLinear" || node.op == "DequantizeLinear") && stream_input == 0) {
    const Tensor& scale = required_constant(context, node, 1, "scale").value;
    const bool has_zero = node.inputs.size() > 2 && !node.inputs[2].empty();
    const Tensor* zero = has_zero ? &required_constant(context, node, 2, "zero point").value : nullptr;
    return node.op == "QuantizeLinear" ? lower_quantize_linear(context, node, std::move(stream), scale, zero)
                                       : lower_dequantize_linear(context, node, std::move(stream), scale, zero);
  }
  std::vector<const Tensor*> inputs(node.inputs.size(), nullptr);
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const Constant* constant = i == stream_input ? nullptr : constant_input(context, node, i);
    if (constant != nullptr) inputs[i] = &constant->value;
  }
  append_step(stream, node, stream_input, inputs, context.opset());
  if (is_quantizer(node) && stream_input == 0) return quantize(context, std::move(stream));
  if (const auto grid = clip_grid(stream, context.opset())) return quantize_to(context, std::move(stream), *grid);
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
    return lower_conv(context, node, std::move(stream), required_constant(context, node, 1, "weights"),
                      has_bias ? &required_constant(context, node, 2, "bias") : nullptr);
  }
  if (node.op == "Softmax" || node.op == "LogSoftmax") return lower_softmax(context, node, std::move(stream));
  if (node.op == "Resize") return lower_resize(context, node, stream, moved_positions(context, node, stream));
  if (node.op == "Pad") return lower_pad(context, node, std::move(stream));
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
  throw Error(node.name,
              fmt::format("this {} joins {} feature maps; of such nodes Add, Sub and Concat have integer layers", node.op, inputs.size()));
}

void store(Context& context, const std::string& name, Symbol symbol) {
  if (name.empty()) return;
  if (auto* stream = std::get_if<Stream>(&symbol)) stream->only_reader = stream->only_reader && context.readers[name] <= 1;
  context.symbols[name] = std::move(symbol);
}

void visit_node(Context& context, const Node& node) {
  if (find_operator(node) == nullptr) evaluate(node, {}, context.opset());  // throws: names node, operator and what is supported
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
    if (std::none_of(node->outputs.begin(), node->outputs.end(), [&](const std::string& name) { return wanted.count(name) != 0; })) continue;
    wanted.insert(node->inputs.begin(), node->inputs.end());
    nodes.push_back(&*node);
  }
  std::reverse(nodes.begin(), nodes.end());
  return nodes;
}

enum class InputLayout { AsItLooks, OtherWay, OwnChannels };

Network lower_as(const Graph& graph, const LowerOptions& options, InputLayout layout) {
  lowering::Context context{graph, options, {}, {}, {}, layout == InputLayout::OwnChannels, true, layout == InputLayout::OtherWay};
  const std::vector<const Node*> nodes = nodes_behind_outputs(graph);
  for (const Node* node : nodes)
    for (const std::string& input : node->inputs)
      if (!input.empty() && node->op != "Shape") ++context.readers[input];
  for (const ValueInfo& output : graph.outputs) ++context.readers[output.name];
  for (const auto& [name, tensor] : graph.initializers) context.symbols[name] = lowering::Constant{tensor, std::nullopt};
  lowering::add_input(context);
  for (const Node* node : nodes) lowering::visit_node(context, *node);
  lowering::lower_outputs(context);
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

// How the input lies in its map is taken from what the model looks like, and a channel per value fits constants that differ between the
// rows of an image. Each is only a way to store the same numbers, so where one does not lower, another may.
Network lower(const Graph& graph, const LowerOptions& options) {
  try {
    return lower_as(graph, options, InputLayout::AsItLooks);
  } catch (const Error&) {
    for (const InputLayout layout : {InputLayout::OtherWay, InputLayout::OwnChannels}) {
      const bool may = layout == InputLayout::OwnChannels ? may_own_channels(graph)
                                                          : graph.inputs.size() == 1 && graph.inputs[0].shape.size() == 4;
      if (!may) continue;
      try {
        return lower_as(graph, options, layout);
      } catch (const Error&) {
      }
    }
    throw;  // what the first way found
  }
}

}  // namespace bitloom
