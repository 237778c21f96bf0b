#include "chips/chips.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <random>
#include <systemc>

#include "chips/line_model.hpp"
#include "core/error.hpp"
#include "emit/design.hpp"
#include "sim/model.hpp"
#include "sim/quick.hpp"
#include "sim/watches.hpp"

namespace bitloom {
namespace {

using Wires = sc_core::sc_signal<std::uint32_t>;

constexpr int kResetClocks = 5;
constexpr std::int64_t kPatience = 50000;  ///< clocks without any beat, beside a multiple of the predicted clocks per image
constexpr std::int64_t kSlice = 256;       ///< clocks that the kernel runs at a time

/// What all chips share.
struct Run {
  const Network& network;
  Expectation expected;
  SimulationResult result{};
  std::int64_t clock = 0, moved = 0;  ///< now; when a beat was seen last
  std::int64_t images_done = 0;       ///< that came back to the host
};

/// Wires from one chip's pins to another's: what is put on in a clock is there `latency` clocks later, for better or worse.
class Line : public sc_core::sc_module {
 public:
  Line(const sc_core::sc_module_name& name, const sc_core::sc_clock& clock, const LineOptions& options)
      : sc_module(name), model_(options) {
    SC_HAS_PROCESS(Line);
    SC_METHOD(step);
    sensitive << clock.posedge_event();
    dont_initialize();
  }
  Wires in, out;
  const LineModel& model() const { return model_; }

 private:
  void step() { out.write(model_.step(in.read())); }
  LineModel model_;
};

/// A port of a core that is several bundles of wires side by side.
struct Bundle {
  Wires* wires;
  int offset, width;
};

class Chip : public sc_core::sc_module {
 public:
  Chip(const sc_core::sc_module_name& name, const sc_core::sc_clock& clock, const nlohmann::json& design, std::unique_ptr<Model> model,
       Run& run)
      : sc_module(name), model_(std::move(model)), run_(run) {
    for (const auto& boundary : design.at("boundaries")) watches_.emplace_back(boundary, run.network);
    clk_ = model_->port("clk"), rst_ = model_->port("rst");
    line_out_ = model_->port("line_out"), status_in_ = model_->port("status_in");
    line_in_ = model_->port("line_in"), status_out_ = model_->port("status_out");
    probe_valid_ = model_->port("probe_valid"), probe_ready_ = model_->port("probe_ready");
    probe_last_ = model_->port("probe_last"), probe_data_ = model_->port("probe_data");
    SC_HAS_PROCESS(Chip);
    SC_METHOD(step);
    sensitive << clock.posedge_event();
    dont_initialize();
  }

  /// The wires of the next link, in the order of design.json.
  void link_out(Wires& line, Wires& status, int lanes) {
    lines_out_.push_back({&line, end(lines_out_), lanes + 1});
    statuses_in_.push_back({&status, end(statuses_in_), 2});
  }
  void link_in(Wires& line, Wires& status, int lanes) {
    lines_in_.push_back({&line, end(lines_in_), lanes + 1});
    statuses_out_.push_back({&status, end(statuses_out_), 2});
  }

  const std::vector<BoundaryWatch>& watches() const { return watches_; }

 protected:
  /// Before the core settles, and after, in each clock without reset.
  virtual void drive() {}
  virtual void observe() {}

  Model& model() { return *model_; }
  Run& run() { return run_; }

 private:
  static int end(const std::vector<Bundle>& bundles) { return bundles.empty() ? 0 : bundles.back().offset + bundles.back().width; }

  void step() {
    const bool reset = run_.clock < kResetClocks;
    rst_.set(reset);
    for (const Bundle& bundle : lines_in_) line_in_.set_bits(bundle.offset, bundle.width, bundle.wires->read());
    for (const Bundle& bundle : statuses_in_) status_in_.set_bits(bundle.offset, bundle.width, bundle.wires->read());
    if (!reset) drive();
    model_->eval();
    if (!reset) {
      observe();
      compare();
    }
    clk_.set(true);
    model_->eval();
    clk_.set(false);
    for (const Bundle& bundle : lines_out_) bundle.wires->write(line_out_.bits(bundle.offset, bundle.width));
    for (const Bundle& bundle : statuses_out_) bundle.wires->write(status_out_.bits(bundle.offset, bundle.width));
  }

  void compare() {
    for (std::size_t b = 0; b < watches_.size(); ++b) {
      if (!probe_valid_.bit(static_cast<int>(b)) || !probe_ready_.bit(static_cast<int>(b))) continue;
      run_.moved = run_.clock;
      BoundaryWatch& watch = watches_[b];
      const std::int64_t image = watch.images_done();
      if (image > run_.result.images) {
        fail(fmt::format("layer boundary {}: more data than {} images give", watch.result().map, run_.result.images));
        continue;
      }
      // Windows of nothing but padding need no image: they may come ahead of one that never does.
      const std::int64_t golden = std::min(image, run_.result.images - 1);
      if (!watch.beat(probe_data_, probe_last_.bit(static_cast<int>(b)), run_.expected(golden)[watch.map()].values))
        fail(fmt::format("{}, layer boundary {}: `last` is not where image {} ends; a beat was lost or added", name(), watch.result().map,
                         image));
    }
  }

