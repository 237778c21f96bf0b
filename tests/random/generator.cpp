// From a Spec to a valid model. Scales are powers of two (but where a Spec says otherwise), so that float32 arithmetic is exact and the
// float executor must agree with the integers in every value.
#include "random/generator.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>
#include <random>

#include "random/model_writer.hpp"

namespace bitloom::test {
namespace {

using Dims = ModelWriter::Dims;

constexpr int kUint8 = 2, kInt8 = 3, kInt64 = 7, kUint4 = 21, kInt4 = 22;
constexpr const char* kRoundings[] = {"ROUND", "FLOOR", "CEIL", "HALF_UP", "HALF_DOWN", "UP", "DOWN", "ROUND_TO_ZERO"};

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

double power_of_two(double value) { return std::exp2(std::round(std::log2(value))); }

class Builder {
 public:
  explicit Builder(const Spec& spec) : spec_(spec) {}

  Model run() {
    model_.options.input_scale = spec_.input == InputForm::Integers ? 1.0 : spec_.scale;
    model_.options.input_shift = spec_.input == InputForm::Quantizer ? spec_.shift : 0.0;
    model_.options.input_type = ValueType::parse(spec_.pixels);
    std::vector<int> outputs;
    const int count = static_cast<int>(spec_.layers.size());
    for (const int output : spec_.outputs)
      if (output >= 1 && output < count && std::find(outputs.begin(), outputs.end(), output) == outputs.end()) outputs.push_back(output);
    outputs.push_back(count);
    std::map<std::string, Value> written;
    std::vector<std::string> names;
    for (const int output : outputs) {
      last_ = output == count;
      Value value = make(output);
      if (value.bent) value = four_bits(value);
      if (writer_.nodes() == 0) value = four_bits(value);
      if (!written.emplace(value.name, value).second) continue;
      names.push_back(value.name);
    }
    for (const std::string& name : names) writer_.output(name, written[name].is_index ? kInt64 : 1);
    const Value& only = written[names[0]];
    model_.options.argmax = spec_.argmax && names.size() == 1 && can_argmax(only) && only.height == 1 && only.width == 1 && !only.is_index;
    model_.bytes = writer_.bytes();
    return model_;
  }

 private:
  // Random numbers of one layer.
  int integer(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }
  double real(double low, double high) { return std::uniform_real_distribution<double>(low, high)(random_); }
  bool coin() { return integer(0, 1) == 1; }

  static bool can_argmax(const Value& value) {
    return value.channels >= 2 && value.common && value.in_order() && !value.bent && !value.is_index && !value.finished;
  }

  Dims dims(const Value& value) const {
    if (value.flat) return {1, value.channels};
    if (spec_.dims == 3) return {1, value.channels, value.width};
    return {1, value.channels, value.height, value.width};
  }
  /// A parameter with one number per channel.
  Dims along_channels(const Value& value) const {
    Dims shape(dims(value).size(), 1);
    shape[1] = value.channels;
    return shape;
  }

  Value make(int index) {
    if (const auto found = made_.find(index); found != made_.end()) return found->second;
    Value value;
    if (index == 0) {
      random_.seed(static_cast<unsigned>(spec_.seed));
      value = make_input();
    } else {
      const LayerSpec& layer = spec_.layers[static_cast<std::size_t>(index) - 1];
      std::vector<Value> inputs;
      for (const int input : layer.inputs) inputs.push_back(make(std::clamp(input, 0, index - 1)));
      if (inputs.empty()) inputs.push_back(make(index - 1));
      random_.seed(layer.seed);
      ends_here_ = last_ && index == static_cast<int>(spec_.layers.size());
      value = inputs[0].is_index || inputs[0].finished ? inputs[0] : make_layer(layer, inputs);
      ends_here_ = false;
    }
    made_[index] = value;
    return value;
  }

  Value make_input() {
    const ValueType pixels = *model_.options.input_type;
    const bool integers = spec_.input == InputForm::Integers;
    Value value;
    value.name = "x";
    value.channels = spec_.channels;
    value.height = spec_.dims == 4 ? spec_.height : 1;
    value.width = spec_.dims == 2 ? 1 : spec_.width;
    value.flat = spec_.dims == 2;
    value.unit = spec_.scale;
    const double shift = model_.options.input_shift;
    set_numbers(value, static_cast<double>(pixels.min()) * value.unit + shift, static_cast<double>(pixels.max()) * value.unit + shift);
    value.order.resize(static_cast<std::size_t>(value.channels));
    std::iota(value.order.begin(), value.order.end(), 0);
    const int element_type = pixels.encoding() == Encoding::Unsigned ? kUint8 : kInt8;
    writer_.input("x", integers ? element_type : 1, dims(value));
    note_scale(value.unit);
    if (integers) {
      const int zero = spec_.input_quantizer.zero_point;
      std::vector<std::string> inputs{"x", writer_.scalar(static_cast<float>(value.unit))};
      if (zero != 0) inputs.push_back(writer_.integers({}, {element_type == kUint8 ? std::abs(zero) : zero}, element_type));
      value.name = writer_.node("DequantizeLinear", inputs);
      const double offset = -value.unit * (element_type == kUint8 ? std::abs(zero) : zero);
      value.lowest += offset, value.highest += offset;
      for (double& mean : value.mean) mean += offset;
    } else if (spec_.input == InputForm::Quantizer) {
      value.pure = shift == 0;
      value.codes = false;
      value = quantize(value, spec_.input_quantizer);
    }
    return value;
  }

