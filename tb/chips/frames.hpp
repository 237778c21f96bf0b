// SPDX-License-Identifier: Apache-2.0
// The frames of chip_frame_out and chip_frame_in as symbols: an implementation of its own, bit by bit.
#pragma once

#include <vector>

#include "bench.hpp"

namespace chips {

using Symbols = std::vector<std::uint32_t>;

/// A number of `width` bits as symbols of `lanes` bits, low bits first, the last one filled up with zeros.
inline Symbols symbols(const bench::Bits& value, int lanes) {
  Symbols result;
  for (int at = 0; at < value.width(); at += lanes)
    result.push_back(static_cast<std::uint32_t>(value.get(at, std::min(lanes, value.width() - at))));
  return result;
}

/// CRC-32 by division, a bit at a time; the register, not its complement.
inline std::uint32_t crc(const Symbols& data, int lanes) {
  std::uint32_t rest = 0xffffffffU;
  for (const std::uint32_t symbol : data)
    for (int bit = 0; bit < lanes; ++bit) {
      const std::uint32_t out = (rest ^ symbol >> bit) & 1U;
      rest = rest >> 1 ^ (out != 0 ? 0xedb88320U : 0U);
    }
  return rest;
}

inline Symbols frame(const bench::Bits& header, const std::vector<bench::Bits>& words, int lanes) {
  Symbols all = symbols(header, lanes);
  for (const bench::Bits& word : words) {
    const Symbols part = symbols(word, lanes);
    all.insert(all.end(), part.begin(), part.end());
  }
  const Symbols check = symbols(bench::Bits(32, crc(all, lanes)), lanes);
  all.insert(all.end(), check.begin(), check.end());
  return all;
}

}  // namespace chips
