#include "map/program.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <numeric>
#include <set>

#include "map/plan.hpp"
#include "map/raw.hpp"

namespace bitloom {
namespace {

using Mask = PlaneMasks::Mask;
using Plane = PlaneMasks::Plane;
using Group = PlaneMasks::Group;

// Bits of a mask: two's complement (of wide weights all 32 bits, and nothing else), the positive and the negative digits of the
// non-adjacent form, one for each level.
constexpr int kTwos = 0, kPositive = 9, kNegative = 19, kLevels = 29, kMostLevels = 16;
constexpr int kNarrow = 9;  // bits
constexpr Mask kTwosMask = 0x1ff, kDigitMask = 0x3ff, kWideMask = 0xffffffff;

// A program that skips is longer to describe than one that is the same for every group: it has to save this share of the words.
constexpr double kWorthSkipping = 0.03;
// A multiplier for each lane has to save this share.
constexpr double kWorthMultiplying = 0.1;

/// Nothing is added: time passes, and the accumulator is doubled where Horner's rule has no plane for a power of two.
Run blank_run(std::size_t words) {
  Run run;
  run.blank = true;
  run.steps.resize(std::max<std::size_t>(words, 1));
  std::iota(run.steps.begin(), run.steps.end(), 0);
  return run;
}

/// The plane's words that hold a weight, and as many others as the shortest run must have; none if no word does.
std::vector<int> steps_of(const Group& group, const Plane& plane, std::size_t shortest) {
  std::vector<int> steps, others;
  for (std::size_t j = 0; j < group.words.size(); ++j)
    ((group.words[j] >> plane.bit & 1) != 0 ? steps : others).push_back(static_cast<int>(j));
  if (steps.empty()) return {};
  for (std::size_t i = 0; steps.size() < shortest; ++i) steps.push_back(others[i]);
  std::sort(steps.begin(), steps.end());
  return steps;
}

/// Runs for the planes of a group, in their order; planes without a weight are left out.
std::vector<Run> skipping_runs(const Group& group, const std::vector<Plane>& planes, bool horner, std::size_t shortest) {
  std::vector<Run> runs;
  std::int64_t weight = 1;  // of the run before, without its sign
  const auto double_down_to = [&](std::int64_t power) {
    for (; horner && !runs.empty() && weight > power; weight /= 2) {
      runs.push_back(blank_run(shortest));
      runs.back().doubles = true;
    }
  };
  for (const Plane& plane : planes) {
    std::vector<int> steps = steps_of(group, plane, shortest);
    if (steps.empty()) continue;
    const std::int64_t power = std::abs(plane.coefficient);
    double_down_to(2 * power);
    runs.push_back({std::move(steps), plane.bit, false, plane.coefficient, horner && !runs.empty() && weight == 2 * power});
    weight = power;
  }
  double_down_to(1);
  if (runs.empty()) runs.push_back(blank_run(shortest));
  return runs;
}

/// Every word of every plane.
std::vector<Run> dense_runs(const std::vector<Plane>& planes, std::size_t words) {
  std::vector<Run> runs;
  for (const Plane& plane : planes) {
    Run run = blank_run(words);
    run.blank = false;
    run.plane = plane.bit;
    run.coefficient = plane.coefficient;
    run.doubles = !runs.empty();
    runs.push_back(std::move(run));
  }
  return runs;
}

std::int64_t words_of(const std::vector<Run>& runs) {
  std::int64_t words = 0;
  for (const Run& run : runs) words += static_cast<std::int64_t>(run.steps.size());
  return words;
}

/// The words of a group that hold a weight in some plane of a decomposition.
std::int64_t count(const Group& group, PlaneForm decomposition) {
  const int bits = weight_bits_of(group.low, group.high);
  const Mask mask = decomposition == PlaneForm::TwosComplement ? (Mask{1} << bits) - 1
                    : decomposition == PlaneForm::SignedDigits ? kDigitMask << kPositive | kDigitMask << kNegative
                                                                   : ~Mask{0} << kLevels;
  std::int64_t words = 0;
  for (const Mask word : group.words) words += std::popcount(word & mask);
  return words;
}

/// For each group the decomposition with the fewest words.
std::vector<PlaneForm> choose(const std::vector<Group>& groups, bool digits, bool levels, std::int64_t& words) {
  std::vector<PlaneForm> chosen;
  words = 0;
  for (const Group& group : groups) {
    auto best = PlaneForm::TwosComplement;
    for (const auto other : {PlaneForm::SignedDigits, PlaneForm::Levels})
      if ((other == PlaneForm::Levels ? levels : digits) && count(group, other) < count(group, best)) best = other;
    chosen.push_back(best);
    words += count(group, best);
  }
  return chosen;
}

Program skipping_program(const std::vector<Group>& groups, const std::vector<PlaneForm>& chosen, const PlaneMasks& masks, bool horner,
                         std::size_t shortest) {
  Program program;
  std::vector<std::int64_t> coefficients;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    program.kinds.push_back(skipping_runs(groups[g], masks.planes(chosen[g], groups[g].low, groups[g].high), horner, shortest));
    program.groups.push_back(static_cast<int>(g));
    ++program.decompositions[static_cast<std::size_t>(chosen[g])];
    for (const Run& run : program.kinds.back()) coefficients.push_back(run.coefficient);
  }
  if (!horner) program.coefficient_bits = signed_bits(coefficients);
  return program;
}

/// All weight planes are in one word: a word is needed where any of them has a weight.
Program parallel_program(const std::vector<Group>& groups, std::size_t shortest) {
  Program program;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    Group any = groups[g];
    for (Mask& word : any.words) word = word != 0 ? 1 : 0;
    program.kinds.push_back(skipping_runs(any, {{0, 1}}, true, shortest));
    program.groups.push_back(static_cast<int>(g));
  }
  program.decompositions[0] = static_cast<int>(groups.size());
  return program;
}

