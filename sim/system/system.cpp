#include "system/system.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "core/error.hpp"
#include "system/build.hpp"
#include "system/deferring.hpp"
#include "system/ends.hpp"
#include "system/load.hpp"
#include "system/storage.hpp"

namespace bitloom {
namespace {

using system::Active;
using system::Buffer;
using system::Clock;
using system::Deferring;
using system::Element;
using system::FrameLoad;
using system::kUnknown;
using system::Sink;
using system::Source;
using system::Stream;
using system::Worker;

struct Node {
  std::string name;
  std::unique_ptr<Element> element;
  std::vector<std::size_t> inputs, outputs;  ///< streams
};

}  // namespace

struct System::Parts {
  std::vector<std::unique_ptr<Stream>> streams;
  std::vector<Node> nodes;  ///< each behind those whose streams it takes; the source first and the sink last
  Source* source = nullptr;
  Sink* sink = nullptr;
  std::vector<std::pair<std::string, Worker*>> engines;
  std::vector<std::pair<std::string, Buffer*>> fifos;
  std::vector<Deferring*> deferring;

  void add(std::string name, std::unique_ptr<Element> element, std::vector<std::size_t> inputs, std::vector<std::size_t> outputs) {
    nodes.push_back({std::move(name), std::move(element), std::move(inputs), std::move(outputs)});
  }

  void connect() {
    for (Node& node : nodes) {
      for (const std::size_t s : node.outputs) {
        streams.at(s)->from = node.element.get();
        node.element->out.bind(*streams.at(s));
      }
      for (std::size_t i = 0; i < node.inputs.size(); ++i) {
        streams.at(node.inputs[i])->to.bind(node.element->input(i));
        node.element->in.push_back(streams.at(node.inputs[i]).get());
      }
    }
  }

  /// Beats of a frame on every stream.
  void count_frames() {
    for (const Node& node : nodes) {
      std::vector<std::int64_t> frame_in;
      for (const std::size_t s : node.inputs) frame_in.push_back(streams[s]->frame_beats());
      const std::int64_t frame_out = node.element->frame_out(frame_in);
      if (!node.outputs.empty() && frame_out < 1)
        throw Error(node.name, fmt::format("{} beats of an image enter, which does not fit its parameters in design.json", frame_in[0]));
      for (const std::size_t s : node.outputs) streams[s]->set_frame(frame_out);
    }
  }

  void reset(std::int64_t images) {
    source->set_images(images);
    for (const auto& stream : streams) stream->reset();
    for (const Node& node : nodes) {
      node.element->reset();
      node.element->wake();
    }
  }

  /// Images after which every stream repeated itself, by the same number of clocks, for so many frames that everything that follows
  /// repeats too (docs/system.md); 0 if they do not.
  std::int64_t steady_after(Clock& period) const {
    std::int64_t alike = 3, end = INT64_MAX;  // frames that must be alike; the first that not all streams have
    for (const Node& node : nodes)
      for (const std::size_t s : node.inputs) alike = std::max(alike, node.element->memory() / streams[s]->frame_beats() + 3);
    for (const auto& stream : streams) end = std::min(end, static_cast<std::int64_t>(stream->frames().size()));
    if (end < alike) return 0;
    const auto begin = static_cast<std::size_t>(end - alike);
    period = streams[0]->frames()[begin + 1].first - streams[0]->frames()[begin].first;
    for (const auto& stream : streams)
      for (auto frame = stream->frames().begin() + static_cast<std::ptrdiff_t>(begin), last = frame + alike - 1; frame != last; ++frame)
        if (frame[1].first - frame->first != period || frame[1].fingerprint != frame->fingerprint) return 0;
    return end - alike + 1;
  }

  /// Decides the earliest clock that is left open. False: there is none.
  bool decide() {
    Deferring* first = nullptr;
    for (Deferring* module : deferring)
      if (module->undecided() != kUnknown && (first == nullptr || module->undecided() < first->undecided())) first = module;
    if (first != nullptr) first->decide();
    return first != nullptr;
  }

  std::string no_progress(std::int64_t images) const {
    std::string text = fmt::format("deadlock: {} of {} images came;", sink->frame_ends().size(), images);
    for (const auto& [name, fifo] : fifos)
      if (fifo->most() == fifo->depth()) text += fmt::format(" {} is full ({} words);", name, fifo->depth());
    return text + " deepen the FIFOs in front of joins";
  }

