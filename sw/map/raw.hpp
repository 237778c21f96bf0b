// The accumulator that the plane array computes, and its exact relation to the network's: acc = alpha * raw + beta[k]
// (docs/architecture.md, 1).
#pragma once

#include <cstdint>
#include <vector>

#include "core/network.hpp"

namespace bitloom {

struct RawAccumulator {
  std::int64_t alpha = 1;
  std::vector<std::int64_t> beta;  ///< per output channel
  std::int64_t low = 0, high = 0;  ///< reachable raw values over all channels
  int bits = 1;                    ///< signed bits that hold low .. high + 1 ("never reached" is high + 1)

  /// The smallest raw value whose accumulator is at least `threshold` in channel k, clamped to low .. high + 1.
  std::int64_t raw_threshold(std::int64_t threshold, std::size_t k) const;
};

RawAccumulator raw_accumulator(const Convolution& conv, const ValueType& activations);

}  // namespace bitloom