Program dense_program(std::size_t groups, std::vector<Run> runs, bool bipolar) {
  Program program;
  program.kinds.push_back(std::move(runs));
  program.groups.assign(groups, 0);
  if (!bipolar) program.decompositions[0] = static_cast<int>(groups);
  return program;
}

}  // namespace

PlaneMasks::PlaneMasks(const Convolution& conv) : conv_(conv) {
  const auto [low, high] = weight_range(conv);
  wide_ = weight_bits_of(low, high) > kNarrow;
  masks_.reserve(conv.weights.size());
  std::set<std::int64_t> values;
  for (const std::int32_t w : conv.weights) {
    if (values.size() <= kMostLevels && w != 0) values.insert(w);
    // Non-adjacent form: the digits in which 3w and w differ (G. Reitwiesner, Binary Arithmetic, 1960).
    const auto single = static_cast<Mask>(std::int64_t{w}), triple = static_cast<Mask>(3 * std::int64_t{w});
    const Mask positive = (triple & ~single) >> 1 & kDigitMask, negative = (single & ~triple) >> 1 & kDigitMask;
    masks_.push_back(uses_xnor(conv) ? (w > 0 ? 1 : 0)
                     : wide_         ? single & kWideMask
                                     : (single & kTwosMask) << kTwos | positive << kPositive | negative << kNegative);
  }
  if (uses_xnor(conv) || wide_ || values.size() > kMostLevels) return;
  levels_.assign(values.begin(), values.end());
  for (std::size_t i = 0; i < masks_.size(); ++i)
    for (std::size_t level = 0; level < levels_.size(); ++level)
      if (conv.weights[i] == levels_[level]) masks_[i] |= Mask{1} << (kLevels + static_cast<int>(level));
}

