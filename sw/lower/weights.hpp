// Constants with the integers behind them, and weights as integers with one scale per output channel.
#pragma once

#include <vector>

#include "lower/symbol.hpp"

namespace bitloom::lowering {

/// Runs a node on constants and keeps track of the integers: quantizers make them, shape operators move them.
/// One symbol per output of the node.
std::vector<Constant> fold_constants(const Node& node, const std::vector<const Constant*>& inputs, int opset);

/// Whether the node only moves values (Reshape, Transpose, ..).
bool is_shape_operator(const Node& node);

/// Weights of `outputs` output channels; element [k][i] stands at k * fan_in + i.
struct IntegerWeights {
  std::vector<std::int32_t> values;
  std::vector<double> scale;  ///< per output channel
  ValueType type;
};

/// The weights as exact products of an integer and a scale per output channel. `position` gives the element of the constant for weight
/// [k][i]. Throws Error at the node when they are none.
IntegerWeights integer_weights(const Node& node, const Constant& constant, const std::vector<std::size_t>& position, std::size_t outputs);

}  // namespace bitloom::lowering
