#include "golden/packed.hpp"

#include <algorithm>

#include "golden/golden.hpp"

namespace bitloom {
namespace {

std::size_t index(int i) { return static_cast<std::size_t>(i); }

/// Whether every integer from low to high is of the type.
bool holds(const ValueType& type, std::int64_t low, std::int64_t high) {
  return !type.is_bipolar() && type.min() <= low && high <= type.max();
}

/// Storage for maps that do not leave the model. Each thread keeps its own from image to image: asking the system for it anew costs as much
/// time as a layer.
std::vector<std::vector<std::int32_t>>& spare_storage() {
  thread_local std::vector<std::vector<std::int32_t>> spare;
  return spare;
}

/// A map whose values have no meaning yet.
MapData take_map(const MapShape& shape, bool from_storage) {
  MapData map{shape, {}};
  if (from_storage && !spare_storage().empty()) {
    map.values = std::move(spare_storage().back());
    spare_storage().pop_back();
  }
  map.values.resize(static_cast<std::size_t>(shape.size()));
  return map;
}

}  // namespace

PackedGolden::PackedGolden(Network network, const Kernels& with) : network_(std::move(network)), kernels_(&with) {
  check(network_);
  std::vector<int> readers(network_.maps.size()), writer(network_.maps.size(), -1);
  last_reader_.assign(network_.maps.size(), -1);
  for (std::size_t i = 0; i < network_.layers.size(); ++i)
    for (const int map : network_.layers[i].inputs) {
      ++readers[index(map)];
      last_reader_[index(map)] = static_cast<int>(i);
    }
  for (const NetworkOutput& output : network_.outputs) {
    ++readers[index(output.map)];
    last_reader_[index(output.map)] = -1;
  }

  for (const Layer& layer : network_.layers) {
    const FeatureMap& in = network_.input_of(layer);
    const FeatureMap& out = network_.output_of(layer);
    const int number = static_cast<int>(steps_.size());
    writer[index(layer.output)] = number;
    Step& step = steps_.emplace_back();
    if (const auto* conv = std::get_if<Convolution>(&layer.op); conv != nullptr && !out.type.is_bipolar()) {
      step.convolution = PackedConvolution::pack(*conv, in, with);
      step.check_range = step.convolution && !holds(out.type, step.convolution->low(), step.convolution->high());
    } else if (const auto* threshold = std::get_if<Threshold>(&layer.op)) {
      step.thresholds = pack(*threshold, in, out);
    } else if (const auto* requantize = std::get_if<Requantize>(&layer.op)) {
      step.requantizer = pack(*requantize, out);
    }
    const int sums = writer[index(layer.inputs[0])];
    if (!step.quantizes() || sums < 0 || readers[index(layer.inputs[0])] != 1) continue;
    const auto* source = std::get_if<Convolution>(&network_.layers[index(sums)].op);
    step.is_fused = source != nullptr && source->groups == 1 && steps_[index(sums)].convolution;
    if (step.is_fused) steps_[index(sums)].fused = number;
  }
}

std::optional<PackedGolden::Thresholds> PackedGolden::pack(const Threshold& threshold, const FeatureMap& in, const FeatureMap& out) {
  const std::int64_t last = threshold.low + threshold.step * threshold.levels;
  const auto fits = [](std::int64_t value) { return INT32_MIN <= value && value <= INT32_MAX; };
  const bool proven =
      out.type.is_bipolar() ? threshold.levels == 1 : holds(out.type, std::min(threshold.low, last), std::max(threshold.low, last));
  // Below INT32_MAX, a threshold beyond 32 bits may be moved to their end.
  if (!proven || !fits(threshold.low) || !fits(last) || !fits(threshold.step) || in.type.max() >= INT32_MAX) return std::nullopt;
  Thresholds packed{in.shape.channels, threshold.levels, {}, {}, {}, 0, {}};
  const std::size_t padded = index((in.shape.channels + block - 1) / block * block), levels = index(threshold.levels);
  packed.table.assign(padded * levels, INT32_MAX);
  packed.base.assign(padded, 0);
  packed.slope.assign(padded, 0);
  for (std::size_t c = 0; c < index(in.shape.channels); ++c) {
    const bool falling = threshold.falling[c] != 0;
    packed.base[c] = static_cast<std::int32_t>(falling ? last : threshold.low);
    packed.slope[c] = static_cast<std::int32_t>(falling ? -threshold.step : threshold.step);
    for (std::size_t level = 0; level < levels; ++level)
      packed.table[(c / block * levels + level) * block + c % block] =
          static_cast<std::int32_t>(std::clamp<std::int64_t>(threshold.thresholds[c * levels + level], INT32_MIN, INT32_MAX));
  }
  const std::int64_t values = in.type.max() - in.type.min() + 1;
  if (threshold.levels < 16 || values * in.shape.channels > 1 << 16) return packed;
  packed.first = static_cast<int>(in.type.min());
  packed.lookup.resize(static_cast<std::size_t>(values) * index(in.shape.channels));
  for (std::int64_t value = 0; value < values; ++value) {
    const std::vector<std::int32_t> pixel(index(in.shape.channels), static_cast<std::int32_t>(value + packed.first));
    kernels().back().thresholds(packed.task(), pixel.data(), packed.lookup.data() + value * in.shape.channels);
  }
  return packed;
}

std::optional<PackedGolden::Requantizer> PackedGolden::pack(const Requantize& requantize, const FeatureMap& out) {
  const auto fits = [](std::int64_t value) { return INT32_MIN <= value && value <= INT32_MAX; };
  if (!holds(out.type, requantize.low, requantize.high) || !fits(requantize.low) || !fits(requantize.high) ||
      !std::all_of(requantize.mul.begin(), requantize.mul.end(), fits))
    return std::nullopt;
  Requantizer packed{{}, {requantize.mul.begin(), requantize.mul.end()}, requantize.add};
  packed.task = {static_cast<int>(requantize.mul.size()),    requantize.shift, static_cast<std::int32_t>(requantize.low),
                 static_cast<std::int32_t>(requantize.high), nullptr,          nullptr};
  return packed;
}

void PackedGolden::quantize_pixel(const Step& step, const std::int32_t* in, std::int32_t* out) const {
  if (step.thresholds) return kernels_->thresholds(step.thresholds->task(), in, out);
  RequantizeTask task = step.requantizer->task;
  task.mul = step.requantizer->mul.data();
  task.add = step.requantizer->add.data();
  kernels_->requantize(task, in, out);
}

bool PackedGolden::run_convolution(const Step& step, const ValueType& type, const Step* quantizer, const MapData& in, MapData& out) const {
  bool ok = true;
  const auto use = [&](const PackedConvolution::Tile& tile) {
    for (int i = 0; i < tile.count; ++i) {
      const std::span<const std::int32_t> sums(tile.sums + std::ptrdiff_t{i} * tile.stride, index(tile.channels));
      std::int32_t* to = out.values.data() + std::ptrdiff_t{tile.first_pixel + i} * out.shape.channels + tile.first_channel;
      if (step.check_range) {
        const auto [low, high] = kernels_->range(sums);
        ok = ok && holds(type, low, high);
      }
      if (quantizer != nullptr) {
        quantize_pixel(*quantizer, sums.data(), to);
      } else {
        std::copy(sums.begin(), sums.end(), to);
      }
    }
  };
  step.convolution->run(in, use);
  return ok;
}

void PackedGolden::run_quantizer(const Step& step, const MapData& in, MapData& out) const {
  const std::size_t channels = index(in.shape.channels);
  if (step.thresholds && !step.thresholds->lookup.empty()) {
    for (std::size_t at = 0; at < in.values.size(); at += channels)
      for (std::size_t c = 0; c < channels; ++c)
        out.values[at + c] = step.thresholds->lookup[index(in.values[at + c] - step.thresholds->first) * channels + c];
    return;
  }
  for (std::size_t at = 0; at < in.values.size(); at += channels) quantize_pixel(step, in.values.data() + at, out.values.data() + at);
}

bool PackedGolden::run_pool(const MaxPool& pool, const ValueType& type, const MapData& in, MapData& out) const {
  const Window& w = pool.window;
  const std::size_t channels = index(in.shape.channels);
  std::fill(out.values.begin(), out.values.end(), INT32_MIN);
  std::int32_t* best = out.values.data();
  for (int oy = 0; oy < out.shape.height; ++oy)
    for (int ox = 0; ox < out.shape.width; ++ox, best += channels)
      for (int r = 0; r < w.kernel_height; ++r)
        for (int s = 0; s < w.kernel_width; ++s) {
          const int y = oy * w.stride_height - w.pad_top + r * w.dilation_height;
          const int x = ox * w.stride_width - w.pad_left + s * w.dilation_width;
          if (y < 0 || y >= in.shape.height || x < 0 || x >= in.shape.width) continue;
          const std::size_t pixel = index(y) * index(in.shape.width) + index(x);
          kernels_->maximum({in.values.data() + pixel * channels, channels}, best);
        }
  return !w.has_padding() || kernels_->range(out.values).first >= type.min();  // a window may lie on padding alone
}

std::vector<MapData> PackedGolden::execute(const MapData& input, bool fuse) const {
  std::vector<MapData> maps(network_.maps.size());
  const FeatureMap& first = network_.maps[index(network_.input)];
  const auto [low, high] = kernels_->range(input.values);
  if (input.shape != first.shape || std::ssize(input.values) != first.shape.size() || !holds(first.type, low, high))
    check_values(first.name, first, input);
  MapData& pixels = maps[index(network_.input)] = take_map(first.shape, fuse && last_reader_[index(network_.input)] >= 0);
  std::copy(input.values.begin(), input.values.end(), pixels.values.begin());

  for (std::size_t i = 0; i < steps_.size(); ++i) {
    const Step& step = steps_[i];
    const Layer& layer = network_.layers[i];
    if (fuse && step.is_fused) continue;
    const Layer& last = fuse && step.fused >= 0 ? network_.layers[index(step.fused)] : layer;
    const MapData& in = maps[index(layer.inputs[0])];
    MapData& out = maps[index(last.output)];
    const ValueType& type = network_.output_of(layer).type;
    const auto* pool = std::get_if<MaxPool>(&layer.op);
    bool ok = step.convolution || step.quantizes() || pool != nullptr;
    if (ok) out = take_map(network_.output_of(last).shape, fuse && last_reader_[index(last.output)] >= 0);
    if (step.convolution) {
      ok = run_convolution(step, type, &last == &layer ? nullptr : &steps_[index(step.fused)], in, out);
    } else if (step.quantizes()) {
      run_quantizer(step, in, out);
    } else if (pool != nullptr) {
      ok = run_pool(*pool, type, in, out);
    }
    if (!ok) {
      std::vector<const MapData*> inputs;
      for (const int map : layer.inputs) inputs.push_back(&maps[index(map)]);
      out = run_layer(network_, layer, inputs);
    }
    for (const int map : layer.inputs) {
      if (!fuse || last_reader_[index(map)] != static_cast<int>(i)) continue;
      spare_storage().push_back(std::move(maps[index(map)].values));
      maps[index(map)] = {};
    }
  }

  return maps;
}

}  // namespace bitloom
