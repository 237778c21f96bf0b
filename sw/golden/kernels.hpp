// The inner loops of the packed golden model: one set for each instruction set of the processor, all with the same results.
#pragma once

#include <cstdint>
#include <span>
#include <utility>

namespace bitloom {

/// Rows (windows of the input, flattened) that are multiplied with the weights at once.
inline constexpr int rows_at_once = 4;
/// Output channels come in blocks; tables and sums are padded to whole ones.
inline constexpr int block = 16;
/// Weight planes are interleaved by this many output channels.
inline constexpr int plane_lanes = 8;

/// sums[row][k] = bias[k] + sum over weight planes p and input planes q of coefficients[p][q] * popcount(weights[k][p] OP rows[row][q]).
struct PlaneTask {
  int row_count = 1;  ///< 1 .. rows_at_once
  int words = 0;      ///< of one plane of a row
  int weight_planes = 0, input_planes = 0;
  int channels = 0;                            ///< a multiple of block
  bool exclusive_or = false;                   ///< OP is XOR, else AND
  const std::uint64_t* rows = nullptr;         ///< [row][q][words]
  const std::uint64_t* weights = nullptr;      ///< [channels / plane_lanes][p][words][plane_lanes]
  const std::int32_t* coefficients = nullptr;  ///< [p][q]
  const std::int32_t* bias = nullptr;          ///< [channels]
  std::int32_t* sums = nullptr;                ///< [row][channels]
};

/// sums[row][k] = sum over i of weights[k][i] * rows[row][i], i taken two at a time.
struct ProductTask {
  int row_count = 1;
  int pairs = 0;
  int channels = 0;                       ///< a multiple of block
  const std::int16_t* rows = nullptr;     ///< [row][pairs][2]
  const std::int16_t* weights = nullptr;  ///< [channels / block][pairs][block][2]
  std::int32_t* sums = nullptr;           ///< [row][channels]
};

/// out[c] = base[c] + slope[c] * #{ level : in[c] >= table[level] of c } for one pixel.
struct ThresholdTask {
  int channels = 0;
  int levels = 0;
  const std::int32_t* table = nullptr;  ///< [blocks][levels][block]
  const std::int32_t* base = nullptr;   ///< [blocks][block]
  const std::int32_t* slope = nullptr;  ///< [blocks][block]
};

/// out[c] = clamp((in[c] * mul[c] + add[c]) >> shift, low, high) for one pixel.
struct RequantizeTask {
  int channels = 0;
  int shift = 0;
  std::int32_t low = 0, high = 0;
  const std::int32_t* mul = nullptr;  ///< [channels]
  const std::int64_t* add = nullptr;  ///< [channels]
};

struct Kernels {
  const char* name;
  /// About how long a word of a plane takes, in pairs of products: what decides between the two.
  double plane_cost;
  void (*planes)(const PlaneTask& task);
  void (*products)(const ProductTask& task);
  void (*thresholds)(const ThresholdTask& task, const std::int32_t* in, std::int32_t* out);
  void (*requantize)(const RequantizeTask& task, const std::int32_t* in, std::int32_t* out);
  /// Bit `bit` of each value, the first one in the lowest bit of the first word; the last word is filled with zeros.
  void (*pack)(std::span<const std::int32_t> values, int bit, std::uint64_t* words);
  /// best[i] = max(best[i], values[i])
  void (*maximum)(std::span<const std::int32_t> values, std::int32_t* best);
  /// The smallest and the largest of the values; {INT32_MAX, INT32_MIN} of none.
  std::pair<std::int32_t, std::int32_t> (*range)(std::span<const std::int32_t> values);
};

/// What this processor can run, the fastest first; the last one runs everywhere.
std::span<const Kernels> kernels();

}  // namespace bitloom
