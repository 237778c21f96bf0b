// The link that carries a map from one chip to the next: its words, its buffers, the clocks that an image takes, its cost.
#pragma once

#include "map/plan.hpp"

namespace bitloom {

/// Throws Error when lanes are not 1 to 8, or ratio or latency are out of range.
void check_link_spec(const LinkSpec& spec);

/// A link for values of `type`, `channels` of a pixel, `size` in an image. The word holds a divisor of the channels: the one that leaves the
/// fewest lanes unused, of up to 72 bits (two block RAMs of ECP5) where a value is not wider.
ChipLink make_chip_link(const LinkSpec& spec, int channels, const ValueType& type, std::int64_t size, const Budget& device);

/// The same for words that are given, `words` of them in an image.
ChipLink make_chip_link(const LinkSpec& spec, int word_bits, std::int64_t words, const Budget& device);

/// Clocks for a frame of so many words.
std::int64_t frame_clocks(const ChipLink& link, std::int64_t words);

}  // namespace bitloom