 protected:
  void fail(const std::string& what) {
    if (run_.result.failure.empty()) run_.result.failure = what;
  }

 private:
  std::unique_ptr<Model> model_;
  Run& run_;
  std::vector<BoundaryWatch> watches_;
  std::vector<Bundle> lines_out_, statuses_in_, lines_in_, statuses_out_;
  Port clk_, rst_, line_out_, status_in_, line_in_, status_out_, probe_valid_, probe_ready_, probe_last_, probe_data_;
};

/// The chip with the host's streams.
class FirstChip : public Chip {
 public:
  FirstChip(const sc_core::sc_module_name& name, const sc_core::sc_clock& clock, const nlohmann::json& design, std::unique_ptr<Model> core,
            Run& shared, const std::vector<MapData>& images, const ChipsOptions& options)
      : Chip(name, clock, design, std::move(core), shared),
        source_(design.at("input"), model(), shared.network, images),
        sink_(design.at("output"), shared.network),
        random_(options.seed),
        stall_(options.stall) {
    out_valid_ = model().port("out_valid"), out_ready_ = model().port("out_ready");
    out_data_ = model().port("out_data"), out_last_ = model().port("out_last");
    source_.idle();
    out_ready_.set(false);
  }

  std::vector<std::int64_t> finished_at;
  std::int64_t first_input = -1;

 private:
  bool chance() { return stall_ <= 0 || std::uniform_real_distribution<double>(0, 1)(random_) >= stall_; }

  void drive() override {
    source_.offer(chance());
    out_ready_.set(chance());
  }

  void observe() override {
    if (source_.taken()) {
      run().moved = run().clock;
      if (first_input < 0) first_input = run().clock;
    }
    if (!out_valid_.bit(0) || !out_ready_.bit(0)) return;
    run().moved = run().clock;
    SimulationResult& result = run().result;
    const std::int64_t image = sink_.images_done();
    if (image >= result.images) return fail(fmt::format("output: more data than {} images give", result.images));
    std::vector<MapData>& outputs = result.outputs[static_cast<std::size_t>(image)];
    const std::string problem = sink_.beat(out_data_, out_last_.bit(0), run().network, outputs);
    if (!problem.empty()) fail(problem);
    if (sink_.images_done() == image) return;
    for (std::size_t o = 0; o < outputs.size(); ++o)
      if (outputs[o] != run().expected(image)[static_cast<std::size_t>(run().network.outputs[o].map)])
        fail(fmt::format("output {}: image {} differs from golden", run().network.outputs[o].name, image));
    finished_at.push_back(run().clock);
    run().images_done = sink_.images_done();
  }

  ImageSource source_;
  OutputWatch sink_;
  std::mt19937 random_;
  double stall_;
  Port out_valid_, out_ready_, out_data_, out_last_;
};

void check_options(const ChipsOptions& options, const std::vector<MapData>& images) {
  if (images.empty()) throw Error("sim", "no image to simulate; give at least one");
  for (const auto& [name, value] : {std::pair("--stall", options.stall), std::pair("--link-noise", options.noise),
                                    std::pair("--link-loss", options.loss), std::pair("--link-stall", options.hold)})
    if (value < 0 || value >= 1) throw Error(name, fmt::format("{} given; a probability from 0 to below 1 expected", value));
}

/// The chips and the wires between them, as system.json says.
class System {
 public:
  System(const std::filesystem::path& folder, const nlohmann::json& system, const std::vector<MapData>& images, Run& run,
         const ChipsOptions& options)
      : run_(run), clock_("clock", sc_core::sc_time(1, sc_core::SC_NS)) {
    std::vector<nlohmann::json> designs;
    for (const auto& chip : system.at("chips")) {
      const auto name = chip.at("folder").get<std::string>();
      designs.push_back(read_design(folder / name));
      const std::filesystem::path library =
          options.quick.empty() ? build_model(folder / name, ModelKind::plain) : build_quick_model(folder / name, options.quick);
      auto model = std::make_unique<Model>(library, folder / name, options.seed + static_cast<unsigned>(chips_.size()), "");
      if (chips_.empty()) {
        auto first = std::make_unique<FirstChip>(name.c_str(), clock_, designs.back(), std::move(model), run, images, options);
        first_ = first.get();
        chips_.push_back(std::move(first));
      } else {
        chips_.push_back(std::make_unique<Chip>(name.c_str(), clock_, designs.back(), std::move(model), run));
      }
    }
    std::uint32_t seed = options.seed * 2654435761U;
    for (const auto& link : system.at("links")) {
      LineOptions there;
      there.lanes = link.at("lanes");
      there.clocks_per_symbol = link.at("clock_ratio");
      there.latency = std::max(0, link.at("latency").get<int>() - 1);  // the signal behind it takes a clock
      there.damage = options.noise, there.loss = options.loss, there.hold = options.hold;
      there.seed = ++seed;
      LineOptions back = there;
      back.lanes = 1;
      back.seed = ++seed;
      const auto name = link.at("name").get<std::string>();
      lines_.push_back(std::make_unique<Line>((name + "_line").c_str(), clock_, there));
      lines_.push_back(std::make_unique<Line>((name + "_reports").c_str(), clock_, back));
      names_.push_back(name);
    }
    for (std::size_t c = 0; c < chips_.size(); ++c) {  // in the order of the chip's ports
      const auto wires = [&](const char* which, bool out) {
        for (const auto& link : designs[c].at("chip").at(which)) {
          const auto at = static_cast<std::size_t>(std::find(names_.begin(), names_.end(), link.at("name").get<std::string>()) - names_.begin());
          if (at == names_.size()) throw Error(folder.string(), "system.json does not know a link of its chips; compile the model again");
          Line& line = *lines_[2 * at];
          Line& reports = *lines_[2 * at + 1];
          if (out)
            chips_[c]->link_out(line.in, reports.out, link.at("lanes"));
          else
            chips_[c]->link_in(line.out, reports.in, link.at("lanes"));
        }
      };
      wires("links_out", true);
      wires("links_in", false);
    }
  }

