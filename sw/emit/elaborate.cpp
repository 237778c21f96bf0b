// From plan to instances: walks the stages in order, forks the maps that several read, and puts an adapter wherever the lanes of two
// neighbours differ.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "emit/fifos.hpp"
#include "emit/images.hpp"
#include "map/raw.hpp"

namespace bitloom {
namespace {

/// A stream on its way between two instances.
struct Wire {
  std::size_t stream = 0;
  int lanes = 1;
  ValueType type;
  int width() const { return lanes * type.bits(); }
};

class Elaboration {
 public:
  Elaboration(const Network& network, const Plan& plan) : network_(network), readers_(readers_of_maps(network)), wires_(network.maps.size()) {
    design_.name = network.name;
    design_.plan = plan;
    const ValueType& type = map(network.input).type;
    design_.streams.push_back(plan.input_lanes * type.bits());
    provide(network.input, {0, plan.input_lanes, type}, "input");
    for (stage_ = 0; stage_ < plan.stages.size(); ++stage_) add_stage(plan.stages[stage_]);
    stage_ = plan.stages.size() - 1;
    gather_outputs();
  }
  Design take() { return std::move(design_); }

 private:
  using Parameters = std::vector<std::pair<std::string, std::string>>;

  const Stage& stage() const { return design_.plan.stages[stage_]; }
  const FeatureMap& map(int index) const { return network_.maps[static_cast<std::size_t>(index)]; }

  /// An instance of this stage with new streams of `width` bits; the caller sets intakes and latency.
  Instance& add(const std::string& module, const std::string& name, std::vector<std::size_t> inputs, int width, Parameters parameters) {
    Instance instance;
    instance.module = module;
    instance.name = name;
    instance.parameters = std::move(parameters);
    instance.inputs = std::move(inputs);
    instance.outputs = {design_.streams.size()};
    instance.stage = stage_;
    design_.streams.push_back(width);
    design_.instances.push_back(std::move(instance));
    return design_.instances.back();
  }

  /// A module with one stream in and one out, between `wire` and what it becomes.
  Instance& add(const std::string& module, const std::string& suffix, Wire& wire, int lanes, const ValueType& type, Parameters parameters,
                Intake intake) {
    Instance& instance = add(module, suffix.empty() ? stage().name : stage().name + "_" + suffix, {wire.stream}, lanes * type.bits(),
                             std::move(parameters));
    instance.intakes = {std::move(intake)};
    wire = {instance.outputs[0], lanes, type};
    return instance;
  }

  /// `wire` carries map `index`: a boundary, and a fork where several read it.
  void provide(int index, const Wire& wire, const std::string& name) {
    const int readers = readers_[static_cast<std::size_t>(index)];
    std::vector<Wire>& wires = wires_[static_cast<std::size_t>(index)];
    if (readers <= 1) {
      wires = {wire};
      return;
    }
    const int width = wire.width() + 1;  // last travels in the data
    Instance& fork = add("stream_fork", name + "_fork", {wire.stream}, wire.width(), {{"WIDTH", num(width)}, {"OUTPUTS", num(readers)}});
    fork.ports = Ports::Fork;
    fork.intakes = {one_to_one()};
    fork.latency = 0;
    for (int i = 1; i < readers; ++i) {
      fork.outputs.push_back(design_.streams.size());
      design_.streams.push_back(wire.width());
    }
    for (const std::size_t stream : fork.outputs) wires.push_back({stream, wire.lanes, wire.type});
  }

  void provide(const Stage& stage, const Wire& wire) {
    const int offset = design_.boundaries.empty() ? 0 : design_.boundaries.back().data_offset + design_.boundaries.back().width;
    design_.boundaries.push_back({stage.out_map, wire.stream, stage_, wire.lanes, wire.width(), offset});
    provide(stage.out_map, wire, stage.name);
  }

