#include "map/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "map/raw.hpp"

namespace bitloom {
namespace {

std::vector<int> divisors(int n) {
  std::vector<int> result;
  for (int d = 1; d <= n; ++d)
    if (n % d == 0) result.push_back(d);
  return result;
}

int smallest_divisor_at_least(int n, std::int64_t least) {
  for (const int d : divisors(n))
    if (d >= least) return d;
  return n;
}

[[noreturn]] void refuse(const Layer& layer, const std::string& why) {
  throw Error(layer.source.empty() ? layer.name : fmt::format("{} (node {})", layer.name, layer.source), why);
}

/// The window reader's view of `window` over a map of `words` words per pixel. The stream is padded before it.
WindowPlan plan_window(const MapShape& shape, const Window& window, int words, int columns) {
  const int height = shape.height + window.pad_top + window.pad_bottom;
  const int width = shape.width + window.pad_left + window.pad_right - (columns - 1);  // unfolding swallows columns - 1
  const int kernel_width = columns > 1 ? 1 : window.kernel_width;
  WindowPlan plan;
  plan.out_height = window.out_height(shape.height);
  plan.out_width = window.out_width(shape.width);
  plan.extent = ((window.kernel_height - 1) * window.dilation_height * width + (kernel_width - 1) * window.dilation_width + 1) * words;
  plan.step_x = window.stride_width * words;
  plan.step_row = (window.stride_height * width - (plan.out_width - 1) * window.stride_width) * words;
  plan.step_frame =
      (height * width - (plan.out_height - 1) * window.stride_height * width - (plan.out_width - 1) * window.stride_width) * words;
  // Deep enough that the next frame's first window is complete when this frame's last one ends: no bubble between frames.
  // (window_reader adds the few words that its own latency asks for.)
  plan.depth = std::max({plan.extent + plan.step_frame, plan.extent + plan.step_row, 2});
  for (int r = 0; r < window.kernel_height; ++r)
    for (int s = 0; s < kernel_width; ++s)
      for (int chunk = 0; chunk < words; ++chunk)
        plan.offsets.push_back((r * window.dilation_height * width + s * window.dilation_width) * words + chunk);
  return plan;
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

std::vector<Stage> cut_into_stages(const Network& network) {
  std::map<int, std::vector<int>> readers;
  for (std::size_t i = 0; i < network.layers.size(); ++i)
    for (const int input : network.layers[i].inputs) readers[input].push_back(static_cast<int>(i));
  std::vector<Stage> stages;
  std::set<int> done;
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    if (done.count(static_cast<int>(i)) != 0) continue;
    const Layer& layer = network.layers[i];
    if (readers[layer.inputs[0]].size() > 1) refuse(layer, "its input feeds several layers; the hardware runs chains so far");
    Stage stage;
    stage.name = layer.name;
    stage.layer = static_cast<int>(i);
    stage.in_map = layer.inputs[0];
    stage.out_map = layer.output;
    stage.in_shape = network.input_of(layer).shape;
    if (const auto* conv = std::get_if<Convolution>(&layer.op)) {
      if (conv->groups != 1) refuse(layer, fmt::format("{} groups; the hardware runs ungrouped convolutions so far", conv->groups));
      stage.window = conv->window;
      flatten_if_whole_map(stage);
      const std::vector<int>& next = readers[layer.output];
      if (next.size() == 1 && std::holds_alternative<Threshold>(network.layers[static_cast<std::size_t>(next[0])].op)) {
        stage.threshold = next[0];
        stage.out_map = network.layers[static_cast<std::size_t>(next[0])].output;
        done.insert(next[0]);
      }
    } else if (const auto* pool = std::get_if<MaxPool>(&layer.op)) {
      stage.kind = StageKind::MaxPool;
      stage.window = pool->window;
    } else if (std::holds_alternative<Threshold>(layer.op)) {
      stage.kind = StageKind::Threshold;
    } else if (std::holds_alternative<ArgMax>(layer.op)) {
      stage.kind = StageKind::ArgMax;
    } else {
      refuse(layer, fmt::format("the hardware has no module for a layer of kind {} yet; bitloom run executes it", kind_name(layer.op)));
    }
    stages.push_back(std::move(stage));
  }
  for (const NetworkOutput& output : network.outputs)
    if (stages.empty() || output.map != stages.back().out_map || network.outputs.size() > 1)
      throw Error(output.name, "the hardware has one output so far, the last layer's");
  return stages;
}

void apply(const Network& network, Stage& stage, const Folding& folding, const Budget& budget) {
  const Layer& layer = network.layers[static_cast<std::size_t>(stage.layer)];
  const int channels = stage.in_shape.channels;
  stage.folding = folding;
  stage.in_lanes = folding.simd;
  const std::int64_t pixels = std::int64_t{stage.in_shape.height} * stage.in_shape.width;
  switch (stage.kind) {
    case StageKind::Plane: {
      const auto& conv = std::get<Convolution>(layer.op);
      const int words = folding.columns > 1 ? 1 : channels / folding.simd;
      stage.window_plan = plan_window(stage.in_shape, stage.window, words, folding.columns);
      const auto groups = conv.out_channels / folding.pe;
      stage.words_per_pixel = std::int64_t{groups} * weight_planes(conv) * static_cast<std::int64_t>(stage.window_plan.offsets.size());
      const int passes = network.input_of(layer).type.bits() / folding.apar;
      stage.clocks = std::int64_t{stage.window_plan.out_height} * stage.window_plan.out_width * stage.words_per_pixel * passes;
      break;
    }
    case StageKind::MaxPool:
      stage.window_plan = plan_window(stage.in_shape, stage.window, channels / folding.simd, 1);
      stage.words_per_pixel = static_cast<std::int64_t>(stage.window_plan.offsets.size());
      stage.clocks = std::int64_t{stage.window_plan.out_height} * stage.window_plan.out_width * stage.words_per_pixel;
      break;
    case StageKind::Threshold:
    case StageKind::ArgMax: stage.clocks = pixels * channels / folding.simd; break;
  }
  // Words arrive one a clock, padding included: a stage can never be faster than its input stream.
  if (stage.kind == StageKind::Plane || stage.kind == StageKind::MaxPool) {
    const std::int64_t padded = (std::int64_t{stage.in_shape.height} + stage.window.pad_top + stage.window.pad_bottom) *
                                (stage.in_shape.width + stage.window.pad_left + stage.window.pad_right);
    stage.clocks = std::max(stage.clocks, padded * (folding.columns > 1 ? 1 : channels / folding.simd));
  }
  stage.cost = estimate(network, stage, budget);
}

/// Every folding of a stage, in no particular order.
std::vector<Folding> foldings(const Network& network, const Stage& stage) {
  const Layer& layer = network.layers[static_cast<std::size_t>(stage.layer)];
  const int channels = stage.in_shape.channels;
  std::vector<Folding> result;
  if (stage.kind == StageKind::ArgMax) return {Folding{}};
  if (stage.kind != StageKind::Plane) {
    for (const int lanes : divisors(channels)) result.push_back({1, lanes, 1, lanes, 1});
    return result;
  }
  const auto& conv = std::get<Convolution>(layer.op);
  const int bits = network.input_of(layer).type.bits();
  std::vector<std::pair<int, int>> widths;  // simd, columns
  for (const int simd : divisors(channels)) widths.emplace_back(simd, 1);
  if (stage.window.kernel_width > 1 && stage.window.dilation_width == 1)
    widths.emplace_back(stage.window.kernel_width * channels, stage.window.kernel_width);
  for (const int pe : divisors(conv.out_channels)) {
    for (const auto& [simd, columns] : widths) {
      Folding folding{pe, simd, bits, 1, columns};
      const int words =
          columns > 1 ? stage.window.kernel_height : stage.window.kernel_height * stage.window.kernel_width * (channels / simd);
      // The activation serves a group's PE channels while the next group is computed.
      const int group_clocks = weight_planes(conv) * words;
      folding.lanes = smallest_divisor_at_least(pe, (pe + group_clocks - 1) / group_clocks);
      result.push_back(folding);
    }
  }
  return result;
}

/// Cheaper: fewer LUTs, then fewer block RAMs, then fewer clocks.
bool cheaper(const Stage& a, const Stage& b) {
  return std::tuple(a.cost.lut4, a.cost.block_rams, a.clocks) < std::tuple(b.cost.lut4, b.cost.block_rams, b.clocks);
}

/// While map_pad inserts border words, what the stage before it computes has to wait in that stage's output FIFO.
void set_slack(Plan& plan, const Network& network) {
  for (std::size_t i = 0; i + 1 < plan.stages.size(); ++i) {
    Stage& stage = plan.stages[i];
    const Stage& next = plan.stages[i + 1];
    const Window& w = next.window;
    if (stage.kind != StageKind::Plane || !w.has_padding()) continue;
    const int words = next.folding.columns > 1 ? 1 : next.in_shape.channels / next.folding.simd;
    const std::int64_t width = std::int64_t{next.in_shape.width} + w.pad_left + w.pad_right;
    const std::int64_t burst = ((w.pad_top + w.pad_bottom) * width + w.pad_left + w.pad_right) * words;
    const auto& conv = std::get<Convolution>(network.layers[static_cast<std::size_t>(stage.layer)].op);
    const std::int64_t groups = conv.out_channels / stage.folding.pe;
    const std::int64_t group_clocks = std::max<std::int64_t>(
        1, stage.words_per_pixel / groups * (network.maps[static_cast<std::size_t>(stage.in_map)].type.bits() / stage.folding.apar));
    stage.slack_groups = static_cast<int>((burst + group_clocks - 1) / group_clocks);
  }
}

std::int64_t input_clocks(const Network& network, int lanes) {
  return network.maps[static_cast<std::size_t>(network.input)].shape.size() / lanes;
}

struct Candidates {
  std::vector<std::vector<Stage>> stages;  ///< per stage, per folding
  std::vector<int> input_lanes;
};

bool plan_within(const Network& network, const Candidates& candidates, std::int64_t budget_clocks, Plan& plan) {
  plan = Plan{};
  plan.input_lanes = 0;
  for (const int lanes : candidates.input_lanes) {
    if (input_clocks(network, lanes) > budget_clocks) continue;
    plan.input_lanes = lanes;
    break;
  }
  if (plan.input_lanes == 0) return false;
  plan.clocks_per_image = input_clocks(network, plan.input_lanes);
  plan.bottleneck = "input";
  for (const std::vector<Stage>& options : candidates.stages) {
    const Stage* best = nullptr;
    for (const Stage& option : options)
      if (option.clocks <= budget_clocks && (best == nullptr || cheaper(option, *best))) best = &option;
    if (best == nullptr) return false;
    if (best->clocks > plan.clocks_per_image) {
      plan.clocks_per_image = best->clocks;
      plan.bottleneck = best->name;
    }
    plan.cost.lut4 += best->cost.lut4;
    plan.cost.block_rams += best->cost.block_rams;
    plan.cost.memory_bits += best->cost.memory_bits;
    plan.stages.push_back(*best);
  }
  set_slack(plan, network);
  return true;
}

std::string binding(const Plan& plan, const Budget& budget) {
  const double limit = static_cast<double>(budget.lut4) * budget.fraction;
  if (plan.cost.lut4 > limit)
    return fmt::format("about {:.0f} LUT4 are needed, {:.0f} ({:.0f} % of {}) may be used", plan.cost.lut4, limit, 100 * budget.fraction,
                       budget.lut4);
  if (plan.cost.block_rams > budget.block_rams)
    return fmt::format("{} block RAMs are needed, {} exist", plan.cost.block_rams, budget.block_rams);
  return "";
}

}  // namespace

int weight_planes(const Convolution& conv) { return uses_xnor(conv) ? 1 : conv.weight_type.bits(); }

bool uses_xnor(const Convolution& conv) { return conv.weight_type.is_bipolar(); }

int search_bits(int levels) {
  int bits = 1;
  while ((1 << bits) - 1 < levels) ++bits;
  return bits;
}

Plan make_plan(const Network& network, const Budget& budget, const PlanOptions& options) {
  check(network);
  Candidates candidates;
  std::set<std::int64_t> budgets;
  for (const Stage& stage : cut_into_stages(network)) {
    candidates.stages.emplace_back();
    for (const Folding& folding : foldings(network, stage)) {
      Stage option = stage;
      apply(network, option, folding, budget);
      budgets.insert(option.clocks);
      candidates.stages.back().push_back(std::move(option));
    }
  }
  const int first_channels = candidates.stages.front().front().in_shape.channels;
  candidates.input_lanes = divisors(first_channels);
  for (const int lanes : candidates.input_lanes) budgets.insert(input_clocks(network, lanes));

  std::int64_t asked = options.clocks_per_image;
  if (options.frames_per_second > 0)
    asked = std::max<std::int64_t>(1, static_cast<std::int64_t>(budget.clock_hz / options.frames_per_second));
  if (asked > 0) {
    Plan plan;
    if (!plan_within(network, candidates, asked, plan))
      throw Error(network.name,
                  fmt::format("{} clocks per image cannot be reached: even full parallelism takes more; ask for fewer frames", asked));
    const std::string why = binding(plan, budget);
    if (!why.empty())
      throw Error(network.name, fmt::format("{} clocks per image do not fit {}: {}; ask for fewer frames or take a larger board", asked,
                                            budget.board, why));
    return plan;
  }
  Plan plan;
  std::string why;
  for (const std::int64_t clocks : budgets) {  // ascending: the first that fits is the fastest
    if (!plan_within(network, candidates, clocks, plan)) continue;
    why = binding(plan, budget);
    if (why.empty()) return plan;
  }
  throw Error(network.name, fmt::format("does not fit {} at any folding: {}; take a larger board or a smaller network", budget.board, why));
}

}  // namespace bitloom
