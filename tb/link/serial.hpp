// SPDX-License-Identifier: Apache-2.0
// The other end of a serial line, 8N1: an agent that sends queued bytes and one that receives, with a clock of their own, a little off.
#pragma once

#include <cmath>

#include "bench.hpp"

namespace bench {

/// Drives the line; each bit lasts `clocks_per_bit` clocks, which need not be whole.
class SerialSender : public Agent {
 public:
  template <class Model>
  SerialSender(Dut<Model>& dut, Port line, double clocks_per_bit) : line_(std::move(line)), clocks_per_bit_(clocks_per_bit) {
    dut.attach(*this);
    line_.set(true);
  }
  void send(std::uint8_t byte, bool stop_bit = true) {
    bits_.push_back(false);
    for (int i = 0; i < 8; ++i) bits_.push_back(byte >> i & 1);
    bits_.push_back(stop_bit);
  }
  /// Holds the line high for so many bit times.
  void idle(int bit_times) { bits_.insert(bits_.end(), static_cast<std::size_t>(bit_times), true); }
  bool done() const { return bits_.empty(); }
  void drive() override {
    if (bits_.empty()) {
      line_.set(true);
      return;
    }
    line_.set(bits_.front());
    time_ += 1.0;
    if (time_ >= clocks_per_bit_) {
      time_ -= clocks_per_bit_;
      bits_.pop_front();
    }
  }
  void reset() override {
    bits_.clear();
    line_.set(true);
  }

 private:
  Port line_;
  double clocks_per_bit_, time_ = 0.0;
  std::deque<bool> bits_;
};

/// Receives bytes by sampling mid-bit; a missing stop bit is an error.
class SerialReceiver : public Agent {
 public:
  template <class Model>
  SerialReceiver(Dut<Model>& dut, Port line, double clocks_per_bit) : line_(std::move(line)), clocks_per_bit_(clocks_per_bit) {
    dut.attach(*this);
  }
  const std::vector<std::uint8_t>& received() const { return received_; }
  void observe(std::uint64_t cycle) override {
    const bool level = line_.high();
    if (bit_ < 0) {
      if (level) return;
      bit_ = 0;
      since_start_ = 0.0;
      byte_ = 0;
    }
    if (since_start_ >= (bit_ + 0.5) * clocks_per_bit_ - 0.5) {
      if (bit_ == 0 && level) throw BenchError("serial line: start bit too short, cycle " + std::to_string(cycle));
      if (bit_ >= 1 && bit_ <= 8 && level) byte_ = static_cast<std::uint8_t>(byte_ | 1u << (bit_ - 1));
      if (bit_ == 9) {
        if (!level) throw BenchError("serial line: no stop bit, cycle " + std::to_string(cycle));
        received_.push_back(byte_);
        bit_ = -2;
      }
      ++bit_;
    }
    since_start_ += 1.0;
  }
  void reset() override { bit_ = -1; }

 private:
  Port line_;
  double clocks_per_bit_, since_start_ = 0.0;
  int bit_ = -1;  // start bit 0, data 1 to 8, stop bit 9; -1: idle
  std::uint8_t byte_ = 0;
  std::vector<std::uint8_t> received_;
};

}  // namespace bench
