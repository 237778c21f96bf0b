#include <fmt/format.h>

#include <algorithm>

#include "lower/chain.hpp"
#include "lower/context.hpp"

namespace bitloom::lowering {
namespace {

bool even(const std::vector<Line>& lines) {
  return std::all_of(lines.begin(), lines.end(), [&](const Line& line) { return line == lines.front(); });
}

/// Offsets that differ between channels go into the sums where they are whole, so that the order of the sums is that of the scores.
void fold_uneven_bias(Context& context, Stream& stream) {
  const auto lines = as_lines(stream, stream.steps.size());
  if (lines && !even(*lines)) fold_bias(context, stream);
}

NetworkOutput read_output(Context& context, const ValueInfo& info, Stream& stream) {
  flush_pools(context, stream);
  if (!stream.steps.empty() && stream.steps.back()->node.op == "Sigmoid" && stream.function.empty()) {
    stream.function = "Sigmoid";
    stream.steps.pop_back();
  }
  fold_uneven_bias(context, stream);
  const auto lines = as_lines(stream, stream.steps.size());
  if (!lines)
    throw Error(stream.source,
                fmt::format("output '{}' is not quantized and no straight line of the integer sums; quantize it, or cut the model "
                            "before this node",
                            info.name));
  NetworkOutput output;
  output.name = info.name;
  output.map = stream.map;
  output.shape = stream.dims;
  if (context.has_batch && !output.shape.empty()) output.shape.erase(output.shape.begin());
  output.order = stream.order;
  output.function = stream.function;
  for (std::size_t e = 0; e < stream.order.size(); ++e) {
    const Line& line = (*lines)[static_cast<std::size_t>(stream.channel(e))];
    output.scale.push_back(line.slope);
    output.offset.push_back(line.offset);
  }
  output.exact_order = lines->front().slope > 0 && even(*lines);
  record_meaning(context, stream, info.name);
  return output;
}

bool is_index(const Network& network, int map) {
  return std::any_of(network.layers.begin(), network.layers.end(),
                     [&](const Layer& layer) { return layer.output == map && std::holds_alternative<ArgMax>(layer.op); });
}

/// The asked-for argmax over the model's scores.
void append_argmax(Context& context, const ValueInfo& info, const Stream& scores) {
  Node node;
  node.name = info.name;
  node.op = "ArgMax";
  const bool flat = scores.shape.height == 1 && scores.shape.width == 1;
  if (!flat)
    throw Error(info.name,
                fmt::format("an argmax was asked for, but the output is a map of {}x{} pixels", scores.shape.height, scores.shape.width));
  std::int64_t axis = 0;
  while (axis + 1 < static_cast<std::int64_t>(scores.dims.size()) && scores.dims[static_cast<std::size_t>(axis)] != scores.shape.channels)
    ++axis;
  Stream index = lower_arg_max(context, node, scores, axis, true);
  index.dims = {1, 1};
  context.builder.network().outputs = {read_output(context, info, index)};
}

}  // namespace

void prepare_scores(Context& context, Stream& stream) {
  flush_pools(context, stream);
  stream.function.clear();
  if (!stream.steps.empty() && stream.steps.back()->node.op == "Sigmoid")
    throw Error(stream.steps.back()->node.name, "a Sigmoid in front of an argmax saturates, so that large scores become equal; remove it");
  fold_uneven_bias(context, stream);
}

void flush_pools(Context& context, Stream& stream) {
  for (const DeferredPool& pool : stream.pools) {
    const auto lines = as_lines(stream, pool.position);
    if (!lines || !std::all_of(lines->begin(), lines->end(), [](const Line& line) { return line.slope > 0; }))
      throw Error(pool.source,
                  "this max pool stands behind values that are not quantized and do not simply rise with the integer sums; put a quantizer "
                  "in front of it");
    const FeatureMap in = context.builder.map(stream.map);
    const std::vector<Range> ranges = context.builder.ranges(stream.map);
    const MapShape shape{pool.window.out_height(in.shape.height), pool.window.out_width(in.shape.width), in.shape.channels};
    stream.map = context.builder.add_layer("pool", pool.source, stream.map, MaxPool{pool.window}, shape, in.type, ranges);
  }
  stream.pools.clear();
}

void lower_outputs(Context& context) {
  Network& network = context.builder.network();
  if (context.options.argmax && context.graph.outputs.size() != 1)
    throw Error(context.graph.file, fmt::format("an argmax was asked for, but the model has {} outputs", context.graph.outputs.size()));
  for (const ValueInfo& info : context.graph.outputs) {
    Symbol& symbol = context.symbols.at(info.name);
    if (std::holds_alternative<Constant>(symbol)) throw Error(info.name, "this output is a constant: it does not depend on the input");
    if (const auto* refused = std::get_if<Refused>(&symbol)) throw Error(info.name, refused->reason);
    Stream& stream = std::get<Stream>(symbol);
    if (context.options.argmax && !is_index(network, stream.map)) return append_argmax(context, info, stream);
    network.outputs.push_back(read_output(context, info, stream));
  }
}

}  // namespace bitloom::lowering
