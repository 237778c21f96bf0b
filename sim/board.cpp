#include "sim/board.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <random>
#include <vector>

#include "core/error.hpp"
#include "core/files.hpp"
#include "core/process.hpp"
#include "core/resources.hpp"
#include "emit/design.hpp"
#include "emit/loads.hpp"

namespace fs = std::filesystem;

namespace bitloom {
namespace {

/// board_top with three pins, and the results counted.
std::string pins_text(const BoardSimPins& pins) {
  const auto connect = [](const std::string& port, const std::string& signal) { return fmt::format("      .{}({})", port, signal); };
  std::string ports =
      connect(pins.clock, "clk") + ",\n" + connect(pins.uart_rx, pins.rx_inverted ? "!rx" : "rx") + ",\n" + connect(pins.uart_tx, "line");
  if (!pins.reset_button.empty()) ports += ",\n" + connect(pins.reset_button, pins.button_inverted ? "1'b1" : "1'b0");
  std::string flash;
  if (!pins.flash_cs.empty()) {
    flash = "    output wire flash_cs_n, flash_sck, flash_mosi,\n    input  wire flash_miso,\n";
    for (const auto& [port, signal] : {std::pair(pins.flash_cs, "flash_cs_n"), std::pair(pins.flash_sck, "flash_sck"),
                                       std::pair(pins.flash_mosi, "flash_mosi"), std::pair(pins.flash_miso, "flash_miso")})
      ports += ",\n" + connect(port, signal);
  }
  return fmt::format(R"(// Written by `bitloom board`: board_top as its simulation sees it.
`default_nettype none
module board_pins #(
    parameter int BAUD = 1000000
) (
    input  wire clk,
    input  wire rx,
    output wire tx,
{}    output wire frame  // a result leaves the core
);
  wire line;
  board_top #(.BAUD(BAUD)) top (
{}
  );
  assign tx = {}line;
  assign frame = top.out_valid && top.out_ready && top.out_last;
endmodule
`default_nettype wire
)",
                     flash, ports, pins.tx_inverted ? "!" : "");
}

class Descriptor {
 public:
  explicit Descriptor(int file) : file_(file) {}
  ~Descriptor() {
    if (file_ >= 0) ::close(file_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int operator*() const { return file_; }

 private:
  int file_;
};

/// A pseudo-terminal that hosts may open and close as they like.
class Terminal {
 public:
  explicit Terminal(const fs::path& link)
      : master_(::posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)), slave_(open_slave()), link_(link) {
    if (link_.empty()) return;
    std::error_code error;
    if (fs::is_symlink(link_)) fs::remove(link_, error);
    fs::create_symlink(name_, link_, error);
    if (error) throw Error(link_.string(), fmt::format("the link to {} cannot be made ({})", name_, error.message()));
  }
  ~Terminal() {
    std::error_code error;
    if (!link_.empty() && fs::read_symlink(link_, error) == name_) fs::remove(link_, error);
  }
  const std::string& name() const { return name_; }

  /// Bytes from the host; waits up to `milliseconds` for them.
  std::vector<std::uint8_t> read(int milliseconds) {
    struct pollfd port {
      *master_, POLLIN, 0
    };
    if (::poll(&port, 1, milliseconds) <= 0) return {};
    std::array<std::uint8_t, 4096> bytes{};
    const ssize_t count = ::read(*master_, bytes.data(), bytes.size());
    return count > 0 ? std::vector<std::uint8_t>(bytes.begin(), bytes.begin() + count) : std::vector<std::uint8_t>{};
  }
  /// A host that does not read loses what comes beyond the terminal's buffer, as with a real port.
  void write(const std::vector<std::uint8_t>& bytes) {
    for (std::size_t at = 0; at < bytes.size();) {
      const ssize_t count = ::write(*master_, bytes.data() + at, bytes.size() - at);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return;
      at += static_cast<std::size_t>(count);
    }
  }

 private:
  int open_slave() {
    if (*master_ < 0 || ::grantpt(*master_) != 0 || ::unlockpt(*master_) != 0)
      throw Error("pseudo-terminal", fmt::format("none can be had: {}", std::strerror(errno)));
    std::array<char, 128> name{};
    if (::ptsname_r(*master_, name.data(), name.size()) != 0) throw Error("pseudo-terminal", "has no name");
    name_ = name.data();
    // Kept open, so that a host that closes it is no end; and raw from the start.
    const int slave = ::open(name_.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC);
    struct termios settings {};
    if (slave < 0 || ::tcgetattr(slave, &settings) != 0) throw Error(name_, std::strerror(errno));
    ::cfmakeraw(&settings);
    ::tcsetattr(slave, TCSANOW, &settings);
    return slave;
  }
  std::string name_;
  Descriptor master_, slave_;
  fs::path link_;
};

/// Spoils bytes with a probability: a third flipped in some bits, a third dropped, a third joined by a random one.
class Noise {
 public:
  Noise(double probability, unsigned seed) : probability_(probability), random_(seed) {}
  std::vector<std::uint8_t> operator()(const std::vector<std::uint8_t>& bytes, std::int64_t& damaged) {
    if (probability_ <= 0) return bytes;
    std::vector<std::uint8_t> result;
    for (const std::uint8_t byte : bytes) {
      if (std::uniform_real_distribution<double>(0, 1)(random_) >= probability_) {
        result.push_back(byte);
        continue;
      }
      ++damaged;
      const auto kind = random_() % 3;
      if (kind == 0) result.push_back(static_cast<std::uint8_t>(byte ^ (1 + random_() % 255)));
      if (kind == 1) {
        result.push_back(static_cast<std::uint8_t>(random_()));
        result.push_back(byte);
      }
    }
    return result;
  }

