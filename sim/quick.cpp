// Of the five seconds that a small design takes by Verilator's own makefile, four go into Verilator's runtime and optimization. Here the
// runtime is compiled once, its header is precompiled, and a design is one file at -O0.
#include "sim/quick.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "core/error.hpp"
#include "core/files.hpp"
#include "core/process.hpp"
#include "core/resources.hpp"
#include "emit/design.hpp"
#include "sim/model.hpp"

namespace fs = std::filesystem;

namespace bitloom {
namespace {

const std::vector<std::string> kFlags = {"-O0", "-fPIC", "-std=c++17", "-w"};

void step(const std::string& program, const std::vector<std::string>& args, const fs::path& folder, const fs::path& log) {
  const int status = run(program, args, {.cwd = folder, .out = log, .err = log, .env = {}});
  if (status != 0)
    throw Error(program,
                fmt::format("failed with status {} in {}; the log is {}:\n{}", status, folder.string(), log.string(), last_lines(log, 15)));
}

std::vector<std::string> with_flags(std::vector<std::string> args, const std::string& include) {
  args.insert(args.begin(), kFlags.begin(), kFlags.end());
  args.insert(args.end(), {"-I" + include, "-I" + include + "/vltstd"});
  return args;
}

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw Error(folder.string(), fmt::format("the folder cannot be made ({})", error.message()));
}

}  // namespace

void prepare_quick_runtime(const fs::path& folder) {
  require_program("verilator");
  require_program("g++");
  const fs::path target = fs::absolute(folder);
  if (fs::exists(target / "include")) return;
  const fs::path temporary = target.string() + fmt::format(".{}", ::getpid());
  make_folder(temporary);
  const fs::path log = temporary / "log";
  const int status =
      run("verilator", {"--getenv", "VERILATOR_ROOT"}, {.cwd = {}, .out = temporary / "root", .err = temporary / "root.err", .env = {}});
  std::string include = read_text_file(temporary / "root");
  while (!include.empty() && include.back() == '\n') include.pop_back();
  include += "/include";
  if (status != 0 || !fs::exists(include + "/verilated.cpp"))
    throw Error(include, "Verilator's runtime is not here; install Verilator with its C++ files");
  write_file_atomically(temporary / "runtime.hpp", std::string("#include <verilated.h>\n"));
  step("g++", with_flags({"-x", "c++-header", "runtime.hpp", "-o", "runtime.hpp.gch"}, include), temporary, log);
  // Verilator's own runtime is the same for all designs, so it is worth optimizing.
  for (const std::string part : {"verilated", "verilated_threads"}) {
    std::vector<std::string> args = with_flags({"-c", include + "/" + part + ".cpp", "-o", part + ".o"}, include);
    args[0] = "-O2";
    step("g++", args, temporary, log);
  }
  write_file_atomically(temporary / "include", include);
  std::error_code error;
  fs::rename(temporary, target, error);
  if (error && !fs::exists(target / "include")) throw Error(target.string(), fmt::format("cannot be made ({})", error.message()));
  fs::remove_all(temporary, error);  // another process was faster
}

fs::path build_quick_model(const fs::path& design_folder, const fs::path& runtime) {
  const nlohmann::json design = read_design(design_folder);
  const fs::path here = fs::absolute(design_folder), build = here / "build" / "quick", shared = fs::absolute(runtime);
  const fs::path library = build / "libbitloom_core.so", log = build / "build.log";
  std::string print = read_text_file(here / "bitloom_core.sv");
  for (const auto& source : design.at("sources")) print += read_text_file(here / source.get<std::string>());
  if (fs::exists(library) && read_text_file(build / "fingerprint") == print) return library;

  std::error_code error;
  fs::remove_all(build, error);
  make_folder(build);
  std::vector<std::string> args = {"--cc",           "--top-module", "bitloom_core", "-DBITLOOM_PROBES", "--x-assign", "unique",
                                   "--x-initial",    "unique",       "-O3",          "-Wno-fatal",       "--Mdir",     build.string(),
                                   "bitloom_core.sv"};
  for (const auto& source : design.at("sources")) args.push_back(source.get<std::string>());
  step("verilator", args, here, log);
  std::vector<std::string> parts;
  for (const auto& entry : fs::directory_iterator(build))
    if (entry.path().extension() == ".cpp") parts.push_back(entry.path().filename().string());
  std::sort(parts.begin(), parts.end());
  std::string text;
  for (const std::string& part : parts) text += fmt::format("#include \"{}\"\n", part);
  text += fmt::format("#include \"{}\"\n", resource("sim/glue/model.cpp").string());
  write_file_atomically(build / "one.cc", text);
  const std::string include = read_text_file(shared / "include");
  std::vector<std::string> compile = port_options(design);
  compile.insert(compile.end(), {"-include", (shared / "runtime.hpp").string(), "-I.", "-shared", "one.cc", (shared / "verilated.o").string(),
                                 (shared / "verilated_threads.o").string(), "-o", library.string()});
  step("g++", with_flags(std::move(compile), include), build, log);
  write_file_atomically(build / "fingerprint", print);
  return library;
}

}  // namespace bitloom
