// A study: which points are asked for, and how one of them is measured. A point is measured by this program's own commands (compile, synth,
// sim, power), each a process of its own, so that what breaks in one point costs that point only.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/files.hpp"
#include "explore/layer_model.hpp"
#include "explore/sweep.hpp"

namespace bitloom {

/// How planes meet in time.
/// parallel: all weight planes and all activation bits in a clock; serial: a weight plane a clock, with all activation bits; bit-serial: a
/// weight plane and an activation bit a clock; planned: as the planner finds cheapest.
inline constexpr const char* kEngines[] = {"parallel", "serial", "bit-serial", "planned"};

/// A model of the study; bits are those of a generated layer, 0 otherwise.
struct StudyModel {
  std::string name;
  Bytes content;
  int weight_bits = 0, activation_bits = 0;
};

/// What is measured beyond the plan (cost model and schedule). `synth`: Yosys' count of the core; `place`: the routed design with link and
/// board; `sim`: clocks in RTL simulation, bit by bit against golden; `power` works on the placed design and so includes it.
struct Measures {
  bool synth = false, place = false, sim = false, power = false;
};
/// "plan", "synth", "place", "sim", "power". Throws Error for others.
Measures parse_measures(const std::vector<std::string>& names);

struct Study {
  std::vector<StudyModel> models;
  std::optional<LayerSpec> layer;  ///< set where the models were generated
  std::vector<std::string> engines{"planned"}, boards;
  std::vector<int> pe{0}, simd{0};       ///< of every layer with weights; 0: the planner's choice
  std::vector<std::int64_t> clocks{0};   ///< clocks per image asked for; 0: none
  std::vector<double> fps{0}, fit{0.7};  ///< as `compile` takes them
  std::vector<std::string> lowering;     ///< options of `compile` and `run` that say how a model is read
  std::string data;                      ///< for accuracy, sim and power; a generated layer gets random images
  std::int64_t images = -1, sim_images = 4;
  std::uint32_t seed = 1;  ///< of random weights, images, placement
  Measures measures;
};

/// Models of one layer at every pair of widths.
std::vector<StudyModel> layer_models(const LayerSpec& spec, const std::vector<int>& weight_bits, const std::vector<int>& activation_bits,
                                     std::uint32_t seed);

struct Point {
  std::size_t model = 0;  ///< index into Study::models
  std::string engine, board;
  int pe = 0, simd = 0;
  std::int64_t clocks = 0;
  double fps = 0, fit = 0;
};

/// Every combination, models slowest.
std::vector<Point> points_of(const Study& study);

/// The tasks of a study: one for each point, in their order, and one for each model's accuracy where there is data with it.
/// `program`: the bitloom command that measures. Throws Error when a tool or a board is missing.
struct StudyTasks {
  std::vector<Task> points, accuracies;
};
StudyTasks tasks_of(const std::shared_ptr<const Study>& study, const std::vector<Point>& points, const std::string& program);

}  // namespace bitloom
