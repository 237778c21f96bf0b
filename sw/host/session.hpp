// The host's side of docs/protocol.md: one request at a time, repeated until it is answered.
#pragma once

#include <deque>
#include <functional>

#include "host/bitloom_host.h"
#include "host/packets.hpp"
#include "host/serial_port.hpp"

namespace bitloom::host {

class Session {
 public:
  /// Opens the port, reads the hello, resets the board. Throws Failure.
  Session(const std::string& port, std::uint32_t baud, std::chrono::milliseconds patience);

  const bitloom_hello& hello() const { return hello_; }
  const bitloom_statistics& statistics() const { return statistics_; }
  std::size_t image_bytes() const;
  std::size_t result_bytes() const;

  /// `done` follows the number of complete results. Throws Failure.
  void infer(const std::uint8_t* images, std::size_t count, std::uint8_t* results, std::size_t& done,
             const std::function<bool(std::size_t)>& go_on);
  void reset();
  bitloom_counters counters();

 private:
  using Clock = SerialPort::Clock;
  enum class Answer { Reply, Overrun, BadSequence };

  /// Sends a request until its reply is there. `shrink` may make the payload smaller before each repetition.
  Answer ask(Type type, std::uint8_t number, Bytes payload, Packet& reply, const std::function<void(Bytes&)>& shrink = {});
  /// The next packet, or none until `deadline`; counts damage.
  std::optional<Packet> next(Clock::time_point deadline, bool& damaged);
  void learn_pace(std::size_t bytes, Clock::duration taken);
  Clock::duration time_for(std::size_t bytes) const;
  void read_hello();

  SerialPort port_;
  std::string name_;
  std::chrono::milliseconds patience_;
  Reader reader_;
  std::deque<Packet> arrived_;
  bitloom_hello hello_{};
  std::uint8_t weights_ = 0;  // of the hello: 0 in place, 1 being loaded, 2 not to be found
  bitloom_statistics statistics_{};
  std::uint8_t number_ = 0;      ///< of the last exchange, and of other requests
  double seconds_per_byte_ = 0;  ///< smoothed over answered requests; 0: not known yet
  std::size_t chunk_ = 0;        ///< bytes of an exchange at most; follows the noise
  int clean_exchanges_ = 0;
};

}  // namespace bitloom::host
