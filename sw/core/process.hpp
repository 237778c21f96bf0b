// Running other programs: Yosys, nextpnr, Verilator, compilers. Nothing is passed through a shell.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace bitloom {

struct RunOptions {
  std::filesystem::path cwd;  ///< working folder; empty: the caller's
  std::filesystem::path out;  ///< file that receives stdout; empty: the caller's stdout
  std::filesystem::path err;  ///< file that receives stderr; empty: the caller's stderr; equal to `out`: both go to one file, in order
  std::vector<std::pair<std::string, std::string>> env;  ///< variables added to the caller's environment, or replacing its own
};

/// Runs `program` (a name looked up on PATH, or a path) and waits for it. stdin is empty.
/// Returns its exit status, or 128 + signal when a signal ended it. Relative `out` and `err` belong to the caller's folder, not to `cwd`.
/// Throws Error when the program is missing (naming the package to install) or cannot be started, or when a log cannot be written.
int run(const std::string& program, const std::vector<std::string>& args, const RunOptions& options = {});

/// Where `name` is on PATH; a name with a slash is taken as a path. Empty when there is no such executable.
std::optional<std::filesystem::path> find_program(const std::string& name);

/// As find_program, but throws Error("yosys", "not found on PATH; install it with: apt-get install yosys").
std::filesystem::path require_program(const std::string& name);

/// The first line that `name` prints about its version, such as "Yosys 0.52 (git sha1 fee39a328)". Throws Error when the program is
/// missing.
std::string tool_version(const std::string& name);

/// The last `lines` lines of a text file, for error messages; "" when it cannot be read.
std::string last_lines(const std::filesystem::path& file, int lines);

}  // namespace bitloom
