#include "system/repacking.hpp"

#include <algorithm>
#include <numeric>

namespace bitloom::system {

Repacker::Repacker(const sc_core::sc_module_name& name, std::vector<int> sends, int before)
    : Passive(name), sends_(std::move(sends)), before_(before) {}

void Repacker::reset() {
  place_ = 0;
  waiting_ = before_;
  valid_ = 1;
  left_ = 0;
}

std::int64_t Repacker::frame_out(const std::vector<std::int64_t>& frame_in) const {
  const auto period = static_cast<std::int64_t>(sends_.size());
  return frame_in[0] / period * std::accumulate(sends_.begin(), sends_.end(), std::int64_t{0});
}

void Repacker::send() {
  while (waiting_ > 0) {
    const Clock taken = out->offer(valid_);
    if (taken == kUnknown) return;
    left_ = taken;
    valid_ = taken + 1;
    --waiting_;
  }
}

Clock Repacker::offer(Clock valid) {
  send();
  if (waiting_ > 0) return kUnknown;
  const Clock taken = std::max(valid, left_);
  waiting_ = sends_[place_];
  if (++place_ == sends_.size()) place_ = 0;
  valid_ = taken + 1;
  send();
  return taken;
}

void Repacker::flush() {
  out->flush();
  send();
}

Clock Crop::offer(Clock valid) {
  const std::int64_t at = place_ / shape_.chunks - shape_.first;
  const bool keeps = at >= 0 && at % shape_.stride == 0 && at / shape_.stride < shape_.kept;
  const Clock taken = keeps ? out->offer(valid) : valid;
  if (taken != kUnknown && ++place_ == shape_.width * shape_.chunks) place_ = 0;
  return taken;
}

Clock Fork::offer(Clock valid) {
  Clock last = 0;
  bool complete = true;
  for (std::size_t i = 0; i < taken_.size(); ++i) {
    if (taken_[i] == kUnknown) taken_[i] = out[static_cast<int>(i)]->offer(valid);
    complete = complete && taken_[i] != kUnknown;
    last = std::max(last, taken_[i]);
  }
  if (!complete) return kUnknown;
  std::fill(taken_.begin(), taken_.end(), kUnknown);
  return last;
}

void Fork::flush() {
  for (int i = 0; i < out.size(); ++i) out[i]->flush();
}

bool Join::is_free() {
  if (waiting_) send(valid_);
  return !waiting_;
}

void Join::send(Clock valid) {
  const Clock taken = out->offer(valid);
  valid_ = valid;
  waiting_ = taken == kUnknown;
  if (!waiting_) left_ = taken;
}

void Join::Side::flush() {
  join.out->flush();
  join.is_free();
}

void Add::reset() {
  Join::reset();
  for (std::size_t side = 0; side < 2; ++side) offered_[side] = taken_[side] = kUnknown;
}

Clock Add::offer(std::size_t side, Clock valid) {
  const std::size_t other = 1 - side;
  if (taken_[side] != kUnknown) {
    const Clock taken = taken_[side];
    taken_[side] = kUnknown;
    return taken;
  }
  offered_[side] = valid;
  if (offered_[other] == kUnknown || !is_free()) return kUnknown;
  const Clock taken = std::max({valid, offered_[other], left_});
  offered_[0] = offered_[1] = kUnknown;
  taken_[other] = taken;
  in[other]->wake_sender();
  send(taken + 1);
  return taken;
}

void Concat::reset() {
  Join::reset();
  turn_ = 0;
  place_ = 0;
  refused_[0] = refused_[1] = false;
}

Clock Concat::offer(std::size_t side, Clock valid) {
  if (side != turn_ || !is_free()) {
    refused_[side] = true;
    return kUnknown;
  }
  const Clock taken = std::max(valid, left_);
  if (++place_ == beats_[turn_]) {
    place_ = 0;
    turn_ = 1 - turn_;
    if (refused_[turn_]) in[turn_]->wake_sender();
    refused_[turn_] = false;
  }
  send(taken + 1);
  return taken;
}

}  // namespace bitloom::system