  /// Until all images are back, something is wrong, or nothing moves for `patience` clocks.
  void run(std::int64_t patience, const ChipsOptions& options) {
    const std::int64_t images = run_.result.images;
    while (run_.images_done < images && run_.result.failure.empty()) {
      for (std::int64_t i = 0; i < kSlice; ++i) {
        sc_core::sc_start(1, sc_core::SC_NS);
        ++run_.clock;
        if (run_.images_done == images) break;
      }
      if (run_.clock - run_.moved > patience) run_.result.failure = no_progress(patience);
      drop_old();
      if (options.progress) options.progress(run_.images_done, images);
    }
  }

  void finish(ChipsResult& chips) {
    SimulationResult& result = run_.result;
    result.total_clocks = run_.clock;
    result.bit_exact = result.failure.empty();
    for (const auto& chip : chips_)
      for (const BoundaryWatch& watch : chip->watches()) {
        result.boundaries.push_back(watch.result());
        result.bit_exact = result.bit_exact && watch.result().mismatches == 0;
      }
    const std::vector<std::int64_t>& at = first_->finished_at;
    if (!at.empty()) result.first_image_latency = at[0] - first_->first_input + 1;
    const auto first = static_cast<std::size_t>(std::min<std::int64_t>(result.images / 3, 4));
    if (at.size() >= 3 && first >= 1 && at.size() > first)
      result.clocks_per_image = static_cast<double>(at.back() - at[first - 1]) / static_cast<double>(at.size() - first);
    for (std::size_t i = 0; i < lines_.size(); ++i) {
      const LineModel& line = lines_[i]->model();
      chips.lines.push_back({names_[i / 2], i % 2 == 1, line.frames(), line.damaged(), line.lost(), line.held()});
    }
    chips.system = std::move(result);
  }

 private:
  std::string no_progress(std::int64_t patience) const {
    std::string text = fmt::format("no beat moved for {} clocks;", patience);
    for (const auto& chip : chips_)
      for (const BoundaryWatch& watch : chip->watches())
        text += fmt::format(" {} ({}) delivered {} of {} images;", watch.result().map, chip->name(), watch.images_done(), run_.result.images);
    return text + " the first layer that delivered fewer than its predecessor is where the stream stopped";
  }

  void drop_old() {
    std::int64_t oldest = run_.images_done;
    for (const auto& chip : chips_)
      for (const BoundaryWatch& watch : chip->watches()) oldest = std::min(oldest, watch.images_done());
    run_.expected.drop_before(std::min(oldest, run_.result.images - 1));
  }

  Run& run_;
  sc_core::sc_clock clock_;
  std::vector<std::unique_ptr<Chip>> chips_;
  FirstChip* first_ = nullptr;
  std::vector<std::unique_ptr<Line>> lines_;  ///< of each link: its line, its reports
  std::vector<std::string> names_;            ///< of links
};

}  // namespace

ChipsResult simulate_chips(const std::filesystem::path& folder, const Network& network, const std::vector<MapData>& images,
                           const std::function<std::vector<MapData>(const MapData&)>& golden, const ChipsOptions& options) {
  check_options(options, images);
  const auto start = std::chrono::steady_clock::now();
  const nlohmann::json system = read_system(folder);
  Run run{network, Expectation(images, golden)};
  run.result.images = static_cast<std::int64_t>(images.size());
  run.result.outputs.resize(images.size());
  System chips(folder, system, images, run, options);
  const auto built = std::chrono::steady_clock::now();
  auto patience = static_cast<double>(kPatience + 20 * system.at("predicted_clocks_per_image").get<std::int64_t>());
  if (options.stall > 0) patience /= std::max(0.01, 1 - options.stall);
  chips.run(static_cast<std::int64_t>(patience), options);
  ChipsResult result;
  chips.finish(result);
  const auto end = std::chrono::steady_clock::now();
  result.system.seconds = std::chrono::duration<double>(end - start).count();
  result.system.run_seconds = std::chrono::duration<double>(end - built).count();
  return result;
}

}  // namespace bitloom
