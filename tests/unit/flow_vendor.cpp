// Projects for vendor tools: complete, and Tcl that parses with the tool's commands stubbed. Mapping by Yosys is tests/e2e/vendor.cpp.
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "catch2.hpp"
#include "core/error.hpp"
#include "core/files.hpp"
#include "core/process.hpp"
#include "flow/boards.hpp"
#include "flow/vendor.hpp"

using namespace bitloom;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

struct Folder {
  fs::path path = fs::temp_directory_path() / fmt::format("bitloom_vendor_{}", getpid());
  explicit Folder(const std::string& board) {
    fs::remove_all(path);
    fs::create_directories(path / "rtl");
    fs::create_directories(path / "mem");
    std::ofstream(path / "rtl/layer.sv") << "module layer; endmodule\n";
    std::ofstream(path / "mem/layer_weights.mem") << "00\n";
    std::ofstream(path / "bitloom_core.sv") << "module bitloom_core; endmodule\n";
    std::ofstream(path / "board_top.sv") << "module board_top; endmodule\n";
    std::ofstream(path / "design.json")
        << json{{"name", "small"}, {"board", board}, {"sources", {"rtl/layer.sv"}}, {"layers", json::array()}}.dump();
  }
  ~Folder() { fs::remove_all(path); }
};

}  // namespace

TEST_CASE("a vendor project names no file that is missing, and its Tcl parses") {
  for (const std::string& name : list_boards()) {
    const Board board = load_board(name);
    const std::string tool = family(board.family, name).vendor_tool;
    if (tool.empty()) continue;
    CAPTURE(name, tool);
    const Folder design(name);
    const VendorProject project = write_vendor_project(design.path, tool);
    for (const std::string& file : project.files) CHECK(fs::is_regular_file(project.folder / file));
    const std::string build = read_text_file(project.folder / "build.tcl");
    for (const char* file : {"src/layer.sv", "src/bitloom_core.sv", "src/board_top.sv", "mem/layer_weights.mem"})
      CHECK_THAT(build, contains_text(file));
    CHECK_THAT(build, contains_text("set part    " + board.part));
    if (!find_program("tclsh")) {
      WARN("tclsh is missing (Debian: apt-get install tcl): the Tcl is not run");
      continue;
    }
    // Every command that Tcl does not know is the tool's: it is noted, and answers nothing.
    std::ofstream(design.path / "harness.tcl")
        << "proc unknown {args} { puts stderr \"CALL $args\"; return 0 }\n"
           "rename package {}\nproc package {args} {}\nset argv0 [lindex $argv 0]\ninfo script $argv0\nsource $argv0\n";
    for (const char* script : {"build.tcl", "report.tcl"}) {
      const fs::path log = design.path / "log";
      const int status = run("tclsh", {(design.path / "harness.tcl").string(), (project.folder / script).string()},
                             {.cwd = {}, .out = log, .err = log, .env = {}});
      CAPTURE(script, read_text_file(log));
      CHECK(status == 0);
      if (std::string(script) == "build.tcl") CHECK_THAT(read_text_file(log), contains_text("CALL"));
    }
    // A file that is missing is named before the tool starts.
    fs::remove(project.folder / "mem/layer_weights.mem");
    if (find_program("tclsh")) {
      const fs::path log = design.path / "log";
      CHECK(run("tclsh", {(design.path / "harness.tcl").string(), (project.folder / "build.tcl").string()},
                {.cwd = {}, .out = log, .err = log, .env = {}}) != 0);
      CHECK_THAT(read_text_file(log), contains_text("mem/layer_weights.mem is missing"));
    }
  }
}

TEST_CASE("a tool that does not serve the board is refused") {
  const Folder design("icebreaker");
  CHECK_THROWS_WITH(write_vendor_project(design.path, "vivado"), contains_text("does not know iCE40"));
  CHECK_THROWS_WITH(write_vendor_project(design.path, "ise"), contains_text("'ise' is not known"));
  CHECK(is_vendor_tool("quartus"));
  CHECK(!is_vendor_tool("open"));
  CHECK(!is_vendor_tool(""));
  CHECK_THROWS(is_vendor_tool("ise"));
}
