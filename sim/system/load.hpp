// What modules with a program did with their time.
#pragma once

#include <cstdint>
#include <vector>

namespace bitloom::system {

/// In the time of one frame.
struct FrameLoad {
  std::int64_t busy = 0, starved = 0, stalled = 0;  ///< clocks
};

class Worker {
 public:
  virtual ~Worker() = default;
  /// Of every frame that was begun.
  virtual const std::vector<FrameLoad>& loads() const = 0;
};

}  // namespace bitloom::system
