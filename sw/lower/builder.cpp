#include "lower/builder.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace bitloom::lowering {

int Builder::add_map(const std::string& name, MapShape shape, ValueType type, std::vector<Range> ranges) {
  network_.maps.push_back({name, shape, type});
  ranges_.push_back(std::move(ranges));
  return static_cast<int>(network_.maps.size()) - 1;
}

int Builder::add_layer(const std::string& kind, const std::string& source, std::vector<int> inputs, LayerOp op, MapShape shape,
                       ValueType type, std::vector<Range> ranges) {
  const std::string name = fmt::format("{}{}", kind, next_number_[kind]++);
  const int output = add_map(name + "_out", shape, type, std::move(ranges));
  network_.layers.push_back({name, source, std::move(inputs), output, std::move(op)});
  return output;
}

bool Builder::is_read(int index) const {
  return std::any_of(network_.layers.begin(), network_.layers.end(),
                     [&](const Layer& layer) { return std::find(layer.inputs.begin(), layer.inputs.end(), index) != layer.inputs.end(); });
}

bool Builder::is_accumulator(int index) const {
  return std::any_of(network_.layers.begin(), network_.layers.end(), [&](const Layer& layer) {
    if (layer.output != index) return false;
    return std::holds_alternative<Convolution>(layer.op) || (std::holds_alternative<MaxPool>(layer.op) && is_accumulator(layer.inputs[0]));
  });
}

void Builder::reshape_input(MapShape shape) {
  const auto input = static_cast<std::size_t>(network_.input);
  network_.maps[input].shape = shape;
  ranges_[input].assign(static_cast<std::size_t>(shape.channels), ranges_[input].at(0));  // all pixels have one range
}

void Builder::make_paddable(int index) {
  if (!map(index).type.is_bipolar()) return;
  set_type(index, ValueType::signed_bits(2));
  // Input and output of these layers have the same type.
  for (const Layer& layer : network_.layers) {
    if (!std::holds_alternative<MaxPool>(layer.op) && !std::holds_alternative<Upsample>(layer.op)) continue;
    if (layer.output == index) make_paddable(layer.inputs[0]);
    if (layer.inputs[0] == index) make_paddable(layer.output);
  }
}

bool Builder::add_bias(int index, const std::vector<std::int64_t>& bias, const std::string& source) {
  if (is_read(index)) return false;
  for (Layer& layer : network_.layers) {
    auto* conv = std::get_if<Convolution>(&layer.op);
    if (layer.output != index || conv == nullptr) continue;
    conv->bias.resize(bias.size(), 0);
    auto& ranges = ranges_[static_cast<std::size_t>(index)];
    for (std::size_t k = 0; k < bias.size(); ++k) {
      conv->bias[k] += bias[k];
      ranges[k] = {ranges[k].low + bias[k], ranges[k].high + bias[k]};
    }
    set_type(index, type_holding(ranges, source));
    for (MapMeaning& meaning : network_.meanings) {
      if (meaning.map != index) continue;
      meaning.offset.resize(bias.size(), meaning.offset[0]);
      for (std::size_t k = 0; k < bias.size(); ++k)
        meaning.offset[k] -= meaning.scale[meaning.scale.size() == 1 ? 0 : k] * static_cast<double>(bias[k]);
    }
    return true;
  }
  return false;
}

std::vector<Range> accumulator_ranges(const Convolution& conv, const MapShape& in, const std::vector<Range>& ranges) {
  const int channels = in.channels / conv.groups;
  const std::size_t fan_in = conv.weights.size() / static_cast<std::size_t>(conv.out_channels);
  std::vector<Range> sums(static_cast<std::size_t>(conv.out_channels));
  for (int k = 0; k < conv.out_channels; ++k) {
    Range& sum = sums[static_cast<std::size_t>(k)];
    const int first = k / (conv.out_channels / conv.groups) * channels;
    for (std::size_t i = 0; i < fan_in; ++i) {
      const std::int64_t weight = conv.weights[static_cast<std::size_t>(k) * fan_in + i];
      const Range& value = ranges[static_cast<std::size_t>(first) + i % static_cast<std::size_t>(channels)];
      std::int64_t low = std::min(weight * value.low, weight * value.high);
      std::int64_t high = std::max(weight * value.low, weight * value.high);
      if (conv.window.has_padding()) {  // a padded position contributes 0
        low = std::min<std::int64_t>(low, 0);
        high = std::max<std::int64_t>(high, 0);
      }
      sum.low += low;
      sum.high += high;
    }
  }
  return sums;
}

ValueType type_holding(const std::vector<Range>& ranges, const std::string& source) {
  Range all = ranges.at(0);
  for (const Range& range : ranges) all = {std::min(all.low, range.low), std::max(all.high, range.high)};
  if (all.low < INT32_MIN || all.high > INT32_MAX)
    throw Error(source, fmt::format("its sums reach {} .. {}, beyond 32 bits", all.low, all.high));
  return ValueType::holding(all.low, all.high);
}

}  // namespace bitloom::lowering
