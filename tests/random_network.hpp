// Small random integer networks for tests of map, emit and the simulation. Seeded.
#pragma once

#include <algorithm>
#include <random>

#include "core/network.hpp"

namespace bitloom::test {

using Random = std::mt19937;

inline int pick(Random& random, int low, int high) { return std::uniform_int_distribution<int>(low, high)(random); }

inline std::int32_t random_value(Random& random, const ValueType& type) {
  if (type.is_bipolar()) return pick(random, 0, 1) * 2 - 1;
  return pick(random, static_cast<int>(type.min()), static_cast<int>(type.max()));
}

inline MapData random_map(Random& random, const FeatureMap& map) {
  MapData data{map.shape, {}};
  for (std::int64_t i = 0; i < map.shape.size(); ++i) data.values.push_back(random_value(random, map.type));
  return data;
}

/// Builds a chain layer by layer; every map is well formed by construction.
class ChainBuilder {
 public:
  ChainBuilder(Random& random, MapShape shape, ValueType type) : random_(random) {
    network_.name = "chain";
    network_.maps.push_back({"input", shape, type});
  }

  ChainBuilder& convolution(int out_channels, Window window, ValueType weights) {
    const FeatureMap in = network_.maps.back();
    Convolution conv;
    conv.window = window;
    conv.out_channels = out_channels;
    conv.weight_type = weights;
    const std::int64_t fan_in = std::int64_t{window.kernel_height} * window.kernel_width * in.shape.channels;
    for (std::int64_t i = 0; i < out_channels * fan_in; ++i) conv.weights.push_back(random_value(random_, weights));
    const std::int64_t limit = fan_in * std::max(std::abs(weights.min()), weights.max()) * std::max(std::abs(in.type.min()), in.type.max());
    add("conv", {window.out_height(in.shape.height), window.out_width(in.shape.width), out_channels}, ValueType::holding(-limit, limit),
        conv);
    reach_ = limit / 3 + 1;
    return *this;
  }

  ChainBuilder& fully_connected(int out_channels, ValueType weights) {
    const MapShape in = network_.maps.back().shape;
    Window window;
    window.kernel_height = in.height;
    window.kernel_width = in.width;
    return convolution(out_channels, window, weights);
  }

  ChainBuilder& threshold(ValueType out, int levels, std::int64_t low, std::int64_t step) {
    const FeatureMap in = network_.maps.back();
    Threshold op;
    op.levels = levels;
    op.low = low;
    op.step = step;
    for (int channel = 0; channel < in.shape.channels; ++channel) {
      std::vector<std::int64_t> row;
      for (int i = 0; i < levels; ++i) row.push_back(pick(random_, -static_cast<int>(reach_), static_cast<int>(reach_)));
      std::sort(row.begin(), row.end());
      op.thresholds.insert(op.thresholds.end(), row.begin(), row.end());
      op.falling.push_back(static_cast<std::uint8_t>(pick(random_, 0, 3) == 0));
    }
    add("act", in.shape, out, op);
    return *this;
  }
  /// A threshold with every level of `out`.
  ChainBuilder& quantize(ValueType out) {
    if (out.is_bipolar()) return threshold(out, 1, -1, 2);
    return threshold(out, static_cast<int>(out.max() - out.min()), out.min(), 1);
  }

  ChainBuilder& max_pool(Window window) {
    const FeatureMap in = network_.maps.back();
    add("pool", {window.out_height(in.shape.height), window.out_width(in.shape.width), in.shape.channels}, in.type, MaxPool{window});
    return *this;
  }

  ChainBuilder& argmax() {
    const FeatureMap in = network_.maps.back();
    add("argmax", {in.shape.height, in.shape.width, 1}, ValueType::holding(0, in.shape.channels - 1), ArgMax{});
    return *this;
  }

  Network build() {
    Network network = network_;
    NetworkOutput output;
    output.name = "output";
    output.map = static_cast<int>(network.maps.size()) - 1;
    const MapShape shape = network.maps.back().shape;
    output.shape = {shape.height, shape.width, shape.channels};
    for (std::int64_t i = 0; i < shape.size(); ++i) output.order.push_back(static_cast<std::int32_t>(i));
    output.scale.assign(output.order.size(), 1.0);
    output.offset.assign(output.order.size(), 0.0);
    network.outputs = {output};
    const MapShape in = network.maps.front().shape;
    network.input_shape = {in.height, in.width, in.channels};
    for (std::int64_t i = 0; i < in.size(); ++i) network.input_order.push_back(static_cast<std::int32_t>(i));
    check(network);
    return network;
  }

  const MapShape& shape() const { return network_.maps.back().shape; }
  const ValueType& type() const { return network_.maps.back().type; }

 private:
  void add(const std::string& kind, MapShape shape, ValueType type, LayerOp op) {
    const int input = static_cast<int>(network_.maps.size()) - 1;
    const std::string name = kind + std::to_string(network_.layers.size());
    network_.maps.push_back({name, shape, type});
    network_.layers.push_back({name, name, {input}, input + 1, std::move(op)});
  }

  Random& random_;
  Network network_;
  std::int64_t reach_ = 100;
};

inline Window square(int kernel, int stride = 1, int pad = 0) {
  Window window;
  window.kernel_height = window.kernel_width = kernel;
  window.stride_height = window.stride_width = stride;
  window.pad_top = window.pad_left = window.pad_bottom = window.pad_right = pad;
  return window;
}

}  // namespace bitloom::test
