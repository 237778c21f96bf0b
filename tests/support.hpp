// What end-to-end tests share: a temporary folder, the `bitloom` command, and the optional folder of real models and data.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "catch2.hpp"
#include "core/files.hpp"
#include "core/process.hpp"
#include "core/resources.hpp"

namespace bitloom::test {

namespace fs = std::filesystem;

/// A folder of its own for a test, removed afterwards.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (fs::temp_directory_path() / "bitloom-test-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw Error(name, "cannot be made");
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const fs::path& path() const { return path_; }
  fs::path operator/(const std::string& name) const { return path_ / name; }

 private:
  fs::path path_;
};

struct CommandResult {
  int status = 0;
  std::string out, err;
};

/// Runs `bitloom` as a user would.
inline CommandResult bitloom_command(const std::vector<std::string>& args) {
  const char* program = std::getenv("BITLOOM");
  if (program == nullptr || *program == '\0')
    throw Error("BITLOOM", "the environment variable must name the bitloom program; run the test by ctest");
  const TemporaryFolder folder;
  CommandResult result;
  result.status = run(program, args, {.cwd = {}, .out = folder / "out", .err = folder / "err", .env = {}});
  result.out = read_text_file(folder / "out");
  result.err = read_text_file(folder / "err");
  return result;
}

/// The JSON that a command printed, which must have succeeded.
inline nlohmann::json json_of(const CommandResult& result) {
  INFO(result.err);
  REQUIRE(result.status == 0);
  return nlohmann::json::parse(result.out);
}

/// The netlists of a design that was placed, as Yosys made it and as it was placed, give golden's answers to so many of the digits.
inline void check_netlists(const std::string& design, int images) {
  for (const char* netlist : {"synthesized", "placed"}) {
    CAPTURE(netlist);
    const auto result = json_of(bitloom_command({"sim", design, "--data", "digits", "--images", std::to_string(images), "--netlist", netlist, "--json"}));
    CHECK(result.at("bit_exact") == true);
    CHECK(result.at("images") == images);
  }
}

inline fs::path digits_model(const std::string& name) { return resource("sw/train/models/" + name + ".onnx"); }

/// A file or folder of the optional folder of real models and data; empty, after saying so, where it is absent.
inline fs::path shared(const std::string& relative) {
  const char* root = std::getenv("BITLOOM_SHARED");
  const fs::path path = fs::path(root == nullptr ? "" : root) / relative;
  if (root != nullptr && fs::exists(path)) return path;
  WARN("skipped: " << relative << " is not here (set BITLOOM_SHARED to a folder that has it)");
  return {};
}

}  // namespace bitloom::test
