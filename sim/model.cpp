#include "sim/model.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include "core/error.hpp"
#include "core/files.hpp"
#include "core/process.hpp"
#include "core/resources.hpp"
#include "emit/design.hpp"

namespace fs = std::filesystem;

namespace bitloom {
namespace {

constexpr const char* kFolders[] = {"sim", "sim-trace", "sim-activity"};  // by ModelKind

/// What the library is built from: when this text is the same, it need not be built again. Memory images are read at run time.
std::string fingerprint(const fs::path& folder, const nlohmann::json& design) {
  std::string text = tool_version("verilator") + "\n";
  text += read_text_file(resource("sim/glue/model.cpp"));
  for (const auto& source : design.at("sources")) text += read_text_file(folder / source.get<std::string>());
  return text + read_text_file(folder / "bitloom_core.sv");
}

}  // namespace

std::uint32_t Port::bits(int offset, int width) const {
  std::uint64_t value = 0;
  const int first = offset / 8;
  for (int i = (offset + width - 1) / 8; i >= first; --i) value = value << 8 | data_[i];
  return static_cast<std::uint32_t>((value >> (offset % 8)) & ((std::uint64_t{1} << width) - 1));
}

void Port::set_bits(int offset, int width, std::uint32_t value) {
  for (int i = 0; i < width; ++i) {
    const int at = offset + i;
    const auto mask = static_cast<std::uint8_t>(1U << (at % 8));
    data_[at / 8] = static_cast<std::uint8_t>(((value >> i) & 1U) != 0 ? data_[at / 8] | mask : data_[at / 8] & ~mask);
  }
}

std::vector<std::string> port_options(const nlohmann::json& design) {
  std::vector<std::string> options;
  if (design.contains("chip")) options.emplace_back("-DBITLOOM_CHIP");
  if (design.contains("loaded_weights")) options.emplace_back("-DBITLOOM_LOADS");
  if (!design.contains("input")) options.emplace_back("-DBITLOOM_NO_HOST");
  return options;
}

fs::path build_model(const fs::path& design_folder, ModelKind kind) {
  const nlohmann::json design = read_design(design_folder);
  require_program("verilator");
  require_program("make");
  require_program("g++");
  const fs::path build = fs::absolute(design_folder) / "build" / kFolders[static_cast<std::size_t>(kind)];
  const fs::path library = build / "libbitloom_core.so";
  const std::string print = fingerprint(design_folder, design);
  if (fs::exists(library) && fs::exists(build / "fingerprint") && read_text_file(build / "fingerprint") == print) return library;

  std::error_code error;
  fs::remove_all(build, error);
  fs::create_directories(build, error);
  if (error)
    throw Error(build.string(), fmt::format("the folder cannot be made ({}); the design folder must be writable", error.message()));
  const fs::path log = build / "build.log";
  const auto step = [&](const std::string& program, const std::vector<std::string>& args) {
    const int status = run(program, args, {.cwd = fs::absolute(design_folder), .out = log, .err = log, .env = {}});
    if (status != 0)
      throw Error(program, fmt::format("failed with status {} on {}; the log is {}:\n{}", status, design_folder.string(), log.string(),
                                       last_lines(log, 15)));
  };
  // A netlist of thousands of cells compiles for minutes at -O2, and is counted over some ten thousand clocks only.
  const std::string optimization = kind == ModelKind::counted ? "OPT_FAST=-O0 OPT_GLOBAL=-O2" : "OPT_FAST=-O2 OPT_GLOBAL=-O2";
  std::vector<std::string> args = {"--cc",       "--build",        "-j",           "2",
                                   "--exe",      "--top-module",   "bitloom_core", "-DBITLOOM_PROBES",
                                   "--x-assign", "unique",         "--x-initial",  "unique",
                                   "-O3",        "-Wno-fatal",     "--Mdir",       build.string(),
                                   "-o",         library.string(), "-CFLAGS",      "-fPIC -std=c++17",
                                   "-LDFLAGS",   "-shared",        "-MAKEFLAGS",   optimization};
  if (kind == ModelKind::traced) args.insert(args.end(), {"--trace-fst"});
  if (kind == ModelKind::counted) args.insert(args.end(), {"-DBITLOOM_ACTIVITY", "-CFLAGS", "-DBITLOOM_ACTIVITY"});
  for (const std::string& option : port_options(design)) args.insert(args.end(), {"-CFLAGS", option});
  args.push_back("bitloom_core.sv");
  for (const auto& source : design.at("sources")) args.push_back(source.get<std::string>());
  args.push_back(resource("sim/glue/model.cpp").string());
  step("verilator", args);
  write_file_atomically(build / "fingerprint", print);
  return library;
}

Model::Model(const fs::path& library, const fs::path& working_folder, unsigned seed, const fs::path& trace) {
  library_ = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library_ == nullptr) throw Error(library.string(), fmt::format("the simulation model cannot be loaded: {}", dlerror()));
  const auto create = reinterpret_cast<void* (*)(unsigned, const char*)>(dlsym(library_, "bitloom_create"));
  eval_ = reinterpret_cast<void (*)(void*)>(dlsym(library_, "bitloom_eval"));
  destroy_ = reinterpret_cast<void (*)(void*)>(dlsym(library_, "bitloom_destroy"));
  if (create == nullptr || eval_ == nullptr || destroy_ == nullptr)
    throw Error(library.string(), "is not a simulation model; delete it and run again");
  const std::string trace_file = trace.empty() ? "" : fs::absolute(trace).string();
  handle_ = create(seed, trace_file.empty() ? nullptr : trace_file.c_str());
  // Memory images are read by the initial blocks, in the first evaluation, relative to the design folder.
  const fs::path here = fs::current_path();
  fs::current_path(working_folder);
  eval();
  fs::current_path(here);
}

Model::~Model() {
  destroy_(handle_);
  dlclose(library_);
}

Port Model::port(const std::string& name) const {
  const auto port = reinterpret_cast<void* (*)(void*, const char*, unsigned*)>(dlsym(library_, "bitloom_port"));
  unsigned bytes = 0;
  void* data = port(handle_, name.c_str(), &bytes);
  if (data == nullptr) throw Error("simulation model", fmt::format("has no port {}", name));
  return {data, bytes};
}

}  // namespace bitloom