  /// Evenly spread numbers from low to high.
  static void set_numbers(Value& value, double low, double high) {
    value.lowest = low, value.highest = high;
    value.mean.assign(static_cast<std::size_t>(value.channels), (low + high) / 2);
    value.deviation.assign(static_cast<std::size_t>(value.channels), std::max((high - low) / 3.4, value.unit / 4));
  }

  void note_scale(double scale) {
    if (std::exp2(std::round(std::log2(scale))) != scale) model_.exact = false;
  }

  Value make_layer(const LayerSpec& layer, const std::vector<Value>& inputs) {
    const Value& in = inputs[0];
    switch (layer.kind) {
      case LayerKind::Conv: return make_conv(layer, spatial(codes(in)));
      case LayerKind::Dense: return make_dense(layer, codes(in));
      case LayerKind::MaxPool: return max_pool(layer, in);
      case LayerKind::GlobalMaxPool: return max_pool(layer, in);
      case LayerKind::AveragePool:
      case LayerKind::GlobalAveragePool: return average_pool(layer, spatial(codes(in)));
      case LayerKind::Add:
      case LayerKind::Subtract:
      case LayerKind::Concat: return join(layer, inputs);
      case LayerKind::Shuffle: return shuffle(layer, in);
      case LayerKind::Upsample: return upsample(layer, in);
      case LayerKind::Affine:
      case LayerKind::Quantize: return behind_sums(layer, in.bent ? four_bits(in) : in, false);
      case LayerKind::Truncate: return truncate(codes(in));
      case LayerKind::ArgMax: return arg_max(layer, in);
      case LayerKind::Softmax: return softmax(in);
    }
    return in;
  }

  Value four_bits(const Value& in) {
    QuantizerSpec quantizer;
    quantizer.form = QuantizerForm::Quant;
    quantizer.bits = 4;
    quantizer.is_signed = true;
    return quantize(in, quantizer);
  }
  /// A value that a convolution can read.
  Value codes(const Value& in) { return in.codes && in.common && in.bits() <= 10 ? in : four_bits(in); }

  /// The value in the rank that windows want.
  Value spatial(Value value) {
    if (!value.flat) return value;
    value.flat = false;
    Dims shape = dims(value);
    value.name = writer_.node("Reshape", {value.name, writer_.integers({static_cast<std::int64_t>(shape.size())}, shape)});
    return value;
  }

  // Windows.

  struct Axis {
    int kernel, stride, dilation, before, after, out;
  };
  static Axis fit(int in, int kernel, int stride, int dilation, int before, int after, bool pool) {
    kernel = std::clamp(kernel, 1, in + before + after);
    while (kernel > 1 && (kernel - 1) * dilation + 1 > in + before + after) dilation > 1 ? --dilation : --kernel;
    if (kernel >= 99 || kernel > in) before = after = 0, kernel = std::min(kernel, in);
    const int span = (kernel - 1) * dilation + 1;
    const int most = pool ? std::min(kernel - 1, span - 1) : span;  // every window of a pool meets the map
    before = std::min(before, pool && dilation > 1 ? 0 : most), after = std::min(after, pool && dilation > 1 ? 0 : most);
    while ((kernel - 1) * dilation + 1 > in + before + after) dilation > 1 ? --dilation : --kernel;
    return {kernel,   std::max(1, stride),
            dilation, before,
            after,    (in + before + after - (kernel - 1) * dilation - 1) / std::max(1, stride) + 1};
  }

  ModelWriter::Attributes window(const LayerSpec& layer, Value& value, bool pool, int& taps) {
    const Axis y =
        fit(value.height, layer.kernel_height, layer.stride_height, layer.dilation_height, layer.pad_top, layer.pad_bottom, pool);
    const Axis x = fit(value.width, layer.kernel_width, layer.stride_width, layer.dilation_width, layer.pad_left, layer.pad_right, pool);
    value.width = x.out;
    if (spec_.dims == 3) {
      taps = x.kernel;
      return {{"kernel_shape", Dims{x.kernel}},
              {"strides", Dims{x.stride}},
              {"dilations", Dims{x.dilation}},
              {"pads", Dims{x.before, x.after}}};
    }
    value.height = y.out;
    taps = y.kernel * x.kernel;
    return {{"kernel_shape", Dims{y.kernel, x.kernel}},
            {"strides", Dims{y.stride, x.stride}},
            {"dilations", Dims{y.dilation, x.dilation}},
            {"pads", Dims{y.before, x.before, y.after, x.after}}};
  }

  // Products.

  struct Weights {
    std::string name;
    std::vector<double> integers;  // [outputs][fan-in]
    std::vector<double> scale;     // per output
  };