 private:
  double probability_;
  std::mt19937 random_;
};

/// The loaded library.
class Library {
 public:
  explicit Library(const fs::path& file) : handle_(dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL)) {
    if (handle_ == nullptr) throw Error(file.string(), fmt::format("the simulation model cannot be loaded: {}", dlerror()));
  }
  ~Library() { dlclose(handle_); }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
  template <class Function>
  Function* get(const char* name) const {
    void* found = dlsym(handle_, name);
    if (found == nullptr) throw Error("simulation model", fmt::format("has no {}; delete it and run again", name));
    return reinterpret_cast<Function*>(found);
  }

 private:
  void* handle_;
};

}  // namespace

fs::path build_board_model(const fs::path& design_folder, const BoardSimPins& pins, int baud) {
  const nlohmann::json design = read_design(design_folder);
  for (const char* program : {"verilator", "make", "g++"}) require_program(program);
  const fs::path folder = fs::absolute(design_folder), build = folder / "build" / fmt::format("board-{}", baud);
  const fs::path library = build / "libbitloom_board.so";
  const std::string top = pins_text(pins);
  std::string print = tool_version("verilator") + "\n" + top + read_text_file(resource("sim/glue/board.cpp")) +
                      read_text_file(resource("sim/glue/flash_model.hpp"));
  std::vector<std::string> sources = design.at("sources");
  sources.insert(sources.end(), {"bitloom_core.sv", "board_top.sv"});
  for (const std::string& source : sources) print += read_text_file(folder / source);
  if (fs::exists(library) && fs::exists(build / "fingerprint") && read_text_file(build / "fingerprint") == print) return library;

  std::error_code error;
  fs::remove_all(build, error);
  fs::create_directories(build, error);
  if (error)
    throw Error(build.string(), fmt::format("the folder cannot be made ({}); the design folder must be writable", error.message()));
  write_file_atomically(build / "board_pins.sv", top);
  const fs::path log = build / "build.log";
  std::vector<std::string> args = {"--cc",       "--build",        "-j",          "2",
                                   "--exe",      "--top-module",   "board_pins",  fmt::format("-GBAUD={}", baud),
                                   "--x-assign", "unique",         "--x-initial", "unique",
                                   "-O3",        "-Wno-fatal",     "--Mdir",      build.string(),
                                   "-o",         library.string(), "-CFLAGS",     "-fPIC -std=c++17 -O2",
                                   "-LDFLAGS",   "-shared",        "-MAKEFLAGS",  "OPT_FAST=-O2"};
  if (!pins.flash_cs.empty()) args.insert(args.end(), {"-CFLAGS", "-DBITLOOM_FLASH"});
  args.push_back((build / "board_pins.sv").string());
  for (const std::string& source : sources) args.push_back(source);
  args.push_back(resource("sim/glue/board.cpp").string());
  const int status = run("verilator", args, {.cwd = folder, .out = log, .err = log, .env = {}});
  if (status != 0)
    throw Error("verilator", fmt::format("failed with status {} on {}; the log is {}:\n{}", status, design_folder.string(), log.string(),
                                         last_lines(log, 15)));
  write_file_atomically(build / "fingerprint", print);
  return library;
}

