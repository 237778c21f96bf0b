#include "host/serial_port.hpp"

#include <asm/termbits.h>
#include <fcntl.h>
#include <linux/serial.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "host/bitloom_host.h"

namespace bitloom::host {

SerialPort::SerialPort(const std::string& name, std::uint32_t baud) : name_(name) {
  file_ = ::open(name.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  if (file_ < 0) {
    std::string text = name + ": cannot be opened: " + std::strerror(errno);
    if (errno == EACCES) text += "; your user may have to be in the group dialout";
    if (errno == ENOENT) text += "; is the board plugged in?";
    throw Failure{BITLOOM_NO_PORT, text};
  }
  const auto fail = [&](const std::string& text) {
    ::close(file_);
    throw Failure{BITLOOM_NO_PORT, name + ": " + text};
  };
  if (::isatty(file_) == 0) fail("is no serial port");
  if (::flock(file_, LOCK_EX | LOCK_NB) != 0) fail("another program uses this port");
  // termios2 takes any baud rate, termios only those of a list.
  struct termios2 settings {};
  if (::ioctl(file_, TCGETS2, &settings) != 0) fail(std::string("its settings cannot be read: ") + std::strerror(errno));
  settings.c_iflag = 0;
  settings.c_oflag = 0;
  settings.c_lflag = 0;
  settings.c_cflag = CS8 | CREAD | CLOCAL | BOTHER;
  settings.c_ispeed = settings.c_ospeed = baud;
  settings.c_cc[VMIN] = 0;
  settings.c_cc[VTIME] = 0;
  if (::ioctl(file_, TCSETS2, &settings) != 0) fail("does not take " + std::to_string(baud) + " baud: " + std::strerror(errno));
  // FTDI's bridges hold bytes back for 16 ms unless asked not to; ports that know nothing of it refuse, which is no harm.
  struct serial_struct line {};
  if (::ioctl(file_, TIOCGSERIAL, &line) == 0) {
    line.flags |= ASYNC_LOW_LATENCY;
    (void)::ioctl(file_, TIOCSSERIAL, &line);
  }
  (void)::ioctl(file_, TCFLSH, TCIOFLUSH);
}

SerialPort::~SerialPort() { ::close(file_); }

void SerialPort::gone(const std::string& why) const {
  throw Failure{BITLOOM_GONE, name_ + ": the port has gone (" + why + "); was the board unplugged?"};
}

bool SerialPort::wait(short what, Clock::time_point deadline) const {
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::microseconds>(deadline - Clock::now()).count();
    struct pollfd port {
      file_, what, 0
    };
    const int ready = ::poll(&port, 1, left <= 0 ? 0 : static_cast<int>(std::min<long long>(left / 1000 + 1, 1000)));
    if (ready < 0 && errno != EINTR) gone(std::strerror(errno));
    if (ready > 0 && (port.revents & what) != 0) return true;
    if (ready > 0 && (port.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0) gone("hang-up");
    if (ready <= 0 && left <= 0) return false;
  }
}

void SerialPort::write(const std::vector<std::uint8_t>& bytes, Clock::time_point deadline) {
  for (std::size_t at = 0; at < bytes.size();) {
    const ssize_t count = ::write(file_, bytes.data() + at, bytes.size() - at);
    if (count > 0) {
      at += static_cast<std::size_t>(count);
    } else if (count < 0 && errno != EAGAIN && errno != EINTR) {
      gone(std::strerror(errno));
    } else if (!wait(POLLOUT, deadline)) {
      throw Failure{BITLOOM_SILENT, name_ + ": takes no bytes"};
    }
  }
}

std::vector<std::uint8_t> SerialPort::read(Clock::time_point deadline) {
  std::array<std::uint8_t, 4096> bytes{};
  while (wait(POLLIN, deadline)) {
    const ssize_t count = ::read(file_, bytes.data(), bytes.size());
    if (count > 0) return {bytes.begin(), bytes.begin() + count};
    if (count == 0) gone("end of file");
    if (errno != EAGAIN && errno != EINTR) gone(std::strerror(errno));
  }
  return {};
}

}  // namespace bitloom::host