  /// `shape` is the tensor's; outputs lie along `axis`.
  Weights make_weights(const LayerSpec& layer, const Dims& shape, std::size_t axis) {
    const auto outputs = static_cast<std::size_t>(shape[axis]);
    std::size_t count = 1, inner = 1;
    for (std::size_t d = 0; d < shape.size(); ++d) count *= static_cast<std::size_t>(shape[d]);
    for (std::size_t d = axis + 1; d < shape.size(); ++d) inner *= static_cast<std::size_t>(shape[d]);
    const int bits = std::clamp(layer.weight_bits, 1, 8);
    const bool one_bit = layer.weights == WeightForm::Bipolar || (bits == 1 && layer.weight_signed && layer.weights != WeightForm::Ternary);
    int low = 0, high = 0;
    if (layer.weights == WeightForm::Ternary)
      low = -1, high = 1;
    else if (layer.weight_signed)
      low = -(1 << (bits - 1)) + (layer.weight_narrow || bits == 1 ? 1 : 0), high = (1 << (bits - 1)) - 1;
    else
      high = (1 << bits) - 1 - (layer.weight_narrow && bits > 1 ? 1 : 0);
    const int lucky = integer(0, 2);
    const std::array<int, 3> codebook = {integer(low, high), integer(low, high), integer(low, high)};
    const auto patterned = [&](WeightPattern pattern, std::size_t output, std::size_t input) {
      if (pattern == WeightPattern::Codebook) return codebook[static_cast<std::size_t>(integer(0, 2))];
      if (pattern == WeightPattern::Pruned && (output / 2 + input / 4) % 3 != static_cast<std::size_t>(lucky)) return 0;
      const int shift = pattern == WeightPattern::Widths ? static_cast<int>(output) % bits : 0;
      return integer(low / (1 << shift), high / (1 << shift));
    };
    Weights made;
    const double scale = std::exp2(integer(-4, 1));
    const bool spread = layer.weight_per_channel && layer.weights != WeightForm::Integers;
    for (std::size_t k = 0; k < outputs; ++k) made.scale.push_back(spread ? scale * std::exp2(integer(-1, 1)) : scale);
    if (layer.weights == WeightForm::Integers) made.scale.assign(outputs, 1.0);
    made.integers.resize(count);
    std::vector<float> floats(count);
    std::vector<std::int64_t> stored(count);
    const std::size_t fan_in = count / outputs;
    for (std::size_t e = 0; e < count; ++e) {
      const std::size_t k = e / inner % outputs;
      const std::size_t rest = e / (inner * outputs) * inner + e % inner;
      const int value = one_bit ? 2 * integer(0, 1) - 1 : patterned(layer.pattern, k, rest);
      made.integers[k * fan_in + rest] = value;
      stored[e] = value;
      const double jitter = layer.weights == WeightForm::Integers ? 0.0 : real(-0.4, 0.4);
      floats[e] = static_cast<float>((value + jitter) * made.scale[k]);
    }
    Dims scale_shape(spread ? shape.size() : 0, 1);
    if (spread) scale_shape[axis] = static_cast<std::int64_t>(outputs);
    const std::vector<float> scales(made.scale.begin(), spread ? made.scale.end() : made.scale.begin() + 1);
    if (layer.weights == WeightForm::Integers) {
      made.name = writer_.floats(shape, floats);
    } else if (layer.weights == WeightForm::Linear) {
      const int type = layer.weight_signed || one_bit ? kInt8 : kUint8;
      made.name = writer_.node(
          "DequantizeLinear",
          {writer_.integers(shape, stored, type), writer_.floats(spread ? Dims{static_cast<std::int64_t>(outputs)} : Dims{}, scales)},
          {{"axis", static_cast<std::int64_t>(axis)}});
    } else if (layer.weights == WeightForm::Bipolar) {
      made.name = writer_.node("BipolarQuant", {writer_.floats(shape, floats), writer_.floats(scale_shape, scales)});
    } else {
      const bool ternary = layer.weights == WeightForm::Ternary;
      made.name = writer_.node("Quant",
                               {writer_.floats(shape, floats), writer_.floats(scale_shape, scales), writer_.scalar(0),
                                writer_.scalar(ternary ? 2.0F : static_cast<float>(bits))},
                               {{"signed", std::int64_t{layer.weight_signed || ternary}},
                                {"narrow", std::int64_t{ternary || (layer.weight_narrow && bits > 1)}},
                                {"rounding_mode", std::string("ROUND")}});
    }
    return made;
  }

  /// What is known of the sums of products. `input_of(k, i)` is the input channel of weight i of output k.
  template <class InputOf>
  void set_sums(Value& out, const Value& in, const Weights& weights, InputOf input_of) {
    const std::size_t outputs = weights.scale.size(), fan_in = weights.integers.size() / outputs;
    out.channels = static_cast<int>(outputs);
    out.mean.assign(outputs, 0);
    out.deviation.assign(outputs, 0);
    out.unit = in.unit * *std::min_element(weights.scale.begin(), weights.scale.end());
    out.common = std::all_of(weights.scale.begin(), weights.scale.end(), [&](double scale) { return scale == weights.scale[0]; });
    out.lowest = out.highest = 0;
    for (std::size_t k = 0; k < outputs; ++k) {
      double low = 0, high = 0;
      for (std::size_t i = 0; i < fan_in; ++i) {
        const double w = weights.integers[k * fan_in + i] * weights.scale[k];
        const auto c = static_cast<std::size_t>(input_of(k, i));
        out.mean[k] += w * in.mean[c];
        out.deviation[k] += w * w * in.deviation[c] * in.deviation[c];
        low += std::min(w * in.lowest, w * in.highest), high += std::max(w * in.lowest, w * in.highest);
      }
      out.deviation[k] = std::max(std::sqrt(out.deviation[k]), out.unit / 2);
      out.lowest = std::min(out.lowest, low), out.highest = std::max(out.highest, high);
    }
    out.order.resize(outputs);
    std::iota(out.order.begin(), out.order.end(), 0);
    out.codes = false, out.pure = out.common, out.pooled = out.bent = false;
  }

