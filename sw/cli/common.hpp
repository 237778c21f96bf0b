// What the commands share: model and data options, images as network inputs, progress, output.
#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/graph.hpp"
#include "core/network.hpp"
#include "data/dataset.hpp"
#include "flow/boards.hpp"
#include "lower/lower.hpp"
#include "map/plan.hpp"

namespace bitloom::cli {

/// A comparison failed: exit status 1. Bad usage and input (bitloom::Error, CLI::ParseError) is 2.
struct ComparisonFailed {};
/// The board does not answer, or was unplugged: exit status 3.
struct BoardFailed {
  std::string text;
};

struct ModelOptions {
  std::string model;
  std::string scale = "1", shift = "0", input;
  bool argmax = false;

  void add_to(CLI::App& app);
  /// "0.5" or "1/255".
  static double number(const std::string& option, const std::string& text);
  LowerOptions lowering() const;
};

/// A model as the tool uses it: the float graph, and the integer network named after the file.
struct LoadedModel {
  Graph graph;
  Network network;
  std::size_t inputs = 1;  ///< of the file; more than one are joined into one
};
LoadedModel load_model(const std::filesystem::path& file, const LowerOptions& options);

/// What the planner may use of a board's device: a share `fit` of its LUTs.
Budget device_budget(const Board& board, double fit);

/// Says what the board's flash must hold beside the bitstream of a design in `folder`, and how to write it; nothing where it needs nothing.
void print_weights_file(const nlohmann::json& design, const Board& board, const std::filesystem::path& folder);

/// --fold of compile, as design.json keeps it.
std::vector<FoldRule> fold_rules(const std::vector<std::string>& texts);

/// The options that a design's model was lowered with, from design.json.
LowerOptions design_lowering(const nlohmann::json& design);

struct DataOptions {
  std::string data;
  std::int64_t images = -1, offset = 0;

  void add_to(CLI::App& app, bool required = true);
  /// `arrays`: how many arrays of an NPZ file make an image, one after the other.
  Dataset load(std::size_t arrays = 1) const;
};

/// The model that a design was made from, lowered again as design.json says.
LoadedModel design_model(const std::filesystem::path& folder, const nlohmann::json& design);

/// One image of the data set as the hardware receives it. Throws Error when shapes do not fit or a value is no pixel of the input type.
MapData network_image(const Network& network, const Dataset& data, std::int64_t index);
/// The same image as the model's own input, with the network's input rule applied.
Tensor float_image(const Graph& graph, const Network& network, const Dataset& data, std::int64_t index);

/// Index of the largest value, the first one on ties; the value itself when there is only one (an argmax output).
std::int64_t predicted_class(const std::vector<double>& output);

/// A bar with time left on stderr; silent unless stderr is a terminal.
class Progress {
 public:
  explicit Progress(std::string label);
  ~Progress();
  void operator()(std::int64_t done, std::int64_t total);

 private:
  std::string label_;
  bool shown_ = false;
  bool terminal_ = false;
  std::chrono::steady_clock::time_point start_, drawn_;
};

/// The values of one output, by image.
using OutputValues = std::vector<std::vector<double>>;

/// The first outputs of the network as tensors [images, shape...]: a single one as NPY, or all by name where the file is called .npz.
void write_outputs(const std::string& file, const Network& network, const std::vector<OutputValues>& outputs);
/// Compares the first outputs of the network with stored tensors: FILE.npy or FILE.npz:KEY for one; those of FILE.npz by the outputs'
/// names, or by position where it holds none of them. Prints the first difference to stderr and throws ComparisonFailed.
void compare_outputs(const std::string& expect, const Network& network, const std::vector<OutputValues>& outputs);

std::string thousands(double value);

}  // namespace bitloom::cli
