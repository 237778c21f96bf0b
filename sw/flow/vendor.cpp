#include "flow/vendor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/files.hpp"
#include "emit/design.hpp"
#include "flow/boards.hpp"

namespace bitloom {
namespace fs = std::filesystem;
namespace {

/// What a script is written from.
struct Project {
  std::string name;
  Board board;
  std::vector<std::string> sources, images, constraints;  ///< below the project's folder
};

std::string list(const std::vector<std::string>& files) {
  std::string text;
  for (const std::string& file : files) text += fmt::format("    {}\n", file);
  return text;
}

/// The beginning of each build script: where it runs, and the files as Tcl lists.
std::string heading(const Project& project, const std::string& command) {
  return fmt::format(
      "# {} on {}, written by `bitloom synth --tool`.\n"
      "# Builds the bitstream without a graphical interface; in this folder:  {}\n"
      "# The memory images (weights, thresholds, programs) are read by $readmemh as mem/NAME, from this folder.\n"
      "cd [file dirname [file normalize [info script]]]\n\n"
      "set top     board_top\nset part    {}\nset sources {{\n{}}}\nset images {{\n{}}}\nset constraints {{\n{}}}\n\n"
      "foreach file [concat $sources $images $constraints] {{\n"
      "  if {{![file exists $file]}} {{ error \"$file is missing: write the project again with bitloom synth --tool\" }}\n}}\n\n",
      project.name, project.board.title, command, project.board.part, list(project.sources), list(project.images),
      list(project.constraints));
}

/// Lattice's tools run synthesis in the implementation's folder.
constexpr const char* kCopyImages =
    "# Synthesis runs in the implementation's folder, and resolves mem/NAME from there or from the sources' folder.\n"
    "foreach folder {impl_1 src} {\n  file mkdir $folder\n  file copy -force mem $folder\n}\n\n";

std::string vivado_build(const Project& project) {
  return heading(project, "vivado -mode batch -source build.tcl") +
         "# Non-project flow: everything in memory, checkpoints and reports in out/.\n"
         "file mkdir out\n"
         "read_verilog -sv $sources\nread_mem $images\nread_xdc $constraints\n\n"
         "synth_design -top $top -part $part -verilog_define SYNTHESIS=1\nwrite_checkpoint -force out/synth.dcp\n"
         "opt_design\nplace_design\nphys_opt_design\nroute_design\nwrite_checkpoint -force out/route.dcp\n\n"
         "report_utilization -hierarchical -file out/utilization.rpt\nreport_timing_summary -file out/timing.rpt\nreport_drc -file "
         "out/drc.rpt\n"
         "if {[get_property SLACK [get_timing_paths]] < 0} { puts \"WARNING: the clock is not met, see out/timing.rpt\" }\n"
         "write_bitstream -force out/board_top.bit\n";
}

std::string vivado_report() {
  return "# Resources and timing of the routed design:  vivado -mode batch -source report.tcl\n"
         "cd [file dirname [file normalize [info script]]]\n"
         "open_checkpoint out/route.dcp\n"
         "puts \"worst slack (ns): [get_property SLACK [get_timing_paths]]\"\n"
         "foreach {title filter} {\n"
         "  LUT  {REF_NAME =~ LUT*}\n  FF   {REF_NAME =~ FD*}\n  RAMB {REF_NAME =~ RAMB*}\n  DSP  {REF_NAME =~ DSP48*}\n} {\n"
         "  puts \"$title: [llength [get_cells -hierarchical -filter $filter]]\"\n}\n";
}

std::string quartus_build(const Project& project) {
  return heading(project, "quartus_sh -t build.tcl") +
         "package require ::quartus::project\npackage require ::quartus::flow\n\n"
         "project_new bitloom -overwrite -revision bitloom\n"
         "set_global_assignment -name FAMILY \"Cyclone V\"\nset_global_assignment -name DEVICE $part\n"
         "set_global_assignment -name TOP_LEVEL_ENTITY $top\nset_global_assignment -name PROJECT_OUTPUT_DIRECTORY out\n"
         "set_global_assignment -name VERILOG_MACRO \"SYNTHESIS=1\"\nset_global_assignment -name SEARCH_PATH .\n"
         "foreach file $sources { set_global_assignment -name SYSTEMVERILOG_FILE $file }\n"
         "foreach file $images  { set_global_assignment -name MISC_FILE $file }\n"
         "# Pins are assignments in Tcl, clocks are SDC.\n"
         "foreach file $constraints {\n"
         "  if {[file extension $file] eq \".sdc\"} { set_global_assignment -name SDC_FILE $file } else { source $file }\n}\n"
         "export_assignments\nexecute_flow -compile\nproject_close\n";
}

/// Lattice and Intel write text reports; the lines that matter are picked out of them.
std::string text_report(const std::string& title, const std::string& files, const std::string& pattern) {
  return fmt::format(
      "# {}\ncd [file dirname [file normalize [info script]]]\n"
      "foreach file [glob -nocomplain {}] {{\n  puts \"== $file\"\n  set in [open $file]\n"
      "  while {{[gets $in line] >= 0}} {{\n    if {{[regexp -nocase {{{}}} $line]}} {{ puts [string trim $line] }}\n  }}\n  close "
      "$in\n}}\n",
      title, files, pattern);
}

std::string radiant_build(const Project& project) {
  return heading(project, "radiantc build.tcl") + kCopyImages +
         "prj_create -name bitloom -impl impl_1 -dev $part -performance \"9_High-Performance_1.0V\" -synthesis synplify\n"
         "foreach file [concat $sources $constraints] { prj_add_source $file }\n"
         "prj_set_impl_opt -impl impl_1 top $top\nprj_save\n\n"
         "# Synplify defines SYNTHESIS by itself.\n"
         "prj_run Synthesis -impl impl_1 -forceOne\nprj_run Map -impl impl_1 -forceOne\nprj_run PAR -impl impl_1 -forceOne\n"
         "prj_run Export -impl impl_1 -task Bitgen -forceOne\nprj_close\n";
}

std::string diamond_build(const Project& project) {
  return heading(project, "diamondc build.tcl") + kCopyImages +
         "prj_project new -name bitloom -impl impl_1 -dev $part -synthesis synplify\n"
         "foreach file [concat $sources $constraints] { prj_src add $file }\n"
         "# The project brings an empty LPF of its own; ours is the one in force.\n"
         "foreach file $constraints { if {[file extension $file] eq \".lpf\"} { prj_src enable $file } }\n"
         "prj_impl option top $top\nprj_project save\n\n"
         "# Synplify defines SYNTHESIS by itself.\n"
         "prj_run Synthesis -impl impl_1 -forceOne\nprj_run Translate -impl impl_1 -forceOne\nprj_run Map -impl impl_1 -forceOne\n"
         "prj_run PAR -impl impl_1 -forceOne\nprj_run Export -impl impl_1 -task Bitgen -forceOne\nprj_project close\n";
}

struct Tool {
  const char* name;
  const char* command;
  const char* result;
  std::string (*build)(const Project&);
  std::string (*report)();
};

const Tool kTools[] = {
    {"vivado", "vivado -mode batch -source build.tcl", "out/board_top.bit", vivado_build, vivado_report},
    {"quartus", "quartus_sh -t build.tcl", "out/bitloom.sof", quartus_build,
     [] {
       return text_report("Resources and Fmax:  quartus_sh -t report.tcl", "out/*.fit.summary out/*.sta.summary",
                          "Logic util|registers|block memory|DSP|Slack|Type");
     }},
    {"radiant", "radiantc build.tcl", "impl_1/bitloom_impl_1.bit", radiant_build,
     [] {
       return text_report("Resources and timing:  radiantc report.tcl", "impl_1/*.mrp impl_1/*.twr",
                          "Number of (LUT4|registers|EBR|DSP)|Fmax|slack");
     }},
    {"diamond", "diamondc build.tcl", "impl_1/bitloom_impl_1.bit", diamond_build,
     [] {
       return text_report("Resources and timing:  diamondc report.tcl", "impl_1/*.mrp impl_1/*.twr",
                          "Number of (LUT4|registers|block RAM|DSP)|Report:|Preference");
     }},
};

const Tool& find_tool(const std::string& name) {
  for (const Tool& tool : kTools)
    if (name == tool.name) return tool;
  throw Error("--tool", fmt::format("'{}' is not known; open (Yosys and nextpnr), vivado, quartus, radiant and diamond are", name));
}

}  // namespace

bool is_vendor_tool(const std::string& tool) { return !tool.empty() && tool != "open" && find_tool(tool).name == tool; }

VendorProject write_vendor_project(const fs::path& design_folder, const std::string& tool_name) {
  const Tool& tool = find_tool(tool_name);
  const nlohmann::json design = read_design(design_folder);
  Project project;
  project.name = design.at("name").get<std::string>();
  project.board = load_board(design.at("board").get<std::string>());
  const Family& kind = family(project.board.family, project.board.name);
  if (tool_name != kind.vendor_tool)
    throw Error("--tool", fmt::format("{} does not know {} devices such as {}'s; {} does", tool_name, kind.title, project.board.name,
                                      *kind.vendor_tool != '\0' ? kind.vendor_tool : "open"));
  if (project.board.part.empty()) throw Error(project.board.name, fmt::format("its board.json names no 'part', which {} needs", tool_name));

  const fs::path target = design_folder / "build" / tool_name;
  std::error_code error;
  fs::remove_all(target, error);
  for (const char* folder : {"src", "mem", "constraints"}) fs::create_directories(target / folder, error);
  if (error) throw Error(target.string(), fmt::format("the folder cannot be made ({})", error.message()));
  const auto copy = [&](const fs::path& from, const std::string& folder, std::vector<std::string>& names) {
    names.push_back(folder + "/" + from.filename().string());
    write_file_atomically(target / names.back(), read_text_file(from));
  };
  for (const auto& source : design.at("sources")) copy(design_folder / source.get<std::string>(), "src", project.sources);
  for (const char* source : {"bitloom_core.sv", "board_top.sv"}) copy(design_folder / source, "src", project.sources);
  std::vector<fs::path> images;
  for (const auto& entry : fs::directory_iterator(design_folder / "mem")) images.push_back(entry.path());
  std::sort(images.begin(), images.end());
  for (const fs::path& image : images) copy(image, "mem", project.images);
  copy(project.board.pins_file, "constraints", project.constraints);
  if (!project.board.timing_file.empty()) copy(project.board.timing_file, "constraints", project.constraints);

  write_file_atomically(target / "build.tcl", tool.build(project));
  write_file_atomically(target / "report.tcl", tool.report());
  write_file_atomically(
      target / "README.txt",
      fmt::format(
          "{} for {}, a project of {}.\n\n  {}\n\nmakes {}; report.tcl, run in the same way, prints resources and timing.\n"
          "Bitloom checks that these files are complete, that the Tcl parses and that Yosys maps the sources to the device's cells;\n"
          "this tool itself has not been run on them.\n",
          project.name, project.board.title, tool_name, tool.command, tool.result));
  VendorProject result{target, project.sources, tool.command};
  result.files.insert(result.files.end(), project.images.begin(), project.images.end());
  result.files.insert(result.files.end(), project.constraints.begin(), project.constraints.end());
  result.files.insert(result.files.end(), {"build.tcl", "report.tcl", "README.txt"});
  return result;
}

}  // namespace bitloom
