// Where streams come together: sums, concatenations, several outputs.
#include "emit/elaboration.hpp"

#include <algorithm>

namespace bitloom {

Wire Elaboration::join(const std::string& module, const std::string& name, const Wire& a, const Wire& b, const Wire& out,
                       Parameters parameters, std::vector<Intake> intakes) {
  Instance& instance = add(module, name, {a.stream, b.stream}, out.width(), std::move(parameters));
  instance.ports = Ports::Join;
  instance.intakes = std::move(intakes);
  return {instance.outputs[0], out.lanes, out.type};
}

void Elaboration::add_sum(const Stage& stage) {
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
    if (op.scale[i] != 1 || wire.type.is_bipolar()) rescale(wire, op.scale[i], ValueType::holding(std::min(a, b), std::max(a, b)), suffix);
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

Wire Elaboration::alternate(const std::string& name, const Wire& a, std::int64_t a_beats, const Wire& b, std::int64_t b_beats) {
  return join("map_concat", name, a, b, a, {{"WIDTH", num(a.width())}, {"A_BEATS", num(a_beats)}, {"B_BEATS", num(b_beats)}},
              {first_of_round(a_beats, b_beats), second_of_round(a_beats, b_beats)});
}

void Elaboration::add_concat(const Stage& stage) {
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

void Elaboration::gather_outputs() {
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
  if (!design_.plan.chips.empty()) whole = cross(whole, design_.plan.links.size() - 1);  // back to the host
  design_.output = whole.stream;
}

}  // namespace bitloom
