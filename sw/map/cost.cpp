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

/// Comparators and thresholds of the activation.
void add_search(Cost& cost, const Budget& device, int lanes, int levels, int bits, int channels) {
  cost.terms[SearchBits] = static_cast<double>(lanes) * levels * bits;
  for (int lane = 0; lane < lanes; ++lane)
    for (int level = 0; level < levels; ++level) add_rom(cost, device, bits, std::int64_t{channels / lanes} << level);
}

int search_levels(const Network& network, const Stage& stage) {
  return stage.threshold < 0 ? 1 : search_bits(std::get<Threshold>(network.layers[static_cast<std::size_t>(stage.threshold)].op).levels);
}

void total_lut4(Cost& cost, const Budget& device) {
  cost.lut4 = std::inner_product(cost.terms.begin(), cost.terms.end(), kLutPerTerm[static_cast<std::size_t>(device.fabric)].begin(), 0.0);
}

/// LUT4 of control in the basis engine, as synthesized layers show (docs/basis.md): sequencers, readers of orders and FIFO; a lane's reader.
constexpr double kBasisControl = 450, kLaneControl = 55;

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
  add_search(cost, device, f.lanes, search_levels(network, stage), raw.bits, conv.out_channels);
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
  total_lut4(cost, device);
  return cost;
}

Cost estimate_basis(const Network& network, const Stage& stage, const BasisProgram& program, const Budget& device) {
  const Layer& layer = network.layers[static_cast<std::size_t>(stage.layer)];
  const auto& conv = std::get<Convolution>(layer.op);
  const Decomposition& d = *conv.decomposition;
  const ValueType& in = network.input_of(layer).type;
  const int acc = raw_accumulator(conv, in).bits, taps = basis_bits(d), channels = stage.in_shape.channels;
  const Folding& f = stage.folding;
  const BasisBlocks& b = stage.blocks;
  const std::int64_t height = conv.window.kernel_height, carried = conv.window.kernel_width - 1, columns = f.pixels + carried;
  const std::int64_t word = std::int64_t{f.pixels} * in.bits(), sum = std::int64_t{f.pixels} * program.sum_bits;
  Cost cost;
  // Adders are a LUT a bit, and known one by one; on ECP5 an operand that is inverted or replaced costs nothing (rtl/fabric/carry_adders).
  const std::int64_t operand = device.fabric == 1 ? 0 : 1;
  const std::int64_t products = std::int64_t{f.pixels} * conv.window.kernel_width * f.rows, accumulators = columns * f.rows;
  const int product_bits = std::min(acc, program.sum_bits + taps);
  const std::int64_t lanes = f.sparse * ((sum + f.pixels) + operand * sum), merge = (f.sparse + 1) / 3 * sum;
  const std::int64_t ahead = sum, block = f.simd > 1 ? word : 0;
  const std::int64_t sums = (products - accumulators) * (product_bits + 2) + accumulators * (acc + 1 + operand * acc);
  const std::int64_t waiting = std::min<std::int64_t>(carried, f.pixels) * (f.rows > 1 ? f.rows - 1 : height > 1 ? 1 : 0) * acc;
  const std::int64_t shifter = f.pe * f.pixels > f.lanes ? std::int64_t{f.pe} * f.pixels * acc : 0;
  const double adders = static_cast<double>(lanes + merge + ahead + block + sums + waiting + shifter);
  if (device.dsps > 0 && device.infers_dsps)
    cost.dsps = products * dsps_of(program.sum_bits, taps);
  else
    cost.terms[BitOperations] = static_cast<double>(products * program.sum_bits * taps);
  if (device.fabric != 1) add_buffer(cost, device, sum, kSumsAhead);  // LUT RAM on ECP5
  add_buffer(cost, device, f.simd * (f.pixels - 1) * std::int64_t{in.bits()}, channels / f.simd);
  std::int64_t half = 1;
  while (half < channels) half *= 2;
  for (const std::vector<CoefficientTask>& lane : program.lanes) {
    const LaneCode code = encode(program.code, lane, channels);
    add_buffer(cost, device, word, 2 * half);
    add_rom(cost, device, program.code.bitmap ? program.code.chunk_bits : program.code.gap_bits + 1,
            static_cast<std::int64_t>(code.words.size()));
    if (!code.signs.empty()) add_rom(cost, device, 1, static_cast<std::int64_t>(code.signs.size()));
  }
  const TaskOrder& order = program.order;
  if (order.gap_bits + order.lane_bits > 0) add_rom(cost, device, order.gap_bits + order.lane_bits, static_cast<std::int64_t>(order.words.size()));
  const std::int64_t steps = height / f.rows;
  add_rom(cost, device, f.rows * conv.window.kernel_width * std::int64_t{taps}, d.kernels * steps);
  if (carried > 0) add_buffer(cost, device, f.rows * carried * acc, conv.out_channels * steps);
  if (height > 1)
    add_buffer(cost, device, (steps > 1 ? 1 : height - 1) * f.pixels * acc, std::int64_t{b.groups} * conv.out_channels * (steps > 1 ? height - 1 : 1));
  const int out_bits = network.maps[static_cast<std::size_t>(stage.out_map)].type.bits();
  add_results(cost, device, stage, out_bits);
  if (f.pixels > 1 && f.pe < conv.out_channels)
    add_buffer(cost, device, std::int64_t{f.lanes} * out_bits, 2 * std::int64_t{f.pixels} * conv.out_channels / f.lanes);
  add_search(cost, device, f.lanes, search_levels(network, stage), acc, conv.out_channels);
  total_lut4(cost, device);
  cost.lut4 += adders + kBasisControl + kLaneControl * f.sparse;
  return cost;
}

}  // namespace bitloom
