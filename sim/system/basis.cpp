#include "system/basis.hpp"

#include <algorithm>

namespace bitloom::system {
namespace {

constexpr std::size_t kMarked = 1 << 14;  // clocks: more than lanes are apart

}  // namespace

BasisEngine::BasisEngine(const sc_core::sc_module_name& name, BasisTiming timing)
    : Active(name), t_(std::move(timing)), ahead_(t_.ahead), results_(t_.credits * t_.group_beats), lane_blocks_(t_.programs.size()), marked_(kMarked) {
  for (const LaneProgram& program : t_.programs) sparse_.emplace_back(program, t_.lane_depth);
}

void BasisEngine::reset() {
  beat_ = lane_ = channel_ = halves_ = 0;
  given_ = kUnknown;
  written_ = half_free_ = 0;
  waits_ = refused_ = false;
  for (Lane& lane : sparse_) lane.reset();
  turn_ = 0;
  decided_ = 2;
  ahead_credits_.clear();
  for (std::int64_t i = 0; i < t_.ahead; ++i) ahead_credits_.push(0);
  ahead_.reset();
  row_ = group_ = sum_channel_ = 0;
  until_out_ = t_.first;
  rows_left_ = t_.out_rows;
  sums_done_ = 0;
  next_ = next_group_ = 0;
  credits_.clear();
  for (std::int64_t i = 0; i < t_.credits; ++i) credits_.push(0);
  results_.reset();
  group_left_.clear();
  beats_gone_ = 0;
  loads_.assign(1, {});
  std::fill(lane_blocks_.begin(), lane_blocks_.end(), 0);
  std::fill(marked_.begin(), marked_.end(), kUnknown);
  frame_begin_ = 0;
}

std::int64_t BasisEngine::frame_out(const std::vector<std::int64_t>& frame_in) const {
  if (frame_in[0] != t_.map_rows * t_.blocks * t_.pixels * t_.chunks) return 0;
  return t_.out_rows * static_cast<std::int64_t>(t_.sums.size()) / t_.pe * ((t_.groups - 1) * t_.group_beats + t_.short_beats);
}

Clock BasisEngine::offer(Clock valid) {
  if (beat_ < (t_.pixels - 1) * t_.chunks) {
    ++beat_;
    return valid;
  }
  while (lane_ < t_.lanes) {
    if (waits_ && !write_word()) {
      refused_ = true;
      return kUnknown;
    }
    given_ = std::max({valid, given_ + 1, written_});
    waits_ = true;
    ++lane_;
  }
  lane_ = 0;
  if (++beat_ == t_.pixels * t_.chunks) beat_ = 0;
  wake();
  return given_;
}

/// The word at pixel_block's output goes into all lanes' memories, of which each has two halves.
bool BasisEngine::write_word() {
  if (!waits_) return false;
  if (channel_ == 0 && halves_ >= 2) {
    if (std::any_of(sparse_.begin(), sparse_.end(), [](const Lane& lane) { return lane.freed() == kUnknown; })) return false;
    for (Lane& lane : sparse_) {
      half_free_ = std::max(half_free_, lane.freed());
      lane.drop_freed();
    }
  }
  written_ = std::max(given_ + 1, half_free_);
  waits_ = false;
  if (++channel_ < t_.channels) return true;
  channel_ = 0;
  ++halves_;
  for (Lane& lane : sparse_) lane.load(written_);
  wake();
  return true;
}

void BasisEngine::mark_busy(std::size_t lane, Clock clock) {
  Clock& mark = marked_[static_cast<std::size_t>(clock) % kMarked];
  if (mark == clock) return;
  mark = clock;
  const auto frame = static_cast<std::size_t>(lane_blocks_[lane] / (t_.blocks * t_.map_rows));
  if (loads_.size() <= frame) loads_.resize(frame + 1);
  ++loads_[frame].busy;
}

bool BasisEngine::run_lanes() {
  bool any = false;
  for (std::size_t i = 0; i < sparse_.size(); ++i)
    sparse_[i].run([&](Clock clock, bool block_ends) {
      any = true;
      mark_busy(i, clock);
      if (!block_ends || ++lane_blocks_[i] % (t_.blocks * t_.map_rows) != 0) return;
      const auto frame = static_cast<std::size_t>(lane_blocks_[i] / (t_.blocks * t_.map_rows)) - 1;
      if (i != 0) return;  // lane 0 tells frames' times
      FrameLoad& load = loads_[frame];
      load.starved = std::max<std::int64_t>(0, clock + 1 - frame_begin_ - load.busy);
      frame_begin_ = clock + 1;
      if (loads_.size() == frame + 1) loads_.emplace_back();
    });
  return any;
}

/// A turn is decided the clock before its sum stands at its lane's output, which is taken in that clock; a clock later it is written.
bool BasisEngine::take_sums() {
  bool any = false;
  for (;; any = true) {
    Lane& lane = sparse_[t_.turns[turn_]];
    if (!lane.has_sum() || ahead_credits_.empty()) return any;
    decided_ = std::max({decided_ + 1, ahead_credits_.front(), lane.sum_stands() - 1});
    ahead_credits_.pop();
    lane.take(decided_ + 1);
    ahead_.push(decided_ + 2);
    if (++turn_ == t_.turns.size()) turn_ = 0;
  }
}

Clock BasisEngine::next_accept(bool real, bool closes) {
  if (real && ahead_.empty()) return kUnknown;
  Clock clock = real ? std::max(next_, ahead_.valid()) : next_;
  if (!closes) return clock;
  if (credits_.empty()) pump();
  if (credits_.empty()) return kUnknown;
  clock = std::max({clock, credits_.front(), next_group_});
  credits_.pop();
  return clock;
}

void BasisEngine::block_ends() {
  if (++group_ < t_.groups) return;
  group_ = 0;
  const bool left = until_out_ == 0 && rows_left_ > 0;
  if (++row_ == t_.all_rows) {
    row_ = 0;
    until_out_ = t_.first;
    rows_left_ = t_.out_rows;
  } else if (left) {
    until_out_ = t_.stride - 1;
    --rows_left_;
  } else if (until_out_ > 0) {
    --until_out_;
  }
}

/// The sums of each channel of each block, those of empty blocks included, which have none.
bool BasisEngine::execute() {
  bool any = false;
  for (;; any = true) {
    const bool real = group_ < t_.blocks && row_ < t_.map_rows;
    const bool last = !real || sums_done_ + 1 == t_.sums[static_cast<std::size_t>(sum_channel_)];
    const bool closes = last && (sum_channel_ + 1) % t_.pe == 0 && until_out_ == 0 && rows_left_ > 0;
    const Clock clock = next_accept(real, closes);
    if (clock == kUnknown) return any;
    if (real) {
      ahead_.pop(clock);
      ahead_credits_.push(clock + 1);
    }
    next_ = clock + t_.steps;
    if (closes) {
      const bool short_block = group_ + 1 == t_.groups;
      const std::int64_t beats = short_block ? t_.short_beats : t_.group_beats;
      next_group_ = clock + beats;
      for (std::int64_t beat = 0; beat < beats; ++beat) results_.push(clock + t_.latency + beat);
      group_left_.push(beats);
    }
    sums_done_ = last ? 0 : sums_done_ + 1;
    if (!last || ++sum_channel_ < static_cast<std::int64_t>(t_.sums.size())) continue;
    sum_channel_ = 0;
    next_ = std::max(next_, clock + 1 + t_.pause);
    block_ends();
  }
}

void BasisEngine::pump() {
  out->flush();
  while (!results_.empty()) {
    const Clock taken = out->offer(results_.valid());
    if (taken == kUnknown) return;
    results_.pop(taken);
    if (++beats_gone_ < group_left_.front()) continue;
    beats_gone_ = 0;
    group_left_.pop();
    credits_.push(taken + 1);
  }
}

void BasisEngine::run() {
  bool wrote = false;
  for (bool any = true; any;) {
    const bool word = write_word();
    wrote = wrote || word;
    any = run_lanes() || word;
    any = take_sums() || any;
    any = execute() || any;
  }
  pump();
  if (!refused_ || waits_) return;
  refused_ = false;
  wake_senders();
}

}  // namespace bitloom::system