BoardSimResult run_board(const fs::path& library_file, const fs::path& design_folder, const BoardSimOptions& options) {
  using Clock = std::chrono::steady_clock;
  const Library library(library_file);
  const auto create = library.get<void*(unsigned, double)>("bitloom_board_create");
  const auto step = library.get<void(void*, long long, const std::uint8_t*, unsigned, unsigned*, std::uint8_t*, unsigned, unsigned*,
                                     long long*, long long*)>("bitloom_board_run");
  const auto busy = library.get<int(void*)>("bitloom_board_busy");
  const auto destroy = library.get<void(void*)>("bitloom_board_destroy");
  Terminal terminal(options.port_link.empty() ? fs::path() : fs::absolute(options.port_link));

  // Memory images are read by the initial blocks, in the first evaluation, relative to the design folder.
  const fs::path here = fs::current_path();
  fs::current_path(design_folder);
  const std::unique_ptr<void, void (*)(void*)> board(create(options.seed, options.clock_hz / options.baud), destroy);
  fs::current_path(here);
  if (read_design(design_folder).contains("loaded_weights")) {
    const std::vector<std::uint8_t> contents = read_file(design_folder / kWeightsFile);
    library.get<void(void*, const std::uint8_t*, unsigned, unsigned)>("bitloom_board_flash")(
        board.get(), contents.data(), static_cast<unsigned>(contents.size()), options.flash_offset);
  }

  // A clock of the board takes far longer here than there. While the line is quiet and nothing has happened for kQuiet clocks, the board's
  // time goes on in small steps, so that an idle board takes no processor.
  constexpr long long kStep = 2000, kQuiet = 200000;
  Noise noise_in(options.noise, options.seed), noise_out(options.noise, options.seed + 1);
  BoardSimResult result;
  std::vector<std::uint8_t> pending;
  long long clocks = 0, frames = 0, quiet = 0;
  auto last_byte = Clock::now();
  if (options.ready) options.ready(terminal.name());
  while (!options.stop || !options.stop()) {
    const bool idle = quiet > kQuiet && pending.empty();
    const std::vector<std::uint8_t> arrived = terminal.read(idle ? 20 : 0);
    result.bytes_in += static_cast<std::int64_t>(arrived.size());
    const std::vector<std::uint8_t> damaged = noise_in(arrived, result.damaged_in);
    pending.insert(pending.end(), damaged.begin(), damaged.end());
    const auto start = Clock::now();
    std::array<std::uint8_t, 1024> out{};
    unsigned used = 0, count = 0;
    const long long frames_before = frames;
    step(board.get(), kStep, pending.data(), static_cast<unsigned>(pending.size()), &used, out.data(), static_cast<unsigned>(out.size()),
         &count, &clocks, &frames);
    pending.erase(pending.begin(), pending.begin() + used);
    result.bytes_out += count;
    if (count > 0) terminal.write(noise_out({out.begin(), out.begin() + count}, result.damaged_out));
    result.seconds += std::chrono::duration<double>(Clock::now() - start).count();
    const bool moved = used > 0 || count > 0 || busy(board.get()) != 0 || frames != frames_before;
    quiet = moved ? 0 : quiet + kStep;
    if (moved) last_byte = Clock::now();
    if (options.frames > 0 && frames >= options.frames && Clock::now() - last_byte > std::chrono::seconds(1)) break;
  }
  result.clocks = clocks;
  result.frames = frames;
  return result;
}

}  // namespace bitloom
