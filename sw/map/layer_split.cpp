#include "map/layer_split.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "map/stages.hpp"

namespace bitloom {
namespace {

std::string slice_name(const std::string& layer, std::size_t slice) { return fmt::format("{}_slice{}", layer, slice); }

template <typename T>
std::vector<T> part(const std::vector<T>& all, int channels, int first, int count) {
  if (all.empty()) return {};
  const std::size_t each = all.size() / static_cast<std::size_t>(channels);
  const auto begin = all.begin() + static_cast<std::ptrdiff_t>(each * static_cast<std::size_t>(first));
  return {begin, begin + static_cast<std::ptrdiff_t>(each * static_cast<std::size_t>(count))};
}

Convolution slice_of(const Convolution& conv, int first, int count) {
  return {conv.window,      count, conv.groups, conv.weight_type, part(conv.weights, conv.out_channels, first, count),
          part(conv.bias, conv.out_channels, first, count)};
}

/// Of a layer that works channel by channel, with tables of their own for each of `channels`, or one value for all.
LayerOp slice_of(const LayerOp& op, int channels, int first, int count) {
  if (const auto* threshold = std::get_if<Threshold>(&op)) {
    Threshold slice = *threshold;
    slice.thresholds = part(threshold->thresholds, channels, first, count);
    slice.falling = part(threshold->falling, channels, first, count);
    return slice;
  }
  Requantize slice = std::get<Requantize>(op);
  if (slice.mul.size() > 1) slice.mul = part(slice.mul, channels, first, count);
  if (slice.add.size() > 1) slice.add = part(slice.add, channels, first, count);
  return slice;
}

bool can_split(const Layer& layer) {
  const auto* conv = std::get_if<Convolution>(&layer.op);
  return conv != nullptr && conv->groups == 1 && !conv->decomposition;
}

class Splitter {
 public:
  Splitter(const Network& network, const LayerSplits& splits) : network_(network), splits_(splits), result_(network) {}

  Network run() {
    const std::vector<int> readers = readers_of_maps(network_);
    result_.layers.clear();
    std::vector<bool> done(network_.layers.size(), false);
    std::size_t found = 0;
    for (std::size_t i = 0; i < network_.layers.size(); ++i) {
      if (done[i]) continue;
      const Layer& layer = network_.layers[i];
      const auto split = splits_.find(layer.name);
      if (split == splits_.end()) {
        result_.layers.push_back(layer);
        continue;
      }
      ++found;
      const Layer* after = nullptr;  // the only reader of its map, channel by channel
      for (std::size_t j = i + 1; j < network_.layers.size() && readers[static_cast<std::size_t>(layer.output)] == 1; ++j) {
        const Layer& next = network_.layers[j];
        if (next.inputs[0] != layer.output || !(std::holds_alternative<Threshold>(next.op) || std::holds_alternative<Requantize>(next.op))) continue;
        after = &next;
        done[j] = true;
      }
      replace(layer, after, split->second);
    }
    if (found != splits_.size()) throw Error(network_.name, "has not all the layers that are to be split; compile the model again");
    check(result_);
    return std::move(result_);
  }

 private:
  int add_map(const FeatureMap& like, const std::string& name, int channels) {
    FeatureMap map = like;
    map.name = name;
    map.shape.channels = channels;
    result_.maps.push_back(std::move(map));
    return static_cast<int>(result_.maps.size()) - 1;
  }

  void replace(const Layer& layer, const Layer* after, const std::vector<int>& sizes) {
    if (!can_split(layer)) throw Error(layer.name, "cannot be split: a convolution of one group, not decomposed, expected");
    const auto& conv = std::get<Convolution>(layer.op);
    if (sizes.size() < 2 || std::accumulate(sizes.begin(), sizes.end(), 0) != conv.out_channels || *std::min_element(sizes.begin(), sizes.end()) < 1)
      throw Error(layer.name, fmt::format("slices of {} output channels given; two or more that add up to {} expected", fmt::join(sizes, " + "),
                                          conv.out_channels));
    const int whole = after != nullptr ? after->output : layer.output;
    const FeatureMap& out = network_.maps[static_cast<std::size_t>(whole)];
    if (after != nullptr)  // its accumulators are no longer in one map
      std::erase_if(result_.meanings, [&](const MapMeaning& meaning) { return meaning.map == layer.output; });
    int first = 0, so_far = -1;
    for (std::size_t s = 0; s < sizes.size(); ++s) {
      const std::string name = slice_name(layer.name, s);
      Layer slice{name, layer.source, layer.inputs, layer.output, slice_of(conv, first, sizes[s])};
      if (after != nullptr && s == 0) {
        result_.maps[static_cast<std::size_t>(layer.output)].shape.channels = sizes[s];
      } else {
        slice.output = add_map(network_.output_of(layer), fmt::format("{}_slice{}", network_.output_of(layer).name, s), sizes[s]);
      }
      int made = slice.output;
      result_.layers.push_back(std::move(slice));
      if (after != nullptr) {
        Layer activation = *after;
        activation.name = slice_name(after->name, s);
        activation.inputs = {made};
        activation.output = made = add_map(out, fmt::format("{}_slice{}", out.name, s), sizes[s]);
        activation.op = slice_of(after->op, conv.out_channels, first, sizes[s]);
        result_.layers.push_back(std::move(activation));
      }
      first += sizes[s];
      so_far = s == 0 ? made : join(layer, so_far, made, s, s + 1 == sizes.size() ? whole : add_map(out, fmt::format("{}_slices{}", out.name, s), first));
    }
  }

  int join(const Layer& layer, int so_far, int slice, std::size_t index, int output) {
    result_.layers.push_back({fmt::format("{}_concat{}", layer.name, index), layer.source, {so_far, slice}, output, Concat{{1, 1}}});
    return output;
  }

  const Network& network_;
  const LayerSplits& splits_;
  Network result_;
};

}  // namespace

Network split_layers(const Network& network, const LayerSplits& splits) { return splits.empty() ? network : Splitter(network, splits).run(); }

LayerSplits equal_splits(const Network& network, const Budget& budget, std::int64_t block_rams) {
  LayerSplits splits;
  for (const Layer& layer : network.layers) {
    if (!can_split(layer)) continue;
    const auto& conv = std::get<Convolution>(layer.op);
    const std::int64_t bits = weight_bits(layer);
    for (const int slices : divisors(conv.out_channels)) {
      if (bits > slices * block_rams * budget.block_bits && slices < conv.out_channels) continue;
      if (slices > 1) splits[layer.name] = std::vector<int>(static_cast<std::size_t>(slices), conv.out_channels / slices);
      break;
    }
  }
  return splits;
}

LayerSplits merged_splits(const LayerSplits& splits, const Plan& plan) {
  const auto chip_of = [&](const std::string& name) {
    const auto stage = std::find_if(plan.stages.begin(), plan.stages.end(), [&](const Stage& s) { return s.name == name; });
    return stage == plan.stages.end() ? 0 : stage->chip;
  };
  LayerSplits merged;
  for (const auto& [layer, sizes] : splits) {
    std::vector<int> slices;
    int chip = -1;
    for (std::size_t s = 0; s < sizes.size(); ++s) {
      const int now = chip_of(slice_name(layer, s));
      if (now == chip)
        slices.back() += sizes[s];
      else
        slices.push_back(sizes[s]);
      chip = now;
    }
    if (slices.size() > 1) merged[layer] = slices;
  }
  return merged;
}

}  // namespace bitloom
