// What the passes of one lowering share.
#pragma once

#include <map>
#include <string>

#include "lower/builder.hpp"
#include "lower/grids.hpp"
#include "lower/lower.hpp"
#include "lower/symbol.hpp"

namespace bitloom::lowering {

struct Context {
  const Graph& graph;
  const LowerOptions& options;
  Builder builder;
  std::map<std::string, Symbol> symbols;
  std::map<std::string, int> readers;  ///< nodes and graph outputs that read a value
  bool own_channels = false;           ///< every value of the input is a channel, so that every constant may differ between values
  bool has_batch = true;               ///< the first dimension of the input and the outputs counts images
  bool other_layout = false;           ///< the input map is stored the other way than it looks

  int opset() const { return graph.opset; }
};

// input.cpp
/// The network's input map, and the stream of the graph's input.
void add_input(Context& context);

// activation.cpp
/// Ends the pending chain, whose last step is a quantizer: emits thresholds and the deferred pools.
Stream quantize(Context& context, Stream stream);
/// The stream as a map times one scale: folds factors, or emits thresholds when all its values lie on a grid. Throws Error otherwise.
Stream integral(Context& context, Stream stream, const Node& reader);

/// The same with a grid that is given, and with a table that is found already.
Stream quantize_to(Context& context, Stream stream, const Grid& grid);
Stream apply_table(Context& context, Stream stream, const Grid& grid, Threshold table);
/// Moves offsets of the stream that are whole multiples of its scale into the bias of the convolution behind it. False where that cannot
/// be.
bool fold_bias(Context& context, Stream& stream);

// requantize.cpp
/// RequantShift: from its integers alone where the chain before it is integer too, else by bisection.
Stream lower_requant_shift(Context& context, const Node& node, Stream stream, const Tensor& factor, const Tensor& summand);

// factors.cpp
/// Factors, summands and a shift that give what the table gives at every sum of the ranges, with the smallest shift, and for it the
/// smallest factors. Nothing where there are none of up to 31 bits, with summands of up to 47 and a shift of up to 40.
std::optional<Requantize> as_requantize(const Threshold& table, const std::vector<Range>& ranges);

// joins.cpp
/// Add and Sub of two streams, Concat of several. Throws Error at the node where no integer layer gives the same values.
Stream lower_sum(Context& context, const Node& node, std::vector<Stream> inputs);
Stream lower_concat(Context& context, const Node& node, std::vector<Stream> inputs);
/// Nearest resizing by whole factors. `resized` is the operator's own result over the positions of the stream's elements.
Stream lower_resize(Context& context, const Node& node, Stream input, const Tensor& resized);

// quantized.cpp
Stream lower_quantize_linear(Context& context, const Node& node, Stream stream, const Tensor& scale, const Tensor* zero_point);
Stream lower_dequantize_linear(Context& context, const Node& node, Stream stream, const Tensor& scale, const Tensor* zero_point);
/// ConvInteger, MatMulInteger, QLinearConv and QLinearMatMul; `constants` has null where the stream or nothing stands.
Stream lower_integer_product(Context& context, const Node& node, Stream stream, const std::vector<const Constant*>& constants);

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
/// Emits pools, drops a softmax, which keeps the order of the scores, and moves whole offsets into the sums: what an argmax needs.
void prepare_scores(Context& context, Stream& stream);

}  // namespace bitloom::lowering
