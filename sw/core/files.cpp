#include "core/files.hpp"

#include <unistd.h>

#include <atomic>
#include <fstream>
#include <system_error>

namespace bitloom {

namespace {

namespace fs = std::filesystem;

template <typename Content>
Content read_into(const fs::path& path) {
  std::error_code code;
  const fs::file_status status = fs::status(path, code);
  if (!fs::exists(status)) throw Error(path.string(), "no such file; check the name");
  if (fs::is_directory(status)) throw Error(path.string(), "is a folder, a file is expected; name a file in it");
  std::ifstream in(path, std::ios::binary);
  if (!in) throw Error(path.string(), "cannot be opened for reading; check its permissions");
  Content content;
  // Read until the end instead of asking for the size: pipes have none.
  constexpr std::size_t chunk = 1 << 20;
  while (in) {
    const std::size_t before = content.size();
    content.resize(before + chunk);
    in.read(reinterpret_cast<char*>(content.data() + before), chunk);
    content.resize(before + static_cast<std::size_t>(in.gcount()));
  }
  if (in.bad()) throw Error(path.string(), "reading failed after " + std::to_string(content.size()) + " bytes; check the disk");
  return content;
}

/// A file name that no other process or thread uses; the file goes away unless it is released.
class TemporaryFile {
 public:
  explicit TemporaryFile(const fs::path& target) : path_(target) {
    static std::atomic<unsigned> counter{0};
    path_ += ".tmp-" + std::to_string(getpid()) + "-" + std::to_string(counter++);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove(path_, ignored);
  }
  const fs::path& path() const { return path_; }
  void release() { path_.clear(); }

 private:
  fs::path path_;
};

}  // namespace

Bytes read_file(const fs::path& path) { return read_into<Bytes>(path); }

std::string read_text_file(const fs::path& path) { return read_into<std::string>(path); }

void write_file_atomically(const fs::path& path, std::span<const std::uint8_t> content) {
  std::error_code code;
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  if (!fs::is_directory(folder, code)) throw Error(path.string(), "the folder '" + folder.string() + "' does not exist; make it first");
  if (fs::is_directory(path, code)) throw Error(path.string(), "is a folder, so no file can be written there; choose another name");
  TemporaryFile temporary(path);
  std::ofstream out(temporary.path(), std::ios::binary);
  if (!out) throw Error(path.string(), "cannot be written; check the permissions of the folder '" + folder.string() + "'");
  out.write(reinterpret_cast<const char*>(content.data()), static_cast<std::streamsize>(content.size()));
  out.close();
  if (!out) throw Error(path.string(), "writing " + std::to_string(content.size()) + " bytes failed; check the free space on the disk");
  fs::rename(temporary.path(), path, code);
  if (code) throw Error(path.string(), "the finished file cannot be moved into place (" + code.message() + "); check permissions");
  temporary.release();
}

void write_file_atomically(const fs::path& path, std::string_view content) {
  write_file_atomically(path, std::span(reinterpret_cast<const std::uint8_t*>(content.data()), content.size()));
}

}  // namespace bitloom