  /// Per channel, a multiple of the unit (mostly) that brings the mean towards 0.
  std::vector<float> biases(const Value& value) {
    std::vector<float> made;
    const double part = integer(0, 4) == 0 ? 0.25 : 1;
    for (std::size_t c = 0; c < value.mean.size(); ++c)
      made.push_back(static_cast<float>(std::round((-value.mean[c] * real(0, 1) + value.deviation[c] * real(-1, 1)) / (value.unit * part)) *
                                        value.unit * part));
    return made;
  }
  static void shift_by(Value& value, const std::vector<float>& offsets) {
    const auto [low, high] = std::minmax_element(offsets.begin(), offsets.end());
    for (std::size_t c = 0; c < value.mean.size(); ++c) {
      value.mean[c] += static_cast<double>(offsets[offsets.size() == 1 ? 0 : c]);
      const double part = static_cast<double>(offsets[offsets.size() == 1 ? 0 : c]) / value.unit;
      if (part != std::round(part)) value.common = false;
    }
    value.lowest += static_cast<double>(*low), value.highest += static_cast<double>(*high);
    value.pure = false;
  }

  Value make_conv(const LayerSpec& layer, const Value& in) {
    Value out = in;
    const int channels = in.channels;
    int groups = layer.groups == 0 ? channels : std::clamp(layer.groups, 1, channels);
    if (!in.in_order()) groups = 1;
    while (channels % groups != 0) --groups;
    int outputs = layer.channels == 0 ? channels : layer.channels;
    if (layer.groups == 0)
      outputs = in.in_order() ? channels * std::clamp(layer.channels, 1, std::max(1, 16 / channels)) : channels;
    else
      outputs = std::max(1, outputs / groups) * groups;
    int taps = 1;
    ModelWriter::Attributes attributes = window(layer, out, false, taps);
    const Dims kernel = std::get<Dims>(attributes["kernel_shape"]);
    if (layer.weights == WeightForm::Decomposed && groups == 1 && kernel.size() == 2) return make_decomposed(layer, in, out, outputs, kernel, attributes);
    Dims shape{outputs, channels / groups};
    shape.insert(shape.end(), kernel.begin(), kernel.end());
    const Weights weights = make_weights(layer, shape, 0);
    attributes["group"] = std::int64_t{groups};
    set_sums(out, in, weights, [&](std::size_t k, std::size_t i) {
      return static_cast<int>(k) / (outputs / groups) * (channels / groups) + static_cast<int>(i) / taps;
    });
    std::vector<std::string> inputs{in.name, weights.name};
    if (layer.bias) {
      const std::vector<float> bias = biases(out);
      shift_by(out, bias);
      inputs.push_back(writer_.floats({outputs}, bias));
    }
    out.name = writer_.node("Conv", inputs, attributes);
    return behind_sums(layer, out, true);
  }

  /// Two convolutions that are one: ternary coefficients to M maps for each output, then in groups the M kernels that all share.
  Value make_decomposed(const LayerSpec& layer, const Value& in, Value out, int outputs, const Dims& kernel, ModelWriter::Attributes attributes) {
    const int kernels = std::clamp(layer.weight_bits, 1, 6), channels = in.channels;
    const auto taps = static_cast<std::size_t>(kernel[0] * kernel[1]);
    LayerSpec ternary = layer;
    ternary.weights = WeightForm::Ternary;
    ternary.weight_per_channel = false;  // one scale for all rows of an output
    const Weights coefficients = make_weights(ternary, {outputs * kernels, channels, 1, 1}, 0);
    // Sums that float32 holds.
    const int room = 23 - in.bits() - static_cast<int>(std::ceil(std::log2(static_cast<double>(channels * kernels) * static_cast<double>(taps))));
    const int reach = (1 << (std::clamp(room, 2, 8) - 1)) - 1;
    std::vector<int> basis;
    for (std::size_t i = 0; i < taps * static_cast<std::size_t>(kernels); ++i) basis.push_back(integer(-reach, reach));
    std::vector<float> repeated;
    for (int k = 0; k < outputs; ++k) repeated.insert(repeated.end(), basis.begin(), basis.end());
    Weights dense;
    dense.scale.assign(static_cast<std::size_t>(outputs), coefficients.scale[0]);
    for (std::size_t k = 0; k < dense.scale.size(); ++k)
      for (std::size_t c = 0; c < static_cast<std::size_t>(channels); ++c)
        for (std::size_t t = 0; t < taps; ++t) {
          double sum = 0;
          for (std::size_t m = 0; m < static_cast<std::size_t>(kernels); ++m)
            sum += coefficients.integers[(k * static_cast<std::size_t>(kernels) + m) * static_cast<std::size_t>(channels) + c] * basis[m * taps + t];
          dense.integers.push_back(sum);
        }
    set_sums(out, in, dense, [&](std::size_t, std::size_t i) { return static_cast<int>(i / taps); });
    const std::string shared = writer_.node(
        "Quant", {writer_.floats({outputs, kernels, kernel[0], kernel[1]}, repeated), writer_.scalar(1), writer_.scalar(0), writer_.scalar(8)},
        {{"signed", std::int64_t{1}}, {"narrow", std::int64_t{1}}, {"rounding_mode", std::string("ROUND")}});
    std::vector<std::string> inputs{writer_.node("Conv", {in.name, coefficients.name}), shared};
    if (layer.bias) {
      const std::vector<float> bias = biases(out);
      shift_by(out, bias);
      inputs.push_back(writer_.floats({outputs}, bias));
    }
    attributes["group"] = std::int64_t{outputs};
    out.name = writer_.node("Conv", inputs, attributes);
    return behind_sums(layer, out, true);
  }

