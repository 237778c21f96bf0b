// From plan to instances: walks the stages along the stream and puts an adapter wherever the lanes of two neighbours differ.
#include <fmt/format.h>

#include <numeric>

#include "emit/images.hpp"
#include "map/raw.hpp"

namespace bitloom {
namespace {

class Elaboration {
 public:
  Elaboration(const Network& network, const Plan& plan) : network_(network) {
    design_.name = network.name;
    design_.plan = plan;
    lanes_ = plan.input_lanes;
    bits_ = network.maps[static_cast<std::size_t>(network.input)].type.bits();
    design_.input_width = lanes_ * bits_;
    for (stage_ = 0; stage_ < plan.stages.size(); ++stage_) add_stage(plan.stages[stage_]);
    design_.output_width = lanes_ * bits_;
    int offset = 0;
    for (std::size_t i = 0; i < design_.instances.size(); ++i) {
      const Instance& instance = design_.instances[i];
      if (instance.out_map < 0) continue;
      design_.boundaries.push_back({instance.out_map, i, instance.out_lanes, instance.out_width, offset});
      offset += instance.out_width;
    }
  }
  Design take() { return std::move(design_); }

 private:
  using Parameters = std::vector<std::pair<std::string, std::string>>;

  const Stage& stage() const { return design_.plan.stages[stage_]; }

  Instance& add(const std::string& module, const std::string& suffix, int out_width, Parameters parameters) {
    Instance instance;
    instance.module = module;
    instance.name = suffix.empty() ? stage().name : stage().name + "_" + suffix;
    instance.parameters = std::move(parameters);
    instance.in_width = design_.instances.empty() ? design_.input_width : design_.instances.back().out_width;
    instance.out_width = out_width;
    instance.stage = stage_;
    design_.instances.push_back(std::move(instance));
    return design_.instances.back();
  }

  /// Changes the stream from lanes_ to `lanes` channels per beat.
  void adapt(int lanes) {
    const int common = std::gcd(lanes_, lanes);
    if (lanes_ > common) {
      add("stream_downsize", "narrow", common * bits_, {{"WIDTH", num(common * bits_)}, {"RATIO", num(lanes_ / common)}});
    }
    if (lanes > common) {
      add("stream_upsize", "widen", lanes * bits_, {{"WIDTH", num(common * bits_)}, {"RATIO", num(lanes / common)}});
    }
    lanes_ = lanes;
  }

  void pad(const Stage& stage, std::int64_t value_code) {
    const Window& w = stage.window;
    if (!w.has_padding()) return;
    const int width = lanes_ * bits_;
    std::string value = fmt::format("{{{}{{{}'d{}}}}}", lanes_, bits_, value_code);
    add("map_pad", "pad", width,
        {{"WIDTH", num(width)},
         {"CHUNKS", num(stage.in_shape.channels / lanes_)},
         {"HEIGHT", num(stage.in_shape.height)},
         {"MAP_WIDTH", num(stage.in_shape.width)},
         {"TOP", num(w.pad_top)},
         {"LEFT", num(w.pad_left)},
         {"BOTTOM", num(w.pad_bottom)},
         {"RIGHT", num(w.pad_right)},
         {"PAD_VALUE", std::move(value)}});
  }

  static std::string num(std::int64_t value) { return fmt::format("{}", value); }
  static std::string file(const std::string& name) { return fmt::format("\"mem/{}\"", name); }

  static Parameters window_parameters(const WindowPlan& w) {
    return {{"BUFFER_DEPTH", num(w.depth)},   {"EXTENT", num(w.extent)}, {"OUT_HEIGHT", num(w.out_height)},
            {"OUT_WIDTH", num(w.out_width)},  {"STEP_X", num(w.step_x)}, {"STEP_ROW", num(w.step_row)},
            {"STEP_FRAME", num(w.step_frame)}};
  }

  std::string memory(const std::string& suffix, MemoryImage image) {
    const std::string name = stage().name + "_" + suffix;
    design_.memories[name + ".mem"] = std::move(image);
    return file(name + ".mem");
  }

  void finish(const Stage& stage, Instance& instance, int lanes) {
    const ValueType& type = network_.maps[static_cast<std::size_t>(stage.out_map)].type;
    lanes_ = lanes;
    bits_ = type.bits();
    instance.out_map = stage.out_map;
    instance.out_lanes = lanes;
  }

