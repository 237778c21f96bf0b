#include "map/cost.hpp"

#include <algorithm>
#include <cstdint>
#include <numeric>

#include "map/cost_table.hpp"
#include "map/plan.hpp"
#include "map/raw.hpp"

namespace bitloom {
namespace {

constexpr std::int64_t kLogicRomBits = 1024;  // as rtl/layer chooses: up to this size, or up to 16 words, a ROM becomes logic
constexpr std::int64_t kLogicRomWords = 16;

enum Term { Stages, Products, BitOperations, AccumulatorBits, CombinedBits, SearchBits, LogicRomBits, WordBits };

void add_rom(Cost& cost, const Budget& device, std::int64_t width, std::int64_t depth) {
  cost.memory_bits += width * depth;
  if (depth <= kLogicRomWords || width * depth <= kLogicRomBits)
    cost.terms[LogicRomBits] += static_cast<double>(width * depth);
  else
    cost.block_rams += block_rams(device, width, depth);
}

void add_buffer(Cost& cost, const Budget& device, std::int64_t width, std::int64_t depth) {
  cost.memory_bits += width * depth;
  cost.block_rams += block_rams(device, width, depth);
}

constexpr std::int64_t kSpramBits = 16, kSpramWords = 16384;

/// The buffer of a window, whose words have `width` bits.
void add_window(Cost& cost, const Budget& device, std::int64_t width, const WindowPlan& window) {
  if (!window.shared) return add_buffer(cost, device, width, window.depth);
  cost.memory_bits += width * window.depth;
  cost.sprams += (width + kSpramBits - 1) / kSpramBits * ((window.depth + kSpramWords - 1) / kSpramWords);
}

/// The offsets of a program that repeats itself from group to group (one that does not is longer), or of a pool's chunks.
void add_control(Cost& cost, const Budget& device, const WindowPlan& window, std::int64_t words) {
  int bits = 1;  // `last`, and an offset
  while (std::int64_t{1} << (bits - 1) < window.extent) ++bits;
  add_rom(cost, device, bits, words);
}

constexpr std::int64_t kRegisterFifo = 8;    // as rtl/stream/stream_fifo chooses
constexpr std::int64_t kRequantizeFifo = 9;  // CREDITS of rtl/layer/requantize_layer

/// The FIFO behind a plane layer; about as deep as rtl/layer/plane_layer makes it, before SLACK.
void add_results(Cost& cost, const Budget& device, const Stage& stage, std::int64_t out_bits) {
  const std::int64_t beats = std::int64_t{stage.folding.pe} * stage.folding.pixels / stage.folding.lanes, flight = 28 + beats;
  const std::int64_t depth = (flight / stage.shortest_group + 2) * beats;
  if (depth > kRegisterFifo) add_buffer(cost, device, stage.folding.lanes * out_bits + 2, depth);
}

/// Factors of up to 18 signed bits meet in one multiplier; wider ones are split.
std::int64_t dsps_of(int a_bits, int b_bits) { return std::int64_t{(a_bits + 16) / 17} * ((b_bits + 16) / 17); }

/// The multipliers of rtl/layer/run_combiner: a lane's total by a level, which the pass has moved.
void add_multipliers(Cost& cost, const Stage& stage, int total_bits, int level_bits) {
  if (stage.multiplies_in_blocks)
    cost.dsps = stage.folding.run_lanes * dsps_of(total_bits, level_bits);
  else
    cost.terms[BitOperations] += static_cast<double>(stage.folding.run_lanes) * total_bits * level_bits;
}

void add_plane(Cost& cost, const Network& network, const Stage& stage, const Budget& device) {
  const Layer& layer = network.layers[static_cast<std::size_t>(stage.layer)];
  const auto& conv = std::get<Convolution>(layer.op);
  const ValueType& in = network.input_of(layer).type;
  const RawAccumulator raw = raw_accumulator(conv, in, stage.pairs);
  const Folding& f = stage.folding;
  cost.terms[Products] = static_cast<double>(f.pe) * f.pixels * f.simd * f.wpar;
  cost.terms[BitOperations] = cost.terms[Products] * f.apar;
  cost.terms[AccumulatorBits] = static_cast<double>(f.pe) * f.pixels * raw.bits;
  if (stage.combines) cost.terms[CombinedBits] = static_cast<double>(f.run_lanes) * raw.bits;
  if (stage.coefficient_bits > 0) {
    const auto [total, level] = level_factors(network, stage);
    add_multipliers(cost, stage, total, level);
  }
  const std::int64_t word_bits = std::int64_t{f.simd} * (stage.depthwise ? f.pe : 1) * in.bits();
  cost.terms[WordBits] = static_cast<double>(word_bits);
  // Shared cells, in units of what others take: (A + 2) LUTs a product of A bits and 7/3 a binary one, and what is shared, once.
  if (stage.pairs) {
    cost.terms[BitOperations] /= 2;
    cost.terms[Products] *= 2.0 / 3;
    cost.terms[AccumulatorBits] *= 2.0 / 3;
  } else if (stage.triples) {
    cost.terms[BitOperations] *= 7.0 / 6;
    cost.terms[Products] = 0;
    cost.terms[AccumulatorBits] *= 2.0 / 3;
  }
  add_rom(cost, device, std::int64_t{f.pe} * f.simd * f.wpar, stage.weight_words);
  for (int pixel = 0; pixel < f.pixels; ++pixel) add_window(cost, device, word_bits, stage.window_plan);
  add_control(cost, device, stage.window_plan, static_cast<std::int64_t>(stage.window_plan.offsets.size()));
  add_results(cost, device, stage, network.maps[static_cast<std::size_t>(stage.out_map)].type.bits());
  const int levels =
      stage.threshold < 0 ? 1 : search_bits(std::get<Threshold>(network.layers[static_cast<std::size_t>(stage.threshold)].op).levels);
  cost.terms[SearchBits] = static_cast<double>(f.lanes) * levels * raw.bits;
  for (int lane = 0; lane < f.lanes; ++lane)
    for (int level = 0; level < levels; ++level) add_rom(cost, device, raw.bits, std::int64_t{conv.out_channels / f.lanes} << level);
}

void add_requantize(Cost& cost, const Requantize& op, const FeatureMap& in, int out_bits, int lanes, const Budget& device) {
  const RequantizeConstants c = requantize_constants(op, in.type);
  cost.terms[WordBits] += static_cast<double>(lanes) * std::max(in.type.bits() + c.mul_bits, c.add_bits);
  if (device.dsps > 0 && device.infers_dsps)
    cost.dsps = lanes * dsps_of(in.type.bits() + 1, c.mul_bits);
  else
    cost.terms[BitOperations] = static_cast<double>(lanes) * in.type.bits() * c.mul_bits;
  add_buffer(cost, device, std::int64_t{lanes} * out_bits + 1, kRequantizeFifo);
  for (int lane = 0; lane < lanes; ++lane) add_rom(cost, device, c.mul_bits + c.add_bits, in.shape.channels / lanes);
}

}  // namespace

std::pair<int, int> level_factors(const Network& network, const Stage& stage) {
  const Layer& layer = network.layers[static_cast<std::size_t>(stage.layer)];
  const auto& conv = std::get<Convolution>(layer.op);
  const ValueType& in = network.input_of(layer).type;
  const int total = total_bits(stage, conv, in, raw_accumulator(conv, in, stage.pairs)) + (has_signed_totals(stage, conv, in) ? 0 : 1);
  return {total, stage.coefficient_bits + in.bits() - stage.folding.apar};
}

double most_underestimated() { return kMostUnderestimated; }

std::int64_t block_rams(const Budget& device, std::int64_t width, std::int64_t depth) {
  std::int64_t fewest = INT64_MAX;
  std::int64_t words = device.block_bits / device.block_width;
  for (std::int64_t port = device.block_width; port >= 1; port /= 2, words *= 2)
    fewest = std::min(fewest, (width + port - 1) / port * ((depth + words - 1) / words));
  return fewest;
}

Cost estimate(const Network& network, const Stage& stage, const Budget& device) {
  const Layer& layer = network.layers[static_cast<std::size_t>(stage.layer)];
  const int bits = network.input_of(layer).type.bits();
  Cost cost;
  cost.terms[Stages] = 1;
  if (stage.kind == StageKind::Plane) {
    add_plane(cost, network, stage, device);
  } else {
    cost.terms[WordBits] = static_cast<double>(stage.folding.simd) * bits;
    if (stage.kind == StageKind::MaxPool) {
      add_window(cost, device, std::int64_t{stage.folding.simd} * bits, stage.window_plan);
      add_control(cost, device, stage.window_plan, stage.words_per_pixel);
    }
    if (stage.kind == StageKind::Upsample)
      add_buffer(cost, device, std::int64_t{stage.folding.simd} * bits,
                 2 * stage.in_shape.width * stage.in_shape.channels / stage.folding.simd);
    if (const auto* requantize = std::get_if<Requantize>(&layer.op))
      add_requantize(cost, *requantize, network.input_of(layer), network.output_of(layer).type.bits(), stage.folding.simd, device);
    if (const auto* threshold = std::get_if<Threshold>(&layer.op))
      cost.terms[SearchBits] = static_cast<double>(stage.folding.simd) * search_bits(threshold->levels) * (bits + 1);
  }
  cost.lut4 = std::inner_product(cost.terms.begin(), cost.terms.end(), kLutPerTerm[static_cast<std::size_t>(device.fabric)].begin(), 0.0);
  return cost;
}

}  // namespace bitloom
