// What the hardware computes from codes, and its exact relation to the network's values: the plane array's accumulator,
// acc = alpha * raw + beta[k] (docs/architecture.md, 1), and a requantizer's constants.
#pragma once

#include <cstdint>
#include <vector>

#include "core/network.hpp"

namespace bitloom {

struct Stage;

struct RawAccumulator {
  std::int64_t alpha = 1;
  std::vector<std::int64_t> beta;  ///< per output channel
  std::int64_t low = 0, high = 0;  ///< reachable raw values over all channels
  int bits = 1;                    ///< signed bits that hold low .. high + 1 ("never reached" is high + 1)

  /// The smallest raw value whose accumulator is at least `threshold` in channel k, clamped to low .. high + 1.
  std::int64_t raw_threshold(std::int64_t threshold, std::size_t k) const;
};

/// `pairs`: of XNOR cells that are taken two by two (rtl/arithmetic/pair_sum), which needs an even number of input channels and of SIMD.
RawAccumulator raw_accumulator(const Convolution& conv, const ValueType& activations, bool pairs = false);

/// Bits of a run's totals: enough for any weights; never more than the accumulator's, which is exact modulo its width.
int total_bits(const Stage& stage, const Convolution& conv, const ValueType& in, const RawAccumulator& raw);
/// Whether they are two's complement, else unsigned.
bool has_signed_totals(const Stage& stage, const Convolution& conv, const ValueType& in);

/// Factors and summands of a requantizer as they meet the input's code: for a bipolar input, which stands for 2 * code - 1, others than
/// the network's.
struct RequantizeConstants {
  std::vector<std::int64_t> mul, add;  ///< per channel, or one for all where all are equal
  int mul_bits = 1, add_bits = 1;      ///< two's complement
};

RequantizeConstants requantize_constants(const Requantize& op, const ValueType& in);

/// Bits of the widest value in two's complement.
int signed_bits(const std::vector<std::int64_t>& values);

}  // namespace bitloom