  /// One of the streams that carry map `index`.
  Wire receive(int index) {
    std::vector<Wire>& wires = wires_[static_cast<std::size_t>(index)];
    const Wire wire = wires.back();
    wires.pop_back();
    return wire;
  }

  /// Changes `wire` to `lanes` channels per beat.
  void adapt(Wire& wire, int lanes, const std::string& suffix = "") {
    const int common = std::gcd(wire.lanes, lanes), bits = wire.type.bits();
    if (const int ratio_down = wire.lanes / common; ratio_down > 1)
      add("stream_downsize", "narrow" + suffix, wire, common, wire.type, {{"WIDTH", num(common * bits)}, {"RATIO", num(ratio_down)}},
          ratio(1, ratio_down));
    if (const int ratio_up = lanes / common; ratio_up > 1)
      add("stream_upsize", "widen" + suffix, wire, lanes, wire.type, {{"WIDTH", num(common * bits)}, {"RATIO", num(ratio_up)}},
          ratio(ratio_up, 1))
          .latency = ratio_up;
  }

  void pad(const Stage& stage, Wire& wire, std::int64_t value_code) {
    const Window& w = stage.window;
    if (!w.has_padding()) return;
    const int chunks = stage.in_shape.channels / wire.lanes;
    std::string value = fmt::format("{{{}{{{}'d{}}}}}", wire.lanes, wire.type.bits(), value_code);
    add("map_pad", "pad", wire, wire.lanes, wire.type,
        {{"WIDTH", num(wire.width())},
         {"CHUNKS", num(chunks)},
         {"HEIGHT", num(stage.in_shape.height)},
         {"MAP_WIDTH", num(stage.in_shape.width)},
         {"TOP", num(w.pad_top)},
         {"LEFT", num(w.pad_left)},
         {"BOTTOM", num(w.pad_bottom)},
         {"RIGHT", num(w.pad_right)},
         {"PAD_VALUE", std::move(value)}},
        padded(stage.in_shape, w, chunks));
  }

