#include "report/png.hpp"

#include <fmt/format.h>
#include <png.h>

#include "core/error.hpp"

namespace bitloom {

std::string base64(const std::vector<std::uint8_t>& bytes) {
  static constexpr const char* kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j) group = group << 8U | (i + j < bytes.size() ? bytes[i + j] : 0U);
    for (std::size_t j = 0; j < 4; ++j) text += i + j <= bytes.size() ? kDigits[group >> (18U - 6U * j) & 63U] : '=';
  }
  return text;
}

std::string png_data_uri(int width, int height, int channels, const std::vector<std::uint8_t>& pixels) {
  const std::size_t expected = static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * static_cast<std::size_t>(channels);
  if (expected == 0 || pixels.size() != expected || (channels != 1 && channels != 3))
    throw Error("image",
                fmt::format("{} x {} pixels of {} channels need {} bytes, found {}", width, height, channels, expected, pixels.size()));
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(width);
  image.height = static_cast<png_uint_32>(height);
  image.format = channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  png_alloc_size_t size = 0;
  std::vector<std::uint8_t> file;
  bool written = png_image_write_to_memory(&image, nullptr, &size, 0, pixels.data(), 0, nullptr) != 0;
  if (written) {
    file.resize(size);
    written = png_image_write_to_memory(&image, file.data(), &size, 0, pixels.data(), 0, nullptr) != 0;
  }
  if (!written) throw Error("image", fmt::format("libpng cannot write it: {}", image.message));
  file.resize(size);
  return "data:image/png;base64," + base64(file);
}

}  // namespace bitloom