std::vector<Plane> PlaneMasks::planes(PlaneForm decomposition, std::int64_t low, std::int64_t high) const {
  if (uses_xnor(conv_)) return {{0, 1}};
  const int bits = weight_bits_of(low, high);
  std::vector<Plane> planes;
  if (decomposition == PlaneForm::Levels) {
    for (std::size_t level = 0; level < levels_.size(); ++level) planes.push_back({kLevels + static_cast<int>(level), levels_[level]});
  } else if (decomposition == PlaneForm::TwosComplement) {
    for (int p = bits - 1; p >= 0; --p) planes.push_back({kTwos + p, (low < 0 && p == bits - 1 ? -1 : 1) * (std::int64_t{1} << p)});
  } else {
    for (int p = bits; p >= 0; --p)
      for (const auto& [first, sign] : {std::pair{kPositive, 1}, std::pair{kNegative, -1}})
        planes.push_back({first + p, sign * (std::int64_t{1} << p)});
  }
  return planes;
}

const std::vector<Group>& PlaneMasks::groups(int pe, int simd) const {
  if (pe == pe_ && simd == simd_) return groups_;
  pe_ = pe, simd_ = simd;
  const std::size_t fan_in = conv_.weights.size() / static_cast<std::size_t>(conv_.out_channels);
  const std::size_t weights = static_cast<std::size_t>(pe) * fan_in;  // of a group
  groups_.assign(conv_.weights.size() / weights, {});
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    Group& group = groups_[g];
    const auto first = conv_.weights.begin() + static_cast<std::ptrdiff_t>(g * weights);
    const auto [low, high] = std::minmax_element(first, first + static_cast<std::ptrdiff_t>(weights));
    group.low = *low, group.high = *high;
    group.words.assign(fan_in / static_cast<std::size_t>(simd), 0);
    for (std::size_t k = 0, at = g * weights; k < static_cast<std::size_t>(pe); ++k)
      for (Mask& word : group.words)
        for (int i = 0; i < simd; ++i) word |= masks_[at++];
  }
  return groups_;
}

bool Program::combines() const {
  const auto several = [](const std::vector<Run>& runs) { return runs.size() > 1 || runs[0].coefficient != 1; };
  return passes > 1 || std::any_of(kinds.begin(), kinds.end(), several);
}

std::int64_t Program::runs() const {
  std::int64_t count = 0;
  for (std::size_t g = 0; g < groups.size(); ++g) count += static_cast<std::int64_t>(runs_of(g).size());
  return count * passes;
}

std::int64_t Program::weight_words() const {
  std::vector<std::int64_t> words;
  for (const std::vector<Run>& runs : kinds) words.push_back(words_of(runs));
  std::int64_t sum = 0;
  for (const int kind : groups) sum += words[static_cast<std::size_t>(kind)];
  return sum;
}

std::int64_t Program::control_words(std::size_t window_words, int channel_groups) const {
  const auto whole = [&](const Run& run) { return run.steps.size() == window_words; };
  const bool alike = channel_groups == 1 && std::all_of(kinds.begin(), kinds.end(), [&](const auto& runs) { return std::all_of(runs.begin(), runs.end(), whole); });
  return alike ? static_cast<std::int64_t>(window_words) : words();
}

std::int64_t Program::run_words() const {
  if (!combines()) return 0;
  return kinds.size() == 1 ? static_cast<std::int64_t>(kinds[0].size()) * passes : runs();
}

int Program::run_bits() const {
  const int pass_bits = passes > 1 ? std::bit_width(static_cast<unsigned>(passes - 1)) : 0;
  return pass_bits + (coefficient_bits > 0 ? coefficient_bits : 2) + 2;
}

std::int64_t Program::shortest_run() const {
  std::size_t shortest = kinds[0][0].steps.size();
  for (const std::vector<Run>& runs : kinds)
    for (const Run& run : runs) shortest = std::min(shortest, run.steps.size());
  return static_cast<std::int64_t>(shortest);
}

