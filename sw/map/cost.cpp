#include "map/cost.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <numeric>

#include "map/cost_table.hpp"
#include "map/plan.hpp"
#include "map/raw.hpp"

namespace bitloom {
namespace {

constexpr std::int64_t kLogicRomWords = 16;  // as rtl/layer chooses: up to so many, or up to Stage::lut_bits bits, a ROM becomes logic

enum Term { Stages, Products, BitOperations, AccumulatorBits, CombinedBits, SearchBits, MemoryLuts, WordBits, BankBits, PlaneLayers, PoolBits, RequantizeBits, ProductAdders, MovingWindows, PaddedMaps, AddressBits };

void add_blocks(Cost& cost, const Budget& device, std::int64_t width, std::int64_t depth) {
  const BlockShape shape = block_shape(device, width, depth);
  cost.block_rams += shape.blocks;
  cost.terms[BankBits] += static_cast<double>(width * (shape.banks - 1));
}

void add_rom(Cost& cost, const Budget& device, std::int64_t width, std::int64_t depth, std::int64_t lut_bits = kLutBits) {
  cost.memory_bits += width * depth;
  if (depth <= kLogicRomWords || width * depth <= lut_bits)
    cost.terms[MemoryLuts] += rom_luts(width, depth);
  else
    add_blocks(cost, device, width, depth);
}

void add_lut_ram(Cost& cost, std::int64_t width, std::int64_t depth) {
  cost.memory_bits += width * depth;
  cost.terms[MemoryLuts] += ram_luts(width, depth);
}

/// Words that rtl/layer/window_reader's buffer has.
std::int64_t buffer_words(const WindowPlan& window) {
  constexpr std::int64_t kSpare = 4;
  std::int64_t below = 1, power = 1;
  while (below < window.depth) below *= 2;
  while (power < window.depth + kSpare) power *= 2;
  return power <= 256 || window.shared ? power : below < window.depth + kSpare ? below : window.depth + kSpare;
}

constexpr std::int64_t kSpramBits = 16, kSpramWords = 16384;

void add_spram(Cost& cost, std::int64_t width, std::int64_t depth) {
  cost.memory_bits += width * depth;
  cost.sprams += (width + kSpramBits - 1) / kSpramBits * ((depth + kSpramWords - 1) / kSpramWords);
}

/// The buffer of a window, whose words have `width` bits.
void add_window(Cost& cost, const Budget& device, std::int64_t width, const WindowPlan& window, int lut_bits) {
  const std::int64_t words = buffer_words(window);
  cost.terms[AddressBits] += static_cast<double>(std::bit_width(static_cast<std::uint64_t>(words - 1)));
  if (!window.shared && lut_bits > kLutBits && width * words <= lut_bits) return add_lut_ram(cost, width, words);
  if (!window.shared) return add_ram(cost, device, width, words);
  add_spram(cost, width, window.depth);
}

/// What a program's or a pool's words are read by.
void add_control(Cost& cost, const Budget& device, const Stage& stage) {
  int bits = 1;  // `last`, and an offset
  while (std::int64_t{1} << (bits - 1) < stage.window_plan.extent) ++bits;
  add_rom(cost, device, bits, stage.control_words, stage.lut_bits);
  if (stage.run_words > 0) add_rom(cost, device, stage.run_bits, stage.run_words, stage.lut_bits);
}

constexpr std::int64_t kRegisterFifo = 8;    // as rtl/stream/stream_fifo chooses
constexpr std::int64_t kRequantizeFifo = 9;  // CREDITS of rtl/layer/requantize_layer

/// The FIFO behind a plane layer; about as deep as rtl/layer/plane_layer makes it, before SLACK.
void add_results(Cost& cost, const Budget& device, const Stage& stage, std::int64_t out_bits) {
  const std::int64_t beats = std::int64_t{stage.folding.pe} * stage.folding.pixels / stage.folding.lanes, flight = 28 + beats;
  const std::int64_t depth = (flight / stage.shortest_group + 2) * beats;
  if (depth > kRegisterFifo) add_ram(cost, device, stage.folding.lanes * out_bits + 2, depth);
}

/// Comparators and thresholds of the activation.
void add_search(Cost& cost, const Budget& device, int lanes, int levels, int bits, int channels, int lut_bits) {
  cost.terms[SearchBits] = static_cast<double>(lanes) * levels * bits;
  for (int lane = 0; lane < lanes; ++lane)
    for (int level = 0; level < levels; ++level) add_rom(cost, device, bits, std::int64_t{channels / lanes} << level, lut_bits);
}

/// Channels of an activation by itself that have thresholds of their own; 1 where one table serves all (as emit makes it).
int tables(const Threshold& op) {
  const bool shared = std::equal(op.falling.begin() + 1, op.falling.end(), op.falling.begin()) &&
                      std::equal(op.thresholds.begin() + op.levels, op.thresholds.end(), op.thresholds.begin());
  return shared ? 1 : static_cast<int>(op.falling.size());
}

int search_levels(const Network& network, const Stage& stage) {
  return stage.threshold < 0 ? 1 : search_bits(std::get<Threshold>(network.layers[static_cast<std::size_t>(stage.threshold)].op).levels);
}

/// LUT4 of control in the basis engine, as synthesized layers show (docs/basis.md): sequencers, readers of orders and FIFO; a lane's reader.
constexpr double kBasisControl = 450, kLaneControl = 55;
constexpr double kLoadedRom = 40;  // counters and address of rtl/memory/loaded_rom, likewise

/// The multipliers of rtl/layer/run_combiner: a lane's total by a level, which the pass has moved.
void add_multipliers(Cost& cost, const Budget& device, const Stage& stage, int total_bits, int level_bits) {
  if (stage.multiplies_in_blocks)
    cost.dsps += stage.folding.run_lanes * dsps_of(device, total_bits, level_bits);
  else
    cost.terms[BitOperations] += static_cast<double>(stage.folding.run_lanes) * total_bits * level_bits;
}

/// LUT4 of rtl/arithmetic/product_sum beside its blocks: adders that take a LUT a bit, level by level.
double product_adders(const Folding& f, const Convolution& conv, const ValueType& in) {
  const auto [a, w] = product_factors(f, conv, in);
  std::int64_t luts = 0;
  for (int numbers = f.simd, bits = a + w + 1; numbers > 1; numbers = (numbers + 1) / 2, ++bits) luts += std::int64_t{numbers / 2} * bits;
  return static_cast<double>(luts * f.pe * f.pixels);
}

void add_plane(Cost& cost, const Network& network, const Stage& stage, const Budget& device) {
  const Layer& layer = network.layers[static_cast<std::size_t>(stage.layer)];
  const auto& conv = std::get<Convolution>(layer.op);
  const ValueType& in = network.input_of(layer).type;
  const RawAccumulator raw = raw_accumulator(conv, in, stage.pairs);
  const Folding& f = stage.folding;
  if (f.products) {
    cost.dsps = products_dsps(device, f, conv, in);
    cost.terms[ProductAdders] = product_adders(f, conv, in);
  } else {
    cost.terms[Products] = static_cast<double>(f.pe) * f.pixels * f.simd * f.wpar;
    cost.terms[BitOperations] = cost.terms[Products] * f.apar;
  }
  cost.terms[AccumulatorBits] = static_cast<double>(f.pe) * f.pixels * raw.bits;
  if (stage.combines) cost.terms[CombinedBits] = static_cast<double>(f.run_lanes) * raw.bits;
  if (stage.coefficient_bits > 0) {
    const auto [total, level] = level_factors(network, stage);
    add_multipliers(cost, device, stage, total, level);
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
  const std::int64_t weights_width = std::int64_t{f.pe} * f.simd * f.wpar;
  if (stage.weights_loaded)
    add_spram(cost, weights_width, stage.weight_words);
  else if (in_stripes(stage))
    for (const int stripe : stage.weight_stripes) add_rom(cost, device, stripe, stage.weight_words, 0);
  else
    add_rom(cost, device, weights_width, stage.weight_words, stage.lut_bits);
  for (int pixel = 0; pixel < f.pixels; ++pixel) add_window(cost, device, word_bits, stage.window_plan, stage.lut_bits);
  add_control(cost, device, stage);
  if (f.pixels > 1 && f.pe < conv.out_channels)  // pixel_order
    add_ram(cost, device, f.lanes * network.maps[static_cast<std::size_t>(stage.out_map)].type.bits(), std::int64_t{2} * f.pixels * conv.out_channels / f.lanes);
  add_results(cost, device, stage, network.maps[static_cast<std::size_t>(stage.out_map)].type.bits());
  add_search(cost, device, f.lanes, search_levels(network, stage), raw.bits, conv.out_channels, stage.lut_bits);
}

/// Partial products of a multiplication by these constants: a bit each, or, where all are the same, as many as have to be added to one (synthesis folds it).
int partial_products(const RequantizeConstants& c) {
  const bool same = std::adjacent_find(c.mul.begin(), c.mul.end(), std::not_equal_to<>()) == c.mul.end();
  return same ? std::max(0, std::popcount(static_cast<std::uint64_t>(std::abs(c.mul.front()))) - 1) : c.mul_bits;
}

void add_requantize(Cost& cost, const Requantize& op, const FeatureMap& in, int out_bits, int lanes, const Budget& device, int lut_bits) {
  const RequantizeConstants c = requantize_constants(op, in.type);
  cost.terms[RequantizeBits] = static_cast<double>(lanes) * std::max(in.type.bits() + c.mul_bits, c.add_bits);
  const int products = partial_products(c);
  if (products > 0 && device.dsps > 0 && device.infers_dsps)
    cost.dsps = lanes * dsps_of(device, in.type.bits() + (in.type.is_signed() ? 0 : 1), c.mul_bits);
  else
    cost.terms[BitOperations] = static_cast<double>(lanes) * in.type.bits() * products;
  add_ram(cost, device, std::int64_t{lanes} * out_bits + 1, kRequantizeFifo);
  for (int lane = 0; lane < lanes; ++lane) add_rom(cost, device, c.mul_bits + c.add_bits, c.mul.size() == 1 ? 1 : in.shape.channels / lanes, lut_bits);
}

}  // namespace

std::int64_t dsps_of(const Budget& device, int a_bits, int b_bits) {
  const int unsigned_bits = device.fabric == kIce40 ? 15 : 17;  // all parts of a factor but its highest are unsigned, a bit less
  const auto parts = [&](int bits) { return std::int64_t{(std::max(bits - 1, 1) + unsigned_bits - 1) / unsigned_bits}; };
  return parts(a_bits) * parts(b_bits);
}

std::pair<int, int> level_factors(const Network& network, const Stage& stage) {
  const Layer& layer = network.layers[static_cast<std::size_t>(stage.layer)];
  const auto& conv = std::get<Convolution>(layer.op);
  const ValueType& in = network.input_of(layer).type;
  const int total = total_bits(stage, conv, in, raw_accumulator(conv, in, stage.pairs)) + (has_signed_totals(stage, conv, in) ? 0 : 1);
  return {total, stage.coefficient_bits + in.bits() - stage.folding.apar};
}

std::pair<int, int> product_factors(const Folding& folding, const Convolution& conv, const ValueType& in) {
  return {folding.apar + (in.is_signed() ? 0 : 1), folding.wpar + (conv.weight_type.is_signed() ? 0 : 1)};
}

std::int64_t products_dsps(const Budget& device, const Folding& folding, const Convolution& conv, const ValueType& in) {
  const auto [a, w] = product_factors(folding, conv, in);
  return std::int64_t{folding.pe} * folding.pixels * folding.simd * dsps_of(device, a, w);
}

double most_underestimated(const Budget& device) { return kMostUnderestimated[static_cast<std::size_t>(device.fabric)]; }

BlockShape block_shape(const Budget& device, std::int64_t width, std::int64_t depth) {
  BlockShape best;
  std::int64_t words = device.block_bits / device.block_width;
  for (std::int64_t port = device.block_width; port >= 1; port /= 2, words *= 2) {
    const std::int64_t banks = (depth + words - 1) / words, blocks = (width + port - 1) / port * banks;
    if (best.blocks == 0 || blocks <= best.blocks) best = {blocks, banks};  // a narrower port has fewer banks
  }
  return best;
}

std::int64_t block_rams(const Budget& device, std::int64_t width, std::int64_t depth) { return block_shape(device, width, depth).blocks; }

void total_lut4(Cost& cost, const Budget& device) {
  cost.lut4 = std::inner_product(cost.terms.begin(), cost.terms.end(), kLutPerTerm[static_cast<std::size_t>(device.fabric)].begin(), 0.0);
}

double rom_luts(std::int64_t width, std::int64_t depth) {
  if (depth <= 2) return 1;
  if (depth <= 4) return static_cast<double>(std::min<std::int64_t>(width, 6));  // few functions of two bits are different
  if (depth <= 16) return static_cast<double>(width);
  return static_cast<double>(width * depth) / 8;  // a LUT for 16 words, and another to select among them
}

double ram_luts(std::int64_t width, std::int64_t depth) {
  const std::int64_t banks = (depth + 15) / 16, cells = (width + 3) / 4 * banks;  // of 16 words of 4 bits: four LUTs, two at the write port
  return static_cast<double>(6 * cells + (banks - 1) * width + banks);
}

bool in_stripes(const Stage& stage) {
  const Folding& f = stage.folding;
  return stage.weight_stripes.size() > 1 && stage.weight_words > kLogicRomWords &&
         std::int64_t{f.pe} * f.simd * f.wpar * stage.weight_words > stage.lut_bits;
}

std::vector<int> rom_stripes(const Budget& device, std::int64_t width, std::int64_t depth) {
  constexpr std::size_t kMostStripes = 6, kMostBits = 65535;  // as the module takes them
  const std::vector<int> whole = {static_cast<int>(width)};
  if (device.fabric != kEcp5 || width > static_cast<std::int64_t>(kMostBits)) return whole;
  struct Port {
    int bits;
    std::int64_t blocks;  // under one such port, for all words
  };
  std::vector<Port> ports;
  for (std::int64_t bits = device.block_width, words = device.block_bits / device.block_width; bits >= 1; bits /= 2, words *= 2)
    ports.push_back({static_cast<int>(bits), (depth + words - 1) / words});
  // The fewest blocks for so many bits, and the port taken last.
  std::vector<std::int64_t> fewest(static_cast<std::size_t>(width) + 1, 0);
  std::vector<std::size_t> last(fewest.size(), 0);
  for (std::size_t bits = 1; bits < fewest.size(); ++bits) {
    fewest[bits] = INT64_MAX;
    for (std::size_t p = 0; p < ports.size(); ++p) {
      const std::size_t rest = bits - std::min(bits, static_cast<std::size_t>(ports[p].bits));
      if (fewest[rest] + ports[p].blocks < fewest[bits]) fewest[bits] = fewest[rest] + ports[p].blocks, last[bits] = p;
    }
  }
  if (fewest.back() >= block_rams(device, width, depth)) return whole;
  std::vector<int> stripes(ports.size(), 0);
  for (std::size_t bits = fewest.size() - 1; bits > 0;) {
    const std::size_t taken = std::min(bits, static_cast<std::size_t>(ports[last[bits]].bits));
    stripes[last[bits]] += static_cast<int>(taken);
    bits -= taken;
  }
  std::erase(stripes, 0);
  return stripes.size() > kMostStripes ? whole : stripes;
}

void add_ram(Cost& cost, const Budget& device, std::int64_t width, std::int64_t depth) {
  // As Yosys 0.52 decides, by 45 shapes (bench/memories): 4 for each LUT RAM of 16 words of 4 bits and 0.5 for each bit that is selected
  // from a further one, against 121 for a block.
  const std::int64_t banks = (depth + 15) / 16, cells = (width + 3) / 4 * banks;
  if (device.fabric == kEcp5 && 8 * cells + (banks - 1) * width <= 242 * block_rams(device, width, depth)) return add_lut_ram(cost, width, depth);
  cost.memory_bits += width * depth;
  add_blocks(cost, device, width, depth);
}

Cost estimate(const Network& network, const Stage& stage, const Budget& device) {
  const Layer& layer = network.layers[static_cast<std::size_t>(stage.layer)];
  const int bits = network.input_of(layer).type.bits();
  Cost cost;
  cost.terms[Stages] = 1;
  if (stage.has_window()) {
    cost.terms[MovingWindows] = stage.window_plan.out_height * stage.window_plan.out_width > 1 ? 1 : 0;
    cost.terms[PaddedMaps] = stage.window.has_padding() ? 1 : 0;
  }
  if (stage.kind == StageKind::Plane) {
    cost.terms[PlaneLayers] = 1;
    add_plane(cost, network, stage, device);
  } else {
    cost.terms[WordBits] = static_cast<double>(stage.folding.simd) * bits;
    if (stage.kind == StageKind::MaxPool) {
      cost.terms[PoolBits] = static_cast<double>(stage.folding.lanes) * bits;
      add_window(cost, device, std::int64_t{stage.folding.simd} * bits, stage.window_plan, stage.lut_bits);
      add_control(cost, device, stage);
    }
    if (stage.kind == StageKind::Upsample)
      add_ram(cost, device, std::int64_t{stage.folding.simd} * bits,
              2 * stage.in_shape.width * stage.in_shape.channels / stage.folding.simd);
    if (const auto* requantize = std::get_if<Requantize>(&layer.op))
      add_requantize(cost, *requantize, network.input_of(layer), network.output_of(layer).type.bits(), stage.folding.simd, device, stage.lut_bits);
    if (const auto* threshold = std::get_if<Threshold>(&layer.op))
      add_search(cost, device, stage.folding.simd, search_bits(threshold->levels), bits + 1,
                 std::max(tables(*threshold), stage.folding.simd), stage.lut_bits);
  }
  total_lut4(cost, device);
  if (stage.weights_loaded) cost.lut4 += kLoadedRom;
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
  const std::int64_t operand = device.fabric == kEcp5 ? 0 : 1;
  const std::int64_t products = std::int64_t{f.pixels} * conv.window.kernel_width * f.rows, accumulators = columns * f.rows;
  const int product_bits = std::min(acc, program.sum_bits + taps);
  const std::int64_t lanes = f.sparse * ((sum + f.pixels) + operand * sum), merge = (f.sparse + 1) / 3 * sum;
  const std::int64_t ahead = sum, block = f.simd > 1 ? word : 0;
  const std::int64_t sums = (products - accumulators) * (product_bits + 2) + accumulators * (acc + 1 + operand * acc);
  const std::int64_t waiting = std::min<std::int64_t>(carried, f.pixels) * (f.rows > 1 ? f.rows - 1 : height > 1 ? 1 : 0) * acc;
  const std::int64_t shifter = f.pe * f.pixels > f.lanes ? std::int64_t{f.pe} * f.pixels * acc : 0;
  const double adders = static_cast<double>(lanes + merge + ahead + block + sums + waiting + shifter);
  if (device.dsps > 0 && device.infers_dsps)
    cost.dsps = products * dsps_of(device, program.sum_bits, taps);
  else
    cost.terms[BitOperations] = static_cast<double>(products * program.sum_bits * taps);
  if (device.fabric != kEcp5) add_ram(cost, device, sum, kSumsAhead);  // LUT RAM on ECP5
  add_ram(cost, device, f.simd * (f.pixels - 1) * std::int64_t{in.bits()}, channels / f.simd);
  std::int64_t half = 1;
  while (half < channels) half *= 2;
  for (const std::vector<CoefficientTask>& lane : program.lanes) {
    const LaneCode code = encode(program.code, lane, channels);
    add_ram(cost, device, word, 2 * half);
    add_rom(cost, device, program.code.bitmap ? program.code.chunk_bits : program.code.gap_bits + 1,
            static_cast<std::int64_t>(code.words.size()));
    if (!code.signs.empty()) add_rom(cost, device, 1, static_cast<std::int64_t>(code.signs.size()));
  }
  const TaskOrder& order = program.order;
  if (order.gap_bits + order.lane_bits > 0) add_rom(cost, device, order.gap_bits + order.lane_bits, static_cast<std::int64_t>(order.words.size()));
  const std::int64_t steps = height / f.rows;
  add_rom(cost, device, f.rows * conv.window.kernel_width * std::int64_t{taps}, d.kernels * steps);
  if (carried > 0) add_ram(cost, device, f.rows * carried * acc, conv.out_channels * steps);
  if (height > 1)
    add_ram(cost, device, (steps > 1 ? 1 : height - 1) * f.pixels * acc, std::int64_t{b.groups} * conv.out_channels * (steps > 1 ? height - 1 : 1));
  const int out_bits = network.maps[static_cast<std::size_t>(stage.out_map)].type.bits();
  add_results(cost, device, stage, out_bits);
  if (f.pixels > 1 && f.pe < conv.out_channels)
    add_ram(cost, device, std::int64_t{f.lanes} * out_bits, 2 * std::int64_t{f.pixels} * conv.out_channels / f.lanes);
  add_search(cost, device, f.lanes, search_levels(network, stage), acc, conv.out_channels, stage.lut_bits);
  total_lut4(cost, device);
  cost.lut4 += adders + kBasisControl + kLaneControl * f.sparse;
  return cost;
}

}  // namespace bitloom
