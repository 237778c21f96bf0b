// Bodies in plain C++ are inlined into one function for each instruction set, so that the compiler vectorizes each for its own.
// Where it would not find the instruction that matters (VPOPCNTQ, VPDPWSSD, VPMADDWD), intrinsics name it.
#include "golden/kernels.hpp"

#include <algorithm>
#include <bit>
#include <climits>
#include <cstring>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#define BITLOOM_X86 1
#endif

#define BITLOOM_INLINE inline __attribute__((always_inline))

namespace bitloom {
namespace {

template <class T>
BITLOOM_INLINE void plane_loops(const PlaneTask& task, T count) {
  for (int first = 0; first < task.channels; first += plane_lanes)
    for (int row = 0; row < task.row_count; ++row) {
      std::int64_t sums[plane_lanes] = {};
      for (int p = 0; p < task.weight_planes; ++p)
        for (int q = 0; q < task.input_planes; ++q) {
          const std::uint64_t* weights =
              task.weights + (std::ptrdiff_t{first} * task.weight_planes + std::ptrdiff_t{p} * plane_lanes) * task.words;
          const std::uint64_t* words = task.rows + (std::ptrdiff_t{row} * task.input_planes + q) * task.words;
          std::int64_t counts[plane_lanes] = {};
          for (int j = 0; j < task.words; ++j)
            for (int lane = 0; lane < plane_lanes; ++lane) counts[lane] += count(weights[j * plane_lanes + lane], words[j]);
          for (int lane = 0; lane < plane_lanes; ++lane) sums[lane] += counts[lane] * task.coefficients[p * task.input_planes + q];
        }
      for (int lane = 0; lane < plane_lanes; ++lane)
        task.sums[std::ptrdiff_t{row} * task.channels + first + lane] = static_cast<std::int32_t>(sums[lane] + task.bias[first + lane]);
    }
}

BITLOOM_INLINE void planes_body(const PlaneTask& task) {
  if (task.exclusive_or) {
    plane_loops(
        task, [](std::uint64_t a, std::uint64_t b) __attribute__((always_inline)) { return std::popcount(a ^ b); });
  } else {
    plane_loops(
        task, [](std::uint64_t a, std::uint64_t b) __attribute__((always_inline)) { return std::popcount(a & b); });
  }
}

BITLOOM_INLINE void products_body(const ProductTask& task) {
  for (int first = 0; first < task.channels; first += block)
    for (int row = 0; row < task.row_count; ++row) {
      const std::int16_t* weights = task.weights + std::ptrdiff_t{first} * task.pairs * 2;
      const std::int16_t* values = task.rows + std::ptrdiff_t{row} * task.pairs * 2;
      std::int32_t sums[block] = {};
      for (int j = 0; j < task.pairs; ++j)
        for (int lane = 0; lane < block; ++lane) {
          const std::int16_t* pair = weights + (j * block + lane) * 2;
          sums[lane] += pair[0] * values[2 * j] + pair[1] * values[2 * j + 1];
        }
      std::copy_n(sums, block, task.sums + std::ptrdiff_t{row} * task.channels + first);
    }
}

BITLOOM_INLINE void threshold_block(const ThresholdTask& task, int first, const std::int32_t* in, std::int32_t* out) {
  std::int32_t reached[block] = {};
  const std::int32_t* table = task.table + std::ptrdiff_t{first} * task.levels;
  for (int level = 0; level < task.levels; ++level)
    for (int lane = 0; lane < block; ++lane) reached[lane] += in[lane] >= table[level * block + lane] ? 1 : 0;
  for (int lane = 0; lane < block; ++lane) out[lane] = task.base[first + lane] + task.slope[first + lane] * reached[lane];
}

BITLOOM_INLINE void thresholds_body(const ThresholdTask& task, const std::int32_t* in, std::int32_t* out) {
  int first = 0;
  for (; first + block <= task.channels; first += block) threshold_block(task, first, in + first, out + first);
  if (first == task.channels) return;
  std::int32_t values[block] = {}, results[block];
  std::copy(in + first, in + task.channels, values);
  threshold_block(task, first, values, results);
  std::copy_n(results, task.channels - first, out + first);
}

/// Shifted as an unsigned number, a half of the range higher: AVX2 has no arithmetic shift of 64 bits. The sum has 63 bits at most.
BITLOOM_INLINE void requantize_body(const RequantizeTask& task, const std::int32_t* in, std::int32_t* out) {
  constexpr std::uint64_t half = std::uint64_t{1} << 62;
  const auto base = static_cast<std::int64_t>(half >> task.shift);
  const std::int64_t low = task.low + base, high = task.high + base;
  for (int c = 0; c < task.channels; ++c) {
    const std::int64_t sum = std::int64_t{in[c]} * task.mul[c] + task.add[c];
    const auto shifted = static_cast<std::int64_t>((static_cast<std::uint64_t>(sum) + half) >> task.shift);
    out[c] = static_cast<std::int32_t>(std::clamp(shifted, low, high) - base);
  }
}

BITLOOM_INLINE void pack_body(std::span<const std::int32_t> values, int bit, std::uint64_t* words) {
  for (std::size_t first = 0; first < values.size(); first += 64) {
    const std::size_t count = std::min<std::size_t>(64, values.size() - first);
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < count; ++i) word |= std::uint64_t{static_cast<std::uint32_t>(values[first + i]) >> bit & 1U} << i;
    *words++ = word;
  }
}

BITLOOM_INLINE void maximum_body(std::span<const std::int32_t> values, std::int32_t* best) {
  for (std::size_t i = 0; i < values.size(); ++i) best[i] = std::max(best[i], values[i]);
}

BITLOOM_INLINE std::pair<std::int32_t, std::int32_t> range_body(std::span<const std::int32_t> values) {
  std::int32_t low = INT32_MAX, high = INT32_MIN;
  for (const std::int32_t value : values) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  return {low, high};
}

/// The functions of one instruction set that are plain C++ throughout.
#define BITLOOM_BODIES(NAME, TARGET)                                                                                             \
  TARGET void maximum_##NAME(std::span<const std::int32_t> values, std::int32_t* best) { maximum_body(values, best); }           \
  TARGET std::pair<std::int32_t, std::int32_t> range_##NAME(std::span<const std::int32_t> values) { return range_body(values); } \
  TARGET void requantize_##NAME(const RequantizeTask& task, const std::int32_t* in, std::int32_t* out) { requantize_body(task, in, out); }

BITLOOM_BODIES(portable, )
void planes_portable(const PlaneTask& task) { planes_body(task); }
void thresholds_portable(const ThresholdTask& task, const std::int32_t* in, std::int32_t* out) { thresholds_body(task, in, out); }
void products_portable(const ProductTask& task) { products_body(task); }
void pack_portable(std::span<const std::int32_t> values, int bit, std::uint64_t* words) { pack_body(values, bit, words); }

#ifdef BITLOOM_X86

#define BITLOOM_AVX2 __attribute__((target("avx2,popcnt")))
#define BITLOOM_AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni,avx512vpopcntdq,popcnt")))

BITLOOM_BODIES(avx2, BITLOOM_AVX2)
BITLOOM_BODIES(avx512, BITLOOM_AVX512)
BITLOOM_AVX2 void planes_avx2(const PlaneTask& task) { planes_body(task); }
BITLOOM_AVX2 void thresholds_avx2(const ThresholdTask& task, const std::int32_t* in, std::int32_t* out) { thresholds_body(task, in, out); }

template <int ROWS>
BITLOOM_AVX2 void product_rows_avx2(const ProductTask& task) {
  constexpr int lanes = block / 2;
  for (int first = 0; first < task.channels; first += lanes) {
    const std::int16_t* weights = task.weights + (std::ptrdiff_t{first} / block * task.pairs * block + first % block) * 2;
    __m256i sums[ROWS];
    for (__m256i& sum : sums) sum = _mm256_setzero_si256();
    for (int j = 0; j < task.pairs; ++j) {
      const __m256i pairs = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(weights + std::ptrdiff_t{j} * block * 2));
      for (int row = 0; row < ROWS; ++row) {
        std::int32_t values;
        std::memcpy(&values, task.rows + (std::ptrdiff_t{row} * task.pairs + j) * 2, sizeof values);
        sums[row] = _mm256_add_epi32(sums[row], _mm256_madd_epi16(pairs, _mm256_set1_epi32(values)));
      }
    }
    for (int row = 0; row < ROWS; ++row)
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(task.sums + std::ptrdiff_t{row} * task.channels + first), sums[row]);
  }
}

