#include "sim/simulate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <random>

#include "core/error.hpp"
#include "emit/design.hpp"
#include "emit/loads.hpp"
#include "sim/activity.hpp"
#include "sim/model.hpp"
#include "sim/quick.hpp"
#include "sim/watches.hpp"

namespace bitloom {
namespace {

/// Clocks without any beat anywhere after which a run is given up, beside a multiple of the predicted clocks per image.
constexpr std::int64_t kPatience = 20000;

class Simulation {
 public:
  Simulation(const nlohmann::json& design, Model& model, const Network& network, const std::vector<MapData>& images,
             const std::function<std::vector<MapData>(const MapData&)>& golden, const SimulationOptions& options, std::vector<std::uint16_t> load)
      : model_(model),
        load_(std::move(load)),
        network_(network),
        options_(options),
        expected_(images, golden),
        random_(options.seed),
        output_(design.at("output"), network),
        source_(design.at("input"), model, network, images) {
    clk_ = model.port("clk");
    rst_ = model.port("rst");
    if (!load_.empty()) load_start_ = model.port("load_start"), load_valid_ = model.port("load_valid"), load_data_ = model.port("load_data");
    out_valid_ = model.port("out_valid"), out_ready_ = model.port("out_ready"), out_data_ = model.port("out_data"),
    out_last_ = model.port("out_last");
    probe_valid_ = model.port("probe_valid"), probe_ready_ = model.port("probe_ready");
    probe_last_ = model.port("probe_last"), probe_data_ = model.port("probe_data"), activity_ = model.port("activity");
    for (const auto& boundary : design.at("boundaries")) watches_.emplace_back(boundary, network);
    for (const auto& layer : design.at("layers"))
      if (layer.at("activity").get<int>() >= 0) result_.layers.push_back({layer.at("name"), 0, 0, 0});
    if (options.count) switching_.emplace(model.port("toggles"), model.port("accesses"));
    patience_ = kPatience + 20 * design.at("predicted_clocks_per_image").get<std::int64_t>();
    if (options.stall > 0) patience_ = static_cast<std::int64_t>(static_cast<double>(patience_) / std::max(0.01, 1 - options.stall));
    result_.images = static_cast<std::int64_t>(images.size());
    // Steady state: the pipeline is full and results come evenly; a few images are left out on either side of a long run.
    span_first_ = std::min<std::int64_t>(result_.images / 3, 4);
    result_.outputs.resize(images.size());
  }

  SimulationResult run() {
    reset();
    std::int64_t quiet = 0;
    while (done() < result_.images && result_.failure.empty()) {
      if (clock())
        quiet = 0;
      else if (++quiet > patience_)
        result_.failure = no_progress();
      if (options_.progress && result_.total_clocks % 4096 == 0) options_.progress(done(), result_.images);
    }
    finish();
    return std::move(result_);
  }

 private:
  std::int64_t done() const { return output_.images_done(); }

  void edge() {
    clk_.set(true);
    model_.eval();
    clk_.set(false);
  }

  void reset() {
    rst_.set(true);
    source_.idle();
    out_ready_.set(false);
    clk_.set(false);
    for (int i = 0; i < 5; ++i) {
      model_.eval();
      edge();
    }
    if (!load_.empty()) load_weights();
    rst_.set(false);
  }

  /// As flash_reader does it: a start, then a word now and then.
  void load_weights() {
    const auto tick = [&](bool start, bool valid) {
      load_start_.set(start), load_valid_.set(valid);
      model_.eval();
      edge();
    };
    tick(true, false);
    for (const std::uint16_t word : load_) {
      load_data_.set_bits(0, 16, word);
      if (!chance()) tick(false, false);
      tick(false, true);
    }
    tick(false, false);
  }

  bool chance() { return options_.stall <= 0 || std::uniform_real_distribution<double>(0, 1)(random_) >= options_.stall; }

  /// One clock; true when a beat moved anywhere that is watched.
  bool clock() {
    // No random number is drawn for a beat that stays, nor when there is none.
    source_.offer(!source_.offering() && !source_.empty() && chance());
    out_ready_.set(chance());
    model_.eval();
    bool moved = false;
    if (source_.taken()) {
      moved = true;
      if (first_input_ < 0) first_input_ = result_.total_clocks;
    }
    if (out_valid_.bit(0) && out_ready_.bit(0)) {
      moved = true;
      observe_output();
    }
    const bool in_span = done() >= span_first_ && !source_.empty();  // neither filling nor draining
    for (std::size_t b = 0; b < watches_.size(); ++b) {
      if (!probe_valid_.bit(static_cast<int>(b)) || !probe_ready_.bit(static_cast<int>(b))) continue;
      moved = true;
      observe(b);
    }
    if (in_span) count_activity();
    if (switching_) count_switching();
    ++result_.total_clocks;
    edge();
    return moved;
  }

  void observe(std::size_t b) {
    BoundaryWatch& watch = watches_[b];
    const std::int64_t image = watch.images_done();
    if (image > result_.images) {
      result_.failure = fmt::format("layer boundary {}: more data than {} images give", watch.result().map, result_.images);
      return;
    }
    // Windows of nothing but padding need no image: their values, the same in all, may come ahead of one that never does.
    const std::int64_t golden = std::min(image, result_.images - 1);
    const bool last_fits = watch.beat(probe_data_, probe_last_.bit(static_cast<int>(b)), expected_(golden)[watch.map()].values);
    if (!last_fits && result_.failure.empty())
      result_.failure =
          fmt::format("layer boundary {}: `last` is not where image {} ends; a beat was lost or added", watch.result().map, image);
  }

