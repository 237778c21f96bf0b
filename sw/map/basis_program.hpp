// A decomposed convolution in the basis engine (rtl/basis): which lane sums which task, and how the map is cut into blocks of pixels.
#pragma once

#include <cstdint>
#include <vector>

#include "core/coefficient_code.hpp"
#include "core/network.hpp"

namespace bitloom {

/// Tasks shared out to lanes. A task goes, in order, to the lane that is done first: then sums are ready about when they are wanted, and a
/// lane seldom waits for room.
struct BasisProgram {
  CoefficientCode code;
  std::vector<std::vector<CoefficientTask>> lanes;
  std::vector<CoefficientTask> tasks;  ///< in the order in which their sums are taken
  std::vector<int> lane_of;            ///< by task
  TaskOrder order;
  std::int64_t coefficients = 0;  ///< that are not zero
  int sum_bits = 1;               ///< two's complement, of every sum

  /// Bits of the images: coefficients with their indices, the order of tasks.
  std::int64_t stored_bits(int in_channels) const;
};

/// `lanes`: at most as many as there are tasks.
BasisProgram make_basis_program(const Convolution& conv, const ValueType& activations, int lanes);

/// Clocks of a block of pixels in steady state when its input is there: lanes and the order of sums are played through, with room for
/// kSumsThatWait sums behind a lane and kSumsAhead in order, and `steps` clocks for each sum.
std::int64_t block_clocks(const BasisProgram& program, int in_channels, int steps);
inline constexpr int kSumsThatWait = 2, kSumsAhead = 16;

/// A map as rows of blocks of `pixels` pixels. What a border takes beyond a kernel's overlap, and what fills the last block, is inserted in
/// front (map_pad); the rest of the border costs no pixels (rtl/basis/basis_sums).
struct BasisBlocks {
  Window inserted;                          ///< its paddings only
  int blocks = 0, groups = 0;               ///< of a row, without and with the empty ones that end it
  int map_rows = 0, all_rows = 0;           ///< likewise
  int first_row = 0, first_column = 0;      ///< input row that completes the first output row; columns before the first of a row's blocks
  int out_rows = 0, out_columns = 0;        ///< of the layer
  int last_pixels = 0;                      ///< columns of a row's last block that leave: the others are no output
  int row_columns(int pixels) const { return (groups - 1) * pixels + last_pixels; }  ///< that leave
  bool crops(int pixels, int stride) const { return first_column > 0 || stride > 1 || row_columns(pixels) > out_columns; }
};
BasisBlocks basis_blocks(const MapShape& in, const Window& window, int pixels);

}  // namespace bitloom
