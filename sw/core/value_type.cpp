#include "core/value_type.hpp"

#include <fmt/format.h>

namespace bitloom {

ValueType::ValueType(Encoding encoding, int bits) : encoding_(encoding), bits_(bits) {
  if (bits < 1 || bits > 32) throw Error("value type", fmt::format("{} bits given, 1 to 32 expected", bits));
  if (encoding == Encoding::Bipolar && bits != 1) throw Error("value type", fmt::format("a bipolar value has 1 bit, {} given", bits));
}

ValueType ValueType::holding(std::int64_t low, std::int64_t high) {
  for (int bits = 1; bits <= 32; ++bits) {
    const ValueType type = low >= 0 ? unsigned_bits(bits) : signed_bits(bits);
    if (type.min() <= low && high <= type.max()) return type;
  }
  throw Error("value type", fmt::format("the range {} .. {} needs more than 32 bits", low, high));
}

std::int64_t ValueType::min() const {
  switch (encoding_) {
    case Encoding::Unsigned: return 0;
    case Encoding::Signed: return -(std::int64_t{1} << (bits_ - 1));
    case Encoding::Bipolar: return -1;
  }
  return 0;
}

std::int64_t ValueType::max() const {
  switch (encoding_) {
    case Encoding::Unsigned: return (std::int64_t{1} << bits_) - 1;
    case Encoding::Signed: return (std::int64_t{1} << (bits_ - 1)) - 1;
    case Encoding::Bipolar: return 1;
  }
  return 0;
}

bool ValueType::contains(std::int64_t value) const {
  if (encoding_ == Encoding::Bipolar) return value == -1 || value == 1;
  return min() <= value && value <= max();
}

std::uint32_t ValueType::encode(std::int64_t value) const {
  if (!contains(value)) throw std::out_of_range(fmt::format("{} is not a value of type {}", value, to_string()));
  if (encoding_ == Encoding::Bipolar) return value > 0 ? 1 : 0;
  return static_cast<std::uint32_t>(static_cast<std::uint64_t>(value) & ((std::uint64_t{1} << bits_) - 1));
}

std::int64_t ValueType::decode(std::uint32_t code) const {
  const std::int64_t raw = static_cast<std::int64_t>(code & ((std::uint64_t{1} << bits_) - 1));
  switch (encoding_) {
    case Encoding::Unsigned: return raw;
    case Encoding::Signed: return raw > max() ? raw - (std::int64_t{1} << bits_) : raw;
    case Encoding::Bipolar: return raw != 0 ? 1 : -1;
  }
  return raw;
}

std::string ValueType::to_string() const {
  const char letter = encoding_ == Encoding::Unsigned ? 'u' : encoding_ == Encoding::Signed ? 's' : 'b';
  return fmt::format("{}{}", letter, bits_);
}

ValueType ValueType::parse(const std::string& text) {
  int bits = 0;
  if (text.size() >= 2 && text.size() <= 3 && text.find_first_not_of("0123456789", 1) == std::string::npos)
    bits = std::stoi(text.substr(1));
  if (bits > 0 && text[0] == 'u') return unsigned_bits(bits);
  if (bits > 0 && text[0] == 's') return signed_bits(bits);
  if (text == "b1") return bipolar();
  throw Error("value type", fmt::format("'{}' found, u<bits>, s<bits> or b1 expected", text));
}

}  // namespace bitloom
