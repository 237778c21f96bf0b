// Layers with one stream in and one out.
#include "emit/elaboration.hpp"

#include <algorithm>

#include "emit/images.hpp"
#include "map/raw.hpp"

namespace bitloom {

void Elaboration::search(Parameters& parameters, const Threshold& op, const ValueType& out, int channels, int lanes, int bits,
                         std::int64_t never, const std::function<std::int64_t(std::size_t, std::size_t)>& threshold) {
  for (auto& [name, image] : threshold_images(op, channels, lanes, bits, never, threshold)) memory("activation_" + name, image);
  const std::int64_t code_step = out.is_bipolar() ? 1 : op.step;
  parameters.insert(parameters.end(), {{"SEARCH_BITS", num(search_bits(op.levels))},
                                       {"LEVELS", num(op.levels)},
                                       {"LOW", num(out.encode(op.low))},
                                       {"STEP", num(code_step)},
                                       {"ACTIVATION_INIT", file(stage().name + "_activation")}});
}

void Elaboration::add_lut_bits(Parameters& p, const Stage& stage) {
  if (stage.lut_bits != kLutBits) p.emplace_back("LUT_BITS", num(stage.lut_bits));
}

void Elaboration::add_weights(Parameters& p, const Stage& stage, MemoryImage&& image) {
  if (stage.weights_loaded) {
    memory("weights", std::move(image));
    design_.loaded.push_back(stage.name + "_weights.mem");
    p.emplace_back("WEIGHT_LOADED", num(1));
    return;
  }
  if (!in_stripes(stage)) {
    p.emplace_back("WEIGHT_INIT", memory("weights", std::move(image)));
    return;
  }
  std::string widths;  // hexadecimal, stripe 0 lowest
  int first = 0;
  for (std::size_t s = 0; s < stage.weight_stripes.size(); ++s) {
    MemoryImage stripe{stage.weight_stripes[s], {}};
    for (const std::vector<bool>& word : image.words) stripe.words.emplace_back(word.begin() + first, word.begin() + first + stripe.width);
    first += stripe.width;
    widths = fmt::format("{:04x}", stripe.width) + widths;
    memory(fmt::format("weights_stripe{}", s), std::move(stripe));
  }
  p.emplace_back("WEIGHT_INIT", file(stage.name + "_weights"));
  p.emplace_back("WEIGHT_STRIPES", num(static_cast<std::int64_t>(stage.weight_stripes.size())));
  p.emplace_back("WEIGHT_WIDTHS", fmt::format("96'h{}", widths));
}

void Elaboration::activate(Parameters& p, const Stage& stage, const Convolution& conv, const RawAccumulator& raw, int lanes,
                           const ValueType& out) {
  if (stage.threshold >= 0) {
    const auto& op = std::get<Threshold>(network_.layers[static_cast<std::size_t>(stage.threshold)].op);
    search(p, op, out, conv.out_channels, lanes, raw.bits, raw.high + 1, [&](std::size_t channel, std::size_t i) {
      return raw.raw_threshold(op.thresholds[channel * static_cast<std::size_t>(op.levels) + i], channel);
    });
  } else {
    for (auto& [name, image] : bias_images(raw.beta, lanes, out.bits())) memory("activation_" + name, image);
    p.emplace_back("ACTIVATION_INIT", file(stage.name + "_activation"));
  }
}

void Elaboration::add_plane(const Stage& stage) {
  const Layer& layer = network_.layers[static_cast<std::size_t>(stage.layer)];
  const auto& conv = std::get<Convolution>(layer.op);
  const ValueType& in = network_.input_of(layer).type;
  const ValueType& out = network_.maps[static_cast<std::size_t>(stage.out_map)].type;
  const Folding& f = stage.folding;
  const WindowPlan& w = stage.window_plan;
  const RawAccumulator raw = raw_accumulator(conv, in, stage.pairs);

  Wire wire = receive(stage.in_maps[0]);
  adapt(wire, stage.in_lanes);
  pad(stage, wire, 0);
  if (f.columns > 1) {
    const int width = stage.in_shape.width + stage.window.pad_left + stage.window.pad_right;
    add("column_unfold", "unfold", wire, wire.lanes * f.columns, wire.type,
        {{"WIDTH", num(wire.width())}, {"MAP_WIDTH", num(width)}, {"COLUMNS", num(f.columns)}}, unfolded(width, f.columns))
        .latency = f.columns;
  }
  const bool subtracts = f.wpar > 1 && conv.weight_type.is_signed();  // the top plane; elsewhere runs have coefficients
  const int offset_bits = index_bits(w.extent - (f.pixels - 1) * w.pixel_step);
  const PlaneMasks masks(conv);
  const Program program = make_program(conv, stage, masks, in.bits());
  ProgramImages images = program_images(stage, conv, masks, program, offset_bits);
  Parameters p = {{"SIMD", num(f.simd)},
                  {"A_BITS", num(in.bits())},
                  {"A_SIGNED", num(in.is_signed() ? 1 : 0)},
                  {"APAR", num(f.apar)},
                  {"PE", num(f.pe)},
                  {"PIXELS", num(f.pixels)},
                  {"PIXEL_STEP", num(w.pixel_step)},
                  {"XNOR", num(uses_xnor(conv) ? 1 : 0)},
                  {"PAIRS", num(stage.pairs ? 1 : 0)},
                  {"TRIPLES", num(stage.triples ? 1 : 0)},
                  {"DEPTHWISE", num(stage.depthwise ? 1 : 0)},
                  {"WPAR", num(f.wpar)},
                  {"W_SIGNED", num(subtracts ? 1 : 0)},
                  {"PRODUCTS", num(f.products ? 1 : 0)},
                  {"FABRIC", num(design_.plan.fabric)},
                  {"TOTAL_BITS", num(total_bits(stage, conv, in, raw))},
                  {"ACC_BITS", num(raw.bits)},
                  {"GROUPS", num(conv.out_channels / f.pe)}};
  for (auto& parameter : window_parameters(w)) p.push_back(std::move(parameter));
  p.insert(p.end(), {{"OFFSET_BITS", num(offset_bits)},
                     {"CONTROL_WORDS", num(static_cast<std::int64_t>(images.control.words.size()))},
                     {"RUNS", num(images.run_count)},
                     {"WEIGHT_WORDS", num(static_cast<std::int64_t>(images.weights.words.size()))},
                     {"GROUP_CLOCKS", num(program.shortest_group())}});
  p.emplace_back("CONTROL_INIT", memory("control", std::move(images.control)));
  add_weights(p, stage, std::move(images.weights));
  if (program.combines()) {
    p.insert(p.end(), {{"RUN_WORDS", num(static_cast<std::int64_t>(images.runs.words.size()))},
                       {"RUN_CLOCKS", num(program.shortest_run())},
                       {"RUN_LANES", num(f.run_lanes)},
                       {"COEFFICIENT_BITS", num(program.coefficient_bits)},
                       {"MAC16", num(stage.multiplies_in_blocks && design_.plan.fabric == kIce40 ? 1 : 0)}});
    p.emplace_back("RUN_INIT", memory("runs", std::move(images.runs)));
  }
  add_lut_bits(p, stage);
  p.insert(p.end(), {{"LANES", num(f.lanes)},
                     {"OUT_BITS", num(out.bits())},
                     {"SCORES", num(stage.threshold < 0 ? 1 : 0)},
                     {"SLACK", num(stage.slack_groups)}});
  if (stage.threshold < 0) p.emplace_back("ALPHA_SHIFT", num(raw.alpha == 2 ? 1 : 0));
  activate(p, stage, conv, raw, f.lanes, out);
  const int beats = f.pixels * conv.out_channels / f.lanes;  // of a step
  Instance& instance = add("plane_layer", "", wire, f.lanes, out, std::move(p), windowed(w, beats));
  instance.has_activity = true;
  instance.group_clocks = program.group_clocks();
  // The window's program, and the pipeline: reader, adder tree, runs, search, lanes, FIFO.
  instance.latency = stage.words_per_pixel + 16 + 2 * index_bits(f.simd) + 16 + 2 * f.pixels * f.pe / f.lanes;
  if (f.pixels > 1 && f.pe < conv.out_channels) {
    add("pixel_order", "order", wire, f.lanes, out,
        {{"WIDTH", num(wire.width())},
         {"PIXELS", num(f.pixels)},
         {"GROUPS", num(conv.out_channels / f.pe)},
         {"BEATS", num(f.pe / f.lanes)}},
        in_blocks(beats, 1, beats))
        .latency = beats + 2;
  }
  provide(stage, wire);
}

void Elaboration::add_threshold(const Stage& stage) {
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
  add_lut_bits(p, stage);
  search(p, op, out, channels, lanes, bits, never, [&](std::size_t channel, std::size_t i) {
    return std::clamp(code(op.thresholds[channel * static_cast<std::size_t>(op.levels) + i]), low, never);
  });
  add("threshold_layer", "", wire, lanes, out, std::move(p), one_to_one()).latency = 2 * search_bits(op.levels) + 4;
  provide(stage, wire);
}

void Elaboration::add_requantize(const Stage& stage) {
  const Layer& layer = network_.layers[static_cast<std::size_t>(stage.layer)];
  const auto& op = std::get<Requantize>(layer.op);
  const FeatureMap& in = network_.input_of(layer);
  const ValueType& out = network_.output_of(layer).type;
  const RequantizeConstants constants = requantize_constants(op, in.type);
  const int lanes = stage.folding.lanes;
  Wire wire = receive(stage.in_maps[0]);
  adapt(wire, lanes);
  for (auto& [name, image] : requantize_images(constants, lanes)) memory("constants_" + name, std::move(image));
  Parameters p = {{"LANES", num(lanes)},
                  {"IN_BITS", num(in.type.bits())},
                  {"IN_SIGNED", num(in.type.is_signed() ? 1 : 0)},
                  {"CHANNELS", num(constants.mul.size() == 1 ? 0 : in.shape.channels)},
                  {"MUL_BITS", num(constants.mul_bits)},
                  {"ADD_BITS", num(constants.add_bits)},
                  {"SHIFT", num(op.shift)},
                  {"LOW", num(op.low)},
                  {"HIGH", num(op.high)},
                  {"OUT_BITS", num(out.bits())},
                  {"INIT", file(stage.name + "_constants")}};
  add_lut_bits(p, stage);
  add("requantize_layer", "", wire, lanes, out, std::move(p), one_to_one()).latency = 9;
  provide(stage, wire);
}

void Elaboration::add_pool(const Stage& stage) {
  const Layer& layer = network_.layers[static_cast<std::size_t>(stage.layer)];
  const ValueType& type = network_.input_of(layer).type;
  const int lanes = stage.folding.lanes;
  Wire wire = receive(stage.in_maps[0]);
  adapt(wire, lanes);
  pad(stage, wire, type.encode(type.min()));
  const int offset_bits = index_bits(stage.window_plan.extent);
  const int chunks = stage.window_plan.channel_groups;
  Parameters p = {
      {"LANES", num(lanes)}, {"BITS", num(type.bits())}, {"SIGNED", num(type.is_signed() ? 1 : 0)}, {"WIDTH", num(wire.width())}};
  for (auto& parameter : window_parameters(stage.window_plan)) p.push_back(std::move(parameter));
  p.insert(p.end(), {{"PROGRAM_WORDS", num(stage.words_per_pixel)}, {"GROUPS", num(chunks)}, {"OFFSET_BITS", num(offset_bits)}});
  add_lut_bits(p, stage);
  p.emplace_back("CONTROL_INIT", memory("control", pool_image(stage.window_plan, offset_bits)));
  Instance& instance = add("max_pool", "", wire, lanes, type, std::move(p), windowed(stage.window_plan, chunks));
  instance.has_activity = true;
  instance.group_clocks.assign(static_cast<std::size_t>(chunks), static_cast<std::int64_t>(stage.window_plan.offsets.size()));
  instance.latency = stage.words_per_pixel + 8;
  provide(stage, wire);
}

void Elaboration::add_argmax(const Stage& stage) {
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

void Elaboration::add_upsample(const Stage& stage) {
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

}  // namespace bitloom
