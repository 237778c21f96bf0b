// Where beats come from and go to.
#pragma once

#include <functional>
#include <vector>

#include "system/stream.hpp"

namespace bitloom::system {

/// Images without a pause.
class Source final : public Active {
 public:
  Source(const sc_core::sc_module_name& name, std::int64_t frame_beats) : Active(name), frame_beats_(frame_beats) {}
  BeatTarget& input(std::size_t) override { throw std::logic_error("a source has no input"); }
  void reset() override { left_ = images_ * frame_beats_, valid_ = 0; }
  std::int64_t frame_out(const std::vector<std::int64_t>&) const override { return frame_beats_; }
  void set_images(std::int64_t images) { images_ = images; }
  /// When the first beat was taken.
  Clock first_taken() const { return first_taken_; }

 private:
  void run() override {
    out->flush();
    for (; left_ > 0; --left_) {
      const Clock taken = out->offer(valid_);
      if (taken == kUnknown) return;
      if (valid_ == 0) first_taken_ = taken;
      valid_ = taken + 1;
    }
  }
  const std::int64_t frame_beats_;
  std::int64_t images_ = 1, left_ = 0;
  Clock valid_ = 0, first_taken_ = 0;
};

/// Takes every beat at once.
class Sink final : public Passive, public BeatTarget {
 public:
  using Passive::Passive;
  BeatTarget& input(std::size_t) override { return *this; }
  void reset() override { place_ = 0, frame_ends_.clear(); }
  std::int64_t frame_out(const std::vector<std::int64_t>&) const override { return 0; }
  void flush() override {}
  Clock offer(Clock valid) override {
    if (++place_ == in[0]->frame_beats()) {
      place_ = 0;
      frame_ends_.push_back(valid);
      if (frame_ended) frame_ended();
    }
    return valid;
  }

  const std::vector<Clock>& frame_ends() const { return frame_ends_; }
  std::function<void()> frame_ended;  ///< called in the middle of a transaction; may be empty

 private:
  std::int64_t place_ = 0;
  std::vector<Clock> frame_ends_;
};

}  // namespace bitloom::system
