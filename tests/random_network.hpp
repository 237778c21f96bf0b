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

/// Builds a network layer by layer, each on the map made last or on the one named by `from`; every map is well formed by construction.
class NetworkBuilder {
 public:
  NetworkBuilder(Random& random, MapShape shape, ValueType type) : random_(random) {
    network_.name = "net";
    network_.maps.push_back({"input", shape, type});
  }

  /// The map made last: an argument for `from`, `sum` and `concat`.
  int here() const { return at_; }
  NetworkBuilder& from(int map) {
    at_ = map;
    return *this;
  }

  NetworkBuilder& convolution(int out_channels, Window window, ValueType weights, int groups = 1) {
    const FeatureMap in = current();
    Convolution conv;
    conv.window = window;
    conv.out_channels = out_channels;
    conv.groups = groups;
    conv.weight_type = weights;
    const std::int64_t fan_in = std::int64_t{window.kernel_height} * window.kernel_width * in.shape.channels / groups;
    for (std::int64_t i = 0; i < out_channels * fan_in; ++i) conv.weights.push_back(random_value(random_, weights));
    const std::int64_t limit = fan_in * std::max(std::abs(weights.min()), weights.max()) * std::max(std::abs(in.type.min()), in.type.max());
    add("conv", {window.out_height(in.shape.height), window.out_width(in.shape.width), out_channels}, ValueType::holding(-limit, limit),
        conv);
    reach_ = limit / 3 + 1;
    return *this;
  }

  /// Other weights for the convolution added last: weight(output channel, index within its filter).
  template <class Weight>
  NetworkBuilder& weights(const Weight& weight) {
    auto& conv = std::get<Convolution>(network_.layers.back().op);
    const std::size_t fan_in = conv.weights.size() / static_cast<std::size_t>(conv.out_channels);
    for (std::size_t i = 0; i < conv.weights.size(); ++i)
      conv.weights[i] = static_cast<std::int32_t>(weight(static_cast<int>(i / fan_in), static_cast<int>(i % fan_in)));
    return *this;
  }

  NetworkBuilder& fully_connected(int out_channels, ValueType weights) {
    const MapShape in = current().shape;
    Window window;
    window.kernel_height = in.height;
    window.kernel_width = in.width;
    return convolution(out_channels, window, weights);
  }

