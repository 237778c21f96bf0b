// A folder that lives as long as a test, and what the data tests write into it.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <functional>
#include <random>
#include <string>

#include "catch2.hpp"
#include "core/files.hpp"

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "bitloom-test-XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline void append_big_endian(bitloom::Bytes& bytes, std::uint64_t value, int size) {
  for (int i = size - 1; i >= 0; --i) bytes.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

/// An IDX file whose items all have `item` bytes.
inline bitloom::Bytes idx_file(std::uint8_t type, const std::vector<std::uint32_t>& dims, const std::vector<std::uint64_t>& items,
                               int item = 1) {
  bitloom::Bytes bytes{0, 0, type, static_cast<std::uint8_t>(dims.size())};
  for (const std::uint32_t d : dims) append_big_endian(bytes, d, 4);
  for (const std::uint64_t value : items) append_big_endian(bytes, value, item);
  return bytes;
}

/// Cuts `file` at every length and damages it at random places: `load` must return or throw Error, never anything else.
inline void survives_damage(const std::filesystem::path& path, const bitloom::Bytes& file, const std::function<void()>& load) {
  const auto attempt = [&](const bitloom::Bytes& bytes) {
    bitloom::write_file_atomically(path, bytes);
    try {
      load();
      return true;
    } catch (const bitloom::Error& error) {
      CHECK(std::string(error.what()).find(path.filename().string()) != std::string::npos);
      return false;
    }
  };
  REQUIRE(attempt(file));
  for (std::size_t size = 0; size < file.size(); size += 1 + file.size() / 300) {
    INFO("cut to " << size << " of " << file.size() << " bytes");
    CHECK_FALSE(attempt({file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size)}));
  }
  std::mt19937 random(test_seed());
  for (int trial = 0; trial < 300; ++trial) {
    bitloom::Bytes damaged = file;
    for (int i = 0; i < 3; ++i) damaged[random() % damaged.size()] = static_cast<std::uint8_t>(random());
    attempt(damaged);
  }
}
