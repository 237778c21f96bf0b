// From a Spec to a valid model. Scales are powers of two (but where a Spec says otherwise), so that float32 arithmetic is exact and the
// float executor must agree with the integers in every value.
// The class lies in four files: builder.cpp (outputs, input, what a layer asks of the value it reads), builder_products.cpp (convolutions,
// dense layers), builder_layers.cpp (windows, pools, joins, rearrangement) and builder_quantize.cpp (what lies behind the sums, ends).
#pragma once

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "random/generator.hpp"
#include "random/model_writer.hpp"

namespace bitloom::test {

using Dims = ModelWriter::Dims;

inline constexpr int kUint8 = 2, kInt8 = 3, kInt64 = 7, kUint4 = 21, kInt4 = 22;

/// A value of the graph, and what is known of its numbers: exact bounds of none, a guess of the mean and deviation of each channel.
struct Value {
  std::string name;
  int channels = 1, height = 1, width = 1;
  bool flat = false;         // [1, C]
  std::vector<int> order{};  // map channel of each ONNX channel
  double unit = 1;           // every value is a multiple
  std::vector<double> mean{}, deviation{};
  double lowest = 0, highest = 0;  // bounds
  bool codes = true;               // quantized: a map that a convolution can read
  bool pure = true;                // integers times the unit, with nothing behind them
  bool common = true;              // one scale and offset for all channels
  bool pooled = false;             // a max pool waits for the quantizer
  bool bent = false;               // no straight line of sums: needs a quantizer
  bool is_index = false;
  bool finished = false;  // a softmax

  int bits() const { return static_cast<int>(std::ceil(std::log2((highest - lowest) / unit + 1.5))); }
  bool in_order() const { return std::is_sorted(order.begin(), order.end()); }
};

/// Weights of a layer: the value of the graph, and the numbers that it stands for.
struct Weights {
  std::string name;
  std::vector<double> integers;  // [outputs][fan-in]
  std::vector<double> scale;     // per output
};

class Builder {
 public:
  explicit Builder(const Spec& spec) : spec_(spec) {}

  Model run();

 private:
  // Random numbers of one layer.
  int integer(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }
  double real(double low, double high) { return std::uniform_real_distribution<double>(low, high)(random_); }
  bool coin() { return integer(0, 1) == 1; }

  static bool can_argmax(const Value& value);

  Dims dims(const Value& value) const;
  /// A parameter with one number per channel.
  Dims along_channels(const Value& value) const;

  /// Value `index` of the Spec, and before it those that it reads.
  Value make(int index);
  Value make_input();
  Value make_layer(const LayerSpec& layer, const std::vector<Value>& inputs);
  void note_scale(double scale);

  Value four_bits(const Value& in);
  /// A value that a convolution can read.
  Value codes(const Value& in);
  /// The value in the rank that windows want.
  Value spatial(Value value);

  // Products.
  /// `shape` is the tensor's; outputs lie along `axis`.
  Weights make_weights(const LayerSpec& layer, const Dims& shape, std::size_t axis);
  /// Per channel, a multiple of the unit (mostly) that brings the mean towards 0.
  std::vector<float> biases(const Value& value);
  Value make_conv(const LayerSpec& layer, const Value& in);
  /// Two convolutions that are one: ternary coefficients to M maps for each output, then in groups the M kernels that all share.
  Value make_decomposed(const LayerSpec& layer, const Value& in, Value out, int outputs, const Dims& kernel,
                        ModelWriter::Attributes attributes);
  Value make_dense(const LayerSpec& layer, const Value& in);

  // Windows, joins, rearrangement.
  ModelWriter::Attributes window(const LayerSpec& layer, Value& value, bool pool, int& taps);
  Value average_pool(const LayerSpec& layer, const Value& in);
  Value max_pool(const LayerSpec& layer, const Value& value);
  Value join(const LayerSpec& layer, const std::vector<Value>& given);
  Value shuffle(const LayerSpec& layer, const Value& in);
  Value upsample(const LayerSpec& layer, const Value& value);

  // Behind the sums: a straight line per channel, a pool, a Relu, a quantizer.
  Value affine(const LayerSpec& layer, Value value, bool rising);
  Value behind_sums(const LayerSpec& layer, Value value, bool sums);
  Value quantize(const Value& in, const QuantizerSpec& spec);
  Value truncate(const Value& in);

  // Ends.
  Value arg_max(const LayerSpec& layer, const Value& value);
  Value softmax(const Value& value);

  const Spec& spec_;
  Model model_;
  ModelWriter writer_;
  std::mt19937 random_;
  std::map<int, Value> made_;
  bool last_ = false;       // the value under construction leads to the last layer
  bool ends_here_ = false;  // the layer under construction is the last one: only an output reads it
};

}  // namespace bitloom::test
