// Modules with memory and no program: FIFOs, thresholds and requantizers (pipelines with a FIFO behind), pixel_order, map_upsample.
#pragma once

#include <vector>

#include "system/queue.hpp"
#include "system/stream.hpp"

namespace bitloom::system {

/// The words that stand in a stream_fifo, and when they can leave it: a register at the output, with a RAM in front beyond 8 words.
class FifoOutput {
 public:
  explicit FifoOutput(std::int64_t depth) : from_ram_(depth > 8) {}
  void reset() { words_.clear(), left_ = kUnknown; }
  bool empty() const { return words_.empty(); }
  void push(Clock written) { words_.push(written); }
  /// First clock in which the oldest word can leave.
  Clock valid() const {
    const Clock written = words_.front();
    return from_ram_ ? std::max(written + 1, left_) + 1 : std::max(written, left_) + 1;
  }
  void pop(Clock left) {
    left_ = left;
    words_.pop();
  }

 private:
  Queue<Clock> words_;  ///< when they were written
  Clock left_ = kUnknown;
  bool from_ram_;
};

/// The most words at once, from the clocks in which words enter and leave: told in any order of the two, each in its own.
class FillMeter {
 public:
  void reset() { entered_.clear(), left_.clear(), in_ = out_ = most_ = 0; }
  void enter(Clock clock) { entered_.push(clock), merge(); }
  void leave(Clock clock) { left_.push(clock), merge(); }
  std::int64_t most() const { return std::max(most_, in_ + static_cast<std::int64_t>(entered_.size()) - out_); }

 private:
  /// A word that enters in the clock in which another leaves finds its place still taken.
  void merge() {
    while (!entered_.empty() && !left_.empty()) {
      if (entered_.front() <= left_.front()) {
        entered_.pop();
        most_ = std::max(most_, ++in_ - out_);
      } else {
        left_.pop();
        ++out_;
      }
    }
  }
  Queue<Clock> entered_, left_;
  std::int64_t in_ = 0, out_ = 0, most_ = 0;
};

/// stream_fifo and skid_buffer; with `latency` the modules that let so many words in as their FIFO has room for: threshold_layer,
/// requantize_layer.
class Buffer final : public Active, public BeatTarget {
 public:
  Buffer(const sc_core::sc_module_name& name, std::int64_t depth, std::int64_t latency = 0);
  BeatTarget& input(std::size_t) override { return *this; }
  void reset() override;
  std::int64_t frame_out(const std::vector<std::int64_t>& frame_in) const override { return frame_in[0]; }
  std::int64_t memory() const override { return never_used_ > 0 ? most() : depth_; }  // until it is full, its depth does not matter
  Clock offer(Clock valid) override;
  void flush() override {}  // its process does

  std::int64_t depth() const { return depth_; }
  std::int64_t most() const { return fill_.most(); }
  void set_depth(std::int64_t depth) { depth_ = depth, words_ = FifoOutput(depth); }

 private:
  void run() override;
  void pump();
  std::int64_t depth_;
  const std::int64_t latency_;
  FifoOutput words_;
  std::int64_t never_used_ = 0;  ///< places
  Queue<Clock> free_;            ///< the others that are free, and from when on
  FillMeter fill_;
  bool refused_ = false, blocked_ = false;
};

/// pixel_order: two blocks, one written while the other is read. Of every `row` blocks the last has only `last` beats.
class PixelOrder final : public Active, public BeatTarget {
 public:
  struct Blocks {
    std::int64_t beats = 1, row = 1, last = 1;
  };
  PixelOrder(const sc_core::sc_module_name& name, const Blocks& blocks) : Active(name), blocks_(blocks) {}
  BeatTarget& input(std::size_t) override { return *this; }
  void reset() override;
  std::int64_t frame_out(const std::vector<std::int64_t>& frame_in) const override { return frame_in[0]; }
  std::int64_t memory() const override { return 2 * blocks_.beats; }
  Clock offer(Clock valid) override;
  void flush() override {}  // its process does

 private:
  void run() override;
  void pump();
  /// Counts a beat of one side. True: it is its block's last.
  struct Side {
    std::int64_t beat = 0, block = 0;
  };
  bool ends_block(Side& side) const;
  const Blocks blocks_;
  Queue<Clock> free_, filled_;  ///< blocks, and from when on
  Side written_, read_;         ///< the block in hand
  Clock start_ = 0, left_ = 0, valid_ = kUnknown;
  bool refused_ = false;
};

/// map_upsample: two rows, or two pixels, in a ring.
class Upsampler final : public Active, public BeatTarget {
 public:
  struct Shape {
    std::int64_t chunks = 1, width = 1, up_height = 1, up_width = 1;
  };
  Upsampler(const sc_core::sc_module_name& name, const Shape& shape) : Active(name), shape_(shape) {}
  BeatTarget& input(std::size_t) override { return *this; }
  void reset() override;
  std::int64_t frame_out(const std::vector<std::int64_t>& frame_in) const override {
    return frame_in[0] * shape_.up_height * shape_.up_width;
  }
  std::int64_t memory() const override { return depth(); }
  Clock offer(Clock valid) override;
  void flush() override {}  // its process does

 private:
  std::int64_t depth() const { return 2 * shape_.chunks * (shape_.up_height > 1 ? shape_.width : 1); }
  void run() override;
  void pump();
  void next();
  const Shape shape_;
  Queue<Clock> free_, arrived_;
  std::int64_t chunk_ = 0, copy_ = 0, x_ = 0, row_copy_ = 0;
  Clock left_ = 0, valid_ = kUnknown;
  bool refused_ = false;
};

}  // namespace bitloom::system