  /// `period`: of the images that were not simulated; 0: all were.
  void measure(SystemResult& result, Clock period) const;
  void measure_loads(SystemResult& result, std::int64_t first) const;
};

void System::Parts::measure(SystemResult& result, Clock period) const {
  std::vector<Clock> ends = sink->frame_ends();
  // A result that depends on an image's upper border alone comes before the image does: one more than there are images.
  ends.resize(std::min(ends.size(), static_cast<std::size_t>(result.images)));
  for (const auto& stream : streams) result.beats += stream->beats();
  for (const auto& [name, fifo] : fifos) result.fifos.push_back({name, fifo->depth(), fifo->most()});
  if (ends.empty()) return;
  result.simulated = static_cast<std::int64_t>(ends.size());
  while (period > 0 && static_cast<std::int64_t>(ends.size()) < result.images) ends.push_back(ends.back() + period);
  result.first_image_latency = ends.front() - source->first_taken() + 1;
  result.total_clocks = ends.back() + 1;
  const auto n = static_cast<std::int64_t>(ends.size());
  const std::int64_t first = std::min<std::int64_t>(result.images / 3, 4);  // as simulate() has it
  if (n >= 3 && first >= 1 && n > first)
    result.clocks_per_image =
        static_cast<double>(ends.back() - ends[static_cast<std::size_t>(first - 1)]) / static_cast<double>(n - first);
  measure_loads(result, first);
}

/// Of whole frames, from image `first` on; the last, which empties the pipeline, is left out where there are others.
void System::Parts::measure_loads(SystemResult& result, std::int64_t first) const {
  const auto consider = [&](const std::string& name, double share) {
    if (share <= result.bottleneck_share) return;
    result.bottleneck_share = share;
    result.bottleneck = name;
  };
  for (const auto& [name, engine] : engines) {
    const std::vector<FrameLoad>& loads = engine->loads();
    const auto complete = static_cast<std::int64_t>(loads.size()) - 1;
    const std::int64_t begin = std::clamp<std::int64_t>(first, 0, std::max<std::int64_t>(0, complete - 2));
    const std::int64_t end = complete - begin > 1 ? complete - 1 : complete;
    SystemLayer layer{name, 0, 0, 0};
    for (std::int64_t f = begin; f < end; ++f) {
      const FrameLoad& load = loads[static_cast<std::size_t>(f)];
      layer.busy += load.busy, layer.starved += load.starved, layer.stalled += load.stalled;
    }
    const std::int64_t all = layer.busy + layer.starved + layer.stalled;
    if (all > 0) consider(name, static_cast<double>(layer.busy) / static_cast<double>(all));
    result.layers.push_back(std::move(layer));
  }
  if (result.clocks_per_image <= 0) return;
  for (const Node& node : nodes)
    for (const std::size_t s : node.outputs) consider(node.name, static_cast<double>(streams[s]->frame_beats()) / result.clocks_per_image);
}

System::System(const nlohmann::json& design) : parts_(std::make_unique<Parts>()) {
  const auto name = design.at("name").get<std::string>();
  if (!design.contains("netlist")) throw Error(name, "netlist is missing in design.json; compile the model again");
  const nlohmann::json& netlist = design.at("netlist");
  Parts& parts = *parts_;
  try {
    for (std::size_t s = 0; s < netlist.at("streams").size(); ++s)
      parts.streams.push_back(std::make_unique<Stream>(fmt::format("s{}", s).c_str()));
    auto source = std::make_unique<Source>("source", design.at("input").at("beats").get<std::int64_t>());
    parts.source = source.get();
    parts.add("input", std::move(source), {}, {netlist.at("input").get<std::size_t>()});
    for (const nlohmann::json& instance : netlist.at("instances")) {
      auto element = system::make_element(instance);
      const auto instance_name = instance.at("name").get<std::string>();
      const auto layer = design.at("layers").at(instance.at("layer").get<std::size_t>()).at("name").get<std::string>();
      if (auto* engine = dynamic_cast<Worker*>(element.get())) parts.engines.emplace_back(layer, engine);
      if (auto* module = dynamic_cast<Deferring*>(element.get())) parts.deferring.push_back(module);
      if (instance.at("module") == "stream_fifo") parts.fifos.emplace_back(instance_name, dynamic_cast<Buffer*>(element.get()));
      parts.add(instance_name, std::move(element), instance.at("inputs").get<std::vector<std::size_t>>(),
                instance.at("outputs").get<std::vector<std::size_t>>());
    }
    auto sink = std::make_unique<Sink>("sink");
    parts.sink = sink.get();
    parts.add("sink", std::move(sink), {netlist.at("output").get<std::size_t>()}, {});
  } catch (const nlohmann::json::exception& problem) {
    throw Error(name, fmt::format("the netlist in design.json is not complete ({}); compile the model again", problem.what()));
  }
  parts.connect();
  parts.count_frames();
}

System::~System() = default;

std::vector<std::string> System::fifos() const {
  std::vector<std::string> names;
  for (const auto& [name, fifo] : parts_->fifos) names.push_back(name);
  return names;
}

void System::set_depth(const std::string& name, std::int64_t depth) {
  for (const auto& [other, fifo] : parts_->fifos)
    if (other == name) fifo->set_depth(depth);
}

SystemResult System::run(const SystemOptions& options) {
  Parts& parts = *parts_;
  SystemResult result;
  result.images = options.images;
  Clock period = 0;
  const auto start = std::chrono::steady_clock::now();
  parts.sink->frame_ended = [&] {
    if (!options.extrapolate || period > 0) return;
    result.steady_after = parts.steady_after(period);
    if (result.steady_after == 0)
      period = 0;
    else
      sc_core::sc_pause();
  };
  parts.reset(options.images);
  do sc_core::sc_start();
  while (period == 0 && static_cast<std::int64_t>(parts.sink->frame_ends().size()) < options.images && parts.decide());
  if (period == 0 && static_cast<std::int64_t>(parts.sink->frame_ends().size()) < options.images)
    result.failure = parts.no_progress(options.images);
  parts.measure(result, period);
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

}  // namespace bitloom