  Value make_dense(const LayerSpec& layer, const Value& in) {
    const int pixels = in.height * in.width, inputs = in.channels * pixels, outputs = layer.channels == 0 ? in.channels : layer.channels;
    std::string flat = in.name;
    if (!in.flat)
      flat = coin() ? writer_.node("Flatten", {in.name}, {{"axis", std::int64_t{1}}})
                    : writer_.node("Reshape", {in.name, writer_.integers({2}, {1, -1})});
    const bool gemm = coin(), transposed = gemm && coin();
    const Weights weights =
        make_weights(layer, transposed ? Dims{outputs, inputs} : Dims{inputs, outputs}, transposed ? std::size_t{0} : std::size_t{1});
    Value out = in;
    out.flat = true;
    out.height = out.width = 1;
    set_sums(out, in, weights, [&](std::size_t, std::size_t i) { return static_cast<int>(i) / pixels; });
    std::vector<std::string> operands{flat, weights.name};
    if (gemm) {
      if (layer.bias) {
        const std::vector<float> bias = biases(out);
        shift_by(out, bias);
        operands.push_back(writer_.floats({outputs}, bias));
      }
      out.name = writer_.node("Gemm", operands, {{"transB", std::int64_t{transposed}}});
    } else {
      out.name = writer_.node("MatMul", operands);
      if (layer.bias) {
        const std::vector<float> bias = biases(out);
        shift_by(out, bias);
        out.name = writer_.node("Add", {out.name, writer_.floats({outputs}, bias)});
      }
    }
    return behind_sums(layer, out, true);
  }

  Value average_pool(const LayerSpec& layer, const Value& in) {
    Value out = in;
    int taps = in.height * in.width;
    if (layer.kind == LayerKind::GlobalAveragePool) {
      out.height = out.width = 1;
      out.name = writer_.node("GlobalAveragePool", {in.name});
    } else {
      ModelWriter::Attributes attributes = window(layer, out, false, taps);
      attributes["count_include_pad"] = std::int64_t{1};
      attributes.erase("dilations");
      // Without dilation the map is larger than planned.
      LayerSpec undilated = layer;
      undilated.dilation_height = undilated.dilation_width = 1;
      out = in;
      attributes = window(undilated, out, false, taps);
      attributes.erase("dilations");
      attributes["count_include_pad"] = std::int64_t{1};
      out.name = writer_.node("AveragePool", {in.name}, attributes);
    }
    for (double& deviation : out.deviation) deviation = std::max(deviation / std::sqrt(taps), in.unit / 8);
    out.unit = in.unit / taps;
    note_average(taps);
    out.codes = false;
    return behind_sums(layer, out, layer.quantizer.form != QuantizerForm::None);
  }
  void note_average(int taps) {
    if ((taps & (taps - 1)) != 0) odd_units_ = true;
  }

  Value max_pool(const LayerSpec& layer, const Value& value) {
    Value in = spatial(value);
    if (in.pooled && ends_here_) in = four_bits(in);
    Value out = in;
    if (layer.kind == LayerKind::GlobalMaxPool) {
      out.height = out.width = 1;
      out.name = writer_.node("GlobalMaxPool", {in.name});
    } else {
      int taps = 1;
      out.name = writer_.node("MaxPool", {in.name}, window(layer, out, true, taps));
    }
    for (std::size_t c = 0; c < out.mean.size(); ++c) out.mean[c] += out.deviation[c] / 2;
    if (!in.codes) out.pooled = true, out.pure = false;
    return out;
  }

  // Joins.

  static bool integer_ratio(double a, double b) {
    const double ratio = a > b ? a / b : b / a;
    return ratio == std::round(ratio) && ratio < 65536;
  }

