#include "lower/chain.hpp"

#include <fmt/format.h>

#include <bit>
#include <cmath>

#include "onnx/broadcast.hpp"
#include "onnx/operators.hpp"

namespace bitloom::lowering {
namespace {

bool same(float a, float b) { return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b); }
bool same(std::int64_t a, std::int64_t b) { return a == b; }

/// One value per channel from values over the stream's shape; collapsed to one when all are equal.
template <class T>
std::vector<T> channel_values(const Stream& stream, const Node& node, const std::vector<T>& expanded) {
  const auto channels = static_cast<std::size_t>(stream.shape.channels);
  std::vector<T> values(channels, T{});
  std::vector<bool> seen(channels, false);
  for (std::size_t e = 0; e < expanded.size(); ++e) {
    const auto c = static_cast<std::size_t>(stream.channel(e));
    if (seen[c] && !same(values[c], expanded[e]))
      throw Error(node.name,
                  fmt::format("the constant of this {} differs between positions of one channel; thresholds exist per channel only: "
                              "use one value per channel",
                              node.op));
    seen[c] = true;
    values[c] = expanded[e];
  }
  for (const T value : values)
    if (!same(value, values[0])) return values;
  return {values[0]};
}

std::vector<Tensor> as_operands(const std::vector<float>& values, const Dims& dims) {
  std::vector<Tensor> operands;
  for (const float value : values) operands.push_back(Tensor::floats(dims, {value}));
  return operands;
}

/// A parameter with one value per ONNX channel, repeated over the stream's shape. `axis` is the ONNX channel axis.
Tensor spread_channels(const Stream& stream, const Node& node, const std::vector<float>& values, std::size_t axis) {
  Dims dims(stream.dims.size(), 1);
  dims[axis] = static_cast<std::int64_t>(values.size());
  return expand(node, Tensor::floats(dims, values), stream.dims);
}

std::size_t channel_axis(const Stream& stream, const Node& node) {
  const std::string layout = node.string_attribute("data_layout", "NCHW");
  if (stream.dims.size() < 2) return 0;
  return layout == "NHWC" || layout == "NWC" ? stream.dims.size() - 1 : 1;
}

/// Rows of a [channels][levels] threshold table, one per map channel.
std::vector<Tensor> threshold_rows(const Stream& stream, const Node& node, const Tensor& table) {
  if (table.shape.size() != 2 || table.shape[0] < 1)
    throw Error(node.name, fmt::format("thresholds of shape {}; [channels][levels] expected", dims_text(table.shape)));
  const auto levels = table.shape[1];
  const auto row = [&](std::size_t r) {
    const auto first = table.f().begin() + static_cast<std::ptrdiff_t>(r) * levels;
    return Tensor::floats({1, levels}, std::vector<float>(first, first + levels));
  };
  if (table.shape[0] == 1) return {row(0)};
  std::vector<float> numbers(static_cast<std::size_t>(table.shape[0]));
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<float>(i);
  std::vector<Tensor> rows;
  for (const float number : channel_values(stream, node, spread_channels(stream, node, numbers, channel_axis(stream, node)).f()))
    rows.push_back(row(static_cast<std::size_t>(number)));
  return rows;
}

}  // namespace

void append_step(Stream& stream, const Node& node, std::size_t stream_input, const std::vector<const Tensor*>& inputs, int opset) {
  auto step = std::make_shared<Step>(Step{node, stream_input, std::vector<std::vector<Tensor>>(inputs.size())});
  if (node.op != "MultiThreshold" && node.op != "BatchNormalization") {
    Dims dims = stream.dims;
    for (const Tensor* input : inputs)
      if (input != nullptr) dims = broadcast_dims(node, dims, input->shape);
    if (element_count(dims) != element_count(stream.dims))
      throw Error(node.name, fmt::format("this {} enlarges a feature map of shape {} to {}, which is not supported", node.op,
                                         dims_text(stream.dims), dims_text(dims)));
    stream.dims = dims;  // only leading dimensions of 1 were added: the order of the elements is the same
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i] == nullptr) continue;
    const Tensor& input = *inputs[i];
    if (!input.is_float() && !holds_integers(stream, stream.steps.size()) && node.op != "QuantizeLinear")
      throw Error(node.name, fmt::format("input {} of {} holds integers; floats expected", i, node.op));
    if (node.op == "MultiThreshold") {
      step->operands[i] = threshold_rows(stream, node, input);
    } else if (node.op == "BatchNormalization") {
      const Tensor spread = spread_channels(stream, node, input.f(), stream.dims.size() < 2 ? 0 : 1);
      step->operands[i] = as_operands(channel_values(stream, node, spread.f()), {1});
    } else {
      step->operands[i] = channel_operands(stream, node, input);
    }
  }
  stream.source = node.name;
  stream.steps.push_back(std::move(step));
  const std::size_t last = stream.steps.size() - 1;
  const Tensor zero = holds_integers(stream, last) ? Tensor::ints({1, 1}, {0}) : Tensor::floats({1, 1}, {0.0F});
  apply_steps(stream, last, last + 1, 0, zero, opset);  // the operator itself checks its parameters
}

