// A name for content: FNV-1a of 64 bits (RFC 9923). It tells contents apart, and is no signature.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>

namespace bitloom {

class ContentHash {
 public:
  /// Adds a part: a string or vector of bytes. Every part is led in by its size, so that none runs into the next.
  template <class Bytes>
  ContentHash& add(const Bytes& part) {
    take(fmt::format("{}:", part.size()));
    take(part);
    return *this;
  }
  ContentHash& add(const char* text) { return add(std::string(text)); }
  /// 16 hexadecimal digits.
  std::string text() const { return fmt::format("{:016x}", state_); }

 private:
  template <class Bytes>
  void take(const Bytes& bytes) {
    for (const auto byte : bytes) state_ = (state_ ^ static_cast<std::uint8_t>(byte)) * 0x100000001b3U;
  }
  std::uint64_t state_ = 0xcbf29ce484222325U;
};

}  // namespace bitloom
