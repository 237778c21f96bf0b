// How an integer value of a feature map or weight tensor is carried in bits.
#pragma once

#include <cstdint>
#include <string>

#include "core/error.hpp"

namespace bitloom {

/// Unsigned: 0 .. 2^bits-1. Signed: two's complement. Bipolar: one bit, code 0 is -1 and code 1 is +1.
enum class Encoding { Unsigned, Signed, Bipolar };

/// A value range with its code. Constructors check, so a type of zero bits cannot exist. 1 to 32 bits.
class ValueType {
 public:
  ValueType() = default;  // unsigned, 1 bit
  ValueType(Encoding encoding, int bits);
  static ValueType unsigned_bits(int bits) { return {Encoding::Unsigned, bits}; }
  static ValueType signed_bits(int bits) { return {Encoding::Signed, bits}; }
  static ValueType bipolar() { return {Encoding::Bipolar, 1}; }
  /// The narrowest unsigned (when low >= 0) or signed type that holds low .. high.
  static ValueType holding(std::int64_t low, std::int64_t high);

  Encoding encoding() const { return encoding_; }
  int bits() const { return bits_; }
  bool is_signed() const { return encoding_ == Encoding::Signed; }
  bool is_bipolar() const { return encoding_ == Encoding::Bipolar; }
  std::int64_t min() const;
  std::int64_t max() const;
  bool contains(std::int64_t value) const;
  /// The code of `value` in the low `bits()` bits. Throws std::out_of_range when the type does not hold it.
  std::uint32_t encode(std::int64_t value) const;
  std::int64_t decode(std::uint32_t code) const;
  /// "u4", "s2" or "b1", as printed in tables and stored in design.json.
  std::string to_string() const;
  static ValueType parse(const std::string& text);

  bool operator==(const ValueType&) const = default;

 private:
  Encoding encoding_ = Encoding::Unsigned;
  int bits_ = 1;
};

}  // namespace bitloom
