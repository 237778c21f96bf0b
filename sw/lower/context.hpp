// What the passes of one lowering share.
#pragma once

#include <map>
#include <string>

#include "lower/builder.hpp"
#include "lower/grids.hpp"
#include "lower/lower.hpp"
#include "lower/symbol.hpp"

namespace bitloom::lowering {

/// How the input lies in its map.
enum class InputForm {
  kUsual,        ///< channels last where its dimensions look like it, else first
  kOtherLayout,  ///< the other way round
  kOwnChannels   ///< every value is a channel of one pixel, so that every constant may differ between values
};

struct Context {
  const Graph& graph;
  const LowerOptions& options;
  Builder builder;
  std::map<std::string, Symbol> symbols;
  std::map<std::string, int> readers;  ///< nodes and graph outputs that read a value
  InputForm form = InputForm::kUsual;
  bool has_batch = true;  ///< the first dimension of the input and the outputs counts images

  int opset() const { return graph.opset; }
};

// lower.cpp
/// The constant that input `i` of a node is, or null; and with an Error at the node instead.
const Constant* constant_input(const Context& context, const Node& node, std::size_t i);
const Constant& required_constant(const Context& context, const Node& node, std::size_t i, const char* what);

// input.cpp
/// The network's input map, and the stream of the graph's input.
void add_input(Context& context);

// elementwise.cpp
Stream lower_elementwise(Context& context, const Node& node, std::size_t stream_input, Stream stream);

// meanings.cpp
/// Notes that the stream's map stands for this ONNX tensor, where it reads as such and nothing is noted of it yet.
void record_meaning(Context& context, const Stream& stream, const std::string& tensor);

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

// products.cpp
/// Gemm and MatMul. `outputs_first`: weights are [K][N] instead of [N][K].
Stream lower_product(Context& context, const Node& node, Stream input, const Constant& weights, bool outputs_first);

// decomposed.cpp
/// What the two convolutions of a decomposed one make together.
struct DecomposedWeights {
  Decomposition decomposition;  ///< channels as in the model
  std::vector<double> scale;    ///< per output channel
  Constant dense;               ///< integers, in the shape of a convolution's weights
};
/// Whether a convolution is to be kept back: a pointwise one with weights {-1, 0, 1} that only a convolution in groups reads.
bool may_be_coefficients(const Context& context, const Node& node, const Stream& input, const Constant& weights);
/// Nothing where the two are not a decomposed convolution.
std::optional<DecomposedWeights> decomposed_weights(const Node& first, const Constant& coefficients, const Node& second,
                                                    const Constant& kernels);
/// Emits the convolution that was kept back.
Stream lower_kept_back(Context& context, Stream input);

// layers.cpp
/// A convolution that was kept back with its input becomes a part of this one, or is emitted before it.
Stream lower_conv(Context& context, const Node& node, Stream input, const Constant& weights, const Constant* bias);
Stream lower_average_pool(Context& context, const Node& node, Stream input);
Stream lower_max_pool(Context& context, const Node& node, Stream input);
Stream lower_arg_max(Context& context, const Node& node, Stream input, std::int64_t axis, bool keep_axis);

// picks.cpp
/// Slice, Split, Gather and Pad: output number `output` of a node with these constant inputs.
Stream lower_pick(Context& context, const Node& node, Stream stream, const std::vector<const Tensor*>& inputs, std::size_t output);
/// What a Pad adds on the sides of the pixels, where it does nothing else.
std::optional<Window> spatial_padding(Context& context, const Node& node, const Stream& stream, const std::vector<const Tensor*>& inputs);
/// A pure stream with map channel channels[c] in place c; elements [1, C, H, W].
Stream permute_channels(Context& context, const Node& node, const Stream& input, const std::vector<int>& channels);
/// ReduceSum and ReduceMean; element e of the input goes into element place[e] of a result of shape `dims`.
Stream lower_reduce(Context& context, const Node& node, Stream input, const std::vector<std::int64_t>& place,
                    const std::vector<std::int64_t>& dims);

// outputs.cpp
/// Adds the graph's outputs and, if asked for, the argmax.
void lower_outputs(Context& context);
/// Emits pools that stand behind nothing but rising straight lines. Throws Error for others.
void flush_pools(Context& context, Stream& stream);
/// Emits pools, drops a softmax, which keeps the order of the scores, and moves whole offsets into the sums: what an argmax needs.
void prepare_scores(Context& context, Stream& stream);

}  // namespace bitloom::lowering
