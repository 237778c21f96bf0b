#include "system/lane.hpp"

#include <algorithm>

namespace bitloom::system {

CoefficientReader::CoefficientReader(LaneProgram program) : program_(std::move(program)) { reset(); }

void CoefficientReader::reset() {
  step_ = 0;
  if (!bitmap()) {
    left_ = program_.steps[0];
    return;
  }
  task_kept_ = false;
  left_ = 0;
  fetched_ = entered_ = shifted_ = given_ = 0;
  fetch();
  give(0);
}

/// Brings the next word with a bit, or a task's last if it has none, into the second register.
void CoefficientReader::fetch() {
  const auto chunks = static_cast<std::size_t>(program_.task_words);
  for (;;) {
    const bool chunk_ends = step_ % chunks == chunks - 1;
    const int bits = program_.steps[step_];
    const bool keep = bits > 0 || (chunk_ends && !task_kept_);
    fetched_ = keep ? std::max(fetched_ + 1, shifted_) : fetched_ + 1;
    const bool first = !task_kept_, program_starts = step_ < chunks;
    task_kept_ = !chunk_ends && (task_kept_ || keep);
    if (++step_ == program_.steps.size()) step_ = 0;
    if (!keep) continue;
    next_bits_ = bits;
    next_starts_ = first;
    next_program_ = first && program_starts;
    entered_ = fetched_;
    return;
  }
}

/// The head is given when the one before it is gone: a word's last one when the next word stands in the second register.
void CoefficientReader::give(Clock before) {
  if (left_ == 0) {  // the word in the second register moves on
    left_ = std::max(1, next_bits_);
    if (given_ == 0) {
      shifted_ = entered_ + 1;
      given_ = shifted_;
    }
    fetch();
  }
  given_ = std::max(given_ + 1, before);
  if (left_ == 1) {
    given_ = std::max(given_, entered_ + 1);
    shifted_ = given_;
  }
}

void CoefficientReader::take(Clock clock) {
  --left_;
  if (bitmap()) return give(clock);
  if (left_ > 0) return;
  if (++step_ == program_.steps.size()) step_ = 0;
  left_ = program_.steps[step_];
}

void Lane::reset() {
  reader_.reset();
  halves_.clear();
  freed_.clear();
  issued_ = taken_last_ = pending_value_ = kUnknown;
  pending_.clear();
  stalls_.clear();
  finished_.clear();
  room_.clear();
  for (std::int64_t i = 0; i < depth_; ++i) room_.push(0);
}

Clock Lane::free_from(Clock clock) const {
  for (std::size_t i = 0; i < stalls_.size(); ++i)
    if (clock >= stalls_[i].begin) clock = std::max(clock, stalls_[i].end);
  return clock;
}

/// A coefficient is issued, read, and added: each in a clock that does not stall. Where a finished sum finds no room, all three wait.
void Lane::settle() {
  while (!pending_.empty()) {
    if (pending_value_ == kUnknown) pending_value_ = free_from(pending_.front() + 1) + 1;
    if (room_.empty()) return;
    const Clock leaves = std::max(pending_value_, room_.front());
    room_.pop();
    if (leaves > pending_value_) stalls_.push({pending_value_, leaves});
    finished_.push(leaves);
    pending_.pop();
    pending_value_ = kUnknown;
  }
}

void Lane::take(Clock clock) {
  finished_.pop();
  taken_last_ = clock;
  room_.push(clock + 1);
}

}  // namespace bitloom::system