void append_constant_step(Stream& stream, const char* op, const std::string& source, const std::vector<float>& values) {
  Step step;
  step.node.name = source;
  step.node.op = op;
  step.node.inputs = {"x", "constant"};
  step.node.outputs = {"y"};
  step.operands = {{}, as_operands(values, {})};
  stream.steps.push_back(std::make_shared<Step>(std::move(step)));
}

std::vector<Tensor> channel_operands(const Stream& stream, const Node& node, const Tensor& constant) {
  const Tensor expanded = expand(node, constant, stream.dims);
  if (constant.is_float()) return as_operands(channel_values(stream, node, expanded.f()), {});
  std::vector<Tensor> operands;
  for (const std::int64_t value : channel_values(stream, node, expanded.i())) {
    operands.push_back(Tensor::ints({}, {value}));
    operands.back().type = constant.type;
  }
  return operands;
}

bool holds_integers(const Stream& stream, std::size_t steps) {
  for (std::size_t i = steps; i-- > 0;) {
    const Node& node = stream.steps[i]->node;
    if (node.op == "QuantizeLinear") return true;
    if (node.op != "Cast") continue;
    const std::int64_t to = node.int_attribute("to", 0);
    return to != 1 && to != 11;
  }
  return stream.integer;
}

Tensor apply_steps(const Stream& stream, std::size_t first, std::size_t last, int c, Tensor x, int opset) {
  for (std::size_t i = first; i < last; ++i) {
    const Step& step = *stream.steps[i];
    std::vector<const Tensor*> inputs;
    for (std::size_t k = 0; k < step.operands.size(); ++k) {
      const auto& operand = step.operands[k];
      if (k == step.stream_input)
        inputs.push_back(&x);
      else
        inputs.push_back(operand.empty() ? nullptr : &operand[operand.size() == 1 ? 0 : static_cast<std::size_t>(c)]);
    }
    std::vector<Tensor> outputs = evaluate(step.node, inputs, opset);
    x = std::move(outputs.at(0));
  }
  return x;
}

// [n][1]: one channel, for operators with channels first and last alike.
Tensor base_values(const Stream& stream, int c, const std::vector<std::int64_t>& q) {
  const Dims dims{static_cast<std::int64_t>(q.size()), 1};
  const auto real = [&](std::int64_t value) { return static_cast<double>(value) * stream.scale_of(c) + stream.shift; };
  if (stream.integer) {
    std::vector<std::int64_t> x(q.size());
    for (std::size_t i = 0; i < q.size(); ++i) x[i] = std::llround(real(q[i]));
    return Tensor::ints(dims, std::move(x));
  }
  std::vector<float> x(q.size());
  for (std::size_t i = 0; i < q.size(); ++i) x[i] = static_cast<float>(real(q[i]));
  return Tensor::floats(dims, std::move(x));
}

std::vector<float> as_floats(Tensor tensor) {
  if (tensor.is_float()) return std::move(tensor.f());
  return {tensor.i().begin(), tensor.i().end()};
}

std::vector<float> apply(const Stream& stream, int c, const std::vector<std::int64_t>& q, int opset) {
  return as_floats(apply_steps(stream, 0, stream.steps.size(), c, base_values(stream, c, q), opset));
}

std::optional<std::vector<Line>> as_lines(const Stream& stream, std::size_t steps) {
  std::vector<Line> lines;
  for (int c = 0; c < stream.shape.channels; ++c) {
    Line line{stream.scale_of(c), stream.shift};
    for (std::size_t i = 0; i < steps; ++i) {
      const Step& step = *stream.steps[i];
      const auto operand = [&](std::size_t k) {
        const auto& values = step.operands[k];
        const Tensor& value = values[values.size() == 1 ? 0 : static_cast<std::size_t>(c)];
        return value.is_float() ? static_cast<double>(value.f()[0]) : static_cast<double>(value.i()[0]);
      };
      const std::string& op = step.node.op;
      const std::size_t other = 1 - std::min<std::size_t>(step.stream_input, 1);
      if (op == "Mul") {
        line = {line.slope * operand(other), line.offset * operand(other)};
      } else if (op == "Div" && step.stream_input == 0 && !holds_integers(stream, i)) {
        line = {line.slope / operand(1), line.offset / operand(1)};
      } else if (op == "Add") {
        line.offset += operand(other);
      } else if (op == "Sub" && step.stream_input == 0) {
        line.offset -= operand(1);
      } else if (op == "Sub") {
        line = {-line.slope, operand(0) - line.offset};
      } else if (op == "Cast" && !holds_integers(stream, i + 1)) {
        continue;
      } else if (op == "Neg") {
        line = {-line.slope, -line.offset};
      } else if (op == "BatchNormalization") {
        const double epsilon = static_cast<double>(step.node.float_attribute("epsilon", 1e-5F));
        const double factor = operand(1) / std::sqrt(operand(4) + epsilon);
        line = {line.slope * factor, (line.offset - operand(3)) * factor + operand(2)};
      } else {
        return std::nullopt;
      }
    }
    lines.push_back(line);
  }
  return lines;
}

}  // namespace bitloom::lowering