  void observe_output() {
    const std::int64_t image = done();
    if (image >= result_.images) {
      result_.failure = fmt::format("output: more data than {} images give", result_.images);
      return;
    }
    std::vector<MapData>& outputs = result_.outputs[static_cast<std::size_t>(image)];
    const std::string problem = output_.beat(out_data_, out_last_.bit(0), network_, outputs);
    if (result_.failure.empty()) result_.failure = problem;
    if (done() == image) return;
    for (std::size_t o = 0; o < outputs.size(); ++o)
      if (outputs[o] != expected_(image)[static_cast<std::size_t>(network_.outputs[o].map)] && result_.failure.empty())
        result_.failure = fmt::format("output {}: image {} differs from golden", network_.outputs[o].name, image);
    finished_at_.push_back(result_.total_clocks);
    std::int64_t oldest = done();  // a map's last values may come after the outputs that do not need them
    for (const BoundaryWatch& watch : watches_) oldest = std::min(oldest, watch.images_done());
    expected_.drop_before(std::min(oldest, result_.images - 1));  // the last stays: see observe
  }

  void count_activity() {
    ++result_.span_clocks;
    for (std::size_t i = 0; i < result_.layers.size(); ++i) {
      LayerActivity& layer = result_.layers[i];
      const int bit = static_cast<int>(3 * i);
      if (activity_.bit(bit))
        ++layer.busy;
      else if (activity_.bit(bit + 2))
        ++layer.stalled;
      else
        ++layer.starved;
    }
  }

  /// From the end of the image before the span on; what counts in the end is up to the last image that ends while others still enter.
  void count_switching() {
    const std::int64_t first = std::max<std::int64_t>(span_first_, 1);
    if (done() < first || source_.empty()) return;
    SwitchingActivity& result = result_.switching;
    const bool image_ends = finished_at_.back() == result_.total_clocks;
    if (done() == first && image_ends) {
      result.first_clock = result_.total_clocks;
      switching_->start();
      return;
    }
    switching_->sample();
    if (!image_ends) return;
    result.images = done() - first;
    result.clocks = result_.total_clocks - result.first_clock;
    switching_->read(result.toggles, result.accesses);
  }

  std::string no_progress() const {
    std::string text = fmt::format("no beat moved for {} clocks;", patience_);
    for (const BoundaryWatch& watch : watches_)
      text += fmt::format(" {} delivered {} of {} images;", watch.result().map, watch.images_done(), result_.images);
    return text + " the first layer that delivered fewer than its predecessor is where the stream stopped";
  }

  void finish() {
    result_.bit_exact = result_.failure.empty();
    for (const BoundaryWatch& watch : watches_) {
      result_.boundaries.push_back(watch.result());
      result_.bit_exact = result_.bit_exact && watch.result().mismatches == 0;
    }
    if (!finished_at_.empty()) result_.first_image_latency = finished_at_[0] - first_input_ + 1;
    const auto n = static_cast<std::int64_t>(finished_at_.size());
    // From the end of image span_first_-1 (the start of the span) to the end of the last image.
    if (n >= 3 && span_first_ >= 1 && n > span_first_)
      result_.clocks_per_image = static_cast<double>(finished_at_.back() - finished_at_[static_cast<std::size_t>(span_first_ - 1)]) /
                                 static_cast<double>(n - span_first_);
  }

  Model& model_;
  std::vector<std::uint16_t> load_;  ///< weights that the design is given before it starts
  const Network& network_;
  const SimulationOptions& options_;
  Expectation expected_;
  std::mt19937 random_;
  OutputWatch output_;
  ImageSource source_;
  Port load_start_, load_valid_, load_data_;
  Port clk_, rst_, out_valid_, out_ready_, out_data_, out_last_;
  Port probe_valid_, probe_ready_, probe_last_, probe_data_, activity_;
  std::vector<BoundaryWatch> watches_;
  std::optional<NetCounter> switching_;
  SimulationResult result_;
  std::vector<std::int64_t> finished_at_;
  std::int64_t patience_ = 0, span_first_ = 0, first_input_ = -1;
};

}  // namespace

std::string Difference::to_string() const {
  return fmt::format("map {}, image {}, row {}, column {}, channel {}: golden has {}, the hardware {}", map, image, y, x, channel, expected,
                     found);
}

SimulationResult simulate(const std::filesystem::path& design_folder, const Network& network, const std::vector<MapData>& images,
                          const std::function<std::vector<MapData>(const MapData&)>& golden, const SimulationOptions& options) {
  if (images.empty()) throw Error("sim", "no image to simulate; give at least one");
  if (options.stall < 0 || options.stall >= 1)
    throw Error("--stall", fmt::format("{} given; a probability from 0 to below 1 expected", options.stall));
  const auto start = std::chrono::steady_clock::now();
  const nlohmann::json design = read_design(design_folder);
  for (const char* field : {"boundaries", "input", "output", "predicted_clocks_per_image"})
    if (!design.contains(field))
      throw Error((design_folder / "design.json").string(), fmt::format("{} is missing; compile the model again", field));
  const bool quick = !options.quick.empty() && options.trace.empty() && !options.count;
  const std::filesystem::path library = quick ? build_quick_model(design_folder, options.quick)
                                              : build_model(design_folder, options.count           ? ModelKind::counted
                                                                           : options.trace.empty() ? ModelKind::plain
                                                                                                   : ModelKind::traced);
  Model model(library, design_folder, options.seed, options.trace);
  const auto built = std::chrono::steady_clock::now();
  SimulationResult result = Simulation(design, model, network, images, golden, options, read_flash_image(design_folder, design)).run();
  const auto end = std::chrono::steady_clock::now();
  result.seconds = std::chrono::duration<double>(end - start).count();
  result.run_seconds = std::chrono::duration<double>(end - built).count();
  return result;
}

}  // namespace bitloom
