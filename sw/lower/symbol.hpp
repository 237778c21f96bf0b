// What lowering knows about each value of the float graph: a constant, or a stream that follows from one map of the integer network.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/graph.hpp"
#include "core/network.hpp"

namespace bitloom::lowering {

/// value[i] = integer[i] * scale[i], elementwise, as a quantizer of weights produced it.
struct Integers {
  Tensor values;  ///< int64
  Tensor scale;   ///< float, same shape
  ValueType type;
};

struct Constant {
  Tensor value;
  std::optional<Integers> integers;
};

/// One elementwise node with its constant operands, applied to a stream.
struct Step {
  Node node;
  std::size_t stream_input = 0;  ///< which input of the node is the stream
  std::vector<std::vector<Tensor>>
      operands;  ///< per node input: one tensor per channel, or one for all; empty for the stream or an omitted input

  bool per_channel() const {
    for (const auto& operand : operands)
      if (operand.size() > 1) return true;
    return false;
  }
};

/// A max pool that stands after `position` steps and still has to be emitted.
struct DeferredPool {
  std::size_t position = 0;
  Window window;
  std::string source;
};

/// A Pad with zeros that still has to be emitted, or taken in by a convolution.
struct DeferredPad {
  Node node;      ///< without its value
  Window window;  ///< its padding
};

/// A 1x1 convolution that still has to be emitted, or is the first half of a decomposed one.
struct KeptConvolution {
  Node node;
  Constant weights;
};

/// A tensor that is a function of a map q: x = float(q * scale[channel] + shift), then the steps, with max pools in between.
struct Stream {
  int map = 0;
  MapShape shape;                   ///< after the deferred pools
  std::vector<std::int64_t> dims;   ///< ONNX shape, batch 1
  std::vector<std::int32_t> order;  ///< ONNX element -> HWC position in `shape`
  std::vector<double> scale{1.0};   ///< one, or one per channel
  double shift = 0;
  std::vector<std::shared_ptr<const Step>> steps;
  std::vector<DeferredPool> pools;
  std::shared_ptr<const DeferredPad> padding{};  ///< around all that the rest of the stream says; null: none
  std::shared_ptr<const KeptConvolution> coefficients{};  ///< of all that the rest of the stream says; null: none
  bool only_reader = true;                       ///< nothing else reads the map
  bool integer = false;                          ///< the ONNX tensor that the steps start from holds integers
  std::string function{};                        ///< what stands behind the steps and is left to the host, see NetworkOutput
  std::string tensor{};                          ///< the ONNX value that this is, once it is stored as one
  std::string source;                            ///< the node that made the map or the last step, for messages

  int channel(std::size_t element) const { return order[element] % shape.channels; }
  double scale_of(int c) const { return scale.size() == 1 ? scale[0] : scale[static_cast<std::size_t>(c)]; }
  bool is_pure() const { return steps.empty() && pools.empty() && shift == 0; }
};

/// A value that cannot be used, and why.
struct Refused {
  std::string reason;
};

using Symbol = std::variant<Constant, Stream, Refused>;

}  // namespace bitloom::lowering
