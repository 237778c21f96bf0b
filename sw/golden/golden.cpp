#include "golden/golden.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace bitloom {
namespace {

/// Position of a value in HWC order.
std::size_t at(const MapShape& shape, int y, int x, int c) {
  return (static_cast<std::size_t>(y) * static_cast<std::size_t>(shape.width) + static_cast<std::size_t>(x)) *
             static_cast<std::size_t>(shape.channels) +
         static_cast<std::size_t>(c);
}

/// Calls visit(r, s, y, x) for every kernel position of the window at output (oy, ox) that lies inside the map.
template <class F>
void for_window(const Window& w, const MapShape& in, int oy, int ox, F visit) {
  for (int r = 0; r < w.kernel_height; ++r) {
    const int y = oy * w.stride_height - w.pad_top + r * w.dilation_height;
    for (int s = 0; s < w.kernel_width; ++s) {
      const int x = ox * w.stride_width - w.pad_left + s * w.dilation_width;
      if (y >= 0 && y < in.height && x >= 0 && x < in.width) visit(r, s, y, x);
    }
  }
}

/// The input maps of a layer.
using Inputs = std::vector<const MapData*>;

std::int64_t compute(const Convolution& conv, const Inputs& inputs, int oy, int ox, int k) {
  const MapData& in = *inputs[0];
  const int channels = in.shape.channels / conv.groups;
  const int first = k / (conv.out_channels / conv.groups) * channels;
  const auto taps = static_cast<std::size_t>(conv.window.kernel_height) * static_cast<std::size_t>(conv.window.kernel_width);
  std::int64_t acc = conv.bias.empty() ? 0 : conv.bias[static_cast<std::size_t>(k)];
  for_window(conv.window, in.shape, oy, ox, [&](int r, int s, int y, int x) {
    const std::size_t tap = static_cast<std::size_t>(r * conv.window.kernel_width + s);
    const std::int32_t* weights = conv.weights.data() + (static_cast<std::size_t>(k) * taps + tap) * static_cast<std::size_t>(channels);
    const std::int32_t* values = in.values.data() + at(in.shape, y, x, first);
    for (int c = 0; c < channels; ++c) acc += std::int64_t{weights[c]} * values[c];
  });
  return acc;
}

std::int64_t compute(const Threshold& threshold, const Inputs& inputs, int y, int x, int c) {
  const MapData& in = *inputs[0];
  const std::int64_t value = in.values[at(in.shape, y, x, c)];
  const std::int64_t* table = threshold.thresholds.data() + static_cast<std::ptrdiff_t>(c) * threshold.levels;
  std::int64_t reached = 0;
  for (int i = 0; i < threshold.levels; ++i) reached += value >= table[i] ? 1 : 0;
  if (threshold.falling[static_cast<std::size_t>(c)] != 0) reached = threshold.levels - reached;
  return threshold.low + threshold.step * reached;
}

std::int64_t compute(const MaxPool& pool, const Inputs& inputs, int oy, int ox, int c) {
  const MapData& in = *inputs[0];
  std::int64_t best = std::int64_t{INT32_MIN};
  for_window(pool.window, in.shape, oy, ox,
             [&](int, int, int y, int x) { best = std::max(best, std::int64_t{in.values[at(in.shape, y, x, c)]}); });
  return best;
}

std::int64_t compute(const ArgMax&, const Inputs& inputs, int y, int x, int) {
  const MapData& in = *inputs[0];
  int best = 0;
  for (int c = 1; c < in.shape.channels; ++c)
    if (in.values[at(in.shape, y, x, c)] > in.values[at(in.shape, y, x, best)]) best = c;
  return best;
}

std::int64_t compute(const Requantize& requantize, const Inputs& inputs, int y, int x, int c) {
  const auto channel = static_cast<std::size_t>(c);
  const std::int64_t value = inputs[0]->values[at(inputs[0]->shape, y, x, c)];
  const std::int64_t scaled = value * requantize.mul[channel] + requantize.add[channel];
  return std::clamp(scaled >> requantize.shift, requantize.low, requantize.high);  // >> rounds down
}

std::int64_t compute(const Add& add, const Inputs& inputs, int y, int x, int c) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < inputs.size(); ++i) sum += add.scale[i] * inputs[i]->values[at(inputs[i]->shape, y, x, c)];
  return sum;
}

