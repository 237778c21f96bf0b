// A lane of the basis engine (rtl/basis/sparse_lane): one coefficient per clock, sums that wait for their turn.
#pragma once

#include <algorithm>
#include <vector>

#include "system/queue.hpp"
#include "system/stream.hpp"

namespace bitloom::system {

/// What a lane reads for each block, again and again.
struct LaneProgram {
  std::vector<int> steps;  ///< gap_reader: words of each task; bitmap_reader: bits of each word
  int task_words = 0;      ///< bitmap_reader: words of a task; 0: gap_reader
};

/// Turns a program into coefficients, and tells from which clock on the next one stands at the reader's output.
class CoefficientReader {
 public:
  explicit CoefficientReader(LaneProgram program);
  void reset();
  Clock ready() const { return bitmap() ? given_ + 1 : kGapReader; }
  bool task_ends() const { return left_ == 1 && (!bitmap() || next_starts_); }
  bool program_ends() const { return task_ends() && (bitmap() ? next_program_ : step_ + 1 == program_.steps.size()); }
  void take(Clock clock);

 private:
  static constexpr Clock kGapReader = 3;  // ready from the fourth clock after reset on
  bool bitmap() const { return program_.task_words > 0; }
  void fetch();
  void give(Clock before);

  const LaneProgram program_;
  std::size_t step_ = 0;  ///< gaps: the task; bitmap: the word that is fetched next
  int left_ = 0;          ///< coefficients of the task, or of the word
  // bitmap_reader: when its registers move.
  bool task_kept_ = false;     ///< a word of the task that is fetched was passed on
  int next_bits_ = 0;          ///< of the word in the second register
  bool next_starts_ = false, next_program_ = false;
  Clock fetched_ = 0;          ///< when the last word left the memory's output
  Clock entered_ = 0;          ///< when the word in the second register entered it
  Clock shifted_ = 0;          ///< when the word before it left it
  Clock given_ = 0;            ///< when the head was given
};

class Lane {
 public:
  Lane(LaneProgram program, std::int64_t depth) : reader_(std::move(program)), depth_(depth) {}
  void reset();
  /// The next half is written: its last word in that clock.
  void load(Clock clock) { halves_.push(clock); }
  /// From when on the half that was read first is free; kUnknown if it is still read. drop_freed() asks for the next.
  Clock freed() const { return freed_.empty() ? kUnknown : freed_.front() + 1; }
  void drop_freed() { freed_.pop(); }
  /// Issues coefficients as far as their clocks are known; `issued` is told each of them, and whether it is a block's last.
  template <class Issued>
  void run(const Issued& issued);
  bool has_sum() const { return !finished_.empty(); }
  /// When the next sum stands at the output; only if there is one.
  Clock sum_stands() const { return std::max(finished_.front() + depth_, taken_last_ + 1); }
  void take(Clock clock);

 private:
  struct Stall {
    Clock begin = 0, end = 0;  ///< clocks begin .. end - 1
  };
  /// The first clock from `clock` on in which nothing stalls, by the stalls that are known.
  Clock free_from(Clock clock) const;
  void settle();

  CoefficientReader reader_;
  const std::int64_t depth_;
  Queue<Clock> halves_, freed_;
  Clock issued_ = kUnknown;         ///< the last coefficient
  Queue<Clock> pending_;            ///< sums whose last coefficient is issued: when
  Clock pending_value_ = kUnknown;  ///< when the first of them reaches the accumulator
  Queue<Stall> stalls_;
  Queue<Clock> finished_;           ///< sums: when they leave the accumulator
  Queue<Clock> room_;               ///< in the registers behind it: from when on
  Clock taken_last_ = kUnknown;
};

template <class Issued>
void Lane::run(const Issued& issued) {
  for (;;) {
    settle();
    if (halves_.empty()) return;
    while (!stalls_.empty() && stalls_.front().end <= issued_) stalls_.pop();
    const Clock clock = free_from(std::max({issued_ + 1, reader_.ready(), halves_.front() + 1}));
    if (!pending_.empty() && pending_value_ <= clock) return;  // it may stall then
    issued_ = clock;
    const bool block_ends = reader_.program_ends();
    issued(clock, block_ends);
    if (reader_.task_ends()) pending_.push(clock);
    if (block_ends) {
      halves_.pop();
      freed_.push(clock);
    }
    reader_.take(clock);
  }
}

}  // namespace bitloom::system
