// A serial link between two chips (rtl/chips): the sender's side has the timing of the line, the receiver's is a Buffer.
#pragma once

#include "system/deferring.hpp"
#include "system/queue.hpp"
#include "system/stream.hpp"

namespace bitloom::system {

struct LinkTiming {
  std::int64_t depth = 16;        ///< words that wait, or are not confirmed yet
  std::int64_t frame = 16;        ///< words of a frame, at most
  std::int64_t symbol = 1;        ///< clocks of a symbol
  std::int64_t word_symbols = 1;  ///< symbols of a word
  std::int64_t frame_symbols = 0; ///< symbols of a frame besides its words: header, check, marks
  std::int64_t latency = 0;       ///< clocks on the line
  std::int64_t report = 0;        ///< clocks until the sender knows that a frame has come, at most
};

/// chip_link_sender and the line. A frame starts when the line is free and a word is there; it takes what is there by then.
class LinkSender final : public Active, public BeatTarget, public Deferring {
 public:
  LinkSender(const sc_core::sc_module_name& name, const LinkTiming& timing) : Active(name), t_(timing) {}
  BeatTarget& input(std::size_t) override { return *this; }
  void reset() override;
  std::int64_t frame_out(const std::vector<std::int64_t>& frame_in) const override { return frame_in[0]; }
  std::int64_t memory() const override { return t_.depth; }
  Clock offer(Clock valid) override;
  void flush() override {}  // its process does
  Clock undecided() const override { return undecided_; }
  void decide() override;

 private:
  void run() override;
  void pump();
  bool start_frame();
  const LinkTiming t_;
  Queue<Clock> free_, written_, on_line_;  ///< places from when on; words: when they came, when they arrive
  Clock idle_ = 0, arrived_ = kUnknown, undecided_ = kUnknown;
  bool refused_ = false, settled_ = false;
};

}  // namespace bitloom::system
