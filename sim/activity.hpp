// Counting what each bit of a wide port does, clock by clock.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/model.hpp"

namespace bitloom {

/// For each of many bits, how often it was 1. Sixty-four bits are counted at once in bit planes of 0 to 255, so that a clock costs some two
/// instructions a word.
class BitCounter {
 public:
  explicit BitCounter(std::size_t words) : planes_(words * kPlanes), totals_(words * 64) {}
  /// `ones[w]`: bits 64w to 64w + 63.
  void add(const std::vector<std::uint64_t>& ones);
  const std::vector<std::uint64_t>& totals();

 private:
  static constexpr std::size_t kPlanes = 8;
  void flush();
  std::vector<std::uint64_t> planes_, totals_;
  int added_ = 0;
};

/// Toggles of the bits of one port and ones of the bits of another.
class NetCounter {
 public:
  NetCounter(const Port& toggles, const Port& accesses);
  /// From the state of now on; accesses of this clock belong to the time before.
  void start();
  /// One clock later.
  void sample();
  /// What was counted so far, for each bit of the ports (and padding up to whole words).
  void read(std::vector<std::uint64_t>& toggles, std::vector<std::uint64_t>& accesses);

 private:
  Port toggle_port_, access_port_;
  std::vector<std::uint64_t> before_, now_, accessed_;
  BitCounter toggles_, accesses_;
};

}  // namespace bitloom
