#include "emit/elaboration.hpp"

#include <algorithm>
#include <numeric>

#include "emit/fifos.hpp"

namespace bitloom {

Elaboration::Elaboration(const Network& network, const Plan& plan)
    : network_(network), readers_(readers_of_maps(network)), wires_(network.maps.size()) {
  design_.name = network.name;
  design_.plan = plan;
  const ValueType& type = map(network.input).type;
  design_.streams.push_back(plan.input_lanes * type.bits());
  provide(network.input, {0, plan.input_lanes, type}, "input");
  for (stage_ = 0; stage_ < plan.stages.size(); ++stage_) add_stage(plan.stages[stage_]);
  stage_ = plan.stages.size() - 1;
  gather_outputs();
}

Instance& Elaboration::add(const std::string& module, const std::string& name, std::vector<std::size_t> inputs, int width,
                           Parameters parameters) {
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

Instance& Elaboration::add(const std::string& module, const std::string& suffix, Wire& wire, int lanes, const ValueType& type,
                           Parameters parameters, Intake intake) {
  Instance& instance =
      add(module, suffix.empty() ? stage().name : stage().name + "_" + suffix, {wire.stream}, lanes * type.bits(), std::move(parameters));
  instance.intakes = {std::move(intake)};
  wire = {instance.outputs[0], lanes, type};
  return instance;
}

void Elaboration::provide(int index, const Wire& wire, const std::string& name) {
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

void Elaboration::provide(const Stage& stage, const Wire& wire) {
  const int offset = design_.boundaries.empty() ? 0 : design_.boundaries.back().data_offset + design_.boundaries.back().width;
  design_.boundaries.push_back({stage.out_map, wire.stream, stage_, wire.lanes, wire.width(), offset});
  provide(stage.out_map, wire, stage.name);
}

Wire Elaboration::receive(int index) {
  std::vector<Wire>& wires = wires_[static_cast<std::size_t>(index)];
  const Wire wire = wires.back();
  wires.pop_back();
  return wire;
}

void Elaboration::adapt(Wire& wire, int lanes, const std::string& suffix) {
  const int common = std::gcd(wire.lanes, lanes);
  std::int64_t values = 0;
  for (const int input : stage().in_maps) values = std::max(values, map(input).shape.size());
  // Where neither number of lanes divides the other, a beat holds their common divisor, or, if that takes too long, their common multiple.
  const bool slow = common < std::min(wire.lanes, lanes) && values / common > design_.plan.clocks_per_image;
  const int between = slow ? std::lcm(wire.lanes, lanes) : common;
  const auto resize = [&](int to) {
    const int width = std::min(wire.lanes, to) * wire.type.bits(), times = std::max(wire.lanes, to) / std::min(wire.lanes, to);
    if (to < wire.lanes)
      add("stream_downsize", "narrow" + suffix, wire, to, wire.type, {{"WIDTH", num(width)}, {"RATIO", num(times)}}, ratio(1, times));
    else if (to > wire.lanes)
      add("stream_upsize", "widen" + suffix, wire, to, wire.type, {{"WIDTH", num(width)}, {"RATIO", num(times)}}, ratio(times, 1)).latency =
          times;
  };
  resize(between);
  resize(lanes);
}

void Elaboration::pad(const Stage& stage, Wire& wire, std::int64_t value_code) {
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

void Elaboration::rescale(Wire& wire, std::int64_t scale, const ValueType& type, const std::string& suffix) {
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

Elaboration::Parameters Elaboration::window_parameters(const WindowPlan& w) {
  return {{"BUFFER_DEPTH", num(w.depth)}, {"EXTENT", num(w.extent)},     {"OUT_HEIGHT", num(w.out_height)}, {"OUT_WIDTH", num(w.out_width)},
          {"STEP_X", num(w.step_x)},      {"STEP_ROW", num(w.step_row)}, {"STEP_FRAME", num(w.step_frame)},
          {"SHARED", num(w.shared ? 1 : 0)}};
}

std::string Elaboration::memory(const std::string& suffix, MemoryImage image) {
  const std::string name = stage().name + "_" + suffix;
  design_.memories[name + ".mem"] = std::move(image);
  return file(name + ".mem");
}

void Elaboration::add_stage(const Stage& stage) {
  switch (stage.kind) {
    case StageKind::Plane: add_plane(stage); break;
    case StageKind::Basis: add_basis(stage); break;
    case StageKind::Threshold: add_threshold(stage); break;
    case StageKind::Requantize: add_requantize(stage); break;
    case StageKind::MaxPool: add_pool(stage); break;
    case StageKind::ArgMax: add_argmax(stage); break;
    case StageKind::Add: add_sum(stage); break;
    case StageKind::Concat: add_concat(stage); break;
    case StageKind::Upsample: add_upsample(stage); break;
  }
}

Design elaborate(const Network& network, const Plan& plan, std::int64_t spare) {
  Design design = Elaboration(network, plan).take();
  add_join_fifos(network, design, spare);
  return design;
}

}  // namespace bitloom
