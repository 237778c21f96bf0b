// How the ternary coefficients of a decomposed convolution are stored: the code that the hardware reads, bit for bit.
//
// A *task* is the sum S[k][m] = sum over c of coefficients[k][c][m] * x[c]. Tasks without a non-zero coefficient are left out, but every
// output channel keeps one. Tasks are shared out to *lanes*, each of which reads a code of its own; the order in which their sums are taken
// is stored beside them. With positions p = t*C + c over a lane's tasks t = 0, 1, .. of C input channels each, coefficients are coded as
//
//   gaps     words {gap, negative}: p advances by gap + 1 (from -1 on) and x[p mod C] is added or subtracted; a gap of 2^gap_bits - 1, all
//            ones, advances by just that much and adds nothing. No word advances by more than C, so none jumps over a task.
//   bitmap   words of chunk_bits channels each, ceil(C / chunk_bits) for a task, and a sign for every non-zero coefficient.
#pragma once

#include <cstdint>
#include <vector>

#include "core/network.hpp"

namespace bitloom {

struct CoefficientTask {
  int output = 0, kernel = 0;
  std::vector<int> channels;   ///< of the non-zero coefficients, ascending
  std::vector<bool> negative;  ///< of each of them
  bool operator==(const CoefficientTask&) const = default;
};

/// In the order of output channels and, within one, of kernels.
std::vector<CoefficientTask> coefficient_tasks(const Decomposition& decomposition, int out_channels, int in_channels);

struct CoefficientCode {
  bool bitmap = false;
  int gap_bits = 1;    ///< gaps: 1 .. log2(C + 1)
  int chunk_bits = 1;  ///< bitmap: 8, or C where there are fewer
  bool operator==(const CoefficientCode&) const = default;
};

/// What one lane stores.
struct LaneCode {
  std::vector<std::uint32_t> words;  ///< gaps: gap << 1 | negative; bitmap: channel 0 of the chunk in bit 0
  std::vector<bool> signs;           ///< bitmap
};

LaneCode encode(const CoefficientCode& code, const std::vector<CoefficientTask>& tasks, int in_channels);
/// The tasks' channels and signs again; `outputs` and kernels are not stored here, and are 0. Throws Error when the words are no code.
std::vector<CoefficientTask> decode(const CoefficientCode& code, const LaneCode& lane, int in_channels);
std::int64_t code_bits(const CoefficientCode& code, const LaneCode& lane);

/// Clocks that a lane takes for each of its tasks: one for every word of gaps, one for every non-zero coefficient of a bitmap and for every
/// task without any.
std::vector<int> task_clocks(const CoefficientCode& code, const std::vector<CoefficientTask>& tasks, int in_channels);

/// The smallest code of all the lanes' tasks whose words without a coefficient are no more than 1/8 of the others: they cost clocks.
CoefficientCode choose_code(const std::vector<std::vector<CoefficientTask>>& lanes, int in_channels);

/// The order of tasks: a word {gap, lane} for each, with gap_bits and lane_bits (either may be 0). Position k*kernels + m advances by gap + 1
/// from task to task, from -1 on.
struct TaskOrder {
  int gap_bits = 0, lane_bits = 0;
  std::vector<std::uint32_t> words;  ///< gap << lane_bits | lane
  std::int64_t bits() const { return static_cast<std::int64_t>(words.size()) * (gap_bits + lane_bits); }
};
/// `lane_of[i]`: of task i.
TaskOrder task_order(const std::vector<CoefficientTask>& tasks, const std::vector<int>& lane_of, int kernels, int lanes);

/// Bits of the widest value of the shared kernels, two's complement.
int basis_bits(const Decomposition& decomposition);

struct StoredBits {
  std::int64_t coefficients = 0;  ///< with their indices
  std::int64_t order = 0;         ///< of the tasks
  std::int64_t basis = 0;
  std::int64_t total() const { return coefficients + order + basis; }
};
/// What a decomposed convolution stores in a single lane; more lanes add a lane's number to each task, and a few gaps (design.json tells
/// what a design stores). Scales are none of it: they are part of the thresholds or of the next layer's.
StoredBits stored_bits(const Convolution& conv);

}  // namespace bitloom
