// The chain of elementwise steps of a stream: built from nodes, evaluated with the executor's own operators, or read as a straight line.
#pragma once

#include <optional>
#include <vector>

#include "lower/symbol.hpp"

namespace bitloom::lowering {

/// Appends an elementwise node to the stream. `inputs` has the node's constants, and null where the stream or nothing stands.
/// Throws Error when a constant differs between positions of one channel, or would enlarge the stream.
void append_step(Stream& stream, const Node& node, std::size_t stream_input, const std::vector<const Tensor*>& inputs, int opset);

/// y = x op value, for biases and factors that are attributes of other nodes; `values` is one, or one per channel of the map.
void append_constant_step(Stream& stream, const char* op, const std::string& source, const std::vector<float>& values);

/// Whether the ONNX tensor after the first `steps` steps holds integers.
bool holds_integers(const Stream& stream, std::size_t steps);

/// The steps first .. last-1 of channel c, applied to x, a tensor [n][1].
Tensor apply_steps(const Stream& stream, std::size_t first, std::size_t last, int c, Tensor x, int opset);

/// The whole function of channel c at integer values q of the map.
std::vector<float> apply(const Stream& stream, int c, const std::vector<std::int64_t>& q, int opset);

/// x before the first step, [n][1].
Tensor base_values(const Stream& stream, int c, const std::vector<std::int64_t>& q);

/// The values as floats, whatever they are.
std::vector<float> as_floats(Tensor tensor);

/// One operand per channel of the map (or one for all) from a constant that broadcasts to the stream's shape. Throws Error at the node
/// when it differs between positions of one channel.
std::vector<Tensor> channel_operands(const Stream& stream, const Node& node, const Tensor& constant);

struct Line {
  double slope, offset;
  bool operator==(const Line&) const = default;
};

/// The first `steps` steps as slope * q + offset per channel, or nothing when a step is no straight line.
std::optional<std::vector<Line>> as_lines(const Stream& stream, std::size_t steps);

}  // namespace bitloom::lowering
