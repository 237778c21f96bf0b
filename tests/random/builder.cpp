// The graph from its outputs to its input, and the values that layers can read.
#include "random/builder.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

namespace bitloom::test {
namespace {

/// Evenly spread numbers from low to high.
void set_numbers(Value& value, double low, double high) {
  value.lowest = low, value.highest = high;
  value.mean.assign(static_cast<std::size_t>(value.channels), (low + high) / 2);
  value.deviation.assign(static_cast<std::size_t>(value.channels), std::max((high - low) / 3.4, value.unit / 4));
}

}  // namespace

Model Builder::run() {
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

bool Builder::can_argmax(const Value& value) {
  return value.channels >= 2 && value.common && value.in_order() && !value.bent && !value.is_index && !value.finished;
}

Dims Builder::dims(const Value& value) const {
  if (value.flat) return {1, value.channels};
  if (spec_.dims == 3) return {1, value.channels, value.width};
  return {1, value.channels, value.height, value.width};
}

Dims Builder::along_channels(const Value& value) const {
  Dims shape(dims(value).size(), 1);
  shape[1] = value.channels;
  return shape;
}

Value Builder::make(int index) {
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

Value Builder::make_input() {
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

void Builder::note_scale(double scale) {
  if (std::exp2(std::round(std::log2(scale))) != scale) model_.exact = false;
}

Value Builder::make_layer(const LayerSpec& layer, const std::vector<Value>& inputs) {
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

Value Builder::four_bits(const Value& in) {
  QuantizerSpec quantizer;
  quantizer.form = QuantizerForm::Quant;
  quantizer.bits = 4;
  quantizer.is_signed = true;
  return quantize(in, quantizer);
}

Value Builder::codes(const Value& in) { return in.codes && in.common && in.bits() <= 10 ? in : four_bits(in); }

Value Builder::spatial(Value value) {
  if (!value.flat) return value;
  value.flat = false;
  Dims shape = dims(value);
  value.name = writer_.node("Reshape", {value.name, writer_.integers({static_cast<std::int64_t>(shape.size())}, shape)});
  return value;
}

Model build(const Spec& spec) { return Builder(spec).run(); }

}  // namespace bitloom::test
