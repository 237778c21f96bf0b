#include "system/storage.hpp"

#include <algorithm>

namespace bitloom::system {

Buffer::Buffer(const sc_core::sc_module_name& name, std::int64_t depth, std::int64_t latency)
    : Active(name), depth_(depth), latency_(latency), words_(depth) {}

void Buffer::reset() {
  words_.reset();
  fill_.reset();
  free_.clear();
  never_used_ = depth_;
  refused_ = blocked_ = false;
}

Clock Buffer::offer(Clock valid) {
  Clock taken = valid;
  if (never_used_ > 0) {
    --never_used_;
  } else {
    if (free_.empty()) pump();
    if (free_.empty()) {
      refused_ = true;
      return kUnknown;
    }
    taken = std::max(valid, free_.front());
    free_.pop();
  }
  words_.push(taken + latency_);
  fill_.enter(taken);
  if (!blocked_) wake();
  return taken;
}

void Buffer::pump() {
  out->flush();
  while (!words_.empty()) {
    const Clock taken = out->offer(words_.valid());
    if (taken == kUnknown) break;
    words_.pop(taken);
    fill_.leave(taken);
    free_.push(depth_ == 1 ? taken : taken + 1);  // a single register passes a word on and takes another at once
  }
  blocked_ = !words_.empty();
}

void Buffer::run() {
  pump();
  if (!refused_ || free_.empty()) return;
  refused_ = false;
  wake_senders();
}

bool PixelOrder::ends_block(Side& side) const {
  const bool short_block = side.block == blocks_.row - 1;
  if (++side.beat < (short_block ? blocks_.last : blocks_.beats)) return false;
  side.beat = 0;
  side.block = short_block ? 0 : side.block + 1;
  return true;
}

void PixelOrder::reset() {
  free_.clear();
  filled_.clear();
  free_.push(0);
  free_.push(0);
  written_ = read_ = {};
  start_ = left_ = 0;
  valid_ = kUnknown;
  refused_ = false;
}

Clock PixelOrder::offer(Clock valid) {
  Clock taken = valid;
  if (written_.beat == 0) {
    if (free_.empty()) pump();
    if (free_.empty()) {
      refused_ = true;
      return kUnknown;
    }
    taken = std::max(valid, free_.front());
    free_.pop();
  }
  if (ends_block(written_)) {
    filled_.push(taken);
    wake();
  }
  return taken;
}

void PixelOrder::pump() {
  out->flush();
  for (;;) {
    if (valid_ == kUnknown) {  // the next word is read
      if (read_.beat == 0) {
        if (filled_.empty()) return;
        start_ = filled_.front() + 1;
        filled_.pop();
      }
      valid_ = std::max(start_, left_) + 1;
      if (ends_block(read_)) free_.push(valid_);
    }
    const Clock taken = out->offer(valid_);
    if (taken == kUnknown) return;
    left_ = taken;
    valid_ = kUnknown;
  }
}

void PixelOrder::run() {
  pump();
  if (!refused_ || free_.empty()) return;
  refused_ = false;
  wake_senders();
}

void Upsampler::reset() {
  free_.clear();
  arrived_.clear();
  for (std::int64_t i = 0; i < depth(); ++i) free_.push(0);
  chunk_ = copy_ = x_ = row_copy_ = 0;
  left_ = 0;
  valid_ = kUnknown;
  refused_ = false;
}

Clock Upsampler::offer(Clock valid) {
  if (free_.empty()) pump();
  if (free_.empty()) {
    refused_ = true;
    return kUnknown;
  }
  const Clock taken = std::max(valid, free_.front());
  free_.pop();
  arrived_.push(taken);
  wake();
  return taken;
}

void Upsampler::next() {
  if (++chunk_ < shape_.chunks) return;
  chunk_ = 0;
  if (++copy_ < shape_.up_width) return;
  copy_ = 0;
  if (++x_ < shape_.width) return;
  x_ = 0;
  if (++row_copy_ == shape_.up_height) row_copy_ = 0;
}

void Upsampler::pump() {
  out->flush();
  for (;;) {
    if (valid_ == kUnknown) {
      Clock step = left_;
      if (copy_ == 0 && row_copy_ == 0) {  // the word's first copy
        if (arrived_.empty()) return;
        step = std::max(step, arrived_.front() + 1);
        arrived_.pop();
      }
      if (copy_ == shape_.up_width - 1 && row_copy_ == shape_.up_height - 1) free_.push(step + 1);
      valid_ = step + 1;
      next();
    }
    const Clock taken = out->offer(valid_);
    if (taken == kUnknown) return;
    left_ = taken;
    valid_ = kUnknown;
  }
}

void Upsampler::run() {
  pump();
  if (!refused_ || free_.empty()) return;
  refused_ = false;
  wake_senders();
}

}  // namespace bitloom::system
