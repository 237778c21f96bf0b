// Cutting the network into stages.
#include "map/stages.hpp"

#include <fmt/format.h>

#include <set>

namespace bitloom {
namespace {

[[noreturn]] void refuse(const Layer& layer, const std::string& why) {
  throw Error(layer.source.empty() ? layer.name : fmt::format("{} (node {})", layer.name, layer.source), why);
}

/// A kernel that covers the whole map sees one pixel: the stream's order is already that of its weights.
void flatten_if_whole_map(Stage& stage) {
  const Window& w = stage.window;
  const bool whole = !w.has_padding() && w.dilation_height == 1 && w.dilation_width == 1 && w.kernel_height == stage.in_shape.height &&
                     w.kernel_width == stage.in_shape.width;
  if (!whole) return;
  stage.in_shape = {1, 1, static_cast<int>(stage.in_shape.size())};
  stage.window = Window{};
}

StageKind kind_of(const LayerOp& op) {
  if (std::holds_alternative<Convolution>(op)) return StageKind::Plane;
  if (std::holds_alternative<Threshold>(op)) return StageKind::Threshold;
  if (std::holds_alternative<Requantize>(op)) return StageKind::Requantize;
  if (std::holds_alternative<MaxPool>(op)) return StageKind::MaxPool;
  if (std::holds_alternative<ArgMax>(op)) return StageKind::ArgMax;
  if (std::holds_alternative<Add>(op)) return StageKind::Add;
  if (std::holds_alternative<Concat>(op)) return StageKind::Concat;
  return StageKind::Upsample;
}

/// Constants in the RTL are 32-bit parameters.
void check_constants(const Layer& layer, const std::vector<std::int64_t>& constants) {
  for (const std::int64_t value : constants)
    if (value < -(std::int64_t{1} << 30) || value > (std::int64_t{1} << 30))
      refuse(layer, fmt::format("its constant {} does not fit the hardware's 31 bits; choose scales that are closer to each other", value));
}

}  // namespace

std::vector<int> readers_of_maps(const Network& network) {
  std::vector<int> readers(network.maps.size(), 0);
  for (const Layer& layer : network.layers)
    for (const int input : layer.inputs) ++readers[static_cast<std::size_t>(input)];
  for (const NetworkOutput& output : network.outputs) ++readers[static_cast<std::size_t>(output.map)];
  return readers;
}

std::vector<Stage> cut_into_stages(const Network& network) {
  const std::vector<int> readers = readers_of_maps(network);
  std::vector<int> threshold_on(network.maps.size(), -1);  // by map: the threshold layer that is its only reader
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const auto map = static_cast<std::size_t>(network.layers[i].inputs[0]);
    if (std::holds_alternative<Threshold>(network.layers[i].op) && readers[map] == 1) threshold_on[map] = static_cast<int>(i);
  }
  std::vector<Stage> stages;
  std::set<int> fused;
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    if (fused.count(static_cast<int>(i)) != 0) continue;
    const Layer& layer = network.layers[i];
    Stage stage;
    stage.name = layer.name;
    stage.kind = kind_of(layer.op);
    stage.layer = static_cast<int>(i);
    stage.in_maps = layer.inputs;
    stage.out_map = layer.output;
    stage.in_shape = network.input_of(layer).shape;
    if (const auto* conv = std::get_if<Convolution>(&layer.op)) {
      stage.window = conv->window;
      stage.depthwise = conv->groups > 1 && conv->groups == stage.in_shape.channels && conv->groups == conv->out_channels;
      if (conv->groups == 1) flatten_if_whole_map(stage);
      const int next = threshold_on[static_cast<std::size_t>(layer.output)];
      if (next >= 0) {
        stage.threshold = next;
        stage.out_map = network.layers[static_cast<std::size_t>(next)].output;
        fused.insert(next);
      }
    } else if (const auto* pool = std::get_if<MaxPool>(&layer.op)) {
      stage.window = pool->window;
    } else if (const auto* add = std::get_if<Add>(&layer.op)) {
      check_constants(layer, add->scale);
    } else if (const auto* concat = std::get_if<Concat>(&layer.op)) {
      check_constants(layer, concat->scale);
    }
    stages.push_back(std::move(stage));
  }
  if (stages.empty()) throw Error(network.name, "has no layer: its outputs are its inputs, and there is no hardware to make");
  for (const NetworkOutput& output : network.outputs)
    if (output.map == network.input)
      throw Error(output.name, "is the network's input itself; take it from the data and remove it from the model's outputs");
  return stages;
}

}  // namespace bitloom