  void add_stage(const Stage& stage) {
    switch (stage.kind) {
      case StageKind::Plane: add_plane(stage); break;
      case StageKind::Threshold: add_threshold(stage); break;
      case StageKind::MaxPool: add_pool(stage); break;
      case StageKind::ArgMax: add_argmax(stage); break;
    }
  }

  /// Search memories of a threshold whose table is given in the comparator's domain; appends the module's parameters.
  void search(Parameters& parameters, const Threshold& op, const ValueType& out, int channels, int lanes, int bits, std::int64_t never,
              const std::function<std::int64_t(std::size_t, std::size_t)>& threshold) {
    for (auto& [name, image] : threshold_images(op, channels, lanes, bits, never, threshold)) memory("activation_" + name, image);
    const std::int64_t code_step = out.is_bipolar() ? 1 : op.step;
    parameters.insert(parameters.end(), {{"SEARCH_BITS", num(search_bits(op.levels))},
                                         {"LEVELS", num(op.levels)},
                                         {"LOW", num(out.encode(op.low))},
                                         {"STEP", num(code_step)},
                                         {"ACTIVATION_INIT", file(stage().name + "_activation")}});
  }

  void add_plane(const Stage& stage) {
    const Layer& layer = network_.layers[static_cast<std::size_t>(stage.layer)];
    const auto& conv = std::get<Convolution>(layer.op);
    const ValueType& in = network_.input_of(layer).type;
    const ValueType& out = network_.maps[static_cast<std::size_t>(stage.out_map)].type;
    const Folding& f = stage.folding;
    const WindowPlan& w = stage.window_plan;
    const RawAccumulator raw = raw_accumulator(conv, in);

    adapt(f.columns > 1 ? stage.in_shape.channels : f.simd);
    pad(stage, 0);
    if (f.columns > 1) {
      add("column_unfold", "unfold", f.simd * bits_,
          {{"WIDTH", num(stage.in_shape.channels * bits_)},
           {"MAP_WIDTH", num(stage.in_shape.width + stage.window.pad_left + stage.window.pad_right)},
           {"COLUMNS", num(f.columns)}});
    }
    const int planes = weight_planes(conv);
    const int offset_bits = index_bits(w.extent);
    MemoryImage control = control_image(stage, planes, !uses_xnor(conv) && conv.weight_type.is_signed(), offset_bits);
    Parameters p = {{"SIMD", num(f.simd)},
                    {"A_BITS", num(in.bits())},
                    {"A_SIGNED", num(in.is_signed() ? 1 : 0)},
                    {"APAR", num(f.apar)},
                    {"PE", num(f.pe)},
                    {"XNOR", num(uses_xnor(conv) ? 1 : 0)},
                    {"ACC_BITS", num(raw.bits)},
                    {"GROUPS", num(conv.out_channels / f.pe)}};
    for (auto& parameter : window_parameters(w)) p.push_back(std::move(parameter));
    p.insert(p.end(), {{"PROGRAM_WORDS", num(stage.words_per_pixel)},
                       {"CONTROL_WORDS", num(static_cast<std::int64_t>(control.words.size()))},
                       {"OFFSET_BITS", num(offset_bits)}});
    p.emplace_back("CONTROL_INIT", memory("control", std::move(control)));
    p.emplace_back("WEIGHT_INIT", memory("weights", weight_image(stage, conv)));
    p.insert(p.end(), {{"LANES", num(f.lanes)},
                       {"OUT_BITS", num(out.bits())},
                       {"SCORES", num(stage.threshold < 0 ? 1 : 0)},
                       {"SLACK", num(stage.slack_groups)}});
    if (stage.threshold >= 0) {
      const auto& op = std::get<Threshold>(network_.layers[static_cast<std::size_t>(stage.threshold)].op);
      search(p, op, out, conv.out_channels, f.lanes, raw.bits, raw.high + 1, [&](std::size_t channel, std::size_t i) {
        return raw.raw_threshold(op.thresholds[channel * static_cast<std::size_t>(op.levels) + i], channel);
      });
    } else {
      for (auto& [name, image] : bias_images(raw.beta, f.lanes, out.bits())) memory("activation_" + name, image);
      p.insert(p.end(), {{"ALPHA_SHIFT", num(raw.alpha == 2 ? 1 : 0)}, {"ACTIVATION_INIT", file(stage.name + "_activation")}});
    }
    Instance& instance = add("plane_layer", "", f.lanes * out.bits(), std::move(p));
    instance.has_activity = true;
    finish(stage, instance, f.lanes);
  }

