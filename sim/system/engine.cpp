#include "system/engine.hpp"

#include <algorithm>

namespace bitloom::system {
namespace {

constexpr Clock kProgramReady = 2;  // program_reader: ready from the third clock after reset on
constexpr Clock kFreed = 2;         // window_reader: from a window's last word to room for the words that it frees

}  // namespace

Engine::Engine(const sc_core::sc_module_name& name, const EngineTiming& timing)
    : Active(name),
      t_(timing),
      frame_words_(timing.out_height * (timing.out_width - 1) * timing.step_x + (timing.out_height - 1) * timing.step_row +
                   timing.step_frame),
      results_(timing.credits * timing.group_beats) {}

void Engine::reset() {
  results_.reset();
  beats_left_ = t_.group_beats;
  words_ = 0;
  wanted_ = t_.extent - 1;
  wanted_x_ = wanted_y_ = 0;
  complete_.clear();
  room_end_ = t_.buffer;
  room_since_ = 0;
  more_room_.clear();
  refused_ = false;
  x_ = y_ = 0;
  kind_ = 0, repeat_ = 0;
  end_ = -1;
  credits_.clear();
  for (std::int64_t i = 0; i < t_.credits; ++i) credits_.push(0);
  loads_.assign(1, {});
  cursor_ = 0;
  offered_ = taken_ = undecided_ = kUnknown;
  settled_ = false;
}

std::int64_t Engine::frame_out(const std::vector<std::int64_t>& frame_in) const {
  if (frame_in[0] != frame_words_) return 0;
  std::int64_t groups = 0;
  for (const auto& [clocks, times] : t_.groups) groups += times;
  return t_.out_height * t_.out_width * groups * t_.group_beats;
}

Clock Engine::room() {
  while (words_ >= room_end_) {
    if (more_room_.empty()) return kUnknown;
    room_end_ += more_room_.front().first;
    room_since_ = more_room_.front().second;
    more_room_.pop();
  }
  return room_since_;
}

Clock Engine::accept(Clock taken) {
  if (words_++ == wanted_) {
    complete_.push(taken);
    const bool row_ends = ++wanted_x_ == t_.out_width;
    if (row_ends) wanted_x_ = 0;
    const bool frame_ends = row_ends && ++wanted_y_ == t_.out_height;
    if (frame_ends) wanted_y_ = 0;
    wanted_ += frame_ends ? t_.step_frame : row_ends ? t_.step_row : t_.step_x;
    wake();
  }
  return taken;
}

Clock Engine::offer(Clock valid) {
  if (t_.shared) {
    if (taken_ != kUnknown) {
      const Clock taken = taken_;
      taken_ = kUnknown;
      wake();  // groups waited for this too, and no other word may come
      return accept(taken);
    }
    offered_ = valid;
    refused_ = true;
    wake();
    return kUnknown;
  }
  const Clock since = room();
  if (since == kUnknown) {
    refused_ = true;
    return kUnknown;
  }
  return accept(std::max(valid, since));
}

Clock Engine::window_complete() { return complete_.empty() ? kUnknown : std::max(complete_.front() + 1, kProgramReady); }

Clock Engine::has_credit() {
  if (credits_.empty()) pump();
  return credits_.empty() ? kUnknown : credits_.front();
}

void Engine::start_group(Clock start, Clock window) {
  FrameLoad& load = loads_.back();
  const Clock free = end_ + 1, ready = std::max(free, window);
  load.starved += ready - free;
  load.stalled += start - ready;
  const auto& [clocks, times] = t_.groups[kind_];
  load.busy += clocks;
  end_ = start + clocks - 1;
  credits_.pop();
  for (std::int64_t beat = 0; beat < t_.group_beats; ++beat) results_.push(end_ + t_.latency + beat);
  if (++repeat_ < times) return;
  repeat_ = 0;
  if (++kind_ < t_.groups.size()) return;
  kind_ = 0;
  window_ends();
}

void Engine::window_ends() {
  complete_.pop();
  const bool row_ends = ++x_ == t_.out_width;
  if (row_ends) x_ = 0;
  const bool frame_ends = row_ends && ++y_ == t_.out_height;
  if (frame_ends) {
    y_ = 0;
    loads_.emplace_back();
  }
  more_room_.push({frame_ends ? t_.step_frame : row_ends ? t_.step_row : t_.step_x, end_ + kFreed});
}

void Engine::pump() {
  out->flush();
  while (!results_.empty()) {
    const Clock taken = out->offer(results_.valid());
    if (taken == kUnknown) return;
    results_.pop(taken);
    if (--beats_left_ > 0) continue;
    beats_left_ = t_.group_beats;
    credits_.push(taken + 1);
  }
}

void Engine::run() {
  if (t_.shared) {
    while (step_shared()) {
    }
  } else {
    for (Clock window = window_complete(); window != kUnknown; window = window_complete()) {
      const Clock credit = has_credit();
      if (credit == kUnknown) break;
      start_group(std::max({end_ + 1, window, credit}), window);
    }
  }
  pump();
  if (refused_ && (t_.shared ? taken_ != kUnknown : room() != kUnknown)) {
    refused_ = false;
    wake_senders();
  }
}

/// A buffer of a single port (rtl/layer/window_reader, SHARED): a word that waits and has room is written before a group starts, but not in
/// the clock after a word of the program. True when something was decided.
bool Engine::step_shared() {
  undecided_ = kUnknown;
  if (taken_ != kUnknown) return false;  // its sender must hear of it first
  cursor_ = std::max(cursor_, end_ + 1);
  const Clock window = window_complete(), since = room();
  const Clock credit = window == kUnknown ? kUnknown : has_credit();
  const Clock start = window == kUnknown || credit == kUnknown ? kUnknown : std::max({cursor_, window, credit});
  // A word that has room: when it is valid, it is the first thing to be done.
  if (since != kUnknown && offered_ != kUnknown) {
    const Clock waits = std::max({offered_, since, cursor_});
    if (start == kUnknown || waits <= start) {
      if (start == kUnknown && window != kUnknown && waits > std::max(cursor_, window) && !settled_) {  // a group might start before, if its credit comes
        undecided_ = waits;
        return false;
      }
      taken_ = waits == end_ + 1 && end_ >= 0 ? waits + 1 : waits;
      cursor_ = taken_ + 1;
      offered_ = kUnknown;
      settled_ = false;
      return true;
    }
  }
  if (start == kUnknown) return false;
  // Nothing waits at `start` if there is no room then, or if the next word is known to come later.
  const bool is_full = since == kUnknown || since > start;
  const bool comes_later = offered_ != kUnknown && std::max(offered_, since) > start;
  if (!is_full && !comes_later && !settled_) {
    undecided_ = start;
    return false;
  }
  settled_ = false;
  start_group(start, window);
  return true;
}

void Engine::decide() {
  settled_ = true;
  undecided_ = kUnknown;
  wake();
}

}  // namespace bitloom::system
