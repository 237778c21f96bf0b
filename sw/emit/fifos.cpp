#include "emit/fifos.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace bitloom {
namespace {

constexpr std::size_t kNone = static_cast<std::size_t>(-1);

/// Beats and clocks on every stream of a design.
class Traffic {
 public:
  explicit Traffic(const Design& design) : design_(design), sent_(design.streams.size(), 0), delay_(design.streams.size(), 0) {
    for (const Instance& instance : design.instances) {
      std::int64_t latest = 0;
      for (const std::size_t input : instance.inputs) latest = std::max(latest, delay_[input]);
      for (const std::size_t output : instance.outputs) delay_[output] = latest + instance.latency;
    }
  }

  /// One step of the schedule: all but forks runs as far as it can. Then the last fork with something to send sends a beat, and only if
  /// there is none, the source.
  void step() {
    for (auto fork = design_.instances.rbegin(); fork != design_.instances.rend(); ++fork) {
      if (fork->ports != Ports::Fork || sent_[fork->inputs[0]] == sent_[fork->outputs[0]]) continue;
      for (const std::size_t output : fork->outputs) ++sent_[output];
      settle();
      return;
    }
    ++sent_[0];
    settle();
  }

  std::int64_t sent(std::size_t stream) const { return sent_[stream]; }
  std::int64_t waiting(const Instance& join, std::size_t input) const {
    return sent_[join.inputs[input]] - join.intakes[input].uses(sent_[join.outputs[0]]);
  }
  /// Clocks from the source to this stream.
  std::int64_t delay(std::size_t stream) const { return delay_[stream]; }

 private:
  void settle() {
    for (const Instance& instance : design_.instances) {
      if (instance.ports == Ports::Fork) continue;
      std::int64_t out = INT64_MAX;
      for (std::size_t i = 0; i < instance.inputs.size(); ++i) out = std::min(out, instance.intakes[i].reach(sent_[instance.inputs[i]]));
      sent_[instance.outputs[0]] = out;
    }
  }

  const Design& design_;
  std::vector<std::int64_t> sent_, delay_;
};

std::vector<std::size_t> makers(const Design& design) {
  std::vector<std::size_t> maker(design.streams.size(), kNone);
  for (std::size_t i = 0; i < design.instances.size(); ++i)
    for (const std::size_t output : design.instances[i].outputs) maker[output] = i;
  return maker;
}

struct Place {
  std::size_t before;  ///< the instance whose only or given input the FIFO feeds
  std::size_t input;
  JoinFifo fifo;
};

}  // namespace

Cost fifo_cost(const JoinFifo& fifo, const Budget& budget) {
  constexpr std::int64_t kRegisterWords = 8;  // stream_fifo: up to this depth registers, a RAM beyond
  Cost cost;
  if (fifo.depth > kRegisterWords) add_ram(cost, budget, fifo.width, fifo.depth);
  total_lut4(cost, budget);
  return cost;
}

void add_join_fifos(const Network& network, Design& design, std::int64_t spare) {
  std::vector<std::pair<std::size_t, std::size_t>> inputs;  // of joins: instance, input
  for (std::size_t i = 0; i < design.instances.size(); ++i)
    for (std::size_t input = 0; design.instances[i].ports == Ports::Join && input < 2; ++input) inputs.emplace_back(i, input);
  if (inputs.empty()) return;

  // Two frames and one beat: everything that happens at a frame's end and start has happened then.
  Traffic traffic(design);
  const std::int64_t frame = network.maps[static_cast<std::size_t>(network.input)].shape.size() / design.plan.input_lanes;
  std::vector<std::int64_t> most(inputs.size(), 0);
  while (traffic.sent(0) <= 2 * frame) {
    traffic.step();
    for (std::size_t j = 0; j < inputs.size(); ++j)
      most[j] = std::max(most[j], traffic.waiting(design.instances[inputs[j].first], inputs[j].second));
  }

  const std::vector<std::size_t> maker = makers(design);
  std::vector<Place> places;
  for (std::size_t j = 0; j < inputs.size(); ++j) {
    const auto [instance, input] = inputs[j];
    const Instance& join = design.instances[instance];
    Place place{instance, input, {}};
    int held = 0;
    std::size_t stream = join.inputs[input];
    if (maker[stream] != kNone && design.instances[maker[stream]].module == "map_scale") {  // narrower in front of it
      place = {maker[stream], 0, {}};
      stream = design.instances[maker[stream]].inputs[0];
      held = 1;
    }

    const std::size_t other = 1 - input;
    std::int64_t clocks = std::max<std::int64_t>(0, traffic.delay(join.inputs[other]) - traffic.delay(join.inputs[input]));
    clocks += join.intakes[other].turn;
    const std::int64_t per_frame = traffic.sent(join.inputs[input]) / 2;
    const std::int64_t in_time = (clocks * per_frame + design.plan.clocks_per_image - 1) / design.plan.clocks_per_image;
    place.fifo.deadlock = std::max<std::int64_t>(0, most[j] - held);
    place.fifo.depth = place.fifo.deadlock + (spare >= 0 ? spare : in_time);
    place.fifo.width = design.streams[stream] + 1;
    place.fifo.name = fmt::format("{}_fifo{}", join.name, input);
    if (place.fifo.depth > 0) places.push_back(std::move(place));
  }

  // From the back, so that indices in front stay right.
  std::stable_sort(places.begin(), places.end(), [](const Place& a, const Place& b) { return a.before > b.before; });
  std::size_t previous = kNone, inserted = 0;  // in front of the same instance
  for (const Place& place : places) {
    inserted = place.before == previous ? inserted + 1 : 0;
    previous = place.before;
    const std::size_t at = place.before + inserted;
    std::size_t& feed = design.instances[at].inputs[place.input];
    Instance fifo;
    fifo.module = "stream_fifo";
    fifo.name = place.fifo.name;
    fifo.ports = Ports::Payload;
    fifo.parameters = {{"WIDTH", std::to_string(place.fifo.width)}, {"DEPTH", std::to_string(place.fifo.depth)}};
    fifo.inputs = {feed};
    fifo.outputs = {design.streams.size()};
    fifo.stage = design.instances[at].stage;
    fifo.chip = design.instances[at].chip;
    feed = design.streams.size();
    design.streams.push_back(place.fifo.width - 1);
    design.instances.insert(design.instances.begin() + static_cast<std::ptrdiff_t>(at), std::move(fifo));
    design.fifos.push_back(place.fifo);
  }
  std::reverse(design.fifos.begin(), design.fifos.end());
}

}  // namespace bitloom