BITLOOM_AVX2 void pack_avx2(std::span<const std::int32_t> values, int bit, std::uint64_t* words) {
  const __m128i shift = _mm_cvtsi32_si128(31 - bit);
  std::size_t first = 0;
  for (; first + 64 <= values.size(); first += 64) {
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < 64; i += 8) {
      const __m256i eight = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(values.data() + first + i));
      const int signs = _mm256_movemask_ps(_mm256_castsi256_ps(_mm256_sll_epi32(eight, shift)));
      word |= std::uint64_t{static_cast<std::uint32_t>(signs)} << i;
    }
    *words++ = word;
  }
  pack_body(values.subspan(first), bit, words);
}

template <int ROWS, bool EXCLUSIVE_OR>
BITLOOM_AVX512 void plane_rows_avx512(const PlaneTask& task) {
  const std::uint64_t* weights = task.weights;
  for (int first = 0; first < task.channels; first += plane_lanes) {
    __m512i sums[ROWS];
    for (__m512i& sum : sums) sum = _mm512_setzero_si512();
    for (int p = 0; p < task.weight_planes; ++p, weights += std::ptrdiff_t{task.words} * plane_lanes)
      for (int q = 0; q < task.input_planes; ++q) {
        const std::uint64_t* rows[ROWS];
        __m512i counts[ROWS];
        for (int row = 0; row < ROWS; ++row) {
          rows[row] = task.rows + (std::ptrdiff_t{row} * task.input_planes + q) * task.words;
          counts[row] = _mm512_setzero_si512();
        }
        for (int j = 0; j < task.words; ++j) {
          const __m512i weight = _mm512_loadu_si512(weights + std::ptrdiff_t{j} * plane_lanes);
          for (int row = 0; row < ROWS; ++row) {
            const __m512i value = _mm512_set1_epi64(static_cast<long long>(rows[row][j]));
            const __m512i bits = EXCLUSIVE_OR ? _mm512_xor_si512(weight, value) : _mm512_and_si512(weight, value);
            counts[row] = _mm512_add_epi64(counts[row], _mm512_popcnt_epi64(bits));
          }
        }
        const __m512i coefficient = _mm512_set1_epi64(task.coefficients[p * task.input_planes + q]);
        for (int row = 0; row < ROWS; ++row)
          sums[row] = _mm512_add_epi64(sums[row], _mm512_maskz_mul_epi32(0xff, counts[row], coefficient));
      }
    const __m256i bias = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(task.bias + first));
    for (int row = 0; row < ROWS; ++row)
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(task.sums + std::ptrdiff_t{row} * task.channels + first),
                          _mm256_add_epi32(bias, _mm512_maskz_cvtepi64_epi32(0xff, sums[row])));
  }
}

