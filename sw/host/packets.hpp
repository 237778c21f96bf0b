// Packets of docs/protocol.md as bytes on the line, and back.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace bitloom::host {

using Bytes = std::vector<std::uint8_t>;

enum class Type : std::uint8_t { Error = 0, Hello = 1, Reset = 2, Exchange = 3, Counters = 4 };
constexpr std::uint8_t kReply = 0x80;  ///< set in the type of a reply
enum class Refusal : std::uint8_t { BadCheck = 1, BadLength = 2, UnknownType = 3, Overrun = 4, BadSequence = 5 };

struct Packet {
  std::uint8_t type = 0, number = 0;
  Bytes payload;
};

/// CRC-32 as zlib has it.
std::uint32_t check_of(const std::uint8_t* bytes, std::size_t count);

/// Flag, escaped body, and two flags: one may be lost on the way.
Bytes on_the_line(Type type, std::uint8_t number, const Bytes& payload);

/// Finds packets in the bytes that come. A packet is taken as soon as its check is right, so that a lost closing flag costs nothing.
class Reader {
 public:
  std::optional<Packet> take(std::uint8_t byte);
  /// Pieces between flags that were no packet.
  std::uint64_t damaged() const { return damaged_; }

 private:
  bool whole() const;
  Bytes body_;
  bool escaped_ = false;
  std::uint64_t damaged_ = 0;
};

}  // namespace bitloom::host
