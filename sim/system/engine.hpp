// Layers with a window and a program: plane_layer and max_pool (rtl/layer/window_reader and what stands behind it).
#pragma once

#include <utility>
#include <vector>

#include "system/deferring.hpp"
#include "system/load.hpp"
#include "system/queue.hpp"
#include "system/storage.hpp"
#include "system/stream.hpp"

namespace bitloom::system {

struct EngineTiming {
  std::int64_t buffer = 4, extent = 1, out_height = 1, out_width = 1, step_x = 1, step_row = 1, step_frame = 1;  ///< of window_reader, in words
  bool shared = false;                                         ///< the buffer has a single port
  std::vector<std::pair<std::int64_t, std::int64_t>> groups;   ///< of a window: clocks of a group, and how many such groups in a row
  std::int64_t latency = 4;                                    ///< from the clock of a group's last word to that in which its first result is written
  std::int64_t group_beats = 1, credits = 2;                   ///< results of a group, a clock each; groups under way at most
};

class Engine final : public Active, public BeatTarget, public Deferring, public Worker {
 public:
  Engine(const sc_core::sc_module_name& name, const EngineTiming& timing);
  BeatTarget& input(std::size_t) override { return *this; }
  void reset() override;
  std::int64_t frame_out(const std::vector<std::int64_t>& frame_in) const override;
  std::int64_t memory() const override { return t_.buffer + t_.extent; }
  Clock offer(Clock valid) override;
  void flush() override {}  // its process does

  const std::vector<FrameLoad>& loads() const override { return loads_; }

  /// With a buffer of a single port words and groups wait for each other.
  Clock undecided() const override { return undecided_; }
  void decide() override;

 private:
  void run() override;
  void pump();
  /// When the window of the next group is complete; kUnknown if its words are not there yet.
  Clock window_complete();
  /// When the next group has a place for its results; kUnknown if that cannot be told yet.
  Clock has_credit();
  void start_group(Clock start, Clock window);
  void window_ends();
  /// From when on the next word has room; kUnknown if no window before has given it yet.
  Clock room();
  Clock accept(Clock taken);
  bool step_shared();

  const EngineTiming t_;
  const std::int64_t frame_words_;
  FifoOutput results_;
  std::int64_t beats_left_ = 0;  ///< of the group that is leaving

  // Words that enter.
  std::int64_t words_ = 0;         ///< taken so far
  std::int64_t wanted_ = 0;        ///< the last word of the first window that is not complete
  std::int64_t wanted_x_ = 0, wanted_y_ = 0;
  Queue<Clock> complete_;          ///< windows: when the last word was taken
  std::int64_t room_end_ = 0;      ///< words that have room
  Clock room_since_ = 0;           ///< for the newest of them
  Queue<std::pair<std::int64_t, Clock>> more_room_;
  bool refused_ = false;

  // Groups that are executed.
  std::int64_t x_ = 0, y_ = 0;  ///< window
  std::size_t kind_ = 0;        ///< of the group, in t_.groups
  std::int64_t repeat_ = 0;     ///< of that kind
  Clock end_ = -1;              ///< of the last group: its last word
  Queue<Clock> credits_;        ///< from when on
  std::vector<FrameLoad> loads_;

  // A buffer of a single port: all clocks before `cursor_` are decided.
  Clock cursor_ = 0, offered_ = kUnknown, taken_ = kUnknown, undecided_ = kUnknown;
  bool settled_ = false;
};

}  // namespace bitloom::system