template <int ROWS>
BITLOOM_AVX512 void product_rows_avx512(const ProductTask& task) {
  const std::int16_t* weights = task.weights;
  for (int first = 0; first < task.channels; first += block) {
    __m512i sums[ROWS];
    for (__m512i& sum : sums) sum = _mm512_setzero_si512();
    for (int j = 0; j < task.pairs; ++j, weights += block * 2) {
      const __m512i pairs = _mm512_loadu_si512(weights);
      for (int row = 0; row < ROWS; ++row) {
        std::int32_t values;
        std::memcpy(&values, task.rows + (std::ptrdiff_t{row} * task.pairs + j) * 2, sizeof values);
        sums[row] = _mm512_dpwssd_epi32(sums[row], pairs, _mm512_set1_epi32(values));
      }
    }
    for (int row = 0; row < ROWS; ++row) _mm512_storeu_si512(task.sums + std::ptrdiff_t{row} * task.channels + first, sums[row]);
  }
}

BITLOOM_AVX512 void thresholds_avx512(const ThresholdTask& task, const std::int32_t* in, std::int32_t* out) {
  const __m512i one = _mm512_set1_epi32(1);
  const std::int32_t* table = task.table;
  for (int first = 0; first < task.channels; first += block) {
    const int left = std::min(block, task.channels - first);
    const auto mask = static_cast<__mmask16>((1U << left) - 1);
    const __m512i values = _mm512_maskz_loadu_epi32(mask, in + first);
    __m512i reached = _mm512_setzero_si512();
    for (int level = 0; level < task.levels; ++level, table += block)
      reached = _mm512_mask_add_epi32(reached, _mm512_cmpge_epi32_mask(values, _mm512_loadu_si512(table)), reached, one);
    const __m512i steps = _mm512_mullo_epi32(reached, _mm512_loadu_si512(task.slope + first));
    _mm512_mask_storeu_epi32(out + first, mask, _mm512_add_epi32(steps, _mm512_loadu_si512(task.base + first)));
  }
}

