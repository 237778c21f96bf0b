// Symbolic execution of the float graph, node by node: constants are folded with the executor's operators, everything else is a stream.
#include "lower/lower.hpp"

#include <fmt/format.h>

#include <cmath>

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

void add_input(Context& context) {
  const Graph& graph = context.graph;
  const LowerOptions& options = context.options;
  if (graph.inputs.size() != 1) throw Error(graph.file, fmt::format("the model has {} inputs; one is supported", graph.inputs.size()));
  const ValueInfo& info = graph.inputs[0];
  if (options.input_bits < 1 || options.input_bits > 16)
    throw Error(info.name, fmt::format("{} bits per pixel; 1 to 16 are supported", options.input_bits));
  if (!std::isfinite(options.input_scale) || !std::isfinite(options.input_shift) || options.input_scale == 0)
    throw Error(info.name, fmt::format("a pixel scale of {} and shift of {}; finite numbers, and a scale other than 0, are expected",
                                       options.input_scale, options.input_shift));
  if (!info.is_float && (options.input_scale != 1 || options.input_shift != 0))
    throw Error(info.name, "this input takes integers: scale 1 and shift 0 are expected");
  if (info.shape.empty() || info.shape.size() > 4)
    throw Error(info.name, fmt::format("an input of shape {}; a batch of up to 3 dimensions is supported", dims_text(info.shape)));
  Stream stream;
  stream.dims = info.shape;
  stream.dims[0] = 1;
  for (std::size_t i = 1; i < stream.dims.size(); ++i)
    if (stream.dims[i] < 1 || stream.dims[i] > 65536)
      throw Error(info.name, fmt::format("dimension {} of this input is {}; export the model with a fixed size", i,
                                         stream.dims[i] < 0 ? std::string("unknown") : std::to_string(stream.dims[i])));
  const auto extent = [&](std::size_t i) { return static_cast<int>(stream.dims[i]); };
  MapShape& shape = stream.shape;
  if (stream.dims.size() == 2) shape = {1, 1, extent(1)};
  if (stream.dims.size() == 3) shape = {1, extent(2), extent(1)};
  if (stream.dims.size() == 4) shape = {extent(2), extent(3), extent(1)};
  if (shape.size() > (1 << 24)) throw Error(info.name, fmt::format("an input of shape {} is too large", dims_text(info.shape)));
  for (int c = 0; c < shape.channels; ++c)
    for (int p = 0; p < shape.height * shape.width; ++p) stream.order.push_back(p * shape.channels + c);
  stream.scale = {options.input_scale};
  stream.shift = options.input_shift;
  stream.source = info.name;
  stream.only_reader = context.readers[info.name] <= 1;

  const ValueType type = ValueType::unsigned_bits(options.input_bits);
  Network& network = context.builder.network();
  network.name = graph.name;
  network.input =
      context.builder.add_map("pixels", shape, type, std::vector<Range>(static_cast<std::size_t>(shape.channels), Range{0, type.max()}));
  network.input_order = stream.order;
  network.input_shape.assign(stream.dims.begin() + 1, stream.dims.end());
  network.input_rule = {options.input_scale, options.input_shift};
  stream.map = network.input;
  context.symbols[info.name] = std::move(stream);
}

/// Reshape and its like, run on the order of the elements.
Stream move_elements(Context& context, const Node& node, Stream stream) {
  const Tensor order = Tensor::ints(stream.dims, std::vector<std::int64_t>(stream.order.begin(), stream.order.end()));
  std::vector<const Tensor*> inputs{&order};
  for (std::size_t i = 1; i < node.inputs.size(); ++i) {
    const Constant* constant = constant_input(context, node, i);
    if (constant == nullptr && !node.inputs[i].empty())
      throw Error(node.name, fmt::format("input {} of this {} must be constant", i, node.op));
    inputs.push_back(constant == nullptr ? nullptr : &constant->value);
  }
  const Tensor moved = evaluate(node, inputs, context.opset()).at(0);
  stream.dims = moved.shape;
  stream.order.assign(moved.i().begin(), moved.i().end());
  return stream;
}

Stream lower_elementwise(Context& context, const Node& node, std::size_t stream_input, Stream stream) {
  if (node.op == "Cast") {
    const std::int64_t to = node.int_attribute("to", 0);
    const bool integer = stream.is_pure() && stream.scale == std::vector<double>{1.0};
    if (to == 1 || to == 11 || integer) return stream;
    throw Error(node.name, "a Cast of a feature map to integers is not supported; use a quantizer");
  }
  std::vector<const Tensor*> inputs(node.inputs.size(), nullptr);
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const Constant* constant = i == stream_input ? nullptr : constant_input(context, node, i);
    if (constant != nullptr) inputs[i] = &constant->value;
  }
  append_step(stream, node, stream_input, inputs, context.opset());
  return is_quantizer(node) && stream_input == 0 ? quantize(context, std::move(stream)) : stream;
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
    Tensor bias = expand(node, required_constant(context, node, 2, "bias").value, out.dims);
    for (float& value : bias.f()) value = beta * value;
    append_constant_step(out, "Add", node.name, bias.f());
  }
  return out;
}

/// The stream that a node makes of its only stream input. TopK's and Dropout's second outputs are handled by the caller.
Stream lower_node(Context& context, const Node& node, std::size_t stream_input) {
  Stream stream = std::get<Stream>(context.symbols.at(node.inputs[stream_input]));
  if (is_shape_operator(node) && stream_input == 0) return move_elements(context, node, std::move(stream));
  if (is_elementwise(node)) return lower_elementwise(context, node, stream_input, std::move(stream));
  if (stream_input != 0)
    throw Error(node.name, fmt::format("this {} takes a feature map as input {}, where a constant is expected", node.op, stream_input));
  if (node.op == "Conv") {
    const bool has_bias = node.inputs.size() > 2 && !node.inputs[2].empty();
    return lower_conv(context, node, std::move(stream), required_constant(context, node, 1, "weights"),
                      has_bias ? &required_constant(context, node, 2, "bias") : nullptr);
  }
  if (node.op == "Gemm") return lower_gemm(context, node, std::move(stream));
  if (node.op == "MatMul") return lower_product(context, node, std::move(stream), required_constant(context, node, 1, "weights"), false);
  if (node.op == "MaxPool") return lower_max_pool(context, node, std::move(stream));
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
  if (streams.size() > 1)
    throw Error(node.name, fmt::format("this {} joins {} feature maps; the integer network has no such layer yet (residual connections and "
                                       "concatenation are not supported)",
                                       node.op, streams.size()));
  Stream stream = lower_node(context, node, streams[0]);
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

Network lower(const Graph& graph, const LowerOptions& options) {
  lowering::Context context{graph, options, {}, {}, {}};
  for (const Node& node : graph.nodes)
    for (const std::string& input : node.inputs)
      if (!input.empty() && node.op != "Shape") ++context.readers[input];
  for (const ValueInfo& output : graph.outputs) ++context.readers[output.name];
  for (const auto& [name, tensor] : graph.initializers) context.symbols[name] = lowering::Constant{tensor, std::nullopt};
  lowering::add_input(context);
  for (const Node& node : graph.nodes) lowering::visit_node(context, node);
  lowering::lower_outputs(context);
  check(context.builder.network());
  return std::move(context.builder.network());
}

}  // namespace bitloom
