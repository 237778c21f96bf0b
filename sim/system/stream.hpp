// Streams of the transaction-level model: beats travel as calls that carry their clock.
//
// A transaction is one beat of a stream. What the RTL tells by valid and ready is told by two numbers: the first clock in which the beat
// is valid, given by the sender, and the clock in which it is taken, the answer. Both sides keep what they offer or ask until the beat has
// moved, so the later of the two clocks decides, and every module becomes a recurrence of maxima and sums over the clocks of earlier beats
// (docs/system.md). Nobody waits for simulated time: a beat is passed on as soon as its clock can be told, and SystemC's kernel runs the
// processes of those modules whose inputs or room have become known. Its own time stands still: timing is all in the calls.
#pragma once

#include <cstdint>
#include <systemc>
#include <vector>

namespace bitloom::system {

using Clock = std::int64_t;  ///< of the core; 0 is the first after reset

inline constexpr Clock kUnknown = -1;

/// What takes beats: an input of a module, or the stream in front of it.
class BeatTarget : public virtual sc_core::sc_interface {
 public:
  /// The next beat is valid from clock `valid` on, which is behind the clock in which the beat before it was taken. Returns the clock in
  /// which it is taken; kUnknown while that depends on something that is not known yet: the caller keeps the beat and offers it again when
  /// it is woken.
  virtual Clock offer(Clock valid) = 0;
  /// Passes on what was held back, as far as it has become known.
  virtual void flush() = 0;
};

class Element;

/// A stream between two instances. It counts beats and keeps a fingerprint of each frame's clocks, by which a steady state is known.
class Stream final : public sc_core::sc_module, public BeatTarget {
 public:
  struct Frame {
    Clock first = 0, last = 0;      ///< of its beats
    std::uint64_t fingerprint = 0;  ///< of all clocks relative to the first
  };

  explicit Stream(const sc_core::sc_module_name& name) : sc_module(name), to("to") {}

  sc_core::sc_port<BeatTarget> to;
  Element* from = nullptr;  ///< who offers; woken when a beat that was refused, or is held back behind this stream, may go on

  Clock offer(Clock valid) override {
    const Clock taken = to->offer(valid);
    if (taken != kUnknown) count(taken);
    return taken;
  }
  void flush() override { to->flush(); }
  void wake_sender();

  void set_frame(std::int64_t beats) { frame_beats_ = beats; }
  std::int64_t frame_beats() const { return frame_beats_; }
  const std::vector<Frame>& frames() const { return frames_; }
  std::int64_t beats() const { return static_cast<std::int64_t>(frames_.size()) * frame_beats_ + place_; }
  void reset() { frames_.clear(), place_ = 0; }

 private:
  void count(Clock taken) {
    constexpr std::uint64_t kMultiplier = 0x9e3779b97f4a7c15;
    if (place_ == 0) now_ = {taken, taken, 1};
    now_.last = taken;
    now_.fingerprint = (now_.fingerprint ^ static_cast<std::uint64_t>(taken - now_.first)) * kMultiplier;
    if (++place_ == frame_beats_) {
      frames_.push_back(now_);
      place_ = 0;
    }
  }

  std::int64_t frame_beats_ = 1, place_ = 0;
  Frame now_;
  std::vector<Frame> frames_;
};

/// A module of the design. `reset` brings it to its state after reset; the same structure can so be run again and again.
class Element : public sc_core::sc_module {
 public:
  explicit Element(const sc_core::sc_module_name& name) : sc_module(name), out("out") {}

  sc_core::sc_port<BeatTarget, 0, sc_core::SC_ZERO_OR_MORE_BOUND> out;
  std::vector<Stream*> in;

  virtual BeatTarget& input(std::size_t index) = 0;
  virtual void reset() = 0;
  /// Something behind may take what it refused.
  virtual void wake() = 0;
  /// Beats of a frame that leave by each output, of those that enter.
  virtual std::int64_t frame_out(const std::vector<std::int64_t>& frame_in) const = 0;
  /// Input beats that it holds or whose clocks it remembers, at most.
  virtual std::int64_t memory() const { return 1; }

 protected:
  void wake_senders() {
    for (Stream* stream : in) stream->wake_sender();
  }
};

inline void Stream::wake_sender() { from->wake(); }

/// A module without a process: it holds no more than a beat, and passes it on in the caller's.
class Passive : public Element {
 public:
  using Element::Element;
  void wake() override { wake_senders(); }
};

/// A module with storage, and a process that works until it lacks input or room.
class Active : public Element {
 public:
  SC_HAS_PROCESS(Active);
  explicit Active(const sc_core::sc_module_name& name) : Element(name) {
    SC_METHOD(run);
    sensitive << go_;
    dont_initialize();
  }
  void wake() override { go_.notify(sc_core::SC_ZERO_TIME); }

 protected:
  virtual void run() = 0;

 private:
  sc_core::sc_event go_;
};

}  // namespace bitloom::system
