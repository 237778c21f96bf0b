#include "data/formats.hpp"

#include <algorithm>
#include <cctype>

namespace bitloom {

namespace fs = std::filesystem;

Range wanted(std::int64_t available, const LoadOptions& options, const std::string& where) {
  if (available < 1) throw Error(where, "holds no images; at least one is expected");
  if (options.offset >= available)
    throw Error(where, "holds " + std::to_string(available) + " images, the offset " + std::to_string(options.offset) +
                           " lies beyond them; use 0 to " + std::to_string(available - 1));
  const std::int64_t rest = available - options.offset;
  return {options.offset, options.offset + std::min(rest, options.images.value_or(rest))};
}

std::string unpacked_extension(const fs::path& path) {
  fs::path inner = path;
  if (inner.extension() == ".gz" || inner.extension() == ".xz") inner = inner.stem();
  std::string extension = inner.extension().string();
  for (char& c : extension) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return extension;
}

bool is_idx_name(const fs::path& path) {
  const std::string name = path.filename().string();
  for (const char* mark : {"-idx", ".idx"})
    if (name.find(mark) != std::string::npos) return true;
  return false;
}

bool is_folder(const fs::path& path) {
  std::error_code code;
  return fs::is_directory(path, code);
}

std::vector<fs::path> sorted_entries(const fs::path& folder) {
  std::error_code code;
  std::vector<fs::path> entries;
  for (fs::directory_iterator it(folder, code), end; !code && it != end; it.increment(code)) entries.push_back(it->path());
  if (code) throw Error(folder.string(), "the folder cannot be read (" + code.message() + "); check its permissions");
  std::sort(entries.begin(), entries.end());
  return entries;
}

}  // namespace bitloom
