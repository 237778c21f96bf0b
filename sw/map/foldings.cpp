// What a stage can be folded to, and what a folding means for its window, its program and its clocks.
#include <algorithm>
#include <numeric>

#include "map/stages.hpp"

namespace bitloom {
namespace {

constexpr int kMostLanes = 100;  // of thresholds, scores and requantizers: their memory images have two digits for the lane

int smallest_divisor_at_least(int n, std::int64_t least) {
  for (const int d : divisors(n))
    if (d >= least) return d;
  return n;
}

/// The window reader's view of a window over a map of `words` words per pixel, of which an output group reads `group_words`. The stream is
/// padded before it.
WindowPlan plan_window(const MapShape& shape, const Window& window, int words, int group_words, int columns, int pixels = 1) {
  const int height = shape.height + window.pad_top + window.pad_bottom;
  const int width = shape.width + window.pad_left + window.pad_right - (columns - 1);  // unfolding swallows columns - 1
  const int kernel_width = columns > 1 ? 1 : window.kernel_width;
  WindowPlan plan;
  plan.out_height = window.out_height(shape.height);
  plan.out_width = window.out_width(shape.width) / pixels;
  plan.pixel_step = window.stride_width * words;
  plan.extent = ((window.kernel_height - 1) * window.dilation_height * width + (kernel_width - 1) * window.dilation_width + 1) * words +
                (pixels - 1) * plan.pixel_step;
  plan.step_x = pixels * plan.pixel_step;
  const int row = window.stride_height * width * words;  // from a row of windows to the next
  plan.step_row = row - (plan.out_width - 1) * plan.step_x;
  plan.step_frame = height * width * words - (plan.out_height - 1) * row - (plan.out_width - 1) * plan.step_x;
  // Deep enough that the next frame's first window is complete when this frame's last one ends: no bubble between frames.
  // (window_reader adds the few words that its own latency asks for.)
  plan.depth = std::max({plan.extent + plan.step_frame, plan.extent + plan.step_row, plan.step_x, 2});
  plan.channel_groups = words / group_words;
  plan.group_step = group_words;
  for (int r = 0; r < window.kernel_height; ++r)
    for (int s = 0; s < kernel_width; ++s)
      for (int chunk = 0; chunk < group_words; ++chunk)
        plan.offsets.push_back((r * window.dilation_height * width + s * window.dilation_width) * words + chunk);
  return plan;
}

/// Channels that a beat of the stage's input may hold: divisors of every input's channels.
int common_channels(const Network& network, const Stage& stage) {
  int common = stage.in_shape.channels;
  for (const int map : stage.in_maps)
    if (stage.in_maps.size() > 1) common = std::gcd(common, network.maps[static_cast<std::size_t>(map)].shape.channels);
  return common;
}

/// Output pixels times channels, by lanes: a beat a clock.
std::int64_t beats_out(const Network& network, const Stage& stage, int lanes) {
  return network.maps[static_cast<std::size_t>(stage.out_map)].shape.size() / lanes;
}

/// Whether a codebook's levels meet the totals in multiplier blocks; those that Yosys does not infer take factors of one block.
bool multiplies_in_blocks(const Network& network, const Stage& stage, const Budget& budget) {
  if (stage.coefficient_bits == 0 || budget.dsps == 0) return false;
  const auto [total, level] = level_factors(network, stage);
  return budget.infers_dsps || dsps_of(budget, total, level) == 1;
}

/// Whether the device has blocks for the products; iCE40's are placed by hand and take factors of one block.
bool has_blocks_for_products(const Stage& stage, const Convolution& conv, const ValueType& in, const Budget& budget) {
  const std::int64_t blocks = products_dsps(budget, stage.folding, conv, in);
  const auto [a, w] = product_factors(stage.folding, conv, in);
  return blocks <= budget.dsps && (budget.fabric != kIce40 || dsps_of(budget, a, w) == 1);
}

/// Two by two: all bits of several at once, and a group is a single run.
bool takes_pairs(const Stage& stage, const Convolution& conv, int bits, int fabric) {
  const Folding& f = stage.folding;
  return fabric == kIce40 && uses_xnor(conv) && !stage.depthwise && bits > 1 && f.apar == bits && f.simd % 2 == 0 &&
         stage.in_shape.channels / conv.groups % 2 == 0;
}

/// Three by three: one bit at a time, without sign.
bool takes_triples(const Stage& stage, const Convolution& conv, const ValueType& type, int fabric) {
  return fabric == kIce40 && uses_xnor(conv) && !stage.depthwise && stage.folding.apar == 1 && (type.is_bipolar() || !type.is_signed());
}

bool apply_plane(const Network& network, Stage& stage, const Layer& layer, const PlaneMasks& masks) {
  const auto& conv = std::get<Convolution>(layer.op);
  Folding& f = stage.folding;
  const int channels = stage.in_shape.channels;
  stage.in_lanes = f.columns > 1 ? channels : stage.depthwise ? f.pe : f.simd;
  const int words = f.columns > 1 ? 1 : channels / stage.in_lanes;
  const int group_words = f.columns > 1 ? 1 : stage.depthwise ? 1 : channels / conv.groups / f.simd;
  stage.window_plan = plan_window(stage.in_shape, stage.window, words, group_words, f.columns, f.pixels);

  // Totals are combined and compared while the next run, or group, is computed. Either a few lanes do both, and runs must take their time;
  // or every total is combined at once, and only groups must.
  const int count = f.pe * f.pixels;
  const bool all_at_once = f.run_lanes == count;
  if (all_at_once && weight_planes(conv) == f.wpar && network.input_of(layer).type.bits() == f.apar) return false;  // one run
  const auto lanes_for = [&](std::int64_t clocks) { return smallest_divisor_at_least(f.pe, (count + clocks - 1) / clocks); };
  if (!all_at_once) f.lanes = lanes_for(static_cast<std::int64_t>(stage.window_plan.offsets.size()));
  stage.shortest_run = all_at_once ? 1 : (count + f.lanes - 1) / f.lanes;
  if (stage.shortest_run > static_cast<int>(stage.window_plan.offsets.size())) return false;
  const Program program = make_program(conv, stage, masks, network.input_of(layer).type.bits());
  stage.combines = program.combines();
  stage.coefficient_bits = program.coefficient_bits;
  stage.shortest_group = program.shortest_group();
  if (all_at_once || !stage.combines) f.lanes = lanes_for(stage.shortest_group);
  if (!all_at_once) f.run_lanes = f.lanes;
  if (f.lanes * stage.shortest_group < count || f.lanes > kMostLanes || (all_at_once && !stage.combines)) return false;

  stage.words_per_pixel = program.words();
  stage.weight_words = program.weight_words();
  stage.control_words = program.control_words(stage.window_plan.offsets.size(), stage.window_plan.channel_groups);
  stage.run_words = program.run_words();
  stage.run_bits = program.run_bits();
  stage.planes = describe(program) + (f.products ? ", a multiplier block for each weight of a word" : "");
  stage.clocks = std::int64_t{stage.window_plan.out_height} * stage.window_plan.out_width * stage.words_per_pixel;
  return true;
}

}  // namespace

std::vector<int> divisors(int n) {
  std::vector<int> result;
  for (int d = 1; d <= n; ++d)
    if (n % d == 0) result.push_back(d);
  return result;
}

std::vector<Folding> foldings(const Network& network, const Stage& stage) {
  const Layer& layer = network.layers[static_cast<std::size_t>(stage.layer)];
  std::vector<Folding> result;
  if (stage.kind == StageKind::ArgMax) return {Folding{}};
  if (stage.kind != StageKind::Plane) {
    const bool has_tables = stage.kind == StageKind::Threshold || stage.kind == StageKind::Requantize;
    for (const int lanes : divisors(common_channels(network, stage)))
      if (!has_tables || lanes <= kMostLanes) result.push_back({1, lanes, 1, lanes, 1});
    return result;
  }
  const auto& conv = std::get<Convolution>(layer.op);
  const int bits = network.input_of(layer).type.bits();
  const int channels = stage.in_shape.channels, group_channels = channels / conv.groups;
  const int kernel_width = stage.window.kernel_width, out_width = stage.window.out_width(stage.in_shape.width);
  const bool unfolds = kernel_width > 1 && stage.window.dilation_width == 1;
  const auto add = [&](int pe, int simd, int columns) {
    const int planes = weight_planes(conv);
    for (const int pixels : {1, 2, 4}) {
      if (out_width % pixels != 0) break;
      for (const int wpar : planes > 1 ? std::vector{1, planes} : std::vector{1}) {
        for (const int run_lanes : {0, pe * pixels}) result.push_back({pe, simd, bits, 0, columns, wpar, pixels, run_lanes});
        if (wpar > 1) result.push_back({pe, simd, bits, 0, columns, wpar, pixels, 0, true});
      }
    }
  };
  for (const int pe : divisors(conv.out_channels / (stage.depthwise ? 1 : conv.groups))) {
    if (stage.depthwise)
      add(pe, 1, 1);
    else
      for (const int simd : divisors(group_channels)) add(pe, simd, 1);
    if (unfolds && conv.groups == 1) add(pe, kernel_width * channels, kernel_width);
  }
  if (unfolds && stage.depthwise) add(channels, kernel_width, kernel_width);
  for (const Folding& folding : basis_foldings(network, stage)) result.push_back(folding);
  return result;
}

const BasisProgram& LayerPrograms::basis(int lanes) {
  const auto found = basis_.find(lanes);
  return found != basis_.end() ? found->second : basis_.emplace(lanes, make_basis_program(conv_, activations_, lanes)).first->second;
}

bool apply(const Network& network, Stage& stage, const Folding& folding, LayerPrograms* programs, const Budget& budget) {
  const Layer& layer = network.layers[static_cast<std::size_t>(stage.layer)];
  const int channels = stage.in_shape.channels;
  stage.folding = folding;
  if (folding.sparse > 0) return apply_basis(network, stage, programs->basis(folding.sparse), budget);
  stage.in_lanes = folding.simd;
  const std::int64_t pixels = std::int64_t{stage.in_shape.height} * stage.in_shape.width;
  switch (stage.kind) {
    case StageKind::Plane:
      if (folding.products && !has_blocks_for_products(stage, std::get<Convolution>(layer.op), network.input_of(layer).type, budget)) return false;
      stage.pairs = takes_pairs(stage, std::get<Convolution>(layer.op), network.input_of(layer).type.bits(), budget.fabric);
      stage.triples = takes_triples(stage, std::get<Convolution>(layer.op), network.input_of(layer).type, budget.fabric);
      if (!apply_plane(network, stage, layer, programs->masks)) return false;
      stage.weight_stripes = rom_stripes(budget, std::int64_t{folding.pe} * folding.simd * folding.wpar, stage.weight_words);
      stage.multiplies_in_blocks = multiplies_in_blocks(network, stage, budget);
      break;
    case StageKind::Basis: break;  // above
    case StageKind::MaxPool:
      stage.window_plan = plan_window(stage.in_shape, stage.window, channels / folding.simd, 1, 1);
      stage.words_per_pixel = stage.control_words = static_cast<std::int64_t>(stage.window_plan.offsets.size()) * stage.window_plan.channel_groups;
      stage.clocks = std::int64_t{stage.window_plan.out_height} * stage.window_plan.out_width * stage.words_per_pixel;
      break;
    case StageKind::Threshold:
    case StageKind::Requantize:
    case StageKind::ArgMax: stage.clocks = pixels * channels / folding.simd; break;
    case StageKind::Add:
    case StageKind::Concat:
    case StageKind::Upsample: stage.clocks = beats_out(network, stage, folding.simd); break;
  }
  // Words arrive one a clock, padding included: a stage can never be faster than its input stream.
  if (stage.has_window()) {
    const std::int64_t padded = (std::int64_t{stage.in_shape.height} + stage.window.pad_top + stage.window.pad_bottom) *
                                (stage.in_shape.width + stage.window.pad_left + stage.window.pad_right);
    stage.clocks = std::max(stage.clocks, padded * (channels / stage.in_lanes));
  }
  stage.cost = estimate(network, stage, budget);
  return true;
}

bool without_blocks(const Network& network, Stage& stage, const Budget& budget) {
  if (!stage.multiplies_in_blocks || budget.infers_dsps) return false;
  stage.multiplies_in_blocks = false;
  stage.cost = estimate(network, stage, budget);
  return true;
}

bool load_weights(const Network& network, Stage& stage, const Budget& budget) {
  if (!budget.loads_weights || stage.kind != StageKind::Plane || stage.weight_words < 2) return false;
  constexpr double kReader = 240;  // cells of the flash's reader beside the link (a placed UP5K: 236), counted for each layer that it fills
  stage.weights_loaded = true;
  Cost cost = estimate(network, stage, budget);
  cost.lut4 += kReader;
  const bool saves = cost.block_rams < stage.cost.block_rams;
  stage.cost = cost;
  return saves;
}

std::vector<int> lut_bits_options(const Budget& budget) {
  if (budget.fabric == kEcp5) return {4 * kLutBits, 32 * kLutBits, 160 * kLutBits};
  if (budget.fabric == kIce40) return {kLutBits / 4, kLutBits / 2};
  return {};
}

bool choose_lut_bits(const Network& network, Stage& stage, int bits, const Budget& budget) {
  if (stage.kind == StageKind::Basis) return false;
  const bool more = bits > stage.lut_bits;
  stage.lut_bits = bits;
  const Cost cost = estimate(network, stage, budget);
  const bool saves = more ? cost.block_rams < stage.cost.block_rams : cost.lut4 < stage.cost.lut4;
  stage.cost = cost;
  return saves;
}

bool choose_buffer(const Network& network, Stage& stage, WindowBuffer buffer, const Budget& budget) {
  if (!stage.has_window()) return false;
  WindowPlan& w = stage.window_plan;
  if (buffer == WindowBuffer::Shallow) {
    const int depth = std::max({w.extent + w.step_x, w.step_row, w.step_frame, 2});
    if (depth >= w.depth) return false;
    w.depth = depth;
    w.shallow = true;
    stage.clocks = std::max(stage.clocks, stage.words_per_pixel * ((w.frame_words() + w.step_x - 1) / w.step_x));
  } else {
    if (budget.sprams == 0) return false;
    const auto* conv = std::get_if<Convolution>(&network.layers[static_cast<std::size_t>(stage.layer)].op);
    const int groups = conv != nullptr ? conv->out_channels / stage.folding.pe : w.channel_groups;
    w.shared = true;
    const std::int64_t windows = std::int64_t{w.out_height} * w.out_width;
    stage.clocks = windows * (stage.words_per_pixel + groups) + w.frame_words();
  }
  const Cost cost = estimate(network, stage, budget);
  const bool saves = cost.block_rams < stage.cost.block_rams;
  stage.cost = cost;
  return saves;
}

}  // namespace bitloom
