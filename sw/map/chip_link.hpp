// The link that carries a map from one chip to the next: its words, its buffers, the clocks that an image takes, its cost.
#pragma once

#include "map/plan.hpp"

namespace bitloom {

/// Throws Error when lanes are not 1 to 8, or ratio or latency are out of range.
void check_link_spec(const LinkSpec& spec);

/// A link for values of `type`, `channels` of a pixel, `size` in an image. The word holds a divisor of the channels: the one that leaves the
/// fewest lanes unused, of up to 36 bits (a block RAM of ECP5) where a value is not wider. Its buffers let it send at the wires' full rate;
/// where an image may take far more `clocks` than that, they are smaller (0: full rate).
ChipLink make_chip_link(const LinkSpec& spec, int channels, const ValueType& type, std::int64_t size, const Budget& device,
                        std::int64_t clocks = 0);

/// The same for words that are given, `words` of them in an image.
ChipLink make_chip_link(const LinkSpec& spec, int word_bits, std::int64_t words, const Budget& device, std::int64_t clocks = 0);

/// Clocks for a frame of so many words.
std::int64_t frame_clocks(const ChipLink& link, std::int64_t words);

}  // namespace bitloom
