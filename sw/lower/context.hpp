// What the passes of one lowering share.
#pragma once

#include <map>
#include <string>

#include "lower/builder.hpp"
#include "lower/lower.hpp"
#include "lower/symbol.hpp"

namespace bitloom::lowering {

struct Context {
  const Graph& graph;
  const LowerOptions& options;
  Builder builder;
  std::map<std::string, Symbol> symbols;
  std::map<std::string, int> readers;  ///< nodes and graph outputs that read a value

  int opset() const { return graph.opset; }
};

// activation.cpp
/// Ends the pending chain, whose last step is a quantizer: emits thresholds and the deferred pools.
Stream quantize(Context& context, Stream stream);
/// The stream as a map times one scale: folds factors, or emits thresholds when all its values lie on a grid. Throws Error otherwise.
Stream integral(Context& context, Stream stream, const Node& reader);

// layers.cpp
Stream lower_conv(Context& context, const Node& node, Stream input, const Constant& weights, const Constant* bias);
/// Gemm and MatMul. `outputs_first`: weights are [K][N] instead of [N][K].
Stream lower_product(Context& context, const Node& node, Stream input, const Constant& weights, bool outputs_first);
Stream lower_average_pool(Context& context, const Node& node, Stream input);
Stream lower_max_pool(Context& context, const Node& node, Stream input);
Stream lower_arg_max(Context& context, const Node& node, Stream input, std::int64_t axis, bool keep_axis);

// outputs.cpp
/// Adds the graph's outputs and, if asked for, the argmax.
void lower_outputs(Context& context);
/// Emits pools that stand behind nothing but rising straight lines. Throws Error for others.
void flush_pools(Context& context, Stream& stream);

}  // namespace bitloom::lowering
