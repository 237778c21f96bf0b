#include "emit/loads.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>

#include "core/error.hpp"
#include "core/files.hpp"

namespace fs = std::filesystem;

namespace bitloom {
namespace {

constexpr std::size_t kHashBytes = 8, kCheckBytes = 4;

/// A value's bytes, lowest first.
void append(std::vector<std::uint8_t>& bytes, std::uint64_t value, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) bytes.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

/// Flashes send a byte's highest bit first, the reader wants the lowest first.
void turn_bits(std::vector<std::uint8_t>& bytes) {
  for (std::uint8_t& byte : bytes) {
    std::uint8_t turned = 0;
    for (int bit = 0; bit < 8; ++bit) turned = static_cast<std::uint8_t>(turned << 1 | (byte >> bit & 1));
    byte = turned;
  }
}

std::uint64_t check_of(const std::vector<std::uint8_t>& bytes, std::size_t count) {
  return ::crc32(0, bytes.data(), static_cast<unsigned>(count));
}

}  // namespace

std::vector<std::uint16_t> load_words(const Design& design) {
  std::vector<std::uint16_t> words;
  for (const std::string& name : design.loaded) {
    const MemoryImage& image = design.memories.at(name);
    for (const std::vector<bool>& word : image.words)
      for (std::size_t low = 0; low < static_cast<std::size_t>(image.width); low += 16) {
        unsigned value = 0;
        for (std::size_t bit = std::min(word.size(), low + 16); bit-- > low;) value = value << 1 | (word[bit] ? 1U : 0U);
        words.push_back(static_cast<std::uint16_t>(value));
      }
  }
  return words;
}

std::vector<std::uint8_t> flash_image(const std::vector<std::uint16_t>& words, const std::string& hash) {
  std::vector<std::uint8_t> bytes;
  append(bytes, std::stoull(hash, nullptr, 16), kHashBytes);
  for (const std::uint16_t word : words) append(bytes, word, 2);
  append(bytes, check_of(bytes, bytes.size()), kCheckBytes);
  turn_bits(bytes);
  return bytes;
}

std::vector<std::uint16_t> read_flash_image(const fs::path& folder, const nlohmann::json& design) {
  if (!design.contains("loaded_weights")) return {};
  const fs::path file = folder / kWeightsFile;
  std::vector<std::uint8_t> bytes = read_file(file);
  const auto count = design.at("loaded_weights").at("words").get<std::size_t>();
  if (bytes.size() != kHashBytes + 2 * count + kCheckBytes)
    throw Error(file.string(), fmt::format("has {} bytes, {} expected; compile the model again", bytes.size(), kHashBytes + 2 * count + kCheckBytes));
  turn_bits(bytes);
  std::vector<std::uint8_t> expected;
  append(expected, std::stoull(design.at("hash").get<std::string>(), nullptr, 16), kHashBytes);
  append(expected, check_of(bytes, bytes.size() - kCheckBytes), kCheckBytes);
  if (!std::equal(expected.begin(), expected.begin() + kHashBytes, bytes.begin()) ||
      !std::equal(expected.begin() + kHashBytes, expected.end(), bytes.end() - kCheckBytes))
    throw Error(file.string(), "is damaged, or of another design; compile the model again");
  std::vector<std::uint16_t> words;
  for (std::size_t i = 0; i < count; ++i)
    words.push_back(static_cast<std::uint16_t>(bytes[kHashBytes + 2 * i] | bytes[kHashBytes + 2 * i + 1] << 8));
  return words;
}

}  // namespace bitloom