  NetworkBuilder& threshold(ValueType out, int levels, std::int64_t low, std::int64_t step) {
    const FeatureMap in = current();
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
  NetworkBuilder& quantize(ValueType out) {
    if (out.is_bipolar()) return threshold(out, 1, -1, 2);
    return threshold(out, static_cast<int>(out.max() - out.min()), out.min(), 1);
  }

  NetworkBuilder& max_pool(Window window) {
    const FeatureMap in = current();
    add("pool", {window.out_height(in.shape.height), window.out_width(in.shape.width), in.shape.channels}, in.type, MaxPool{window});
    return *this;
  }

  NetworkBuilder& argmax() {
    const FeatureMap in = current();
    add("argmax", {in.shape.height, in.shape.width, 1}, ValueType::holding(0, in.shape.channels - 1), ArgMax{});
    return *this;
  }

  /// clamp((in * mul + add) >> shift) with factors that spread the reachable range over `out`.
  NetworkBuilder& requantize(ValueType out) {
    const FeatureMap in = current();
    Requantize op;
    op.shift = 12;
    op.low = out.min();
    op.high = out.max();
    const std::int64_t range = std::max<std::int64_t>(1, std::min<std::int64_t>(in.type.max(), 2 * reach_)), levels = out.max() - out.min();
    for (int channel = 0; channel < in.shape.channels; ++channel) {
      op.mul.push_back((levels << op.shift) / range * pick(random_, -3, 6) / 4 + 1);
      op.add.push_back(pick(random_, -(1 << 14), 1 << 14));
    }
    add("requantize", in.shape, out, op);
    return *this;
  }

  NetworkBuilder& upsample(int height, int width) {
    const FeatureMap in = current();
    add("upsample", {in.shape.height * height, in.shape.width * width, in.shape.channels}, in.type, Upsample{height, width});
    return *this;
  }

  /// The sum of `maps`, each times a factor.
  NetworkBuilder& sum(const std::vector<int>& maps, const std::vector<std::int64_t>& scale) {
    std::int64_t low = 0, high = 0;
    for (std::size_t i = 0; i < maps.size(); ++i) {
      const ValueType& type = network_.maps[static_cast<std::size_t>(maps[i])].type;
      low += std::min(scale[i] * type.min(), scale[i] * type.max());
      high += std::max(scale[i] * type.min(), scale[i] * type.max());
    }
    const MapShape shape = network_.maps[static_cast<std::size_t>(maps[0])].shape;
    add("add", shape, ValueType::holding(low, high), Add{scale}, maps);
    reach_ = std::max(std::abs(low), std::abs(high)) / 2 + 1;
    return *this;
  }

  NetworkBuilder& concat(const std::vector<int>& maps, const std::vector<std::int64_t>& scale) {
    std::int64_t low = 0, high = 0;
    MapShape shape = network_.maps[static_cast<std::size_t>(maps[0])].shape;
    shape.channels = 0;
    bool all_bipolar = true;
    for (std::size_t i = 0; i < maps.size(); ++i) {
      const FeatureMap& map = network_.maps[static_cast<std::size_t>(maps[i])];
      shape.channels += map.shape.channels;
      low = std::min({low, scale[i] * map.type.min(), scale[i] * map.type.max()});
      high = std::max({high, scale[i] * map.type.min(), scale[i] * map.type.max()});
      all_bipolar = all_bipolar && map.type.is_bipolar() && scale[i] == 1;
    }
    add("concat", shape, all_bipolar ? ValueType::bipolar() : ValueType::holding(low, high), Concat{scale}, maps);
    return *this;
  }

  /// The map made last becomes an output, beside those given before; without any, build() makes it the only one.
  NetworkBuilder& output() {
    NetworkOutput output;
    output.name = "output" + std::to_string(network_.outputs.size());
    output.map = at_;
    const MapShape shape = current().shape;
    output.shape = {shape.height, shape.width, shape.channels};
    for (std::int64_t i = 0; i < shape.size(); ++i) output.order.push_back(static_cast<std::int32_t>(i));
    output.scale.assign(output.order.size(), 1.0);
    output.offset.assign(output.order.size(), 0.0);
    network_.outputs.push_back(output);
    return *this;
  }

  Network build() {
    if (network_.outputs.empty()) output();
    Network network = network_;
    const MapShape in = network.maps.front().shape;
    network.input_shape = {in.height, in.width, in.channels};
    for (std::int64_t i = 0; i < in.size(); ++i) network.input_order.push_back(static_cast<std::int32_t>(i));
    check(network);
    return network;
  }

  const MapShape& shape() const { return current().shape; }
  const ValueType& type() const { return current().type; }

 private:
  const FeatureMap& current() const { return network_.maps[static_cast<std::size_t>(at_)]; }

  void add(const std::string& kind, MapShape shape, ValueType type, LayerOp op, std::vector<int> inputs = {}) {
    if (inputs.empty()) inputs = {at_};
    at_ = static_cast<int>(network_.maps.size());
    const std::string name = kind + std::to_string(network_.layers.size());
    network_.maps.push_back({name, shape, type});
    network_.layers.push_back({name, name, std::move(inputs), at_, std::move(op)});
  }

  Random& random_;
  Network network_;
  std::int64_t reach_ = 100;
  int at_ = 0;
};

inline Window square(int kernel, int stride = 1, int pad = 0) {
  Window window;
  window.kernel_height = window.kernel_width = kernel;
  window.stride_height = window.stride_width = stride;
  window.pad_top = window.pad_left = window.pad_bottom = window.pad_right = pad;
  return window;
}

}  // namespace bitloom::test
