// From a pending chain to a Threshold or Requantize layer.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "lower/chain.hpp"
#include "lower/context.hpp"
#include "lower/grids.hpp"

namespace bitloom::lowering {
namespace {

/// Pixels that the model's own unsigned quantizer leaves as they are (up to saturation) need no thresholds: the input map takes that type.
bool narrow_input(Context& context, const Stream& stream, const Grid& grid) {
  Builder& builder = context.builder;
  if (stream.map != builder.network().input || !stream.only_reader || builder.is_read(stream.map) || !stream.pools.empty()) return false;
  const ValueType type = builder.map(stream.map).type;
  if (type.encoding() != Encoding::Unsigned || grid.type.encoding() != Encoding::Unsigned || grid.low != 0 || grid.step != 1 ||
      grid.levels != grid.type.max())
    return false;
  std::vector<std::int64_t> pixels;
  for (std::int64_t p = 0; p <= type.max(); ++p) pixels.push_back(p);
  for (int c = 0; c < stream.shape.channels; ++c) {
    const auto codes = codes_of(grid, c, apply(stream, c, pixels, context.opset()), stream.source);
    for (std::size_t p = 0; p < codes.size(); ++p)
      if (codes[p] != std::min(pixels[p], grid.levels)) return false;
  }
  if (grid.type.bits() < type.bits()) {
    builder.set_type(stream.map, grid.type);
    builder.network().meanings.clear();  // larger pixels saturate: the map is the quantizer's output, not the model's input
    builder.set_ranges(stream.map, std::vector<Range>(static_cast<std::size_t>(stream.shape.channels), Range{0, grid.levels}));
  }
  return true;
}

/// The codes that each channel really produces.
std::vector<Range> reached_codes(const Threshold& table, const std::vector<Range>& ranges) {
  std::vector<Range> codes;
  auto first = table.thresholds.begin();
  for (std::size_t c = 0; c < ranges.size(); ++c, first += table.levels) {
    const auto code = [&](std::int64_t acc) {
      const std::int64_t n = std::upper_bound(first, first + table.levels, acc) - first;
      return table.low + table.step * (table.falling[c] != 0 ? table.levels - n : n);
    };
    const std::int64_t a = code(ranges[c].low), b = code(ranges[c].high);
    codes.push_back({std::min(a, b), std::max(a, b)});
  }
  return codes;
}

/// Emits the thresholds of the stream's whole chain and, behind them, its pools.
void emit_thresholds(Context& context, Stream& stream, const Grid& grid, Threshold table) {
  Builder& builder = context.builder;
  const std::vector<Range> ranges = builder.ranges(stream.map);
  for (const DeferredPool& pool : stream.pools) {
    if (!rises_after(stream, ranges, pool.position, grid, stream.source, context.opset()))
      throw Error(pool.source,
                  fmt::format("this max pool stands before {}, which falls where its input rises; put the quantizer in front of the "
                              "pool",
                              stream.source));
  }
  const std::vector<Range> code_ranges = reached_codes(table, ranges);
  const MapShape shape = builder.map(stream.map).shape;
  constexpr int kFewLevels = 15;
  const auto requantize = table.levels > kFewLevels ? as_requantize(table, ranges) : std::optional<Requantize>();
  if (requantize)
    stream.map = builder.add_layer("requantize", stream.source, stream.map, *requantize, shape, grid.type, code_ranges);
  else
    stream.map = builder.add_layer("act", stream.source, stream.map, std::move(table), shape, grid.type, code_ranges);
  for (const DeferredPool& pool : stream.pools) {
    const MapShape in = builder.map(stream.map).shape;
    const MapShape out{pool.window.out_height(in.height), pool.window.out_width(in.width), in.channels};
    stream.map = builder.add_layer("pool", pool.source, stream.map, MaxPool{pool.window}, out, grid.type, code_ranges);
  }
}

void emit_thresholds(Context& context, Stream& stream, const Grid& grid) {
  const std::vector<Range> ranges = context.builder.ranges(stream.map);
  emit_thresholds(context, stream, grid, find_thresholds(stream, ranges, grid, stream.source, context.opset()));
}

void make_pure(Stream& stream, const std::vector<double>& scale) {
  stream.scale = scale;
  stream.shift = 0;
  stream.steps.clear();
  stream.pools.clear();
}

}  // namespace

Stream quantize(Context& context, Stream stream) {
  const Grid grid = quantizer_grid(stream);
  return quantize_to(context, std::move(stream), grid);
}

Stream quantize_to(Context& context, Stream stream, const Grid& grid) {
  const bool integer = holds_integers(stream, stream.steps.size());
  if (!narrow_input(context, stream, grid)) emit_thresholds(context, stream, grid);
  make_pure(stream, grid.scale);
  stream.integer = integer;
  return stream;
}

Stream apply_table(Context& context, Stream stream, const Grid& grid, Threshold table) {
  emit_thresholds(context, stream, grid, std::move(table));
  make_pure(stream, grid.scale);
  return stream;
}

bool fold_bias(Context& context, Stream& stream) {
  if (!stream.pools.empty() || !stream.only_reader) return false;
  const auto lines = as_lines(stream, stream.steps.size());
  if (!lines || !(lines->front().slope > 0)) return false;
  std::vector<std::int64_t> bias;
  for (const Line& line : *lines) {
    const double whole = std::nearbyint(line.offset / line.slope);
    // An offset that was computed in float32 may be off by its rounding.
    if (line.slope != lines->front().slope || !(std::fabs(whole) <= 0x1p31) ||
        !(std::fabs(line.offset - whole * line.slope) <= 0x1p-22 * std::fabs(line.offset)))
      return false;
    bias.push_back(static_cast<std::int64_t>(whole));
  }
  const double slope = lines->front().slope;
  const bool integer = holds_integers(stream, stream.steps.size());
  if (!context.builder.add_bias(stream.map, bias, stream.source)) return false;
  make_pure(stream, {slope});
  stream.integer = integer;
  return true;
}

Stream integral(Context& context, Stream stream, const Node& reader) {
  const auto common = [](const std::vector<double>& scale) {
    for (const double value : scale)
      if (value != scale[0]) return false;
    return true;
  };
  if (stream.is_pure() && common(stream.scale) && stream.scale[0] > 0) {
    stream.scale = {stream.scale[0]};
    return stream;
  }
  const auto& ranges = context.builder.ranges(stream.map);
  const bool integer = holds_integers(stream, stream.steps.size());
  if (const auto scale = pure_scale(stream, ranges, context.opset())) {
    make_pure(stream, {*scale});
    stream.integer = integer;
    return stream;
  }
  if (stream.is_pure())
    throw Error(reader.name,
                fmt::format("the scale of its input differs between channels, so the sums of this {} are no integers; quantize with one "
                            "scale for all channels",
                            reader.op));
  if (fold_bias(context, stream)) return stream;
  const auto grid = discover_grid(stream, ranges, context.opset());
  if (!grid)
    throw Error(reader.name,
                fmt::format("the input of this {} is not quantized after {}; put a Quant, BipolarQuant or MultiThreshold between them",
                            reader.op, stream.source));
  emit_thresholds(context, stream, *grid);
  make_pure(stream, grid->scale);
  stream.integer = integer;
  record_meaning(context, stream, stream.tensor);
  return stream;
}

}  // namespace bitloom::lowering
