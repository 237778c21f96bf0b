// How many beats a module has sent once it has taken so many, time aside: what the sizes of FIFOs between forks and joins follow from.
#pragma once

#include <cstdint>
#include <functional>

#include "map/plan.hpp"

namespace bitloom {

/// One input of a module, in beats from reset on. Both functions never decrease.
struct Intake {
  std::function<std::int64_t(std::int64_t)> reach;   ///< beats sent at most when so many are taken here, whatever the other inputs have
  std::function<std::int64_t(std::int64_t)> uses{};  ///< beats taken here when so many are sent; joins only
  std::int64_t turn = 0;                             ///< beats taken in a row while the other input waits; 0: both move together
};

/// Beat by beat: thresholds, scaling, sums.
Intake one_to_one();
/// `in` beats become `out`: width adapters, argmax.
Intake ratio(std::int64_t in, std::int64_t out);
/// pixel_order: blocks of `beats` beats leave when they are whole; of every `row` of them the last has only `last_beats`.
Intake in_blocks(std::int64_t beats, std::int64_t row, std::int64_t last_beats);
/// map_pad: border beats are sent without waiting.
Intake padded(const MapShape& shape, const Window& window, std::int64_t chunks);
/// column_unfold: `columns` pixels of a row of `width` are sent at once.
Intake unfolded(std::int64_t width, std::int64_t columns);
/// window_reader: a window gives `beats` beats once its last word is there.
Intake windowed(const WindowPlan& window, std::int64_t beats);
/// basis_layer: a block of pixels takes `words` beats and gives `chunks` for each of its pixels that leave; empty blocks and rows, which nothing is taken for,
/// follow.
Intake blocked(const BasisBlocks& blocks, int pixels, int stride, std::int64_t words, std::int64_t chunks);
/// map_crop, in pixels of `chunks` beats.
Intake cropped(std::int64_t width, std::int64_t first, std::int64_t stride, std::int64_t out_width, std::int64_t chunks);
/// map_upsample.
Intake upsampled(const MapShape& shape, const Upsample& upsample, std::int64_t chunks);
/// map_concat: in each round of `a + b` beats, input 0 gives the first a and input 1 the others.
Intake first_of_round(std::int64_t a, std::int64_t b);
Intake second_of_round(std::int64_t a, std::int64_t b);

}  // namespace bitloom
