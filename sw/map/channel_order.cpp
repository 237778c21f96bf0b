#include "map/channel_order.hpp"

#include <algorithm>
#include <bit>
#include <numeric>
#include <set>

#include "map/plan.hpp"
#include "map/program.hpp"

namespace bitloom {
namespace {

using Order = std::vector<int>;  ///< by new channel the old one

// A group of this size stands for all foldings when orders are compared.
constexpr int kGroup = 4, kWord = 8;
constexpr double kWorthSorting = 0.03;  // share of the words

template <class T>
void reorder(std::vector<T>& values, const Order& order, std::size_t per_channel) {
  const std::vector<T> old = values;
  for (std::size_t c = 0; c < order.size(); ++c)
    std::copy_n(old.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(order[c]) * per_channel), per_channel,
                values.begin() + static_cast<std::ptrdiff_t>(c * per_channel));
}

bool is_depthwise(const Convolution& conv, int channels) {
  return conv.groups > 1 && conv.groups == channels && conv.groups == conv.out_channels;
}

void reorder_outputs(Convolution& conv, const Order& order) {
  reorder(conv.weights, order, conv.weights.size() / order.size());
  if (!conv.bias.empty()) reorder(conv.bias, order, 1);
  if (conv.decomposition) reorder(conv.decomposition->coefficients, order, conv.decomposition->coefficients.size() / order.size());
}

/// Channels, of `per_channel` values each, within every run of all channels.
void reorder_runs(std::vector<std::int32_t>& values, const Order& order, std::size_t per_channel) {
  const std::vector<std::int32_t> old = values;
  for (std::size_t at = 0; at < old.size(); at += order.size() * per_channel)
    for (std::size_t c = 0; c < order.size(); ++c)
      std::copy_n(old.begin() + static_cast<std::ptrdiff_t>(at + static_cast<std::size_t>(order[c]) * per_channel), per_channel,
                  values.begin() + static_cast<std::ptrdiff_t>(at + c * per_channel));
}

void reorder_inputs(Convolution& conv, const Order& order) {
  reorder_runs(conv.weights, order, 1);
  if (conv.decomposition) reorder_runs(conv.decomposition->coefficients, order, static_cast<std::size_t>(conv.decomposition->kernels));
}

/// Where the order of a map's channels ends: every path leads to convolutions that take it into their weights. False where something else
/// sees the order; else `layers` are those on the way and `maps` what they write.
bool follow(const Network& network, int map, std::set<std::size_t>& layers, std::set<int>& maps) {
  maps.insert(map);
  bool read = false;
  for (const NetworkOutput& output : network.outputs)
    if (output.map == map) return false;
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const Layer& layer = network.layers[i];
    if (std::find(layer.inputs.begin(), layer.inputs.end(), map) == layer.inputs.end()) continue;
    read = true;
    layers.insert(i);
    const auto* conv = std::get_if<Convolution>(&layer.op);
    if (conv != nullptr && conv->groups == 1) continue;
    const bool keeps_channels = std::holds_alternative<Threshold>(layer.op) || std::holds_alternative<Requantize>(layer.op) ||
                                std::holds_alternative<MaxPool>(layer.op) || std::holds_alternative<Upsample>(layer.op) ||
                                (conv != nullptr && is_depthwise(*conv, network.input_of(layer).shape.channels));
    if (!keeps_channels || !follow(network, layer.output, layers, maps)) return false;
  }
  return read;
}

void reorder_reader(LayerOp& op, const Order& order) {
  if (auto* conv = std::get_if<Convolution>(&op)) {
    if (conv->groups == 1)
      reorder_inputs(*conv, order);
    else
      reorder_outputs(*conv, order);
  } else if (auto* threshold = std::get_if<Threshold>(&op)) {
    reorder(threshold->thresholds, order, static_cast<std::size_t>(threshold->levels));
    reorder(threshold->falling, order, 1);
  } else if (auto* requantize = std::get_if<Requantize>(&op)) {
    reorder(requantize->mul, order, 1);
    reorder(requantize->add, order, 1);
  }
}

/// Words that hold a weight, of groups and words of a usual size.
std::int64_t words(const Convolution& conv) {
  const std::size_t fan_in = conv.weights.size() / static_cast<std::size_t>(conv.out_channels);
  const int pe = std::gcd(conv.out_channels, kGroup), simd = std::gcd(static_cast<int>(fan_in), kWord);
  std::int64_t count = 0;
  const PlaneMasks masks(conv);
  for (const PlaneMasks::Group& group : masks.groups(pe, simd)) count += words_needed(masks, group);
  return count;
}

/// Channels by the widths of their weights, then by the words that hold any.
Order sorted_channels(const Convolution& conv) {
  const std::size_t fan_in = conv.weights.size() / static_cast<std::size_t>(conv.out_channels);
  const int simd = std::gcd(static_cast<int>(fan_in), kWord);
  std::vector<std::pair<int, std::vector<bool>>> keys;
  const PlaneMasks masks(conv);
  for (const PlaneMasks::Group& channel : masks.groups(1, simd)) {
    PlaneMasks::Mask planes = 0;
    for (const PlaneMasks::Mask word : channel.words) planes |= word;
    std::vector<bool> needed;
    for (const PlaneMasks::Mask word : channel.words) needed.push_back(word != 0);
    keys.emplace_back(planes == 0 ? 0 : weight_bits_of(channel.low, channel.high), std::move(needed));
  }
  Order order(keys.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int a, int b) { return keys[static_cast<std::size_t>(a)] < keys[static_cast<std::size_t>(b)]; });
  return order;
}

}  // namespace

Network order_channels(const Network& network) {
  Network result = network;
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    auto* conv = std::get_if<Convolution>(&result.layers[i].op);
    if (conv == nullptr || uses_xnor(*conv) || conv->decomposition || conv->groups > 1 || conv->out_channels < 2) continue;
    std::set<std::size_t> readers;
    std::set<int> maps;
    if (!follow(network, network.layers[i].output, readers, maps)) continue;
    Convolution ordered = *conv;
    const Order order = sorted_channels(*conv);
    reorder_outputs(ordered, order);
    if (static_cast<double>(words(ordered)) > (1 - kWorthSorting) * static_cast<double>(words(*conv))) continue;
    *conv = std::move(ordered);
    for (const std::size_t reader : readers) reorder_reader(result.layers[reader].op, order);
    result.meanings.erase(std::remove_if(result.meanings.begin(), result.meanings.end(),
                                         [&](const MapMeaning& meaning) { return maps.count(meaning.map) != 0; }),
                          result.meanings.end());
  }
  return result;
}

}  // namespace bitloom