std::int64_t Program::shortest_group() const {
  std::int64_t shortest = words_of(kinds[0]);
  for (const std::vector<Run>& runs : kinds) shortest = std::min(shortest, words_of(runs));
  return shortest * passes;
}

std::vector<std::int64_t> Program::group_clocks() const {
  std::vector<std::int64_t> clocks;
  for (std::size_t g = 0; g < groups.size(); ++g) clocks.push_back(words_of(runs_of(g)) * passes);
  return clocks;
}

Program make_program(const Convolution& conv, const Stage& stage, const PlaneMasks& masks, int activation_bits) {
  const Folding& f = stage.folding;
  const std::size_t words = stage.window_plan.offsets.size(), shortest = static_cast<std::size_t>(stage.shortest_run);
  const auto group_count = static_cast<std::size_t>(conv.out_channels / f.pe);
  const bool parallel = f.wpar > 1;
  const auto [low, high] = weight_range(conv);
  const std::vector<Plane> planes = parallel ? std::vector<Plane>{{0, 1}} : masks.planes(PlaneForm::TwosComplement, low, high);
  const double dense = static_cast<double>(group_count * words * planes.size());
  const auto worth = [&](std::int64_t count, double share) { return static_cast<double>(count) < (1 - share) * dense; };

  Program program;
  if (!uses_xnor(conv)) {
    const std::vector<Group>& groups = masks.groups(f.pe, f.simd);
    std::int64_t horner_words = 0, level_words = 0;
    if (parallel) {
      for (const Group& group : groups)
        horner_words += std::count_if(group.words.begin(), group.words.end(), [](Mask m) { return m != 0; });
      if (worth(horner_words, kWorthSkipping)) program = parallel_program(groups, shortest);
    } else {
      const std::vector<PlaneForm> horner = choose(groups, masks.has_digits(), false, horner_words);
      if (worth(horner_words, kWorthSkipping)) program = skipping_program(groups, horner, masks, true, shortest);
      if (masks.has_levels()) {
        const std::vector<PlaneForm> levels = choose(groups, masks.has_digits(), true, level_words);
        const double least = std::min(dense, static_cast<double>(horner_words));
        if (static_cast<double>(level_words) < (1 - kWorthMultiplying) * least)
          program = skipping_program(groups, levels, masks, false, shortest);
      }
    }
  }
  if (program.groups.empty()) program = dense_program(group_count, dense_runs(planes, words), uses_xnor(conv));
  program.passes = activation_bits / f.apar;
  return program;
}

std::pair<std::int64_t, std::int64_t> weight_range(const Convolution& conv) {
  if (conv.weight_type.bits() <= kNarrow) return {conv.weight_type.min(), conv.weight_type.max()};
  const auto [low, high] = std::minmax_element(conv.weights.begin(), conv.weights.end());
  return {std::min<std::int64_t>(*low, conv.weight_type.is_signed() ? -1 : 0), *high};
}

std::int64_t words_needed(const PlaneMasks& masks, const PlaneMasks::Group& group) {
  const std::int64_t twos = count(group, PlaneForm::TwosComplement);
  return masks.has_digits() ? std::min(twos, count(group, PlaneForm::SignedDigits)) : twos;
}

int weight_bits_of(std::int64_t low, std::int64_t high) {
  return std::max(1, low < 0 ? signed_bits({low, high}) : signed_bits({high}) - 1);
}

std::string describe(const Program& program) {
  const std::array<const char*, 3> names = {"two's complement", "signed digits", "levels"};  // as PlaneForm
  if (program.decompositions == std::array<int, 3>{}) return "bipolar";
  std::string text;
  for (std::size_t d = 0; d < names.size(); ++d) {
    const auto count = static_cast<std::size_t>(program.decompositions[d]);
    if (count == program.groups.size()) return names[d];
    if (count > 0) text += fmt::format("{}{} in {} groups", text.empty() ? "" : ", ", names[d], count);
  }
  return text;
}

}  // namespace bitloom
