// Modules that may have to know that something has not happened.
#pragma once

#include "system/stream.hpp"

namespace bitloom::system {

/// What such a module does in a clock depends on whether a beat has come by then. Mostly the beat's clock is known in time. Where it is not, the
/// module waits, and where nothing else moves any more, whatever is still unknown comes later than the earliest clock that waits so: all
/// that follows takes a clock at least. So that one may be decided.
class Deferring {
 public:
  virtual ~Deferring() = default;
  /// The first clock that cannot be decided because something is not known yet; kUnknown if there is none.
  virtual Clock undecided() const = 0;
  /// What is not known yet comes later than that clock.
  virtual void decide() = 0;
};

}  // namespace bitloom::system
