// The integer network: what the hardware must compute, in integers only. Written by lower, executed by golden, read by map.
// Feature maps are the edges; each layer reads maps and writes one. Layers stand in topological order.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/value_type.hpp"

namespace bitloom {

/// Height, width and channels of a feature map. Values are stored and streamed in this order (HWC, channel fastest).
struct MapShape {
  int height = 1;
  int width = 1;
  int channels = 1;
  std::int64_t size() const { return std::int64_t{height} * width * channels; }
  bool operator==(const MapShape&) const = default;
};

/// An edge of the network. `type` is exact for quantized maps; for accumulators it is the narrowest type that holds the reachable range.
struct FeatureMap {
  std::string name;
  MapShape shape;
  ValueType type;
  bool operator==(const FeatureMap&) const = default;
};

/// The values of one feature map for one image, in HWC order.
struct MapData {
  MapShape shape;
  std::vector<std::int32_t> values;
  bool operator==(const MapData&) const = default;
};

/// A sliding window over a map: kernel, stride, dilation in values; padding in values on each side.
struct Window {
  int kernel_height = 1, kernel_width = 1;
  int stride_height = 1, stride_width = 1;
  int dilation_height = 1, dilation_width = 1;
  int pad_top = 0, pad_left = 0, pad_bottom = 0, pad_right = 0;
  bool has_padding() const { return pad_top || pad_left || pad_bottom || pad_right; }
  /// Output height and width over an input map. Throws Error when the window does not fit.
  int out_height(int in_height) const;
  int out_width(int in_width) const;
  bool operator==(const Window&) const = default;
};

/// Kernels as sums of a few shared ones: w[k][r][s][c] = sum over m of coefficients[k][c][m] * basis[m][r][s].
struct Decomposition {
  int kernels = 1;                         ///< shared ones
  std::vector<std::int32_t> coefficients;  ///< [out_channels][in_channels][kernels], each -1, 0 or 1
  std::vector<std::int32_t> basis;         ///< [kernels][kernel_height][kernel_width], at most 8 signed bits
  bool operator==(const Decomposition&) const = default;
};

/// acc[y][x][k] = bias[k] + sum over r, s, c of weight[k][r][s][c] * in[..][c]; padded positions count as 0.
/// A fully connected layer is a convolution whose kernel is its whole input map, without padding: weights [k][H][W][C], output 1x1xK.
struct Convolution {
  Window window;
  int out_channels = 1;
  int groups = 1;
  ValueType weight_type;
  std::vector<std::int32_t> weights;  ///< [out_channels][kernel_height][kernel_width][in_channels / groups]
  std::vector<std::int64_t> bias{};   ///< [out_channels], or empty: all 0
  /// What `weights` are made of, where the model says so; a single group.
  std::optional<Decomposition> decomposition{};
  bool operator==(const Convolution&) const = default;
};

/// With n = #{ i : in >= thresholds[c][i] }: out = low + step * (falling[c] ? levels - n : n).
struct Threshold {
  int levels = 1;                        ///< thresholds per channel
  std::vector<std::int64_t> thresholds;  ///< [in_channels][levels], ascending within a channel
  std::vector<std::uint8_t> falling;     ///< [in_channels]
  std::int64_t low = 0;
  std::int64_t step = 1;
  bool operator==(const Threshold&) const = default;
};

/// The largest value under the window; padded positions never win.
struct MaxPool {
  Window window;
  bool operator==(const MaxPool&) const = default;
};

/// Index of the largest channel at each pixel; the first one on ties.
struct ArgMax {
  bool operator==(const ArgMax&) const = default;
};

/// out = clamp(floor((in * mul[c] + add[c]) / 2^shift), low, high).
struct Requantize {
  std::vector<std::int64_t> mul;  ///< [in_channels]
  std::vector<std::int64_t> add;  ///< [in_channels]
  int shift = 0;                  ///< 0 to 62; no product or sum over the input's type leaves 63 bits
  std::int64_t low = 0;
  std::int64_t high = 0;
  bool operator==(const Requantize&) const = default;
};

/// out = sum over i of scale[i] * in_i, value by value; all inputs have one shape.
struct Add {
  std::vector<std::int64_t> scale;  ///< [inputs]
  bool operator==(const Add&) const = default;
};

/// The channels of the inputs one after the other: out[y][x][channels before input i + c] = scale[i] * in_i[y][x][c].
struct Concat {
  std::vector<std::int64_t> scale;  ///< [inputs]
  bool operator==(const Concat&) const = default;
};

/// Every value repeated: out[y][x][c] = in[y / height][x / width][c], divisions rounded down.
struct Upsample {
  int height = 1;
  int width = 1;
  bool operator==(const Upsample&) const = default;
};

using LayerOp = std::variant<Convolution, Threshold, MaxPool, ArgMax, Requantize, Add, Concat, Upsample>;

struct Layer {
  std::string name;         ///< unique, a valid Verilog identifier
  std::string source;       ///< the ONNX node that it came from, for messages
  std::vector<int> inputs;  ///< indices into Network::maps
  int output = 0;           ///< index into Network::maps
  LayerOp op;
  bool operator==(const Layer&) const = default;
};

/// What a user's pixel p means to the model: x = p * scale + shift, before the model's own preprocessing.
struct InputRule {
  double scale = 1.0;
  double shift = 0.0;
  ValueType type = ValueType::unsigned_bits(8);  ///< of p; the input map's type may be narrower: then larger values saturate
  bool operator==(const InputRule&) const = default;
};

/// How an output map reads as the model's float output: real[i] = scale[i] * q[order[i]] + offset[i], i over the ONNX tensor without batch,
/// and then `function`, which keeps the order.
/// `exact_order`: all scales are equal and positive and all offsets equal, so that an argmax over q is an argmax over the real values.
struct NetworkOutput {
  std::string name;                 ///< the ONNX output
  int map = 0;                      ///< index into Network::maps
  std::vector<std::int64_t> shape;  ///< ONNX shape without the batch dimension
  std::vector<std::int32_t> order;  ///< ONNX element -> HWC position in the map
  std::vector<double> scale;        ///< per ONNX element
  std::vector<double> offset;       ///< per ONNX element
  bool exact_order = true;
  std::string function{};  ///< "", or what the host applies to `real`: "Sigmoid", or "Softmax" or "LogSoftmax" over all elements
  bool operator==(const NetworkOutput&) const = default;
};

/// A float tensor of the model that a map stands for: with p = order[i], c the channel of p, element i is q[p] * scale[c] + offset[c],
/// computed in double and rounded to float32, and then every step in float32: what the model's own operators make of exact sums.
struct MapMeaning {
  struct Step {
    bool product = false;        ///< times the operand, else plus the operand
    std::vector<float> operand;  ///< one, or one per channel
    bool operator==(const Step&) const = default;
  };
  int map = 0;                      ///< index into Network::maps
  std::string tensor;               ///< its name in the ONNX file
  std::vector<std::int64_t> shape;  ///< with a batch of 1
  std::vector<std::int32_t> order;  ///< ONNX element -> HWC position in the map
  std::vector<double> scale;        ///< one, or one per channel
  std::vector<double> offset;       ///< one, or one per channel
  std::vector<Step> steps;
  bool integer = false;  ///< the tensor holds integers
  bool operator==(const MapMeaning&) const = default;
};

struct Network {
  std::string name;
  std::vector<FeatureMap> maps;
  std::vector<Layer> layers;
  int input = 0;                          ///< index into maps: the integers that the hardware receives
  std::vector<std::int32_t> input_order;  ///< ONNX input element (batch removed, usually CHW) -> HWC position in the input map
  std::vector<std::int64_t> input_shape;  ///< ONNX shape of the input without the batch dimension
  InputRule input_rule;
  std::vector<NetworkOutput> outputs;
  std::vector<MapMeaning> meanings{};  ///< ascending by map, at most one for each; for comparisons with the float model only

