// From plan to instances: walks the stages in order, forks the maps that several read, and puts an adapter wherever the lanes of two
// neighbours differ.
#pragma once

#include <fmt/format.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "emit/design.hpp"
#include "map/raw.hpp"

namespace bitloom {

/// A stream on its way between two instances.
struct Wire {
  std::size_t stream = 0;
  int lanes = 1;
  ValueType type;
  int width() const { return lanes * type.bits(); }
};

class Elaboration {
 public:
  Elaboration(const Network& network, const Plan& plan);
  Design take() { return std::move(design_); }

 private:
  using Parameters = std::vector<std::pair<std::string, std::string>>;

  const Stage& stage() const { return design_.plan.stages[stage_]; }
  const FeatureMap& map(int index) const { return network_.maps[static_cast<std::size_t>(index)]; }

  /// An instance of this stage with new streams of `width` bits; the caller sets intakes and latency.
  Instance& add(const std::string& module, const std::string& name, std::vector<std::size_t> inputs, int width, Parameters parameters);

  /// A module with one stream in and one out, between `wire` and what it becomes.
  Instance& add(const std::string& module, const std::string& suffix, Wire& wire, int lanes, const ValueType& type, Parameters parameters,
                Intake intake);

  /// `wire` carries map `index`: a fork where several read it, and links to the other chips that do.
  void provide(int index, const Wire& wire, const std::string& name);

  /// So many streams of `wire`.
  std::vector<Wire> fork(const Wire& wire, int streams, const std::string& name);

  /// `wire` on the chip that a link leads to.
  Wire cross(Wire wire, std::size_t link);

  void provide(const Stage& stage, const Wire& wire);

  /// One of the streams that carry map `index` on this chip.
  Wire receive(int index);

  /// Changes `wire` to `lanes` channels per beat.
  void adapt(Wire& wire, int lanes, const std::string& suffix = "");

  void pad(const Stage& stage, Wire& wire, std::int64_t value_code);

  /// Every value times `scale`, in `type`; nothing where that changes no bit.
  void rescale(Wire& wire, std::int64_t scale, const ValueType& type, const std::string& suffix);

  static std::string num(std::int64_t value) { return fmt::format("{}", value); }
  static std::string file(const std::string& name) { return fmt::format("\"mem/{}\"", name); }

  static Parameters window_parameters(const WindowPlan& w);

  std::string memory(const std::string& suffix, MemoryImage image);

  void add_stage(const Stage& stage);

  /// Search memories of a threshold whose table is given in the comparator's domain; appends the module's parameters.
  void search(Parameters& parameters, const Threshold& op, const ValueType& out, int channels, int lanes, int bits, std::int64_t never,
              const std::function<std::int64_t(std::size_t, std::size_t)>& threshold);

  /// Appends the parameters of a convolution's thresholds, or of its scores.
  void add_weights(Parameters& parameters, const Stage& stage, MemoryImage&& image);
  static void add_lut_bits(Parameters& parameters, const Stage& stage);
  void activate(Parameters& parameters, const Stage& stage, const Convolution& conv, const RawAccumulator& raw, int lanes,
                const ValueType& out);

  void add_plane(const Stage& stage);

  void add_basis(const Stage& stage);

  /// What fills blocks of pixels, and borders beyond what kernels overlap.
  void pad_blocks(const Stage& stage, Wire& wire);

  void add_threshold(const Stage& stage);

  void add_requantize(const Stage& stage);

  void add_pool(const Stage& stage);

  void add_argmax(const Stage& stage);

  void add_upsample(const Stage& stage);

  /// Two streams become one. The last join of a stage has the stage's name, those before it a number.
  Wire join(const std::string& module, const std::string& name, const Wire& a, const Wire& b, const Wire& out, Parameters parameters,
            std::vector<Intake> intakes);

  void add_sum(const Stage& stage);

  /// `a` for a_beats, then `b` for b_beats, and again.
  Wire alternate(const std::string& name, const Wire& a, std::int64_t a_beats, const Wire& b, std::int64_t b_beats);

  void add_concat(const Stage& stage);

  /// Of several outputs the core sends a frame each in turn, value by value, all as wide as the widest.
  void gather_outputs();

  const Network& network_;
  Design design_;
  std::vector<std::vector<int>> readers_;              ///< by map and chip
  std::vector<std::vector<std::vector<Wire>>> wires_;  ///< by map and chip: streams that carry it and are not taken yet
  std::size_t stage_ = 0;
  int chip_ = 0;  ///< that instances are put on
};

}  // namespace bitloom