  Value join(const LayerSpec& layer, const std::vector<Value>& given) {
    const bool sum = layer.kind != LayerKind::Concat;
    std::vector<Value> inputs;
    for (Value value : given) {
      if (value.is_index || value.finished) continue;
      if (!value.common || !value.pure || value.bent || value.pooled || (!value.codes && value.bits() > 16)) value = four_bits(value);
      if (!inputs.empty() && value.flat != inputs[0].flat) value = spatial(value), inputs[0] = spatial(inputs[0]);
      const bool same_pixels = inputs.empty() || (value.height == inputs[0].height && value.width == inputs[0].width);
      const bool same = inputs.empty() || (value.channels == inputs[0].channels && value.order == inputs[0].order);
      if (!same_pixels || (sum && !same)) continue;
      if (!inputs.empty() && !integer_ratio(value.unit, inputs[0].unit)) continue;
      inputs.push_back(value);
    }
    if (sum && inputs.size() > 2) inputs.resize(2);
    if (inputs.size() < 2) return behind_sums(layer, given[0].pure && given[0].common ? given[0] : codes(given[0]), false);
    Value out = inputs[0];
    std::vector<std::string> names{inputs[0].name};
    for (std::size_t i = 1; i < inputs.size(); ++i) {
      const Value& value = inputs[i];
      names.push_back(value.name);
      out.unit = std::min(out.unit, value.unit);
      if (sum) {
        const double sign = layer.kind == LayerKind::Subtract ? -1 : 1;
        for (std::size_t c = 0; c < out.mean.size(); ++c) {
          out.mean[c] += sign * value.mean[c];
          out.deviation[c] = std::hypot(out.deviation[c], value.deviation[c]);
        }
        out.lowest += sign > 0 ? value.lowest : -value.highest;
        out.highest += sign > 0 ? value.highest : -value.lowest;
      } else {
        for (const int channel : value.order) out.order.push_back(out.channels + channel);
        out.channels += value.channels;
        out.mean.insert(out.mean.end(), value.mean.begin(), value.mean.end());
        out.deviation.insert(out.deviation.end(), value.deviation.begin(), value.deviation.end());
        out.lowest = std::min(out.lowest, value.lowest), out.highest = std::max(out.highest, value.highest);
        out.codes = out.codes && value.codes;
      }
    }
    if (sum) {
      out.name = writer_.node(layer.kind == LayerKind::Add ? "Add" : "Sub", names);
      out.codes = out.bits() <= 8;
    } else {
      out.name = writer_.node("Concat", names, {{"axis", std::int64_t{1}}});
    }
    return behind_sums(layer, out, false);
  }

  // Rearrangement.

  Value shuffle(const LayerSpec& layer, const Value& in) {
    int groups = std::min(layer.channels, in.channels);
    while (groups > 1 && in.channels % groups != 0) --groups;
    const int each = in.channels / std::max(1, groups);
    if (groups < 2 || each < 2) return in;
    Value out = spatial(in);
    const Dims whole = dims(out);
    Dims split{1, groups, each};
    split.insert(split.end(), whole.begin() + 2, whole.end());
    Dims axes{0, 2, 1};
    for (std::size_t d = 3; d < split.size(); ++d) axes.push_back(static_cast<std::int64_t>(d));
    const auto reshape = [&](const std::string& name, const Dims& shape) {
      return writer_.node("Reshape", {name, writer_.integers({static_cast<std::int64_t>(shape.size())}, shape)});
    };
    out.name = reshape(writer_.node("Transpose", {reshape(out.name, split)}, {{"perm", axes}}), whole);
    const Value before = out;
    for (int i = 0; i < each; ++i)
      for (int g = 0; g < groups; ++g) {
        const auto to = static_cast<std::size_t>(i * groups + g), from = static_cast<std::size_t>(g * each + i);
        out.order[to] = before.order[from], out.mean[to] = before.mean[from], out.deviation[to] = before.deviation[from];
      }
    return out;
  }

  Value upsample(const LayerSpec& layer, const Value& value) {
    const Value in = value.pure && value.common && !value.pooled && !value.bent ? spatial(value) : spatial(codes(value));
    const int height = spec_.dims == 3 ? 1 : std::clamp(layer.kernel_height, 1, std::max(1, 12 / in.height));
    const int width = std::clamp(layer.kernel_width, 1, std::max(1, 12 / in.width));
    if (height * width == 1) return in;
    Value out = in;
    out.height *= height, out.width *= width;
    std::vector<float> scales{1, 1};
    if (dims(out).size() == 4) scales.push_back(static_cast<float>(height));
    scales.push_back(static_cast<float>(width));
    const bool asymmetric = coin();
    out.name = writer_.node("Resize", {in.name, "", writer_.floats({static_cast<std::int64_t>(scales.size())}, scales)},
                            {{"mode", std::string("nearest")},
                             {"coordinate_transformation_mode", std::string(asymmetric ? "asymmetric" : "half_pixel")},
                             {"nearest_mode", std::string(asymmetric ? "floor" : "round_prefer_floor")}});
    return out;
  }

  // Behind the sums: a straight line per channel, a pool, a Relu, a quantizer.

