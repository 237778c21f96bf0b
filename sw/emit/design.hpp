// The emitted design: a chain of hand-written modules with their parameters and memory images, and the folder that holds it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/network.hpp"
#include "map/plan.hpp"

namespace bitloom {

/// A memory image: words of `width` bits, bit 0 first.
struct MemoryImage {
  int width = 1;
  std::vector<std::vector<bool>> words;
  /// $readmemh text: one word a line, hexadecimal, full width.
  std::string text() const;
};

/// One instance in bitloom_core. Every module has clk, rst and one stream in, one stream out.
struct Instance {
  std::string module;
  std::string name;
  std::vector<std::pair<std::string, std::string>> parameters;
  int in_width = 1, out_width = 1;
  bool has_last = true;       ///< in_last and out_last ports
  bool has_activity = false;  ///< busy, starved, stalled
  std::size_t stage = 0;      ///< index into Plan::stages
  int out_map = -1;           ///< the feature map that leaves here, or -1 inside a stage
  int out_lanes = 1;
};

/// A stream whose beats are a feature map of the network.
struct Boundary {
  int map = 0;
  std::size_t instance = 0;  ///< the instance whose output it is
  int lanes = 1;
  int width = 1;
  int data_offset = 0;  ///< in probe_data
};

struct Design {
  std::string name;
  Plan plan;
  int input_width = 1, output_width = 1;
  std::vector<Instance> instances;
  std::vector<Boundary> boundaries;
  std::map<std::string, MemoryImage> memories;  ///< by file name below mem/
};

/// Streams, parameters and memory images of `plan`. Throws Error when a feature map cannot be carried as planned.
Design elaborate(const Network& network, const Plan& plan);

/// The structural top, module bitloom_core.
std::string core_text(const Design& design);

/// How a design was made from its model: what `sim` needs to lower the model again.
struct DesignOptions {
  std::string board;
  std::filesystem::path model;  ///< copied into the folder
  double scale = 1.0, shift = 0.0;
  bool argmax = false;
  std::string input;  ///< type of the pixels, empty for the model's own
};

/// design.json, as docs/architecture.md describes it.
nlohmann::json describe(const Network& network, const Design& design, const DesignOptions& options,
                        const std::vector<std::filesystem::path>& sources);

/// Writes the design folder: everything into a temporary folder beside it, renamed at the end. An existing design is replaced; anything
/// else at `folder` is an Error. `board_top` is the text of board_top.sv ("" for none).
void write_design(const std::filesystem::path& folder, const Network& network, const Design& design, const DesignOptions& options,
                  const std::string& board_top);

/// Reads FOLDER/design.json; Error when the folder is not a design.
nlohmann::json read_design(const std::filesystem::path& folder);

}  // namespace bitloom
