// A bundle of wires from one chip to another: what is put on comes out after some clocks, frame by frame delayed, damaged or lost at random, never out of order.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <random>

namespace bitloom {

struct LineOptions {
  int lanes = 1;             ///< beside valid
  int clocks_per_symbol = 1;
  int latency = 0;           ///< clocks
  double damage = 0;         ///< probability that a frame has a symbol with wrong bits
  double loss = 0;           ///< probability that a frame does not come at all
  double hold = 0;           ///< probability that a frame is held up,
  int hold_clocks = 100;     ///< for so many clocks at most
  std::uint32_t seed = 1;
};

class LineModel {
 public:
  explicit LineModel(const LineOptions& options) : options_(options), random_(options.seed) {}

  std::int64_t frames() const { return frames_; }
  std::int64_t damaged() const { return damaged_; }
  std::int64_t lost() const { return lost_; }
  std::int64_t held() const { return held_; }

  /// One clock: `in` is {valid, lanes} as put on, the result what arrives.
  std::uint32_t step(std::uint32_t in) {
    const bool valid = (in >> options_.lanes & 1U) != 0;
    if (valid && !was_valid_) begin_frame();
    if (valid) {
      if (!drop_) under_way_.push_back({now_ + delay_, disturbed(in)});
      ++length_;
    } else if (was_valid_) {
      last_length_ = length_;
      free_from_ = now_ + delay_ + options_.clocks_per_symbol;
    }
    was_valid_ = valid;
    std::uint32_t out = 0;
    if (!under_way_.empty() && under_way_.front().time == now_) {
      out = under_way_.front().value;
      under_way_.pop_front();
    }
    ++now_;
    return out;
  }

 private:
  struct Symbol {
    std::int64_t time;
    std::uint32_t value;
  };

  bool chance(double probability) { return static_cast<double>(random_()) < probability * 4294967296.0; }
  std::int64_t below(std::int64_t limit) { return static_cast<std::int64_t>(random_()) % limit; }

  void begin_frame() {
    ++frames_;
    length_ = 0;
    std::int64_t start = now_ + options_.latency;
    if (chance(options_.hold)) {
      ++held_;
      start += 1 + below(options_.hold_clocks);
    }
    delay_ = std::max(start, free_from_) - now_;  // behind what was put on before
    drop_ = chance(options_.loss);
    lost_ += drop_ ? 1 : 0;
    if (chance(options_.damage) && damage_at_ < 0) {
      damage_at_ = below(std::max<std::int64_t>(1, last_length_));
      wrong_bits_ = 1 + static_cast<std::uint32_t>(below((std::int64_t{2} << options_.lanes) - 1));  // valid may be wrong, too
    }
  }

  /// A frame that ends before its damage leaves it to the next.
  std::uint32_t disturbed(std::uint32_t in) {
    if (damage_at_ < 0 || length_ < damage_at_) return in;
    if (length_ == damage_at_) ++damaged_;
    if (length_ + 1 >= damage_at_ + options_.clocks_per_symbol) damage_at_ = -1;
    return in ^ wrong_bits_;
  }

  LineOptions options_;
  std::mt19937 random_;
  std::deque<Symbol> under_way_;
  bool was_valid_ = false, drop_ = false;
  std::int64_t now_ = 0, delay_ = 0, free_from_ = 0, length_ = 0, last_length_ = 8, damage_at_ = -1;
  std::uint32_t wrong_bits_ = 0;
  std::int64_t frames_ = 0, damaged_ = 0, lost_ = 0, held_ = 0;
};

}  // namespace bitloom
