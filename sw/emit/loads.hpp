// Weights that a design loads after reset, out of the board's flash (rtl/board/flash_reader, rtl/memory/loaded_rom).
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "emit/design.hpp"

namespace bitloom {

/// In a design folder: what the flash has to hold.
inline constexpr const char* kWeightsFile = "weights.bin";

/// Words of 16 bits in the order in which the memories take them; none where the design loads nothing.
std::vector<std::uint16_t> load_words(const Design& design);

/// What the flash holds for them: hash, words and CRC-32, lowest bit first, in bytes that it sends highest bit first. `hash`: 16 hexadecimal digits.
std::vector<std::uint8_t> flash_image(const std::vector<std::uint16_t>& words, const std::string& hash);

/// The words in FOLDER/weights.bin of a design described so; none where it loads nothing. Throws Error when the file is missing or is not this design's.
std::vector<std::uint16_t> read_flash_image(const std::filesystem::path& folder, const nlohmann::json& design);

}  // namespace bitloom
