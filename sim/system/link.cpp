#include "system/link.hpp"

#include <algorithm>

namespace bitloom::system {
namespace {

// As rtl/chips has them: from a word's arrival to the first symbol of its frame, and from the last symbol's clock to the receiver's check.
constexpr Clock kStart = 4, kPins = 4;

}  // namespace

void LinkSender::reset() {
  free_.clear(), written_.clear(), on_line_.clear();
  for (std::int64_t i = 0; i < t_.depth; ++i) free_.push(0);
  idle_ = 0;
  arrived_ = undecided_ = kUnknown;
  refused_ = settled_ = false;
}

Clock LinkSender::offer(Clock valid) {
  if (free_.empty()) {
    refused_ = true;
    return kUnknown;
  }
  const Clock taken = std::max(valid, free_.front());
  free_.pop();
  written_.push(taken);
  wake();
  return taken;
}

bool LinkSender::start_frame() {
  undecided_ = kUnknown;
  if (written_.empty() || !on_line_.empty()) return false;
  const Clock start = std::max(idle_, written_.front() + kStart);
  std::int64_t words = 0;
  const auto known = static_cast<std::int64_t>(written_.size());
  while (words < std::min(known, t_.frame) && written_[static_cast<std::size_t>(words)] + kStart <= start) ++words;
  if (words == known && words < t_.frame && !free_.empty() && !settled_) {  // more words may come in time
    undecided_ = start;
    return false;
  }
  settled_ = false;
  idle_ = start + (t_.frame_symbols + words * t_.word_symbols) * t_.symbol;
  for (std::int64_t i = 0; i < words; ++i) {
    on_line_.push(idle_ + t_.latency + kPins);
    written_.pop();
    free_.push(idle_ + t_.report);
  }
  return true;
}

void LinkSender::pump() {
  out->flush();
  while (!on_line_.empty()) {
    const Clock taken = out->offer(std::max(on_line_.front(), arrived_ + 1));
    if (taken == kUnknown) return;
    arrived_ = taken;
    on_line_.pop();
  }
  idle_ = std::max(idle_, arrived_ - t_.latency - kPins);  // a receiver without room holds the line up
}

void LinkSender::run() {
  pump();
  while (start_frame()) pump();
  if (!refused_ || free_.empty()) return;
  refused_ = false;
  wake_senders();
}

void LinkSender::decide() {
  settled_ = true;
  undecided_ = kUnknown;
  wake();
}

}  // namespace bitloom::system
