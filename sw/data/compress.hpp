// Gzip and xz, whole buffers.
#pragma once

#include "core/files.hpp"

namespace bitloom {

/// Decompresses all members of a gzip file. `where` names the file in errors (truncated, damaged, larger than 4 GiB).
Bytes gunzip(const Bytes& packed, const std::string& where);
/// Decompresses all streams of an xz file.
Bytes unxz(const Bytes& packed, const std::string& where);
/// The file's content, decompressed when it begins as gzip or xz does or is named .gz or .xz.
Bytes read_unpacked(const std::filesystem::path& path);

}  // namespace bitloom
