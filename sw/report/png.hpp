// A small image inside the page.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bitloom {

/// "data:image/png;base64,..." of 8-bit pixels, row by row; `channels` 1 (gray) or 3 (RGB).
/// Throws Error when the pixels are not width * height * channels.
std::string png_data_uri(int width, int height, int channels, const std::vector<std::uint8_t>& pixels);

/// RFC 4648, with padding.
std::string base64(const std::vector<std::uint8_t>& bytes);

}  // namespace bitloom
