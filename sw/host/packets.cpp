#include "host/packets.hpp"

#include <array>

namespace bitloom::host {
namespace {

constexpr std::uint8_t kFlag = 0x7e, kEscape = 0x7d, kFlip = 0x20;
constexpr std::size_t kHead = 4, kCheck = 4;

constexpr std::array<std::uint32_t, 256> make_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value & 1) != 0 ? value >> 1 ^ 0xedb88320U : value >> 1;
    table[i] = value;
  }
  return table;
}
constexpr std::array<std::uint32_t, 256> kTable = make_table();

}  // namespace

std::uint32_t check_of(const std::uint8_t* bytes, std::size_t count) {
  std::uint32_t check = 0xffffffffU;
  for (std::size_t i = 0; i < count; ++i) check = check >> 8 ^ kTable[(check ^ bytes[i]) & 0xff];
  return ~check;
}

Bytes on_the_line(Type type, std::uint8_t number, const Bytes& payload) {
  Bytes body;
  body.reserve(kHead + payload.size() + kCheck);
  body.push_back(static_cast<std::uint8_t>(type));
  body.push_back(number);
  body.push_back(static_cast<std::uint8_t>(payload.size()));
  body.push_back(static_cast<std::uint8_t>(payload.size() >> 8));
  body.insert(body.end(), payload.begin(), payload.end());
  const std::uint32_t check = check_of(body.data(), body.size());
  for (int i = 0; i < 4; ++i) body.push_back(static_cast<std::uint8_t>(check >> (8 * i)));
  Bytes line;
  line.reserve(body.size() + 8);
  line.push_back(kFlag);
  for (const std::uint8_t byte : body) {
    const bool escape = byte == kFlag || byte == kEscape;
    if (escape) line.push_back(kEscape);
    line.push_back(escape ? static_cast<std::uint8_t>(byte ^ kFlip) : byte);
  }
  line.push_back(kFlag);
  line.push_back(kFlag);
  return line;
}

bool Reader::whole() const {
  const std::size_t size = body_.size();
  if (size < kHead + kCheck || size != kHead + kCheck + body_[2] + 256U * body_[3]) return false;
  const std::uint32_t check = check_of(body_.data(), size - kCheck);
  for (std::size_t i = 0; i < kCheck; ++i)
    if (body_[size - kCheck + i] != static_cast<std::uint8_t>(check >> (8 * i))) return false;
  return true;
}

std::optional<Packet> Reader::take(std::uint8_t byte) {
  if (byte == kFlag) {
    if (!body_.empty() || escaped_) ++damaged_;
    body_.clear();
    escaped_ = false;
    return std::nullopt;
  }
  if (byte == kEscape) {
    escaped_ = true;
    return std::nullopt;
  }
  body_.push_back(escaped_ ? static_cast<std::uint8_t>(byte ^ kFlip) : byte);
  escaped_ = false;
  if (!whole()) {
    if (body_.size() > 70000) body_.clear();
    return std::nullopt;
  }
  Packet packet{body_[0], body_[1], Bytes(body_.begin() + kHead, body_.end() - kCheck)};
  body_.clear();
  return packet;
}

}  // namespace bitloom::host