  const FeatureMap& input_of(const Layer& layer, int i = 0) const {
    return maps[static_cast<std::size_t>(layer.inputs[static_cast<std::size_t>(i)])];
  }
  const FeatureMap& output_of(const Layer& layer) const { return maps[static_cast<std::size_t>(layer.output)]; }
  bool operator==(const Network&) const = default;
};

/// "convolution", "threshold", "max_pool", "argmax", "requantize", "add", "concat" or "upsample".
std::string kind_name(const LayerOp& op);

/// Says why `network` is not well formed (shapes, types, order, sizes of weight and threshold tables); throws Error naming the layer.
void check(const Network& network);

/// The dense kernels of a decomposition, as Convolution::weights holds them.
std::vector<std::int32_t> dense_weights(const Decomposition& decomposition, int out_channels, int in_channels, const Window& window);

/// Multiply-accumulates of one image in a convolution (0 for other layers), of dense kernels: zeros and padded positions count, and a
/// decomposed layer has as many as its dense one.
std::int64_t macs(const Network& network, const Layer& layer);
/// Bits that the layer's weights take, before any compression (0 without weights). Of a decomposed layer: what is stored, its non-zero
/// coefficients with their indices and its shared kernels (stored_bits of core/coefficient_code.hpp).
std::int64_t weight_bits(const Layer& layer);
/// What a decomposed layer executes for one image: additions of non-zero coefficients at each input position, and products with shared
/// kernels at each output position. {0, 0} for other layers.
struct DecomposedWork {
  std::int64_t additions = 0, products = 0;
};
DecomposedWork decomposed_work(const Network& network, const Layer& layer);
/// Bit operations of one image, by UNIQ's definition: m*n*k^2*(b_w*b_a + b_w + b_a + log2(n*k^2)) per output position
/// (Baskin et al., "UNIQ", ACM TOCS 37, 2021; arXiv 1804.10969). 0 for layers without weights.
/// Of a decomposed layer: of its two convolutions as executed, zeros left out; the second one's activations are sums of the first.
double bops_uniq(const Network& network, const Layer& layer);
/// Bit operations of one image, as QONNX counts them: b_w * b_a * MACs. Of a decomposed layer likewise; a coefficient has 2 bits.
std::int64_t bops_qonnx(const Network& network, const Layer& layer);

}  // namespace bitloom
