// The emitted design: hand-written modules with their parameters and memory images, the streams between them, and the folder for all of it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/network.hpp"
#include "emit/beats.hpp"
#include "map/layer_split.hpp"
#include "map/partition.hpp"
#include "map/plan.hpp"

namespace bitloom {

/// A memory image: words of `width` bits, bit 0 first.
struct MemoryImage {
  int width = 1;
  std::vector<std::vector<bool>> words;
  /// $readmemh text: one word a line, hexadecimal, full width.
  std::string text() const;
};

/// Ports of a module beside clk and rst.
enum class Ports {
  Stream,   ///< in_* and out_*, each with valid, ready, data, last
  Payload,  ///< the same without last, which travels in the data: stream_fifo
  Fork,     ///< the same, with one bit of out_valid and out_ready for each output: stream_fork
  Join,     ///< a_*, b_* and out_*: map_add, map_concat
  LinkOut,  ///< in_*, and a line to another chip: chip_link_sender
  LinkIn,   ///< a line from another chip, and out_*: chip_link_receiver
};

inline constexpr std::size_t kNoStage = static_cast<std::size_t>(-1);

/// What basis_layer executes for each block of pixels.
struct SumProgram {
  std::vector<std::vector<int>> lanes;  ///< gaps: words of each task; bitmap: coefficients in each word
  std::vector<int> turns;               ///< the lane that each sum comes from, in order
  std::vector<int> sums;                ///< of each output channel
};

/// One instance in bitloom_core.
struct Instance {
  std::string module;
  std::string name;
  Ports ports = Ports::Stream;
  std::vector<std::pair<std::string, std::string>> parameters;
  std::vector<std::size_t> inputs, outputs;  ///< indices into Design::streams
  bool has_activity = false;                 ///< busy, starved, stalled
  std::size_t stage = 0;                     ///< index into Plan::stages; kNoStage: of none on this chip
  int chip = 0;                              ///< that it is on
  int link = -1;                             ///< index into Plan::links, of either end of one
  std::vector<Intake> intakes;               ///< of each input
  std::int64_t latency = 1;                  ///< clocks from the last beat that an output needs to that output, about
  std::vector<std::int64_t> group_clocks{};  ///< of each output group of a window; modules with a program only
  SumProgram sums{};                         ///< basis_layer only
};

/// A stream whose beats are a feature map of the network.
struct Boundary {
  int map = 0;
  std::size_t stream = 0;
  std::size_t stage = 0;  ///< that it leaves
  int lanes = 1;
  int width = 1;
  int data_offset = 0;  ///< in probe_data
};

/// A FIFO in front of a join, and where its size comes from (docs/architecture.md, 2).
struct JoinFifo {
  std::string name;
  int width = 1;
  std::int64_t depth = 0;     ///< words
  std::int64_t deadlock = 0;  ///< of them, needed so that the join's other input can come at all
};

/// A core, or all chips of a system: then the two ends of a link have a stream between them, which no core has.
struct Design {
  std::string name;
  Plan plan;
  std::vector<int> streams;          ///< bits of each; 0 is the input
  std::size_t output = 0;            ///< the stream that leaves the core: of several network outputs, a frame of each in turn
  std::vector<Instance> instances;   ///< each behind those whose streams it takes
  std::vector<Boundary> boundaries;  ///< one for each map
  std::vector<std::size_t> outputs;  ///< index into boundaries of each network output
  std::vector<JoinFifo> fifos;
  int chip = 0;                          ///< of a system of several: which one this is
  std::vector<int> links_out, links_in;  ///< of that chip: indices into Plan::links, in the order in which they stand at its ports
  bool host = true;                      ///< it has in_* and out_*: the first chip, or the only one
  std::map<std::string, MemoryImage> memories;  ///< by file name below mem/
  std::vector<std::string> loaded{};            ///< those that are loaded after reset, in the order of the instances (emit/loads)
};

/// Streams, parameters and memory images of `plan`, FIFOs before joins included. Throws Error when a feature map cannot be carried as
/// planned. `spare`: words of each FIFO beyond what a deadlock-free network needs, so that joins cost no clocks; -1: as many as that takes.
Design elaborate(const Network& network, const Plan& plan, std::int64_t spare = -1);

/// make_plan and elaborate: the FIFOs, whose size only a finished plan tells, count among the device's block RAMs.
Design make_design(const Network& network, const Budget& budget, const PlanOptions& options);

/// A design of all chips, and the network that it computes: the model's with some layers split.
struct SystemDesign {
  Network network;
  LayerSplits splits;
  Design design;
};

/// The same for several devices: `make_partition` instead of make_plan; for one device, make_design's. Layers are split only where the whole
/// ones cannot be shared out: in as few slices as do (map/layer_split), and none between slices on the same device.
SystemDesign make_system(const Network& network, const Budget& budget, const PlanOptions& options, const PartitionOptions& partition);

/// One chip of a system: its instances, streams, boundaries, stages and memories.
Design chip_design(const Design& system, int chip);

/// The structural top, module bitloom_core.
std::string core_text(const Design& design);

/// The member "netlist" of design.json (docs/architecture.md, 4): instances, their streams and the parameters that say what time they take.
nlohmann::json describe_netlist(const Design& design);

/// How a design was made from its model: what `sim` needs to lower the model again.
struct DesignOptions {
  std::string board;
  std::filesystem::path model;  ///< copied into the folder
  double scale = 1.0, shift = 0.0;
  bool argmax = false;
  std::string input;          ///< type of the pixels, empty for the model's own
  int baud = 1'000'000;       ///< of the serial link
  double fps = 0, fit = 0.7;  ///< what was asked of the plan
  std::int64_t clocks = 0;
  std::vector<std::string> fold{};  ///< as parse_fold_rule reads them
  int devices = 1;                  ///< 0: as many as needed
  LinkSpec link{};                  ///< of several
  LayerSplits splits{};             ///< of the layers that are on several
};

/// Names what a design computes: 64 bits, as 16 hexadecimal digits, over the core's text, the modules that it uses, the memory images, the
/// model and how it was lowered. The board tells it to the host.
std::string design_hash(const Design& design, const DesignOptions& options);

/// design.json, as docs/architecture.md describes it.
nlohmann::json describe(const Network& network, const Design& design, const DesignOptions& options,
                        const std::vector<std::filesystem::path>& sources);

/// Writes the design folder: everything into a temporary folder beside it, renamed at the end. An existing design is replaced; anything
/// else at `folder` is an Error. `board_top` is the text of board_top.sv ("" for none).
void write_design(const std::filesystem::path& folder, const Network& network, const Design& design, const DesignOptions& options,
                  const std::string& board_top);

/// system.json, as docs/architecture.md describes it.
nlohmann::json describe_system(const Network& network, const Design& system, const DesignOptions& options);

/// The same for several chips: a design folder for each, and system.json. `board_top` makes a chip's from its design.json.
void write_system(const std::filesystem::path& folder, const Network& network, const Design& system, const DesignOptions& options,
                  const std::function<std::string(const nlohmann::json&)>& board_top);

/// Whether a folder holds a system of several chips.
bool is_system(const std::filesystem::path& folder);
/// Reads FOLDER/system.json; Error when the folder is no system.
nlohmann::json read_system(const std::filesystem::path& folder);

/// Reads FOLDER/design.json; Error when the folder is not a design.
nlohmann::json read_design(const std::filesystem::path& folder);

}  // namespace bitloom
