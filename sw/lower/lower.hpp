// From the float graph to the integer network, exactly: whatever stands between an integer accumulator and the next quantizer becomes
// thresholds, found on the ONNX operators themselves. Tables of more than 15 levels become Requantize layers where one with the same
// outputs over the whole range of sums exists. What cannot be represented exactly is refused with the node's name and the reason.
#pragma once

#include <optional>

#include "core/graph.hpp"
#include "core/network.hpp"

namespace bitloom {

struct LowerOptions {
  double input_scale = 1.0;  ///< a pixel p means x = p * input_scale + input_shift, computed in double and rounded to float
  double input_shift = 0.0;
  int input_bits = 8;                   ///< pixels are unsigned with this many bits
  std::optional<ValueType> input_type;  ///< of the pixels instead: signed integers, say; an integer input of the model states its own
  bool argmax = false;                  ///< append an argmax to the single output if the model has none
};

/// Throws Error naming the node when the model cannot be represented exactly in integers.
Network lower(const Graph& graph, const LowerOptions& options = {});

}  // namespace bitloom
