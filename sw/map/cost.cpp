#include "map/cost.hpp"

#include <algorithm>
#include <cmath>

#include "map/raw.hpp"

namespace bitloom {
namespace {

// LUT4 per bit operation per clock of the array, and per bit of the parts beside it.
constexpr double kArrayLut[] = {0, 3.2, 2.8, 2.7, 2.6, 2.5, 2.4, 2.4, 2.4};  // by activation bits side by side (index 0 unused)
constexpr double kAccumulatorLutPerBit = 2.0;                               // accumulate, double, hold
constexpr double kStageLut = 150;                                           // sequencer, counters, adapters, FIFO
constexpr double kSearchLutPerBit = 2.5;                                    // per lane and search level
constexpr int kBlockBits = 4096, kBlockWidth = 16;                          // the smallest block of the families: iCE40's
constexpr std::int64_t kLogicRom = 1024;                                    // smaller memories become logic (rtl/layer)

void add_memory(Cost& cost, std::int64_t width, std::int64_t depth) {
  const std::int64_t bits = width * depth;
  cost.memory_bits += bits;
  if (bits <= kLogicRom) {
    cost.lut4 += static_cast<double>(bits) / 12.0;
    return;
  }
  const std::int64_t words = kBlockBits / kBlockWidth;
  cost.block_rams += (width + kBlockWidth - 1) / kBlockWidth * ((depth + words - 1) / words);
}

}  // namespace

Cost estimate(const Network& network, const Stage& stage) {
  const Layer& layer = network.layers[static_cast<std::size_t>(stage.layer)];
  const int bits = network.input_of(layer).type.bits();
  const Folding& f = stage.folding;
  Cost cost;
  cost.lut4 = kStageLut;
  if (stage.kind == StageKind::Plane) {
    const auto& conv = std::get<Convolution>(layer.op);
    const RawAccumulator raw = raw_accumulator(conv, network.input_of(layer).type);
    const double per_bit = kArrayLut[std::min(f.apar, 8)];
    cost.lut4 += per_bit * f.pe * f.simd * f.apar + kAccumulatorLutPerBit * f.pe * raw.bits;
    add_memory(cost, std::int64_t{f.pe} * f.simd, stage.words_per_pixel);
    add_memory(cost, std::int64_t{f.simd} * bits, stage.window_plan.depth);
    const int channels = conv.out_channels;
    if (stage.threshold >= 0) {
      const auto& threshold = std::get<Threshold>(network.layers[static_cast<std::size_t>(stage.threshold)].op);
      const int levels = static_cast<int>(std::ceil(std::log2(threshold.levels + 1)));
      cost.lut4 += kSearchLutPerBit * f.lanes * levels * raw.bits;
      for (int level = 0; level < levels; ++level) add_memory(cost, std::int64_t{f.lanes} * (raw.bits + 1), (channels / f.lanes) << level);
    } else {
      cost.lut4 += 2.0 * f.lanes * raw.bits;
      add_memory(cost, std::int64_t{f.lanes} * raw.bits, channels / f.lanes);
    }
  } else if (stage.kind == StageKind::MaxPool) {
    cost.lut4 += 3.0 * f.simd * bits;
    add_memory(cost, std::int64_t{f.simd} * bits, stage.window_plan.depth);
  } else if (stage.kind == StageKind::Threshold) {
    const auto& threshold = std::get<Threshold>(layer.op);
    cost.lut4 += kSearchLutPerBit * f.simd * bits * std::ceil(std::log2(threshold.levels + 1));
  }
  return cost;
}

}  // namespace bitloom
