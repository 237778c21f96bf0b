#include "emit/elaboration.hpp"

#include <algorithm>
#include <numeric>

#include "emit/fifos.hpp"
#include "map/chip_link.hpp"

namespace bitloom {

Elaboration::Elaboration(const Network& network, const Plan& plan) : network_(network) {
  const std::size_t chips = std::max<std::size_t>(1, plan.chips.size());
  readers_.assign(network.maps.size(), std::vector<int>(chips, 0));
  wires_.assign(network.maps.size(), std::vector<std::vector<Wire>>(chips));
  for (const Stage& stage : plan.stages)
    for (const int index : stage.in_maps) ++readers_[static_cast<std::size_t>(index)][static_cast<std::size_t>(stage.chip)];
  for (const NetworkOutput& output : network.outputs) ++readers_[static_cast<std::size_t>(output.map)][chips - 1];
  design_.name = network.name;
  design_.plan = plan;
  const ValueType& type = map(network.input).type;
  design_.streams.push_back(plan.input_lanes * type.bits());
  provide(network.input, {0, plan.input_lanes, type}, "input");
  for (stage_ = 0; stage_ < plan.stages.size(); ++stage_) {
    chip_ = plan.stages[stage_].chip;
    add_stage(plan.stages[stage_]);
  }
  stage_ = plan.stages.size() - 1;
  chip_ = static_cast<int>(chips) - 1;
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
  instance.chip = chip_;
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
  const std::vector<int>& readers = readers_[static_cast<std::size_t>(index)];
  const int home = chip_;
  Wire here = wire;
  for (;; ++chip_) {
    const auto at = static_cast<std::size_t>(chip_);
    const bool onward = std::any_of(readers.begin() + chip_ + 1, readers.end(), [](int n) { return n > 0; });
    std::vector<Wire> wires =
        fork(here, readers[at] + (onward ? 1 : 0), chip_ == home ? name : fmt::format("{}_chip{}", name, chip_));
    if (onward) {
      here = wires.front();
      wires.erase(wires.begin());
    }
    wires_[static_cast<std::size_t>(index)][at] = std::move(wires);
    if (!onward) break;
    const std::vector<ChipLink>& links = design_.plan.links;
    std::size_t link = 0;
    while (links[link].map != index || links[link].from != chip_) ++link;
    here = cross(here, link);
  }
  chip_ = home;
}

std::vector<Wire> Elaboration::fork(const Wire& wire, int streams, const std::string& name) {
  if (streams <= 1) return {wire};
  const int width = wire.width() + 1;  // last travels in the data
  Instance& fork = add("stream_fork", name + "_fork", {wire.stream}, wire.width(), {{"WIDTH", num(width)}, {"OUTPUTS", num(streams)}});
  fork.ports = Ports::Fork;
  fork.intakes = {one_to_one()};
  fork.latency = 0;
  for (int i = 1; i < streams; ++i) {
    fork.outputs.push_back(design_.streams.size());
    design_.streams.push_back(wire.width());
  }
  std::vector<Wire> wires;
  for (const std::size_t stream : fork.outputs) wires.push_back({stream, wire.lanes, wire.type});
  return wires;
}

Wire Elaboration::cross(Wire wire, std::size_t index) {
  const ChipLink& link = design_.plan.links[index];
  adapt(wire, link.channels, "_" + link.name);
  if (wire.width() != link.word_bits)
    throw Error(link.name, fmt::format("was planned for words of {} bits and gets {}", link.word_bits, wire.width()));
  Parameters p = {{"WIDTH", num(link.word_bits)},         {"BEATS", num(link.words)}, {"LANES", num(link.spec.lanes)},
                  {"CLOCKS", num(link.spec.clock_ratio)}, {"DEPTH", num(link.depth)}, {"FRAME", num(link.frame_words)}};
  Parameters with_timeout = p;
  with_timeout.emplace_back("TIMEOUT", num(link.timeout));
  Instance& sender = add("chip_link_sender", link.name + "_sender", {wire.stream}, link.spec.lanes + 1, std::move(with_timeout));
  sender.ports = Ports::LinkOut;
  sender.intakes = {one_to_one()};
  sender.latency = frame_clocks(link, link.frame_words) + link.spec.latency + 16;
  sender.link = static_cast<int>(index);
  const std::size_t line = sender.outputs[0];
  const int chip = chip_;
  chip_ = link.to;
  Instance& receiver = add("chip_link_receiver", link.name + "_receiver", {line}, wire.width(), std::move(p));
  chip_ = chip;
  receiver.ports = Ports::LinkIn;
  receiver.intakes = {one_to_one()};
  receiver.link = static_cast<int>(index);
  wire.stream = receiver.outputs[0];
  return wire;
}

void Elaboration::provide(const Stage& stage, const Wire& wire) {
  const int offset = design_.boundaries.empty() ? 0 : design_.boundaries.back().data_offset + design_.boundaries.back().width;
  design_.boundaries.push_back({stage.out_map, wire.stream, stage_, wire.lanes, wire.width(), offset});
  provide(stage.out_map, wire, stage.name);
}

Wire Elaboration::receive(int index) {
  std::vector<Wire>& wires = wires_[static_cast<std::size_t>(index)][static_cast<std::size_t>(chip_)];
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
