// Yosys keeps each instance of bitloom_core as a module of its own until it is mapped to cells, and flattens only then: so every cell
// carries the name of the instance that it came from, and a layer's share of the chip is exact. The price is the optimization across
// instances: digits-w1a1 on the iCEBreaker takes 3,442 logic cells this way and 3,407 flattened from the start (Yosys 0.52, nextpnr 0.7,
// seed 1).
#include "flow/synth.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "core/error.hpp"
#include "core/files.hpp"
#include "core/process.hpp"
#include "core/resources.hpp"
#include "emit/design.hpp"
#include "flow/alone_top.hpp"
#include "flow/boards.hpp"
#include "flow/carry_ends.hpp"
#include "flow/floorplan.hpp"
#include "flow/netlist.hpp"
#include "flow/nextpnr.hpp"
#include "flow/output_registers.hpp"
#include "flow/packed_cells.hpp"
#include "flow/patch.hpp"
#include "flow/write_masks.hpp"

namespace bitloom {
namespace fs = std::filesystem;
using nlohmann::json;
namespace {

/// Everything that the steps share.
struct Job {
  fs::path folder;  ///< the design, absolute
  fs::path build;   ///< relative to it
  json design;
  Board board;
  SynthOptions options;
  double target_mhz = 0;
  const char* top() const { return options.alone ? kAloneTop : "board_top"; }
};

json read_json(const fs::path& file) {
  json value = json::parse(read_text_file(file), nullptr, false);
  if (value.is_discarded()) throw Error(file.string(), "is not valid JSON");
  return value;
}

/// Verilog files in reading order, as paths inside the design folder. They stand in a Yosys script: nothing that it would take apart may be
/// in a name.
std::vector<std::string> verilog_files(const Job& job) {
  std::vector<std::string> files;
  for (const json& source : job.design.at("sources")) files.push_back(source.get<std::string>());
  files.push_back("bitloom_core.sv");
  if (!job.options.alone) files.push_back("board_top.sv");
  for (const std::string& file : files) {
    const bool plain = std::all_of(file.begin(), file.end(),
                                   [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '-' || c == '.' || c == '/'; });
    if (!plain || file.empty() || file.front() == '/' || file.front() == '-' || file.find("..") != std::string::npos)
      throw Error((job.folder / "design.json").string(), fmt::format("the source '{}' is not a plain path inside the design folder", file));
    if (!fs::is_regular_file(job.folder / file)) throw Error((job.folder / file).string(), "no such file; compile the model again");
  }
  return files;
}

/// Runs a tool in the design folder; on failure the Error ends with the end of its log.
void run_tool(const Job& job, const std::string& tool, const std::vector<std::string>& args, const fs::path& log) {
  RunOptions options;
  options.cwd = job.folder;
  options.out = options.err = job.folder / log;
  const int status = run(tool, args, options);
  if (status == 0) return;
  const std::string full = tool.rfind("nextpnr", 0) == 0 ? overfull(read_text_file(job.folder / log)) : "";
  if (!full.empty())
    throw Error(
        job.design.at("name").get<std::string>(),
        fmt::format("the design does not fit {}: {}. Compile it with a smaller folding (--fps or --fit) or for a larger board; log: {}",
                    job.board.title, full, (job.folder / log).string()));
  throw Error(
      tool, fmt::format("failed with status {}; the end of {}:\n{}", status, (job.folder / log).string(), last_lines(job.folder / log, 8)));
}

/// Yosys commands: what ends in the cells of the board's family, flat, with everything below `top` kept apart until it is mapped.
/// `instances`: of the core, seen from `top`.
std::string mapping_script(const Job& job, const std::vector<std::string>& files, const std::string& top, const std::string& instances) {
  const Family& target = family(job.board.family, job.board.name);
  std::string script = fmt::format("read_verilog -lib {}\n", target.cells);
  for (const std::string& file : files) script += fmt::format("read_verilog -sv -defer {}\n", file);
  script += fmt::format("hierarchy -check -top {}\n", top);
  script += fmt::format("setattr -set keep_hierarchy 1 {}\n", instances);
  script += fmt::format("{} -top {}\n", target.synthesis, top);
  return script + "setattr -unset keep_hierarchy c:*\nflatten\nopt_clean\ncheck -assert\n";
}

void synthesize_netlist(const Job& job) {
  std::vector<std::string> files = verilog_files(job);
  if (job.options.alone) {
    files.push_back((job.build / "alone_top.sv").generic_string());
    write_file_atomically(job.folder / files.back(), alone_top(job.design));
  }
  for (std::string& file : files) {
    if (job.options.patchable && file == "rtl/rom.sv") {
      file = (job.build / "rom.sv").generic_string();
      write_file_atomically(job.folder / file, read_text_file(resource("sw/flow/patchable/rom_" + job.board.family + ".sv")));
    }
  }
  std::string script = mapping_script(job, files, job.top(), "bitloom_core/c:*");
  script += fmt::format("tee -q -o {0}/cells.json stat -json\nwrite_json {0}/netlist.json\n", job.build.generic_string());
  write_file_atomically(job.folder / job.build / "synth.ys", script);
  run_tool(job, "yosys", {"-s", (job.build / "synth.ys").string()}, job.build / "yosys.log");
}

std::string nextpnr_name(const Board& board) { return family(board.family, board.name).open_tool; }

/// What nextpnr writes and the packer reads, in the build folder.
std::string config_name(const Job& job) {
  if (job.options.patchable) return kPilotConfig;
  return job.board.family == "ice40" ? "design.asc" : "design.config";
}

/// Pilots for the ROM cells of a patchable netlist.
void place_pilots(const Job& job) {
  const fs::path file = job.folder / job.build / "netlist.json";
  json netlist = read_json(file);
  json& module = netlist.at("modules").at("board_top");
  std::map<std::string, RomWords> roms;
  for (const RomCell& cell : rom_cells(module)) {
    auto rom = roms.find(cell.rom);
    if (rom == roms.end()) rom = roms.emplace(cell.rom, read_rom(job.folder / cell.rom)).first;
    set_content(module.at("cells").at(cell.cell), cell_pilot(cell, rom->second));
  }
  if (roms.empty()) throw Error(job.design.at("name").get<std::string>(), "has no ROM with weights or thresholds; leave --patchable away");
  write_file_atomically(file, netlist.dump());
}

/// Cell counts by type after Yosys, before packing.
std::map<std::string, int> yosys_cells(const fs::path& file) {
  const json stat = read_json(file);
  std::map<std::string, int> cells;
  try {
    for (const auto& [type, count] : stat.at("design").at("num_cells_by_type").items())
      if (type.rfind('$', 0) != 0) cells[type] = count.get<int>();
  } catch (const json::exception& error) {
    throw Error(file.string(), fmt::format("is not what Yosys 0.52's stat -json writes ({})", error.what()));
  }
  return cells;
}

/// What the netlist of an ECP5 needs beyond Yosys: registers in the block RAMs and, where the design takes half of the chip's blocks or more, a floorplan of
/// them; with fewer the placer does well by itself.
void improve_block_rams(const Job& job) {
  const auto cells = yosys_cells(job.folder / job.build / "cells.json");
  const auto rams = cells.find("DP16KD");
  if (rams == cells.end()) return;
  const fs::path file = job.folder / job.build / "netlist.json";
  json netlist = read_json(file);
  json& module = netlist.at("modules").at(job.top());
  absorb_output_registers(module);
  if (2 * rams->second >= job.board.bram) order_block_rams(module, job.design);
  write_file_atomically(file, netlist.dump());
}

/// What the netlist of an iCE40 needs beyond Yosys.
void improve_ice40(json& module) {
  buffer_carry_ends(module);
  free_write_masks(module);
}

void improve_ice40(const Job& job) {
  const fs::path file = job.folder / job.build / "netlist.json";
  json netlist = read_json(file);
  improve_ice40(netlist.at("modules").at(job.top()));
  write_file_atomically(file, netlist.dump());
}

void place_and_route(const Job& job, std::uint32_t seed) {
  const auto in_build = [&](const char* name) { return (job.build / name).string(); };
  const std::string pins = fs::absolute(job.board.pins_file).string();
  std::vector<std::string> args{"--" + job.board.device,
                                "--package",
                                job.board.package,
                                "--json",
                                in_build("netlist.json"),
                                "--freq",
                                fmt::format("{}", job.target_mhz),
                                "--seed",
                                std::to_string(seed),
                                "--timing-allow-fail",
                                "--report",
                                in_build("timing.json"),
                                "--write",
                                in_build("placed.json")};
  const bool ice40 = job.board.family == "ice40";
  if (!job.options.alone)
    args.insert(args.end(), {ice40 ? "--pcf" : "--lpf", pins, ice40 ? "--asc" : "--textcfg", (job.build / config_name(job)).string()});
  if (!ice40) {
    if (job.options.alone) args.push_back("--lpf-allow-unconstrained");
    for (const char* script : {"sw/flow/trim_carry_chains.py", "sw/flow/floorplan_block_rams.py"})
      args.insert(args.end(), {"--pre-pack", resource(script).string()});
    if (!job.board.speed.empty()) args.insert(args.end(), {"--speed", job.board.speed});
  }
  // Where the links' wires go is the user's choice: nextpnr picks pins for those that the board's file does not place.
  if (job.design.contains("chip")) args.push_back(job.board.family == "ice40" ? "--pcf-allow-unconstrained" : "--lpf-allow-unconstrained");
  if (!job.options.router.empty()) args.insert(args.end(), {"--router", job.options.router});
  if (job.options.jobs > 1) args.insert(args.end(), {"--threads", std::to_string(job.options.jobs)});
  run_tool(job, nextpnr_name(job.board), args, job.build / "nextpnr.log");
}

/// Places with every seed, keeps the files of the fastest and returns each one's Fmax.
std::map<std::string, double> place_seeds(Job& job) {
  std::map<std::string, double> fmax;
  std::vector<std::string> results{"timing.json", "placed.json", "nextpnr.log"};
  if (!job.options.alone) results.push_back(config_name(job));
  const fs::path build = job.folder / job.build;
  const auto kept = [&](const std::string& name) { return build / ("fastest_" + name); };
  const std::uint32_t first = job.options.seed;
  double fastest = -1;
  for (std::uint32_t seed = first; seed < first + static_cast<std::uint32_t>(job.options.seeds); ++seed) {
    place_and_route(job, seed);
    const double reached = report_fmax(read_json(build / "timing.json"), (build / "timing.json").string());
    fmax[std::to_string(seed)] = reached;
    if (reached <= fastest) continue;
    fastest = reached;
    job.options.seed = seed;
    for (const std::string& name : results) fs::rename(build / name, kept(name));
  }
  for (const std::string& name : results) fs::rename(kept(name), build / name);
  return fmax;
}

/// The netlists that `bitloom sim --netlist` runs.
void write_netlists(const Job& job) {
  const json synthesized = read_netlist(job.folder / job.build / "netlist.json");
  const CoreNets nets = core_nets(synthesized, job.design, read_text_file(job.folder / "bitloom_core.sv"));
  const auto write = [&](const char* which, const char* from, const json& module) {
    write_netlist(job.folder, which, module, nets, job.board, job.design, (job.folder / job.build / from).string());
  };
  write("synthesized", "netlist.json", synthesized);
  write("placed", "placed.json", read_netlist(job.folder / job.build / "placed.json"));
}

std::string packer(const Board& board) { return board.family == "ice40" ? "icepack" : "ecppack"; }

/// Makes the bitstream and returns its path inside the design folder.
fs::path pack(const Job& job) {
  if (job.board.family == "ice40") {
    run_tool(job, "icepack", {(job.build / "design.asc").string(), (job.build / "design.bin").string()}, job.build / "pack.log");
    return job.build / "design.bin";
  }
  run_tool(job, "ecppack", {"--compress", "--input", (job.build / "design.config").string(), "--bit", (job.build / "design.bit").string()},
           job.build / "pack.log");
  return job.build / "design.bit";
}

CellUse available(const std::map<std::string, Utilization>& use, const Board& board) {
  const auto of = [&](const char* ice40, const char* ecp5) {
    const auto found = use.find(board.family == "ice40" ? ice40 : ecp5);
    return found == use.end() ? 0 : found->second.available;
  };
  return {of("ICESTORM_LC", "TRELLIS_COMB"), of("ICESTORM_LC", "TRELLIS_FF"), of("ICESTORM_RAM", "DP16KD"),
          of("ICESTORM_DSP", "MULT18X18D"), of("ICESTORM_SPRAM", "")};
}

Job job_for(const fs::path& design_folder) {
  Job job;
  job.folder = fs::absolute(design_folder).lexically_normal();
  job.design = read_design(design_folder);
  job.board = load_board(job.design.at("board").get<std::string>());
  job.build = fs::path("build") / "synth" / job.board.name;
  return job;
}

void make_build_folder(const Job& job) {
  std::error_code failed;
  fs::create_directories(job.folder / job.build, failed);
  if (failed) throw Error((job.folder / job.build).string(), fmt::format("cannot be made ({})", failed.message()));
}

void check_layers(const Job& job, const SynthResult& result) {
  for (const json& layer : job.design.at("layers")) {
    if (layer.value("weight_bits", 0) <= 0) continue;
    for (const LayerUse& use : result.layers)
      if (use.name == layer.at("name").get<std::string>() && use.use.lut4 == 0)
        throw Error(use.name,
                    fmt::format("this layer has weights but no logic is left of it: synthesis found that its output does not matter. "
                                "Look for constant or unconnected signals in {}",
                                (job.folder / job.build / "yosys.log").string()));
  }
}

SynthResult collect(const Job& job) {
  SynthResult result;
  result.design = job.design.at("name").get<std::string>();
  result.board = job.board.name;
  result.device = job.board.device;
  for (const std::string& tool : {std::string("yosys"), nextpnr_name(job.board), packer(job.board)})
    result.tools[tool] = tool_version(tool);
  result.seed = job.options.seed;
  result.target_mhz = job.target_mhz;
  result.clock_mhz = job.board.clock_mhz;
  const fs::path report_file = job.folder / job.build / "timing.json";
  const json report = read_json(report_file);
  result.fmax_mhz = report_fmax(report, report_file.string());
  const auto use = report_utilization(report, report_file.string());
  result.available = available(use, job.board);
  const json placed = read_placed(job.folder / job.build / "placed.json");
  result.instances = use_by_instance(placed, job.design);
  result.layers = use_by_layer(result.instances, job.design);
  for (const LayerUse& layer : result.layers) result.used += layer.use;
  // Two counts of the same thing: nextpnr's own, and ours by layer.
  const auto own = use.find(job.board.family == "ice40" ? "ICESTORM_LC" : "TRELLIS_COMB");
  if (own == use.end() || own->second.used != result.used.lut4)
    throw Error(report_file.string(),
                fmt::format("nextpnr counts {} logic cells, the placed netlist holds {}; this version of nextpnr is not supported",
                            own == use.end() ? 0 : own->second.used, result.used.lut4));
  result.yosys_cells = yosys_cells(job.folder / job.build / "cells.json");
  check_layers(job, result);
  if (!job.options.alone && result.fmax_mhz < result.clock_mhz)
    throw Error(
        result.design,
        fmt::format(
            "the routed clock reaches {:.2f} MHz, the board runs at {} MHz: this bitstream would not work. Try other seeds (--seed) or "
            "a smaller folding; critical paths: {}",
            result.fmax_mhz, result.clock_mhz, (job.folder / job.build / "nextpnr.log").string()));
  return result;
}

}  // namespace

SynthEstimate estimate_synthesis(const fs::path& design_folder) {
  const Job job = job_for(design_folder);
  if (*family(job.board.family, job.board.name).open_tool == '\0')
    throw Error("--estimate", fmt::format("{} has no open place and route that the estimate could stand for", job.board.title));
  require_program("yosys");
  make_build_folder(job);
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::string> files = verilog_files(job);
  std::erase(files, "board_top.sv");
  const fs::path cells = job.build / "estimate_cells.json", netlist = job.build / "estimate_netlist.json";
  write_file_atomically(job.folder / job.build / "estimate.ys", mapping_script(job, files, "bitloom_core", "bitloom_core/c:*") +
                                                                    fmt::format("tee -q -o {} stat -json\nwrite_json {}\n", cells.generic_string(),
                                                                                netlist.generic_string()));
  run_tool(job, "yosys", {"-s", (job.build / "estimate.ys").string()}, job.build / "estimate.log");
  SynthEstimate result;
  result.design = job.design.at("name").get<std::string>();
  result.board = job.board.name;
  result.device = job.board.device;
  result.yosys = tool_version("yosys");
  result.yosys_cells = yosys_cells(job.folder / cells);
  for (const auto& [type, count] : result.yosys_cells)
    for (int i = 0; i < count; ++i) result.used += mapped_cell_use(type);
  json mapped = read_placed(job.folder / netlist);
  json& core = mapped.at("modules").at("bitloom_core");
  if (job.board.family == "ice40") improve_ice40(core);
  result.instances = packed_by_instance(core, job.design);
  result.layers = use_by_layer(result.instances, job.design);
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::error_code ignored;
  for (const fs::path& file : {cells, netlist}) fs::remove(job.folder / file, ignored);
  write_file_atomically(job.folder / job.build / "estimate.json", to_json(result).dump(2) + "\n");
  return result;
}

SynthResult synthesize(const fs::path& design_folder, const SynthOptions& options) {
  if (options.frequency < 0) throw Error("--freq", "a positive number expected");
  if (options.jobs < 1 || options.seeds < 1) throw Error(options.jobs < 1 ? "--jobs" : "--seeds", "a positive number expected");
  if (options.alone && options.patchable) throw Error("--alone", "makes no bitstream that could be patched");
  Job job = job_for(design_folder);
  const std::string chosen = options.tool.empty() ? job.board.tool : options.tool;
  if (chosen != "open")
    throw Error("--tool", fmt::format("'{}' does not run here: for a project of it say bitloom synth {} --tool {}", chosen,
                                      design_folder.string(), chosen));
  if (*family(job.board.family, job.board.name).open_tool == '\0')
    throw Error("--tool", fmt::format("the open tools do not place {}; write a project for its own tool: bitloom synth {} --tool {}",
                                      job.board.title, design_folder.string(), family(job.board.family, job.board.name).vendor_tool));
  job.options = options;
  if (options.alone) job.build = fs::path("build") / "alone" / job.board.name;
  job.target_mhz = options.frequency > 0 ? options.frequency : job.board.clock_mhz;
  // All tools before the first long step.
  for (const std::string& tool : {std::string("yosys"), nextpnr_name(job.board), packer(job.board)}) require_program(tool);
  make_build_folder(job);
  std::error_code failed;
  for (const char* name : {"synth.json", kPilotConfig})
    fs::remove(job.folder / job.build / name, failed);  // old results must not outlive a failing run

  const auto step = [&](int number, const std::string& what) {
    if (options.progress) options.progress(number, 3, what);
  };
  const auto start = std::chrono::steady_clock::now();
  step(1, "synthesis (yosys)");
  synthesize_netlist(job);
  if (options.patchable) place_pilots(job);
  if (job.board.family == "ecp5") improve_block_rams(job);
  if (job.board.family == "ice40") improve_ice40(job);
  step(2, fmt::format("place and route ({})", nextpnr_name(job.board)));
  const std::map<std::string, double> fmax = place_seeds(job);
  SynthResult result = collect(job);
  result.fmax_by_seed = fmax;
  if (!options.alone) {
    step(3, fmt::format("bitstream ({})", packer(job.board)));
    if (!options.patchable && job.design.contains("boundaries")) write_netlists(job);  // else there are no streams to compare
    result.bitstream = options.patchable ? patch_bitstream(job.folder) : pack(job);
    result.bitstream_bytes = fs::file_size(job.folder / result.bitstream);
  }
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  for (const char* name : {"netlist.json", "placed.json", "cells.json", "timing.json", "design.asc", "design.config"}) {
    const bool for_patch = options.patchable && (std::string(name) == "netlist.json" || std::string(name) == "placed.json");
    if (!options.keep && !for_patch) fs::remove(job.folder / job.build / name, failed);
  }
  write_file_atomically(job.folder / job.build / "synth.json", to_json(result).dump(2) + "\n");
  return result;
}

}  // namespace bitloom
