// Images of a data set as people look at them: 8 bits, gray or RGB, small.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "data/dataset.hpp"

namespace bitloom {

/// Pixels row by row, `channels` bytes each (1: gray, 3: RGB).
struct Picture {
  int width = 0, height = 0, channels = 1;
  std::vector<std::uint8_t> pixels;
};

/// Image `index` of the set: its values between `low` (black) and `high` (white), every n-th pixel where a side is longer than 64. Empty
/// when its shape is none of HW, CHW and HWC with 1 or 3 channels. Throws Error when there is no such image.
std::optional<Picture> picture(const Dataset& set, std::int64_t index, double low, double high);

/// The least and the largest value of a set.
std::pair<double, double> value_range(const Dataset& set);

}  // namespace bitloom
