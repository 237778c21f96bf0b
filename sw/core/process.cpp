#include "core/process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <fstream>
#include <map>
#include <random>
#include <sstream>

#include "core/error.hpp"

extern char** environ;

namespace bitloom {
namespace fs = std::filesystem;
namespace {

bool is_executable(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored) && access(path.c_str(), X_OK) == 0;
}

/// The Debian package that brings a program, where its name differs.
std::string package_of(const std::string& program) {
  static const std::map<std::string, std::string> packages{
      {"icepack", "fpga-icestorm"}, {"ecppack", "fpga-trellis"}, {"yosys-smtbmc", "yosys"}};
  const auto found = packages.find(program);
  return found == packages.end() ? program : found->second;
}

/// posix_spawn's own arguments, freed on every path.
class SpawnActions {
 public:
  SpawnActions() {
    if (posix_spawn_file_actions_init(&actions_) != 0) throw Error("", "out of memory while starting a program");
  }
  ~SpawnActions() { posix_spawn_file_actions_destroy(&actions_); }
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;
  void check(int status, const std::string& what) const {
    if (status != 0) throw Error(what, fmt::format("cannot be set up for a program: {}", std::strerror(status)));
  }
  void open(int descriptor, const fs::path& path, int flags) {
    check(posix_spawn_file_actions_addopen(&actions_, descriptor, path.c_str(), flags, 0644), path.string());
  }
  void copy(int from, int to) { check(posix_spawn_file_actions_adddup2(&actions_, from, to), "stderr"); }
  void change_folder(const fs::path& folder) { check(posix_spawn_file_actions_addchdir_np(&actions_, folder.c_str()), folder.string()); }
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

/// Pointers to the characters of `texts`, with the null pointer that ends an argument list.
std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

std::vector<std::string> environment_with(const std::vector<std::pair<std::string, std::string>>& extra) {
  std::map<std::string, std::string> variables;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string text(*entry);
    const std::size_t equals = text.find('=');
    if (equals != std::string::npos) variables[text.substr(0, equals)] = text.substr(equals + 1);
  }
  for (const auto& [name, value] : extra) variables[name] = value;
  std::vector<std::string> result;
  for (const auto& [name, value] : variables) result.push_back(name + "=" + value);
  return result;
}

/// A log that cannot be written would only show as "cannot spawn": say so before.
void check_writable(const fs::path& file) {
  if (file.empty()) return;
  if (!std::ofstream(file)) throw Error(file.string(), "cannot be written; check that its folder exists and is writable");
}

}  // namespace

std::optional<fs::path> find_program(const std::string& name) {
  if (name.empty()) return std::nullopt;
  if (name.find('/') != std::string::npos) return is_executable(name) ? std::optional<fs::path>(name) : std::nullopt;
  const char* path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "/usr/local/bin:/usr/bin:/bin" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    const fs::path candidate = fs::path(folder.empty() ? "." : folder) / name;
    if (is_executable(candidate)) return candidate;
  }
  return std::nullopt;
}

fs::path require_program(const std::string& name) {
  if (const auto found = find_program(name)) return *found;
  if (name.find('/') != std::string::npos) throw Error(name, "no such executable file");
  throw Error(name, fmt::format("not found on PATH; install it with: apt-get install {}", package_of(name)));
}

int run(const std::string& program, const std::vector<std::string>& args, const RunOptions& options) {
  // The program is resolved and made absolute here: a relative path would otherwise be looked for in options.cwd.
  const fs::path executable = fs::absolute(require_program(program));
  if (!options.cwd.empty() && !fs::is_directory(options.cwd)) throw Error(options.cwd.string(), "no such folder to run " + program + " in");
  check_writable(options.out);
  check_writable(options.err);

  SpawnActions actions;
  actions.open(STDIN_FILENO, "/dev/null", O_RDONLY);
  const int write_flags = O_WRONLY | O_CREAT | O_TRUNC | O_APPEND;
  if (!options.out.empty()) actions.open(STDOUT_FILENO, fs::absolute(options.out), write_flags);
  if (!options.err.empty() && options.err == options.out) {
    actions.copy(STDOUT_FILENO, STDERR_FILENO);
  } else if (!options.err.empty()) {
    actions.open(STDERR_FILENO, fs::absolute(options.err), write_flags);
  }
  if (!options.cwd.empty()) actions.change_folder(options.cwd);

  std::vector<std::string> arguments{program};
  arguments.insert(arguments.end(), args.begin(), args.end());
  std::vector<std::string> environment = environment_with(options.env);
  std::vector<char*> argument_pointers = pointers(arguments);
  std::vector<char*> environment_pointers = pointers(environment);

  pid_t child = 0;
  const int failed =
      posix_spawnp(&child, executable.c_str(), actions.get(), nullptr, argument_pointers.data(), environment_pointers.data());
  if (failed != 0) throw Error(program, fmt::format("cannot be started: {}", std::strerror(failed)));
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) throw Error(program, fmt::format("its exit status is lost: {}", std::strerror(errno)));
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

std::string tool_version(const std::string& name) {
  require_program(name);
  // icepack has no version option. nextpnr prints to stderr, others to stdout.
  const std::string program = fs::path(name).filename().string();
  if (program == "icepack" || program == "icetime") return program + " (prints no version)";
  const fs::path file = fs::temp_directory_path() / fmt::format("bitloom_version_{}_{:08x}.txt", getpid(), std::random_device{}());
  RunOptions options;
  options.out = options.err = file;
  run(name, {program.find("iverilog") == 0 ? "-V" : "--version"}, options);
  std::ifstream in(file);
  std::string line;
  while (std::getline(in, line) && line.find_first_not_of(" \t\r") == std::string::npos) {
  }
  in.close();
  std::error_code ignored;
  fs::remove(file, ignored);
  // nextpnr: "nextpnr-ice40" -- Next Generation Place and Route (Version 0.7-1+b2)
  const std::size_t version = line.find("(Version ");
  if (version != std::string::npos) return program + " " + line.substr(version + 9, line.find(')', version) - version - 9);
  return line;
}

std::string last_lines(const fs::path& file, int lines) {
  std::ifstream in(file);
  std::deque<std::string> kept;
  for (std::string line; std::getline(in, line);) {
    kept.push_back(line);
    if (static_cast<int>(kept.size()) > lines) kept.pop_front();
  }
  std::string text;
  for (const std::string& line : kept) text += (text.empty() ? "" : "\n") + line;
  return text;
}

}  // namespace bitloom
