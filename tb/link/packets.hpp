// SPDX-License-Identifier: Apache-2.0
// docs/protocol.md from the other side, written apart from sw/host and from the RTL: packets as bytes on the line, and back.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace bench {

using ByteString = std::vector<std::uint8_t>;

constexpr std::uint8_t kFlag = 0x7e, kEscape = 0x7d;
enum PacketType : std::uint8_t { kError = 0, kHello = 1, kReset = 2, kExchange = 3, kCounters = 4 };
enum ErrorCode : std::uint8_t { kBadCheck = 1, kBadLength = 2, kUnknownType = 3, kOverrun = 4, kBadSequence = 5 };

inline std::uint32_t crc32(const ByteString& bytes) {
  std::uint32_t crc = 0xffffffffU;
  for (const std::uint8_t byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xedb88320U : 0);
  }
  return ~crc;
}

/// Type, number, length and payload, with the check at the end; nothing escaped. `length` may lie.
inline ByteString packet_body(std::uint8_t type, std::uint8_t seq, const ByteString& payload, std::optional<unsigned> length = {}) {
  const unsigned stated = length.value_or(static_cast<unsigned>(payload.size()));
  ByteString body;
  for (const unsigned byte : {unsigned{type}, unsigned{seq}, stated, stated >> 8}) body.push_back(static_cast<std::uint8_t>(byte));
  for (const std::uint8_t byte : payload) body.push_back(byte);
  const std::uint32_t check = crc32(body);
  for (int i = 0; i < 4; ++i) body.push_back(static_cast<std::uint8_t>(check >> (8 * i)));
  return body;
}
inline ByteString framed(const ByteString& body) {
  ByteString line = {kFlag};
  for (const std::uint8_t byte : body) {
    if (byte == kFlag || byte == kEscape) line.push_back(kEscape);
    line.push_back(byte == kFlag || byte == kEscape ? byte ^ 0x20 : byte);
  }
  line.push_back(kFlag);
  return line;
}
inline ByteString packet(std::uint8_t type, std::uint8_t seq, const ByteString& payload = {}) {
  return framed(packet_body(type, seq, payload));
}

struct Packet {
  std::uint8_t type = 0, seq = 0;
  ByteString payload;
  bool operator==(const Packet&) const = default;
};

/// Takes the line apart. What is wrong is counted and otherwise left out.
class PacketReader {
 public:
  std::vector<Packet> packets;
  int damaged = 0;
  void take(std::uint8_t byte) {
    if (byte == kFlag) {
      if (!body_.empty() || escaped_) finish();
      body_.clear();
      escaped_ = false;
    } else if (byte == kEscape) {
      escaped_ = true;
    } else {
      body_.push_back(escaped_ ? byte ^ 0x20 : byte);
      escaped_ = false;
    }
  }

 private:
  void finish() {
    const bool whole = !escaped_ && body_.size() >= 8 && body_.size() == 8u + body_[2] + 256u * body_[3];
    if (!whole || packet_body(body_[0], body_[1], {body_.begin() + 4, body_.end() - 4}) != body_) {
      ++damaged;
      return;
    }
    packets.push_back({body_[0], body_[1], {body_.begin() + 4, body_.end() - 4}});
  }
  ByteString body_;
  bool escaped_ = false;
};

}  // namespace bench
