// What a decomposed convolution can be folded to in the basis engine, and what that means for its blocks and clocks.
#include <fmt/format.h>

#include <algorithm>

#include "map/stages.hpp"

namespace bitloom {
namespace {

constexpr int kMostLanes = 16;       // of the output
constexpr std::int64_t kApart = 6;   // clocks of the shortest block (rtl/basis/basis_sums)

std::int64_t input_clocks(int channels, int lanes, int pixels) {
  return channels + std::int64_t{channels / lanes} * (pixels - 1);  // rtl/basis/pixel_block
}

/// The fewest channels per clock that send a block's results within `clocks`, or as many as there may be.
int lanes_within(int channels, int pixels, std::int64_t clocks) {
  int best = 1;
  for (const int lanes : divisors(channels)) {
    if (lanes > kMostLanes) break;
    best = lanes;
    if (std::int64_t{channels / lanes} * pixels <= clocks) break;
  }
  return best;
}

}  // namespace

std::vector<Folding> basis_foldings(const Network& network, const Stage& stage) {
  const Layer& layer = network.layers[static_cast<std::size_t>(stage.layer)];
  const auto& conv = std::get<Convolution>(layer.op);
  const Window& w = conv.window;
  // A kernel that covers the whole map has become a fully connected layer: every weight is used once, and nothing is shared between pixels.
  const bool flattened = stage.in_shape != network.input_of(layer).shape;
  if (!conv.decomposition || flattened || w.dilation_height > 1 || w.dilation_width > 1 || network.input_of(layer).type.is_bipolar())
    return {};
  const int width = stage.in_shape.width;
  const auto tasks = static_cast<int>(coefficient_tasks(*conv.decomposition, conv.out_channels, stage.in_shape.channels).size());
  std::vector<Folding> result;
  for (const int pixels : {1, 2, 4, 8, 16}) {
    if (pixels > 1 && pixels / 2 >= width) break;
    for (const int sparse : {1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16}) {
      if (sparse > tasks) break;
      for (const int rows : w.kernel_height > 1 ? std::vector{1, w.kernel_height} : std::vector{1}) {
        Folding folding;
        folding.pixels = pixels;
        folding.sparse = sparse;
        folding.rows = rows;
        result.push_back(folding);
      }
    }
  }
  return result;
}

bool apply_basis(const Network& network, Stage& stage, const BasisProgram& program, const Budget& budget) {
  const Layer& layer = network.layers[static_cast<std::size_t>(stage.layer)];
  const auto& conv = std::get<Convolution>(layer.op);
  const int channels = stage.in_shape.channels, steps = conv.window.kernel_height / stage.folding.rows;
  Folding& f = stage.folding;
  stage.kind = StageKind::Basis;
  stage.blocks = basis_blocks(stage.in_shape, conv.window, f.pixels);
  const BasisBlocks& b = stage.blocks;

  const std::int64_t sums = block_clocks(program, channels, steps);
  std::int64_t block = std::max(sums, kApart);
  for (const int lanes : divisors(channels)) {
    stage.in_lanes = f.simd = lanes;
    if (input_clocks(channels, lanes, f.pixels) <= block) break;
  }
  block = std::max(block, input_clocks(channels, f.simd, f.pixels));
  f.lanes = f.pe = lanes_within(conv.out_channels, f.pixels, block);
  const std::int64_t beats = conv.out_channels / f.lanes, results = beats * f.pixels;  // a block's
  block = std::max(block, results);
  // Empty blocks, which end a row, and rows, which end a map: what has waited leaves.
  const std::int64_t apart = std::max<std::int64_t>(std::int64_t{conv.out_channels} * steps, kApart);
  const std::int64_t empty = std::max(apart, results), last = std::max(apart, beats * b.last_pixels);
  const std::int64_t empties = b.groups - b.blocks;
  stage.clocks = std::int64_t{b.map_rows} * (b.blocks * block + (empties > 0 ? (empties - 1) * empty + last : 0)) +
                 std::int64_t{b.all_rows - b.map_rows} * ((b.groups - 1) * empty + last);
  stage.words_per_pixel = block;
  stage.weight_words = static_cast<std::int64_t>(program.tasks.size());
  stage.shortest_group = std::min(f.pixels, std::max(f.pe * steps, b.last_pixels));
  stage.adders_busy = static_cast<double>(program.coefficients) / (static_cast<double>(block) * f.sparse);
  stage.planes = program.code.bitmap ? fmt::format("shared kernels, bitmap, {} lanes", f.sparse)
                                     : fmt::format("shared kernels, gaps of {} bits, {} lanes", program.code.gap_bits, f.sparse);
  stage.cost = estimate_basis(network, stage, program, budget);
  return stage.cost.dsps <= budget.dsps;
}

}  // namespace bitloom