  Value affine(const LayerSpec& layer, Value value, bool rising) {
    const auto channels = static_cast<std::size_t>(value.channels);
    std::vector<float> factor, summand, mean, variance;
    double largest = 0;
    for (std::size_t c = 0; c < channels; ++c) {
      const double steps = integer(1, 6);
      const double sign = rising || integer(0, 3) > 0 ? 1 : -1;
      factor.push_back(static_cast<float>(sign * steps * 0.25));
      mean.push_back(static_cast<float>(std::round(value.mean[c] / value.unit * real(0, 1)) * value.unit));
      variance.push_back(static_cast<float>(std::exp2(2 * integer(-1, 1))));
      summand.push_back(static_cast<float>(std::round(value.deviation[c] * real(-1, 1) / value.unit) * value.unit));
    }
    const Dims shape = along_channels(value);
    const bool norm = layer.affine == AffineForm::BatchNormalization;
    if (norm) {
      const Dims per_channel{value.channels};
      value.name = writer_.node("BatchNormalization",
                                {value.name, writer_.floats(per_channel, factor), writer_.floats(per_channel, summand),
                                 writer_.floats(per_channel, mean), writer_.floats(per_channel, variance)},
                                {{"epsilon", 0.0F}});
    } else {
      value.name = writer_.node("Mul", {value.name, writer_.floats(shape, factor)});
      value.name = writer_.node("Add", {value.name, writer_.floats(shape, summand)});
    }
    for (std::size_t c = 0; c < channels; ++c) {
      const double slope = static_cast<double>(factor[c]) / (norm ? std::sqrt(static_cast<double>(variance[c])) : 1.0);
      value.mean[c] = (value.mean[c] - (norm ? static_cast<double>(mean[c]) : 0)) * slope + static_cast<double>(summand[c]);
      value.deviation[c] *= std::fabs(slope);
      largest = std::max({largest, std::fabs(value.lowest * slope), std::fabs(value.highest * slope)});
    }
    value.lowest = -2 * largest, value.highest = 2 * largest;
    value.unit /= 8;
    value.common = value.pure = value.codes = false;
    return value;
  }

  Value behind_sums(const LayerSpec& layer, Value value, bool sums) {
    const bool quantized = layer.quantizer.form != QuantizerForm::None;
    if (layer.affine != AffineForm::None || layer.kind == LayerKind::Affine) {
      // A chain that no quantizer ends must stay a straight line of sums, and may not fall behind a pool.
      value = affine(layer, value, value.pooled || !quantized || layer.pool);
    }
    if (sums && layer.pool && quantized && value.height * value.width > 1 && !value.flat) {
      LayerSpec pool;
      pool.kernel_height = pool.kernel_width = pool.stride_height = pool.stride_width = 2;
      value = max_pool(pool, value);
    }
    if (layer.relu && (quantized || value.codes) && !(value.pooled && !quantized)) {
      value.name = writer_.node("Relu", {value.name});
      value.lowest = std::max(0.0, value.lowest), value.highest = std::max(value.highest, value.unit);
      value.pure = false;
      value.bent = true;
    }
    if (!quantized && value.bent && !ends_here_ && value.bits() > 10) return four_bits(value);
    if (!quantized) return value;
    return quantize(value, layer.quantizer);
  }

  Value quantize(const Value& in, const QuantizerSpec& spec) {
    Value out = in;
    const auto channels = static_cast<std::size_t>(in.channels);
    double mean = 0, deviation = 0;
    for (std::size_t c = 0; c < channels; ++c)
      mean += in.mean[c] / in.channels, deviation += in.deviation[c] * in.deviation[c] / in.channels;
    deviation = std::sqrt(deviation);
    const int bits = std::clamp(spec.bits, 1, 8);
    double scale = 1, low = 0, high = 1;
    const auto rescale = [&](double levels, bool is_signed) {
      const double reach = is_signed ? 2 * std::max(deviation, std::fabs(mean) * 0.7) * 2 : std::max(mean + 2 * deviation, deviation);
      scale = power_of_two(std::max(reach / levels, in.unit / 64)) * std::exp2(spec.shift);
      if (spec.odd_scale) scale *= 1.3, scale = static_cast<double>(static_cast<float>(scale));
      note_scale(scale);
    };
    switch (spec.form) {
      case QuantizerForm::None: return in;
      case QuantizerForm::Bipolar: {
        scale = power_of_two(deviation);
        low = -1;
        out.name = writer_.node("BipolarQuant", {in.name, writer_.scalar(static_cast<float>(scale))});
        break;
      }
      case QuantizerForm::Quant: {
        const bool one_bit = bits == 1 && spec.is_signed;
        const bool narrow = spec.narrow && bits > 1;
        rescale((1 << bits) - 1, spec.is_signed);
        const int zero = one_bit ? 0 : spec.zero_point;
        low = one_bit ? -1 : (spec.is_signed ? -(1 << (bits - 1)) + (narrow ? 1 : 0) : 0) - zero;
        high = one_bit ? 1 : (spec.is_signed ? (1 << (bits - 1)) - 1 : (1 << bits) - 1 - (narrow ? 1 : 0)) - zero;
        std::vector<float> scales{static_cast<float>(scale)};
        Dims shape;
        bool one_scale = true;
        if (spec.per_channel && ends_here_ && in.channels > 1) {
          shape = along_channels(in);
          for (std::size_t c = 1; c < channels; ++c) scales.push_back(static_cast<float>(scale * std::exp2(integer(-1, 1))));
          one_scale = false;
        }
        out.name = writer_.node(
            "Quant",
            {in.name, writer_.floats(shape, scales), writer_.scalar(static_cast<float>(zero)), writer_.scalar(static_cast<float>(bits))},
            {{"signed", std::int64_t{spec.is_signed}},
             {"narrow", std::int64_t{narrow}},
             {"rounding_mode", std::string(kRoundings[std::clamp(spec.rounding, 0, 7)])}});
        finish(out, scale, low, high);
        out.common = one_scale;
        return out;
      }
      case QuantizerForm::MultiThreshold: {
        const int levels = std::max(1, (1 << std::min(bits, 5)) - 1 - (spec.narrow ? integer(0, 1 << (std::min(bits, 5) - 1)) : 0));
        const bool one_row = integer(0, 3) == 0;
        std::vector<float> table;
        for (std::size_t c = 0; c < (one_row ? 1 : channels); ++c) {
          std::vector<float> row;
          for (int i = 0; i < levels; ++i)
            row.push_back(static_cast<float>(
                std::round(((one_row ? mean : in.mean[c]) + (one_row ? deviation : in.deviation[c]) * real(-1.6, 1.6)) / in.unit * 2) *
                in.unit / 2));
          std::sort(row.begin(), row.end());
          table.insert(table.end(), row.begin(), row.end());
        }
        scale = std::exp2(integer(-3, 1));
        const bool bipolar = levels == 1 && coin();
        low = bipolar ? -1 : spec.is_signed ? -(levels + 1) / 2 : 0;
        high = bipolar ? 1 : low + levels;
        const float step = static_cast<float>(bipolar ? 2 * scale : scale);
        const char* layout = in.flat ? "NC" : spec_.dims == 3 ? "NCW" : "NCHW";
        out.name = writer_.node("MultiThreshold", {in.name, writer_.floats({one_row ? 1 : in.channels, levels}, table)},
                                {{"out_scale", step}, {"out_bias", static_cast<float>(low * scale)}, {"data_layout", std::string(layout)}});
        break;
      }
      case QuantizerForm::Linear: {
        const bool four = bits <= 4;
        rescale(four ? 15 : 255, spec.is_signed);
        const int type = four ? (spec.is_signed ? kInt4 : kUint4) : (spec.is_signed ? kInt8 : kUint8);
        const int zero = spec.is_signed ? spec.zero_point : std::abs(spec.zero_point);
        const int half = four ? 8 : 128;
        low = (spec.is_signed ? -half : 0) - zero;
        high = (spec.is_signed ? half - 1 : 2 * half - 1) - zero;
        const std::string factor = writer_.scalar(static_cast<float>(scale)), point = writer_.integers({}, {zero}, type);
        out.name = writer_.node("DequantizeLinear", {writer_.node("QuantizeLinear", {in.name, factor, point}), factor, point});
        break;
      }
    }
    finish(out, scale, low, high);
    return out;
  }

