// A decomposed convolution in the basis engine: map_pad for what fills blocks, basis_layer, pixel_order, map_crop.
#include <algorithm>
#include <bit>

#include "emit/elaboration.hpp"
#include "emit/images.hpp"
#include "map/raw.hpp"

namespace bitloom {
namespace {

/// One constant for each lane, 32 bits each, lane 0 in the low bits.
std::string packed(const std::vector<std::size_t>& values) {
  std::string text = fmt::format("{}'h", 32 * values.size());
  for (auto value = values.rbegin(); value != values.rend(); ++value) text += fmt::format("{:08x}", *value);
  return text;
}

/// What a lane's reader meets, as SumProgram has it. A gap's filler belongs to the task in which it ends (rtl/basis/gap_reader).
std::vector<int> lane_steps(const CoefficientCode& code, const std::vector<CoefficientTask>& tasks, int in_channels) {
  const LaneCode lane = encode(code, tasks, in_channels);
  std::vector<int> steps;
  if (code.bitmap) {
    for (const std::uint32_t word : lane.words) steps.push_back(std::popcount(word));
    return steps;
  }
  steps.assign(tasks.size(), 0);
  const std::uint32_t filler = (std::uint32_t{1} << code.gap_bits) - 1;
  std::int64_t position = -1;
  for (const std::uint32_t word : lane.words) {
    const std::uint32_t gap = word >> 1;
    position += gap == filler ? filler : gap + 1;
    ++steps[static_cast<std::size_t>(position / in_channels)];
  }
  return steps;
}

SumProgram sum_program(const BasisProgram& program, int in_channels, int out_channels) {
  SumProgram sums;
  for (const auto& lane : program.lanes) sums.lanes.push_back(lane_steps(program.code, lane, in_channels));
  sums.turns = program.lane_of;
  sums.sums.assign(static_cast<std::size_t>(out_channels), 0);
  for (const CoefficientTask& task : program.tasks) ++sums.sums[static_cast<std::size_t>(task.output)];
  return sums;
}

}  // namespace

void Elaboration::pad_blocks(const Stage& stage, Wire& wire) {
  Stage inserted = stage;
  inserted.window = stage.blocks.inserted;
  pad(inserted, wire, 0);
}

void Elaboration::add_basis(const Stage& stage) {
  const Layer& layer = network_.layers[static_cast<std::size_t>(stage.layer)];
  const auto& conv = std::get<Convolution>(layer.op);
  const Decomposition& d = *conv.decomposition;
  const ValueType& in = network_.input_of(layer).type;
  const ValueType& out = map(stage.out_map).type;
  const Folding& f = stage.folding;
  const BasisBlocks& b = stage.blocks;
  const RawAccumulator raw = raw_accumulator(conv, in);
  const BasisProgram program = make_basis_program(conv, in, f.sparse);

  Wire wire = receive(stage.in_maps[0]);
  adapt(wire, stage.in_lanes);
  pad_blocks(stage, wire);
  BasisImages images = basis_images(program, d, conv.window, stage.in_shape.channels, f.rows);
  const bool bitmap = program.code.bitmap;
  Parameters p = {{"IN_LANES", num(f.simd)},
                  {"A_BITS", num(in.bits())},
                  {"A_SIGNED", num(in.is_signed() ? 1 : 0)},
                  {"CHANNELS", num(stage.in_shape.channels)},
                  {"PIXELS", num(f.pixels)},
                  {"SPARSE_LANES", num(f.sparse)},
                  {"SUM_BITS", num(program.sum_bits)},
                  {"KERNELS", num(d.kernels)},
                  {"BITMAP", num(bitmap ? 1 : 0)},
                  {"GAP_BITS", num(program.code.gap_bits)},
                  {"CHUNK_BITS", num(program.code.chunk_bits)},
                  {"LANE_WORDS", packed(bitmap ? images.lane_tasks : images.lane_words)},
                  {"LANE_SIGNS", packed(images.lane_signs)},
                  {"COEFFICIENT_INIT", file(stage.name + "_coefficients")},
                  {"TASKS", num(static_cast<std::int64_t>(program.tasks.size()))},
                  {"ORDER_GAP_BITS", num(program.order.gap_bits)}};
  for (auto& [name, image] : images.lanes) memory("coefficients_" + name, std::move(image));
  if (!images.order.words.empty()) p.emplace_back("ORDER_INIT", memory("order", std::move(images.order)));
  p.insert(p.end(), {{"DEPTH", num(kSumsThatWait)},
                     {"HEIGHT", num(conv.window.kernel_height)},
                     {"WIDTH", num(conv.window.kernel_width)},
                     {"ROWS", num(f.rows)},
                     {"BASIS_BITS", num(basis_bits(d))},
                     {"BASIS_INIT", memory("basis", std::move(images.basis))},
                     {"ACC_BITS", num(raw.bits)},
                     {"OUT_CHANNELS", num(conv.out_channels)},
                     {"PE", num(f.pe)},
                     {"BLOCKS", num(b.blocks)},
                     {"GROUPS", num(b.groups)},
                     {"MAP_ROWS", num(b.map_rows)},
                     {"ALL_ROWS", num(b.all_rows)},
                     {"FIRST", num(b.first_row)},
                     {"STRIDE", num(conv.window.stride_height)},
                     {"OUT_ROWS", num(b.out_rows)},
                     {"SHORT", num(b.last_pixels)},
                     {"FABRIC", num(design_.plan.fabric)},
                     {"SLACK", num(stage.slack_groups)},
                     {"SCORES", num(stage.threshold < 0 ? 1 : 0)},
                     {"LANES", num(f.lanes)},
                     {"OUT_BITS", num(out.bits())},
                     {"REGISTERED", num(design_.plan.fabric == kEcp5 ? 1 : 0)}});
  activate(p, stage, conv, raw, f.lanes, out);
  const std::int64_t chunks = conv.out_channels / f.lanes;
  const std::int64_t words = std::int64_t{f.pixels} * stage.in_shape.channels / f.simd;
  Instance& instance = add("basis_layer", "", wire, f.lanes, out, std::move(p), blocked(b, f.pixels, conv.window.stride_height, words, chunks));
  instance.has_activity = true;
  instance.sums = sum_program(program, stage.in_shape.channels, conv.out_channels);
  instance.latency = stage.words_per_pixel + words + 40 + 2 * f.pixels;
  if (f.pixels > 1 && f.pe < conv.out_channels)
    add("pixel_order", "order", wire, f.lanes, out,
        {{"WIDTH", num(wire.width())}, {"PIXELS", num(f.pixels)}, {"GROUPS", num(conv.out_channels / f.pe)}, {"BEATS", num(1)}, {"ROW", num(b.groups)}, {"SHORT", num(b.last_pixels)}},
        in_blocks(chunks * f.pixels, b.groups, chunks * b.last_pixels))
        .latency = chunks * f.pixels + 2;
  if (b.crops(f.pixels, conv.window.stride_width)) {
    const int columns = b.row_columns(f.pixels);
    add("map_crop", "crop", wire, f.lanes, out,
        {{"WIDTH", num(wire.width())},
         {"CHUNKS", num(chunks)},
         {"IN_WIDTH", num(columns)},
         {"FIRST", num(b.first_column)},
         {"STRIDE", num(conv.window.stride_width)},
         {"OUT_WIDTH", num(b.out_columns)},
         {"ROWS", num(b.out_rows)}},
        cropped(columns, b.first_column, conv.window.stride_width, b.out_columns, chunks))
        .latency = 0;
  }
  provide(stage, wire);
}

}  // namespace bitloom
