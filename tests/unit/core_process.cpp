// Running programs: exit status, folders, logs, environment, and what is said when a program is missing.
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "catch2.hpp"
#include "core/error.hpp"
#include "core/process.hpp"

using namespace bitloom;
namespace fs = std::filesystem;

namespace {

struct Folder {
  fs::path path = fs::temp_directory_path() / fmt::format("bitloom_process_{}", getpid());
  Folder() { fs::create_directories(path / "inner"); }
  ~Folder() { fs::remove_all(path); }
};

std::string text_of(const fs::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("the exit status and a signal come back") {
  CHECK(run("true", {}) == 0);
  CHECK(run("sh", {"-c", "exit 7"}) == 7);
  CHECK(run("sh", {"-c", "kill -9 $$"}) == 137);
}

TEST_CASE("arguments reach the program as they are: no shell reads them") {
  const Folder folder;
  RunOptions options;
  options.out = folder.path / "out.txt";
  CHECK(run("printf", {"%s|", "a b", "$HOME", "*", ""}, options) == 0);
  CHECK(text_of(options.out) == "a b|$HOME|*||");
}

TEST_CASE("stdout and stderr go to two logs or to one, in order") {
  const Folder folder;
  RunOptions options;
  options.out = folder.path / "out.txt";
  options.err = folder.path / "err.txt";
  CHECK(run("sh", {"-c", "echo one; echo two >&2; echo three"}, options) == 0);
  CHECK(text_of(options.out) == "one\nthree\n");
  CHECK(text_of(options.err) == "two\n");
  options.err = options.out;
  CHECK(run("sh", {"-c", "echo one; echo two >&2; echo three"}, options) == 0);
  CHECK(text_of(options.out) == "one\ntwo\nthree\n");
}

TEST_CASE("the working folder and the environment are the child's; the caller's stay") {
  const Folder folder;
  const fs::path before = fs::current_path();
  RunOptions options;
  options.cwd = folder.path / "inner";
  options.out = folder.path / "out.txt";
  options.env = {{"BITLOOM_PROBE", "x=y"}};
  CHECK(run("sh", {"-c", "basename \"$PWD\"; echo $BITLOOM_PROBE; test -n \"$PATH\" && echo path"}, options) == 0);
  CHECK(text_of(options.out) == "inner\nx=y\npath\n");
  CHECK(fs::current_path() == before);
}

TEST_CASE("stdin is empty, so that a program never waits for the terminal") { CHECK(run("sh", {"-c", "read x && exit 1; exit 0"}) == 0); }

TEST_CASE("a missing program, folder or log folder is named, with what to do") {
  const Folder folder;
  CHECK_THROWS_WITH(run("no_such_tool", {}), "no_such_tool: not found on PATH; install it with: apt-get install no_such_tool");
  CHECK_FALSE(find_program("no_such_tool"));
  CHECK_THROWS_WITH(run("./no/such/tool", {}), contains_text("no such executable"));
  RunOptions options;
  options.cwd = folder.path / "nowhere";
  CHECK_THROWS_WITH(run("true", {}, options), contains_text("nowhere"));
  options.cwd.clear();
  options.out = folder.path / "nowhere" / "log.txt";
  CHECK_THROWS_WITH(run("true", {}, options), contains_text("cannot be written"));
  // A folder on PATH with the program's name is not a program.
  CHECK_FALSE(find_program((folder.path / "inner").string()));
}

TEST_CASE("programs are found where PATH says, and the version is one line") {
  const auto shell = find_program("sh");
  REQUIRE(shell);
  CHECK(shell->is_absolute());
  CHECK(require_program("sh") == *shell);
  if (find_program("yosys")) CHECK_THAT(tool_version("yosys"), contains_text("Yosys 0."));
  if (find_program("nextpnr-ice40")) CHECK_THAT(tool_version("nextpnr-ice40"), contains_text("nextpnr-ice40 0."));
  CHECK_THROWS_WITH(tool_version("no_such_tool"), contains_text("not found on PATH"));
}

TEST_CASE("the last lines of a log") {
  const Folder folder;
  std::ofstream(folder.path / "log") << "a\nb\nc\n";
  CHECK(last_lines(folder.path / "log", 2) == "b\nc");
  CHECK(last_lines(folder.path / "log", 9) == "a\nb\nc");
  CHECK(last_lines(folder.path / "none", 3).empty());
}