  /// What is known of codes low .. high times the scale, made from the value's numbers.
  static void finish(Value& value, double scale, double low, double high) {
    value.unit = scale;
    value.lowest = low * scale, value.highest = high * scale;
    for (std::size_t c = 0; c < value.mean.size(); ++c) {
      value.mean[c] = std::clamp(value.mean[c], value.lowest, value.highest);
      value.deviation[c] = std::clamp(value.deviation[c], scale / 3, std::max(scale / 3, (value.highest - value.lowest) / 2));
    }
    value.codes = value.pure = value.common = true;
    value.pooled = value.bent = false;
  }

  Value truncate(const Value& in) {
    const int bits = static_cast<int>(std::floor(std::log2((in.highest - in.lowest) / in.unit + 1)));
    if (bits < 2 || !in.pure || in.pooled) return in;
    const int drop = integer(1, bits - 1);
    Value out = in;
    const std::string scale = writer_.scalar(static_cast<float>(in.unit));
    out.name = writer_.node(
        "Trunc",
        {in.name, scale, writer_.scalar(0), writer_.scalar(static_cast<float>(bits)), writer_.scalar(static_cast<float>(bits - drop))},
        {{"rounding_mode", std::string("FLOOR")}});
    const double divisor = std::exp2(drop);
    for (double& mean : out.mean) mean /= divisor;
    for (double& deviation : out.deviation) deviation = std::max(deviation / divisor, in.unit / 3);
    out.lowest = std::floor(in.lowest / in.unit / divisor) * in.unit, out.highest = std::floor(in.highest / in.unit / divisor) * in.unit;
    out.pure = false;
    out.bent = true;
    return out;
  }

  // Ends.

  Value arg_max(const LayerSpec& layer, const Value& value) {
    const Value in = value.bent || !value.common ? four_bits(value) : value;
    if (!ends_here_ || !can_argmax(in)) return in;
    Value out = in;
    out.name = writer_.node("ArgMax", {in.name}, {{"axis", std::int64_t{1}}, {"keepdims", std::int64_t{layer.channels % 2}}});
    out.is_index = true;
    return out;
  }

  Value softmax(const Value& value) {
    if (!ends_here_ || !value.flat || !value.common) return value;
    Value in = value.bent ? four_bits(value) : value;
    in.name = writer_.node("Softmax", {in.name}, {{"axis", std::int64_t{1}}});
    in.finished = true;
    return in;
  }

  const Spec& spec_;
  Model model_;
  ModelWriter writer_;
  std::mt19937 random_;
  std::map<int, Value> made_;
  bool last_ = false;       // the value under construction leads to the last layer
  bool ends_here_ = false;  // the layer under construction is the last one: only an output reads it
  bool odd_units_ = false;
};

}  // namespace

Model build(const Spec& spec) { return Builder(spec).run(); }

}  // namespace bitloom::test
