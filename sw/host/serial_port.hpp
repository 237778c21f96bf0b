// A serial port of this machine, or a pseudo-terminal: bytes out and in, with a deadline.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace bitloom::host {

/// What went wrong, as bitloom_host.h numbers it.
struct Failure {
  int status = 0;
  std::string text;
};

class SerialPort {
 public:
  /// Opens for this process alone, raw, 8N1. Throws Failure.
  SerialPort(const std::string& name, std::uint32_t baud);
  ~SerialPort();
  SerialPort(const SerialPort&) = delete;
  SerialPort& operator=(const SerialPort&) = delete;

  using Clock = std::chrono::steady_clock;
  /// Throws Failure when the port has gone or takes nothing until `deadline`.
  void write(const std::vector<std::uint8_t>& bytes, Clock::time_point deadline);
  /// What has come, at least one byte unless `deadline` passes first. Throws Failure when the port has gone.
  std::vector<std::uint8_t> read(Clock::time_point deadline);

 private:
  [[noreturn]] void gone(const std::string& why) const;
  /// Waits until the port is ready for `what` (POLLIN, POLLOUT); false at the deadline.
  bool wait(short what, Clock::time_point deadline) const;
  std::string name_;
  int file_ = -1;
};

}  // namespace bitloom::host
