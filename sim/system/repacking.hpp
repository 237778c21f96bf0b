// Modules that hold one beat: adapters, padding, scaling, forks and joins (rtl/stream, rtl/layer).
#pragma once

#include <vector>

#include "system/stream.hpp"

namespace bitloom::system {

/// One register at the output, and a rule how many beats leave after each that enters: width adapters, map_pad, column_unfold, map_scale,
/// argmax. A beat enters when what the one before it gave has left.
class Repacker final : public Passive, public BeatTarget {
 public:
  /// `sends`: beats that leave after each that enters, repeated for ever; `before`: beats that leave before the first.
  Repacker(const sc_core::sc_module_name& name, std::vector<int> sends, int before = 0);
  BeatTarget& input(std::size_t) override { return *this; }
  void reset() override;
  std::int64_t frame_out(const std::vector<std::int64_t>& frame_in) const override;
  std::int64_t memory() const override { return static_cast<std::int64_t>(sends_.size()); }
  Clock offer(Clock valid) override;
  void flush() override;

 private:
  void send();
  const std::vector<int> sends_;
  const int before_;
  std::size_t place_ = 0;
  int waiting_ = 0;        ///< beats that must leave
  Clock valid_ = 0;        ///< of the next of them
  Clock left_ = 0;         ///< when the last one left
};

/// map_crop: passes on some of a row's pixels in the clock in which they come.
class Crop final : public Passive, public BeatTarget {
 public:
  struct Shape {
    std::int64_t chunks = 1, width = 1, first = 0, stride = 1, kept = 1;  ///< beats of a pixel, pixels of a row
  };
  Crop(const sc_core::sc_module_name& name, const Shape& shape) : Passive(name), shape_(shape) {}
  BeatTarget& input(std::size_t) override { return *this; }
  void reset() override { place_ = 0; }
  std::int64_t frame_out(const std::vector<std::int64_t>& frame_in) const override { return frame_in[0] / shape_.width * shape_.kept; }
  Clock offer(Clock valid) override;
  void flush() override { out->flush(); }

 private:
  const Shape shape_;
  std::int64_t place_ = 0;  ///< beats of the row that have come
};

/// stream_fork: every output takes a word when it can; the input moves on when the last one has it.
class Fork final : public Passive, public BeatTarget {
 public:
  using Passive::Passive;
  BeatTarget& input(std::size_t) override { return *this; }
  void reset() override { taken_.assign(static_cast<std::size_t>(out.size()), kUnknown); }
  std::int64_t frame_out(const std::vector<std::int64_t>& frame_in) const override { return frame_in[0]; }
  Clock offer(Clock valid) override;
  void flush() override;

 private:
  std::vector<Clock> taken_;  ///< by the outputs that have the current word
};

/// A module of two inputs and one register at the output.
class Join : public Passive {
 public:
  explicit Join(const sc_core::sc_module_name& name) : Passive(name), sides_{Side(*this, 0), Side(*this, 1)} {}
  BeatTarget& input(std::size_t index) override { return sides_[index]; }
  void reset() override { waiting_ = false, left_ = 0; }

 protected:
  virtual Clock offer(std::size_t side, Clock valid) = 0;
  /// Whether the register is free, once what it holds has been offered again.
  bool is_free();
  void send(Clock valid);
  Clock left_ = 0;

 private:
  struct Side final : BeatTarget {
    Side(Join& of, std::size_t i) : join(of), index(i) {}
    Clock offer(Clock valid) override { return join.offer(index, valid); }
    void flush() override;
    Join& join;
    std::size_t index;
  };
  Side sides_[2];
  bool waiting_ = false;
  Clock valid_ = 0;
};

/// map_add: one beat of each input at once.
class Add final : public Join {
 public:
  using Join::Join;
  void reset() override;
  std::int64_t frame_out(const std::vector<std::int64_t>& frame_in) const override { return frame_in[0]; }

 private:
  Clock offer(std::size_t side, Clock valid) override;
  Clock offered_[2] = {kUnknown, kUnknown};  ///< valid from then on
  Clock taken_[2] = {kUnknown, kUnknown};    ///< a beat that was offered earlier: what its sender will be told
};

/// map_concat: beats of `a`, then beats of `b`, and again.
class Concat final : public Join {
 public:
  Concat(const sc_core::sc_module_name& name, std::int64_t a_beats, std::int64_t b_beats) : Join(name), beats_{a_beats, b_beats} {}
  void reset() override;
  std::int64_t frame_out(const std::vector<std::int64_t>& frame_in) const override { return frame_in[0] + frame_in[1]; }
  std::int64_t memory() const override { return beats_[0] + beats_[1]; }

 private:
  Clock offer(std::size_t side, Clock valid) override;
  const std::int64_t beats_[2];
  std::size_t turn_ = 0;
  std::int64_t place_ = 0;
  bool refused_[2] = {false, false};
};

}  // namespace bitloom::system
