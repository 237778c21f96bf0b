// Projects for the tools of FPGA vendors: a folder that their tool builds by one command, without a graphical interface.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace bitloom {

/// "vivado", "quartus", "radiant", "diamond".
bool is_vendor_tool(const std::string& tool);

struct VendorProject {
  std::filesystem::path folder;    ///< DESIGN/build/<tool>
  std::vector<std::string> files;  ///< below it, all that belongs to the project
  std::string command;             ///< what builds it, to be run in the folder
};

/// Writes the project: sources, constraints, memory images, build.tcl, report.tcl, README.txt. An older one is replaced. Throws Error when
/// the design's board is not the tool's.
VendorProject write_vendor_project(const std::filesystem::path& design_folder, const std::string& tool);

}  // namespace bitloom