BITLOOM_AVX512 void pack_avx512(std::span<const std::int32_t> values, int bit, std::uint64_t* words) {
  const __m512i wanted = _mm512_set1_epi32(static_cast<std::int32_t>(1U << bit));
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < values.size(); i += 16) {
    const std::size_t left = std::min<std::size_t>(16, values.size() - i);
    const auto mask = static_cast<__mmask16>((1U << left) - 1);
    const __m512i sixteen = _mm512_maskz_loadu_epi32(mask, values.data() + i);
    word |= std::uint64_t{_mm512_test_epi32_mask(sixteen, wanted)} << i % 64;
    if (i % 64 != 48 && i + 16 < values.size()) continue;
    *words++ = word;
    word = 0;
  }
}

// Rows that do not fill a group of rows_at_once go one by one.
template <auto MANY, auto ONE, class Task>
void by_rows(const Task& task, std::ptrdiff_t row_size) {
  if (task.row_count == rows_at_once) return MANY(task);
  Task one = task;
  one.row_count = 1;
  for (int row = 0; row < task.row_count; ++row, one.rows += row_size, one.sums += task.channels) ONE(one);
}

void products_avx2(const ProductTask& task) {
  by_rows<product_rows_avx2<rows_at_once>, product_rows_avx2<1>>(task, std::ptrdiff_t{task.pairs} * 2);
}

void products_avx512(const ProductTask& task) {
  by_rows<product_rows_avx512<rows_at_once>, product_rows_avx512<1>>(task, std::ptrdiff_t{task.pairs} * 2);
}

void planes_avx512(const PlaneTask& task) {
  const std::ptrdiff_t row_size = std::ptrdiff_t{task.input_planes} * task.words;
  if (task.exclusive_or) {
    by_rows<plane_rows_avx512<rows_at_once, true>, plane_rows_avx512<1, true>>(task, row_size);
  } else {
    by_rows<plane_rows_avx512<rows_at_once, false>, plane_rows_avx512<1, false>>(task, row_size);
  }
}

#endif

std::vector<Kernels> supported() {
  std::vector<Kernels> found;
#ifdef BITLOOM_X86
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512vpopcntdq"))
    found.push_back(
        {"AVX-512", 3, planes_avx512, products_avx512, thresholds_avx512, requantize_avx512, pack_avx512, maximum_avx512, range_avx512});
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt"))
    found.push_back({"AVX2", 12, planes_avx2, products_avx2, thresholds_avx2, requantize_avx2, pack_avx2, maximum_avx2, range_avx2});
#endif
  found.push_back({"portable", 6, planes_portable, products_portable, thresholds_portable, requantize_portable, pack_portable,
                   maximum_portable, range_portable});
  return found;
}

}  // namespace

std::span<const Kernels> kernels() {
  static const std::vector<Kernels> all = supported();
  return all;
}

}  // namespace bitloom
