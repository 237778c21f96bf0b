// A simulated board in the background of a test.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "support.hpp"

extern char** environ;

namespace bitloom::test {

/// `bitloom board` in the background, until its end or the test's: setpriv (util-linux) has the kernel end it where the test itself is killed.
class RunningBoard {
 public:
  RunningBoard(const fs::path& folder, const std::string& design, const std::vector<std::string>& more)
      : log_(folder / "board.log"), port_((folder / "port").string()) {
    std::vector<std::string> args = {"setpriv", "--pdeathsig", "KILL", std::getenv("BITLOOM"), "board", "--design", design, "--port-link", port_};
    args.insert(args.end(), more.begin(), more.end());
    std::vector<char*> argv;
    for (std::string& arg : args) argv.push_back(arg.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, log_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    REQUIRE(posix_spawnp(&process_, argv[0], &actions, nullptr, argv.data(), environ) == 0);
    posix_spawn_file_actions_destroy(&actions);
    for (int i = 0; i < 2400 && log().find("port: ") == std::string::npos; ++i) {
      if (::waitpid(process_, &status_, WNOHANG) == process_) {
        process_ = 0;
        FAIL("the board ended: " << log());
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    REQUIRE(log().find("port: " + port_) != std::string::npos);
  }
  ~RunningBoard() { end(SIGKILL); }
  RunningBoard(const RunningBoard&) = delete;
  RunningBoard& operator=(const RunningBoard&) = delete;

  const std::string& port() const { return port_; }
  std::string log() const { return fs::exists(log_) ? read_text_file(log_) : ""; }
  /// Its exit status, or 128 + signal.
  int end(int signal) {
    if (process_ == 0) return -1;
    if (signal != 0) ::kill(process_, signal);
    ::waitpid(process_, &status_, 0);
    process_ = 0;
    return WIFEXITED(status_) ? WEXITSTATUS(status_) : 128 + WTERMSIG(status_);
  }

 private:
  fs::path log_;
  std::string port_;
  pid_t process_ = 0;
  int status_ = 0;
};

}  // namespace bitloom::test
