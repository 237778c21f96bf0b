// The program of a plane layer: which words it executes, and what each run of them counts (docs/architecture.md, 3).
//
// An output group's weights are a sum of planes, each with a coefficient, and each plane is a run of words. Words without a weight are
// neither stored nor executed. How weights become planes is chosen group by group, by the words that it takes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/network.hpp"

namespace bitloom {

struct Stage;

/// Ways to write weights as planes.
enum class PlaneForm {
  TwosComplement,  ///< 1, 2, 4, .. and the highest negative, no more of them than the group's weights need
  SignedDigits,    ///< +1, -1, +2, -2, ..: the non-adjacent form; of ternary weights the positive and the negative ones
  Levels           ///< one plane for each value that occurs; needs multipliers
};

/// For each weight of a layer the planes in which it has a 1, for every decomposition at once.
class PlaneMasks {
 public:
  using Mask = std::uint64_t;
  struct Plane {
    int bit = 0;                   ///< of a mask
    std::int64_t coefficient = 1;  ///< a signed power of two, except for Levels
  };
  /// An output group: for each of its words the union of its weights' masks, and the range of all its weights.
  struct Group {
    std::vector<Mask> words;
    std::int64_t low = 0, high = 0;
  };

  explicit PlaneMasks(const Convolution& conv);

  Mask operator[](std::size_t weight) const { return masks_[weight]; }
  /// The planes for weights from `low` to `high`, in the order of execution: the largest power of two first.
  std::vector<Plane> planes(PlaneForm decomposition, std::int64_t low, std::int64_t high) const;
  /// Whether there are few enough values for Levels.
  bool has_levels() const { return !levels_.empty(); }
  /// Whether the weights are narrow enough (9 bits) for SignedDigits.
  bool has_digits() const { return !wide_; }
  /// Groups of `pe` output channels, words of `simd` weights of each. The result stands until the next call.
  const std::vector<Group>& groups(int pe, int simd) const;

 private:
  const Convolution& conv_;
  std::vector<Mask> masks_;
  std::vector<std::int64_t> levels_;
  bool wide_ = false;
  mutable std::vector<Group> groups_;  // of the last call: a search over foldings asks for the same ones many times
  mutable int pe_ = 0, simd_ = 0;
};

struct Run {
  std::vector<int> steps;  ///< words, as indices into the window plan's offsets
  int plane = 0;           ///< bit of the masks that the weight words hold; with all weight planes in one word the lowest
  bool blank = false;      ///< its weight words are zero, whatever the weights
  std::int64_t coefficient = 1;
  bool doubles = false;  ///< Horner's rule: the accumulator first
};

struct Program {
  std::vector<std::vector<Run>> kinds;  ///< of groups: what they execute
  std::vector<int> groups;              ///< by output group, its kind
  int coefficient_bits = 0;             ///< 0: Horner's rule
  int passes = 1;                       ///< times that each run is executed, once for each part of the activation's bits
  std::array<int, 3> decompositions{};  ///< groups by decomposition

  const std::vector<Run>& runs_of(std::size_t group) const { return kinds[static_cast<std::size_t>(groups[group])]; }
  bool combines() const;                                          ///< whether a group's accumulator is more than the total of one run
  std::int64_t runs() const;                                      ///< passes included
  std::int64_t weight_words() const;                              ///< that are stored
  std::int64_t words() const { return weight_words() * passes; }  ///< that are executed for a pixel
  /// Words of the control memory: of one run, where each executes all `window_words` of the window and groups do not differ in where it is; else at most words().
  std::int64_t control_words(std::size_t window_words, int channel_groups) const;
  std::int64_t run_words() const;  ///< of the run memory, at most: of one group, where all execute the same runs; 0 where nothing combines
  int run_bits() const;            ///< of one: pass, coefficient (or negative, double), last pass and last run
  std::int64_t shortest_run() const;                              ///< clocks
  std::int64_t shortest_group() const;                            ///< clocks
  std::vector<std::int64_t> group_clocks() const;                 ///< of each output group
};

/// The program of a stage whose folding, window plan and shortest run are set.
Program make_program(const Convolution& conv, const Stage& stage, const PlaneMasks& masks, int activation_bits);

/// The words of a group that hold a weight, in the decomposition by powers of two that has the fewest.
std::int64_t words_needed(const PlaneMasks& masks, const PlaneMasks::Group& group);
/// The range whose planes a dense program executes: that of the weights' type, or of the weights themselves where the type has more than 9
/// bits (with -1 where it is signed).
std::pair<std::int64_t, std::int64_t> weight_range(const Convolution& conv);
/// Bits that weights from `low` to `high` take, in two's complement if any is negative.
int weight_bits_of(std::int64_t low, std::int64_t high);

/// What the groups' weights are made of: "bipolar", "two's complement", or with numbers where groups differ.
std::string describe(const Program& program);

}  // namespace bitloom
