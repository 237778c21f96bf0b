// The network's input: its type, its shape, and what a pixel means.
#include <fmt/format.h>

#include <cmath>

#include "lower/context.hpp"
#include "onnx/broadcast.hpp"

namespace bitloom::lowering {
namespace {

/// Whether four dimensions look like [N, H, W, C]. It decides only how the input map is stored and streamed; the meaning is the graph's.
bool channels_last(const Dims& dims) { return dims.size() == 4 && dims[3] <= 4 && dims[1] > 4; }

/// The model's own type where it takes narrow integers, which a stated type may narrow further.
ValueType pixel_type(const ValueInfo& info, const LowerOptions& options) {
  const auto own = narrow_integer_type(info.type);
  const ValueType type = options.input_type ? *options.input_type : own ? *own : ValueType::unsigned_bits(options.input_bits);
  if (type.bits() > 16) throw Error(info.name, fmt::format("pixels of type {}; up to 16 bits are supported", type.to_string()));
  if (own && !(own->contains(type.min()) && own->contains(type.max())))
    throw Error(info.name, fmt::format("this input takes integers of type {}; {} does not fit", own->to_string(), type.to_string()));
  return type;
}

}  // namespace

void add_input(Context& context) {
  const Graph& graph = context.graph;
  const LowerOptions& options = context.options;
  if (graph.inputs.size() != 1) throw Error(graph.file, fmt::format("the model has {} inputs; one is supported", graph.inputs.size()));
  const ValueInfo& info = graph.inputs[0];
  if (options.input_bits < 1 || options.input_bits > 16)
    throw Error(info.name, fmt::format("{} bits per pixel; 1 to 16 are supported", options.input_bits));
  if (!std::isfinite(options.input_scale) || !std::isfinite(options.input_shift) || options.input_scale == 0)
    throw Error(info.name, fmt::format("a pixel scale of {} and shift of {}; finite numbers, and a scale other than 0, are expected",
                                       options.input_scale, options.input_shift));
  if (!info.is_float && (options.input_scale != 1 || options.input_shift != 0))
    throw Error(info.name, "this input takes integers: scale 1 and shift 0 are expected");
  if (info.shape.empty() || info.shape.size() > 4)
    throw Error(info.name, fmt::format("an input of shape {}; a batch of up to 3 dimensions is supported", dims_text(info.shape)));
  Stream stream;
  stream.dims = info.shape;
  const bool own_channels = context.form == InputForm::kOwnChannels;
  context.has_batch = !(own_channels && info.shape.size() == 2 && info.shape[0] > 1);
  if (context.has_batch) stream.dims[0] = 1;
  for (std::size_t i = 1; i < stream.dims.size(); ++i)
    if (stream.dims[i] < 1 || stream.dims[i] > 65536)
      throw Error(info.name, fmt::format("dimension {} of this input is {}; export the model with a fixed size", i,
                                         stream.dims[i] < 0 ? std::string("unknown") : std::to_string(stream.dims[i])));
  const auto extent = [&](std::size_t i) { return static_cast<int>(stream.dims[i]); };
  MapShape& shape = stream.shape;
  if (stream.dims.size() == 2) shape = {1, 1, extent(1)};
  if (stream.dims.size() == 3) shape = {1, extent(2), extent(1)};
  if (stream.dims.size() == 4) shape = {extent(2), extent(3), extent(1)};
  const bool last = stream.dims.size() == 4 && channels_last(stream.dims) != (context.form == InputForm::kOtherLayout);
  if (last) shape = {extent(1), extent(2), extent(3)};
  if (own_channels) shape = {1, 1, static_cast<int>(element_count(stream.dims))};
  if (shape.size() > (1 << 23)) throw Error(info.name, fmt::format("an input of shape {} is too large", dims_text(info.shape)));
  stream.order.resize(static_cast<std::size_t>(shape.size()));
  const auto pixels = static_cast<std::int32_t>(shape.size() / shape.channels);
  for (std::int32_t e = 0; e < static_cast<std::int32_t>(shape.size()); ++e)
    stream.order[static_cast<std::size_t>(e)] = last || own_channels ? e : e % pixels * shape.channels + e / pixels;
  stream.scale = {options.input_scale};
  stream.shift = options.input_shift;
  stream.source = info.name;
  stream.only_reader = context.readers[info.name] <= 1;

  stream.integer = !info.is_float;

  const ValueType type = pixel_type(info, options);
  Network& network = context.builder.network();
  network.name = graph.name;
  network.input = context.builder.add_map("pixels", shape, type,
                                          std::vector<Range>(static_cast<std::size_t>(shape.channels), Range{type.min(), type.max()}));
  network.input_order = stream.order;
  network.input_shape.assign(stream.dims.begin() + (context.has_batch ? 1 : 0), stream.dims.end());
  network.input_rule = {options.input_scale, options.input_shift, type};
  stream.map = network.input;
  stream.tensor = info.name;
  record_meaning(context, stream, info.name);
  context.symbols[info.name] = std::move(stream);
}

}  // namespace bitloom::lowering