std::int64_t compute(const Concat& concat, const Inputs& inputs, int y, int x, int c) {
  std::size_t i = 0;
  for (; c >= inputs[i]->shape.channels; ++i) c -= inputs[i]->shape.channels;
  return concat.scale[i] * inputs[i]->values[at(inputs[i]->shape, y, x, c)];
}

std::int64_t compute(const Upsample& upsample, const Inputs& inputs, int y, int x, int c) {
  return inputs[0]->values[at(inputs[0]->shape, y / upsample.height, x / upsample.width, c)];
}

}  // namespace

void check_values(const std::string& where, const FeatureMap& map, const MapData& data) {
  if (data.shape != map.shape || static_cast<std::int64_t>(data.values.size()) != map.shape.size())
    throw Error(where, fmt::format("a map of {}x{}x{} values expected, {}x{}x{} with {} values found", map.shape.height, map.shape.width,
                                   map.shape.channels, data.shape.height, data.shape.width, data.shape.channels, data.values.size()));
  for (const std::int32_t value : data.values)
    if (!map.type.contains(value)) throw Error(where, fmt::format("{} is not a value of type {}", value, map.type.to_string()));
}

MapData run_layer(const Network& network, const Layer& layer, const std::vector<const MapData*>& inputs) {
  const FeatureMap& map = network.output_of(layer);
  MapData out{map.shape, {}};
  out.values.reserve(static_cast<std::size_t>(map.shape.size()));
  for (int y = 0; y < map.shape.height; ++y)
    for (int x = 0; x < map.shape.width; ++x)
      for (int c = 0; c < map.shape.channels; ++c) {
        const std::int64_t value = std::visit([&](const auto& op) { return compute(op, inputs, y, x, c); }, layer.op);
        if (!map.type.contains(value))
          throw Error(layer.name, fmt::format("computed {} at row {}, column {}, channel {}, which is not of type {}", value, y, x, c,
                                              map.type.to_string()));
        // A type has at most 32 bits; unsigned 32-bit values would not fit std::int32_t.
        if (value > INT32_MAX) throw Error(layer.name, fmt::format("computed {}, beyond what a map stores", value));
        out.values.push_back(static_cast<std::int32_t>(value));
      }
  return out;
}

Golden::Golden(Network network) : network_(std::move(network)) { check(network_); }

std::vector<MapData> Golden::run(const MapData& input) const {
  const auto index = [](int map) { return static_cast<std::size_t>(map); };
  std::vector<MapData> maps(network_.maps.size());
  check_values(network_.maps[index(network_.input)].name, network_.maps[index(network_.input)], input);
  maps[index(network_.input)] = input;
  for (const Layer& layer : network_.layers) {
    std::vector<const MapData*> inputs;
    for (const int map : layer.inputs) inputs.push_back(&maps[index(map)]);
    maps[index(layer.output)] = run_layer(network_, layer, inputs);
  }
  return maps;
}

MapData network_input(const Network& network, const std::vector<std::int32_t>& pixels) {
  const FeatureMap& map = network.maps[static_cast<std::size_t>(network.input)];
  if (pixels.size() != network.input_order.size())
    throw Error(network.name, fmt::format("an image of {} values given, the network takes {}", pixels.size(), network.input_order.size()));
  MapData data{map.shape, std::vector<std::int32_t>(static_cast<std::size_t>(map.shape.size()))};
  const std::int64_t low = map.type.min(), high = map.type.max();
  for (std::size_t i = 0; i < pixels.size(); ++i)
    data.values[static_cast<std::size_t>(network.input_order[i])] =
        static_cast<std::int32_t>(std::clamp<std::int64_t>(pixels[i], low, high));
  return data;
}

std::vector<double> real_output(const NetworkOutput& output, const MapData& map) {
  std::vector<double> real(output.order.size());
  for (std::size_t i = 0; i < real.size(); ++i)
    real[i] = output.scale[i] * map.values.at(static_cast<std::size_t>(output.order[i])) + output.offset[i];
  if (output.function == "Sigmoid") {
    for (double& value : real) value = 1 / (1 + std::exp(-value));
  } else if (!output.function.empty()) {
    const double top = *std::max_element(real.begin(), real.end());  // subtracted, so that no power overflows
    double sum = 0;
    for (const double value : real) sum += std::exp(value - top);
    for (double& value : real) value = output.function == "Softmax" ? std::exp(value - top) / sum : value - top - std::log(sum);
  }
  return real;
}

}  // namespace bitloom