  void add_threshold(const Stage& stage) {
    const Layer& layer = network_.layers[static_cast<std::size_t>(stage.layer)];
    const auto& op = std::get<Threshold>(layer.op);
    const FeatureMap& in = network_.input_of(layer);
    const ValueType& out = network_.output_of(layer).type;
    const int lanes = stage.folding.lanes;
    adapt(lanes);
    // A bipolar input is compared by its code: -1 is 0 and +1 is 1.
    const auto code = [&](std::int64_t threshold) {
      return in.type.is_bipolar() ? (threshold <= -1 ? 0 : threshold <= 1 ? 1 : 2) : threshold;
    };
    const std::int64_t low = code(in.type.min());
    const std::int64_t never = code(in.type.max()) + 1;
    const int bits = ValueType::holding(std::min<std::int64_t>(low, -1), never).bits();
    const bool shared = std::equal(op.falling.begin() + 1, op.falling.end(), op.falling.begin()) &&
                        std::equal(op.thresholds.begin() + op.levels, op.thresholds.end(), op.thresholds.begin());
    const int channels = shared ? lanes : in.shape.channels;
    Parameters p = {{"LANES", num(lanes)},
                    {"IN_BITS", num(in.type.bits())},
                    {"IN_SIGNED", num(in.type.is_signed() ? 1 : 0)},
                    {"CHANNELS", num(shared ? 0 : channels)},
                    {"THRESHOLD_BITS", num(bits)},
                    {"OUT_BITS", num(out.bits())}};
    search(p, op, out, channels, lanes, bits, never, [&](std::size_t channel, std::size_t i) {
      return std::clamp(code(op.thresholds[channel * static_cast<std::size_t>(op.levels) + i]), low, never);
    });
    finish(stage, add("threshold_layer", "", lanes * out.bits(), std::move(p)), lanes);
  }

  void add_pool(const Stage& stage) {
    const Layer& layer = network_.layers[static_cast<std::size_t>(stage.layer)];
    const ValueType& type = network_.input_of(layer).type;
    const int lanes = stage.folding.lanes;
    adapt(lanes);
    pad(stage, type.encode(type.min()));
    const int offset_bits = index_bits(stage.window_plan.extent);
    Parameters p = {{"LANES", num(lanes)}, {"BITS", num(bits_)}, {"SIGNED", num(type.is_signed() ? 1 : 0)}, {"WIDTH", num(lanes * bits_)}};
    for (auto& parameter : window_parameters(stage.window_plan)) p.push_back(std::move(parameter));
    MemoryImage control = pool_control_image(stage, offset_bits);
    p.insert(p.end(), {{"PROGRAM_WORDS", num(stage.words_per_pixel)},
                       {"GROUPS", num(stage.in_shape.channels / lanes)},
                       {"OFFSET_BITS", num(offset_bits)}});
    p.emplace_back("CONTROL_INIT", memory("control", std::move(control)));
    Instance& instance = add("max_pool", "", lanes * bits_, std::move(p));
    instance.has_activity = true;
    finish(stage, instance, lanes);
  }

  void add_argmax(const Stage& stage) {
    const Layer& layer = network_.layers[static_cast<std::size_t>(stage.layer)];
    const FeatureMap& in = network_.input_of(layer);
    const int index = network_.output_of(layer).type.bits();
    adapt(1);
    finish(stage,
           add("argmax", "", index,
               {{"BITS", num(in.type.bits())},
                {"SIGNED", num(in.type.is_signed() ? 1 : 0)},
                {"CHANNELS", num(in.shape.channels)},
                {"INDEX_BITS", num(index)}}),
           1);
  }

  const Network& network_;
  Design design_;
  std::size_t stage_ = 0;
  int lanes_ = 1;
  int bits_ = 1;
};

}  // namespace

Design elaborate(const Network& network, const Plan& plan) { return Elaboration(network, plan).take(); }

}  // namespace bitloom