  /// Every value times `scale`, in `type`; nothing where that changes no bit.
  void rescale(Wire& wire, std::int64_t scale, const ValueType& type, const std::string& suffix) {
    const bool same_bits = wire.type.bits() == type.bits() && scale == 1 && wire.type.is_bipolar() == type.is_bipolar();
    if (!same_bits) {
      // A bipolar value is 2 * code - 1.
      const std::int64_t factor = wire.type.is_bipolar() ? 2 * scale : scale, offset = wire.type.is_bipolar() ? -scale : 0;
      add("map_scale", "scale" + suffix, wire, wire.lanes, type,
          {{"LANES", num(wire.lanes)},
           {"IN_BITS", num(wire.type.bits())},
           {"IN_SIGNED", num(wire.type.is_signed() ? 1 : 0)},
           {"SCALE", num(factor)},
           {"OFFSET", num(offset)},
           {"OUT_BITS", num(type.bits())}},
          one_to_one());
    }
    wire.type = type;
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

  void add_stage(const Stage& stage) {
    switch (stage.kind) {
      case StageKind::Plane: add_plane(stage); break;
      case StageKind::Threshold: add_threshold(stage); break;
      case StageKind::Requantize: add_requantize(stage); break;
      case StageKind::MaxPool: add_pool(stage); break;
      case StageKind::ArgMax: add_argmax(stage); break;
      case StageKind::Add: add_sum(stage); break;
      case StageKind::Concat: add_concat(stage); break;
      case StageKind::Upsample: add_upsample(stage); break;
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

    Wire wire = receive(stage.in_maps[0]);
    adapt(wire, stage.in_lanes);
    pad(stage, wire, 0);
    if (f.columns > 1) {
      const int width = stage.in_shape.width + stage.window.pad_left + stage.window.pad_right;
      add("column_unfold", "unfold", wire, wire.lanes * f.columns, wire.type,
          {{"WIDTH", num(wire.width())}, {"MAP_WIDTH", num(width)}, {"COLUMNS", num(f.columns)}}, unfolded(width, f.columns))
          .latency = f.columns;
    }
    const int planes = weight_planes(conv);
    const int offset_bits = index_bits(w.extent);
    MemoryImage control =
        control_image(stage, conv.out_channels / f.pe, planes, !uses_xnor(conv) && conv.weight_type.is_signed(), offset_bits);
    Parameters p = {{"SIMD", num(f.simd)},
                    {"A_BITS", num(in.bits())},
                    {"A_SIGNED", num(in.is_signed() ? 1 : 0)},
                    {"APAR", num(f.apar)},
                    {"PE", num(f.pe)},
                    {"XNOR", num(uses_xnor(conv) ? 1 : 0)},
                    {"DEPTHWISE", num(stage.depthwise ? 1 : 0)},
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
    const int beats = conv.out_channels / f.lanes;
    Instance& instance = add("plane_layer", "", wire, f.lanes, out, std::move(p), windowed(w, beats));
    instance.has_activity = true;
    // The window's program, and the pipeline: reader, adder tree, search, lanes, FIFO.
    instance.latency = stage.words_per_pixel * (in.bits() / f.apar) + 16 + index_bits(f.simd) + 16 + f.pe / f.lanes;
    provide(stage, wire);
  }

  void add_threshold(const Stage& stage) {
    const Layer& layer = network_.layers[static_cast<std::size_t>(stage.layer)];
    const auto& op = std::get<Threshold>(layer.op);
    const FeatureMap& in = network_.input_of(layer);
    const ValueType& out = network_.output_of(layer).type;
    const int lanes = stage.folding.lanes;
    Wire wire = receive(stage.in_maps[0]);
    adapt(wire, lanes);
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
    add("threshold_layer", "", wire, lanes, out, std::move(p), one_to_one()).latency = 2 * search_bits(op.levels) + 4;
    provide(stage, wire);
  }

  void add_requantize(const Stage& stage) {
    const Layer& layer = network_.layers[static_cast<std::size_t>(stage.layer)];
    const auto& op = std::get<Requantize>(layer.op);
    const FeatureMap& in = network_.input_of(layer);
    const ValueType& out = network_.output_of(layer).type;
    const RequantizeConstants constants = requantize_constants(op, in.type);
    const int lanes = stage.folding.lanes;
    Wire wire = receive(stage.in_maps[0]);
    adapt(wire, lanes);
    for (auto& [name, image] : requantize_images(constants, lanes)) memory("constants_" + name, std::move(image));
    add("requantize_layer", "", wire, lanes, out,
        {{"LANES", num(lanes)},
         {"IN_BITS", num(in.type.bits())},
         {"IN_SIGNED", num(in.type.is_signed() ? 1 : 0)},
         {"CHANNELS", num(constants.mul.size() == 1 ? 0 : in.shape.channels)},
         {"MUL_BITS", num(constants.mul_bits)},
         {"ADD_BITS", num(constants.add_bits)},
         {"SHIFT", num(op.shift)},
         {"LOW", num(op.low)},
         {"HIGH", num(op.high)},
         {"OUT_BITS", num(out.bits())},
         {"INIT", file(stage.name + "_constants")}},
        one_to_one())
        .latency = 9;
    provide(stage, wire);
  }

  void add_pool(const Stage& stage) {
    const Layer& layer = network_.layers[static_cast<std::size_t>(stage.layer)];
    const ValueType& type = network_.input_of(layer).type;
    const int lanes = stage.folding.lanes;
    Wire wire = receive(stage.in_maps[0]);
    adapt(wire, lanes);
    pad(stage, wire, type.encode(type.min()));
    const int offset_bits = index_bits(stage.window_plan.extent);
    const int chunks = stage.window_plan.channel_groups;
    Parameters p = {{"LANES", num(lanes)},
                    {"BITS", num(type.bits())},
                    {"SIGNED", num(type.is_signed() ? 1 : 0)},
                    {"WIDTH", num(wire.width())}};
    for (auto& parameter : window_parameters(stage.window_plan)) p.push_back(std::move(parameter));
    p.insert(p.end(), {{"PROGRAM_WORDS", num(stage.words_per_pixel)}, {"GROUPS", num(chunks)}, {"OFFSET_BITS", num(offset_bits)}});
    p.emplace_back("CONTROL_INIT", memory("control", control_image(stage, chunks, 1, false, offset_bits)));
    Instance& instance = add("max_pool", "", wire, lanes, type, std::move(p), windowed(stage.window_plan, chunks));
    instance.has_activity = true;
    instance.latency = stage.words_per_pixel + 8;
    provide(stage, wire);
  }

  void add_argmax(const Stage& stage) {
    const Layer& layer = network_.layers[static_cast<std::size_t>(stage.layer)];
    const FeatureMap& in = network_.input_of(layer);
    const ValueType& out = network_.output_of(layer).type;
    Wire wire = receive(stage.in_maps[0]);
    adapt(wire, 1);
    add("argmax", "", wire, 1, out,
        {{"BITS", num(in.type.bits())},
         {"SIGNED", num(in.type.is_signed() ? 1 : 0)},
         {"CHANNELS", num(in.shape.channels)},
         {"INDEX_BITS", num(out.bits())}},
        ratio(in.shape.channels, 1));
    provide(stage, wire);
  }

  void add_upsample(const Stage& stage) {
    const Layer& layer = network_.layers[static_cast<std::size_t>(stage.layer)];
    const auto& op = std::get<Upsample>(layer.op);
    const MapShape& shape = stage.in_shape;
    Wire wire = receive(stage.in_maps[0]);
    adapt(wire, stage.folding.lanes);
    const int chunks = shape.channels / wire.lanes;
    add("map_upsample", "", wire, wire.lanes, wire.type,
        {{"WIDTH", num(wire.width())},
         {"CHUNKS", num(chunks)},
         {"HEIGHT", num(shape.height)},
         {"MAP_WIDTH", num(shape.width)},
         {"UP_HEIGHT", num(op.height)},
         {"UP_WIDTH", num(op.width)}},
        upsampled(shape, op, chunks))
        .latency = 2;
    provide(stage, wire);
  }

  /// Two streams become one. The last join of a stage has the stage's name, those before it a number.
  Wire join(const std::string& module, const std::string& name, const Wire& a, const Wire& b, const Wire& out, Parameters parameters,
            std::vector<Intake> intakes) {
    Instance& instance = add(module, name, {a.stream, b.stream}, out.width(), std::move(parameters));
    instance.ports = Ports::Join;
    instance.intakes = std::move(intakes);
    return {instance.outputs[0], out.lanes, out.type};
  }

  void add_sum(const Stage& stage) {
    const Layer& layer = network_.layers[static_cast<std::size_t>(stage.layer)];
    const auto& op = std::get<Add>(layer.op);
    const ValueType& out = network_.output_of(layer).type;
    const int lanes = stage.folding.lanes;
    Wire sum;
    std::int64_t low = 0, high = 0;
    for (std::size_t i = 0; i < op.scale.size(); ++i) {
      Wire wire = receive(stage.in_maps[i]);
      const std::int64_t a = op.scale[i] * wire.type.min(), b = op.scale[i] * wire.type.max();
      low += std::min(a, b), high += std::max(a, b);
      const std::string suffix = num(static_cast<std::int64_t>(i));
      adapt(wire, lanes, suffix);
      if (op.scale[i] != 1 || wire.type.is_bipolar())
        rescale(wire, op.scale[i], ValueType::holding(std::min(a, b), std::max(a, b)), suffix);
      if (i == 0) {
        sum = wire;
        continue;
      }
      const bool final = i + 1 == op.scale.size();
      const ValueType type = final ? out : ValueType::holding(low, high);
      sum = join("map_add", final ? stage.name : stage.name + "_" + suffix, sum, wire, {0, lanes, type},
                 {{"LANES", num(lanes)},
                  {"A_BITS", num(sum.type.bits())},
                  {"A_SIGNED", num(sum.type.is_signed() ? 1 : 0)},
                  {"B_BITS", num(wire.type.bits())},
                  {"B_SIGNED", num(wire.type.is_signed() ? 1 : 0)},
                  {"OUT_BITS", num(type.bits())}},
                 {one_to_one(), one_to_one()});
    }
    provide(stage, sum);
  }

  /// `a` for a_beats, then `b` for b_beats, and again.
  Wire alternate(const std::string& name, const Wire& a, std::int64_t a_beats, const Wire& b, std::int64_t b_beats) {
    return join("map_concat", name, a, b, a, {{"WIDTH", num(a.width())}, {"A_BEATS", num(a_beats)}, {"B_BEATS", num(b_beats)}},
                {first_of_round(a_beats, b_beats), second_of_round(a_beats, b_beats)});
  }

  void add_concat(const Stage& stage) {
    const Layer& layer = network_.layers[static_cast<std::size_t>(stage.layer)];
    const auto& op = std::get<Concat>(layer.op);
    const ValueType& out = network_.output_of(layer).type;
    Wire whole;
    std::int64_t beats = 0;
    for (std::size_t i = 0; i < op.scale.size(); ++i) {
      Wire wire = receive(stage.in_maps[i]);
      const std::string suffix = num(static_cast<std::int64_t>(i));
      adapt(wire, stage.folding.lanes, suffix);
      rescale(wire, op.scale[i], out, suffix);
      const std::int64_t own = map(stage.in_maps[i]).shape.channels / wire.lanes;
      whole = i == 0 ? wire : alternate(i + 1 == op.scale.size() ? stage.name : stage.name + "_" + suffix, whole, beats, wire, own);
      beats += own;
    }
    provide(stage, whole);
  }

  /// Of several outputs the core sends a frame each in turn, value by value, all as wide as the widest.
  void gather_outputs() {
    std::vector<Wire> wires;
    for (const NetworkOutput& output : network_.outputs) {
      wires.push_back(receive(output.map));
      for (std::size_t b = 0; b < design_.boundaries.size(); ++b)
        if (design_.boundaries[b].map == output.map) design_.outputs.push_back(b);
    }
    const auto narrower = [](const Wire& a, const Wire& b) { return a.type.bits() < b.type.bits(); };
    const ValueType widest = std::max_element(wires.begin(), wires.end(), narrower)->type;
    Wire whole = wires[0];
    std::int64_t beats = 0;
    for (std::size_t i = 0; i < wires.size() && wires.size() > 1; ++i) {
      const std::string suffix = "_output" + num(static_cast<std::int64_t>(i));
      adapt(wires[i], 1, suffix);
      // The values keep their codes: the host knows each output's type.
      if (wires[i].type.bits() < widest.bits()) {
        if (wires[i].type.is_bipolar()) wires[i].type = ValueType::unsigned_bits(1);
        rescale(wires[i], 1, widest.is_signed() ? widest : ValueType::unsigned_bits(widest.bits()), suffix);
      }
      const std::int64_t own = map(network_.outputs[i].map).shape.size();
      if (i == 0)
        whole = wires[0];
      else
        whole = alternate(i + 1 == wires.size() ? "outputs" : "outputs" + suffix, whole, beats, wires[i], own);
      beats += own;
    }
    design_.output = whole.stream;
  }

  const Network& network_;
  Design design_;
  std::vector<int> readers_;               // by map
  std::vector<std::vector<Wire>> wires_;   // by map: streams that carry it and are not taken yet
  std::size_t stage_ = 0;
};

}  // namespace

Design elaborate(const Network& network, const Plan& plan, std::int64_t spare) {
  Design design = Elaboration(network, plan).take();
  add_join_fifos(network, design, spare);
  return design;
}

}  // namespace bitloom
