// Whole files in and out. Every failure is an Error that names the path and says what to do.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"

namespace bitloom {

using Bytes = std::vector<std::uint8_t>;

/// The content of a regular file. Throws Error when it is missing, a folder or unreadable.
Bytes read_file(const std::filesystem::path& path);
std::string read_text_file(const std::filesystem::path& path);

/// Writes a temporary file beside `path` and renames it, so that an interrupted run leaves either the old file or the new one.
/// Throws Error when the folder is missing or not writable; the folder is not made.
void write_file_atomically(const std::filesystem::path& path, std::span<const std::uint8_t> content);
void write_file_atomically(const std::filesystem::path& path, std::string_view content);

}  // namespace bitloom
