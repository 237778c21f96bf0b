// The latencies and depths of the hand-written modules, from their parameters: as their SystemVerilog has them.
#include "system/build.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>

#include "core/error.hpp"
#include "system/basis.hpp"
#include "system/engine.hpp"
#include "system/link.hpp"
#include "system/repacking.hpp"
#include "system/storage.hpp"

namespace bitloom::system {
namespace {

int clog2(std::int64_t n) {
  int bits = 0;
  while ((std::int64_t{1} << bits) < n) ++bits;
  return bits;
}

class Parameters {
 public:
  explicit Parameters(const nlohmann::json& instance) : instance_(instance), values_(instance.at("parameters")) {}
  std::int64_t operator()(const char* name) const {
    if (!values_.contains(name) || !values_.at(name).is_number_integer())
      throw Error(instance_.at("name").get<std::string>(),
                  fmt::format("{}: parameter {} is missing in design.json; compile the model again", module(), name));
    return values_.at(name).get<std::int64_t>();
  }
  std::int64_t operator()(const char* name, std::int64_t otherwise) const { return values_.contains(name) ? (*this)(name) : otherwise; }
  std::string module() const { return instance_.at("module").get<std::string>(); }
  const char* name() const { return instance_.at("name").get_ref<const std::string&>().c_str(); }
  std::vector<std::pair<std::int64_t, std::int64_t>> groups() const {
    const auto groups = instance_.value("groups", std::vector<std::pair<std::int64_t, std::int64_t>>{});
    if (groups.empty()) throw Error(name(), "the clocks of its groups are missing in design.json; compile the model again");
    return groups;
  }
  const nlohmann::json& sum_program() const {
    if (!instance_.contains("sum_program")) throw Error(name(), "the program of its sums is missing in design.json; compile the model again");
    return instance_.at("sum_program");
  }

 private:
  const nlohmann::json& instance_;
  const nlohmann::json& values_;
};

std::vector<int> one_of(std::int64_t n) {
  std::vector<int> sends(static_cast<std::size_t>(n), 0);
  sends.back() = 1;
  return sends;
}

/// map_pad: after each beat of the map the border up to the next one; at the end of a frame with the next frame's upper border.
std::unique_ptr<Element> make_pad(const Parameters& p) {
  const std::int64_t chunks = p("CHUNKS"), height = p("HEIGHT"), width = p("MAP_WIDTH");
  const std::int64_t row = (width + p("LEFT") + p("RIGHT")) * chunks, side = (p("LEFT") + p("RIGHT")) * chunks;
  const std::int64_t before = p("TOP") * row + p("LEFT") * chunks;
  std::vector<int> sends;
  for (std::int64_t y = 0; y < height; ++y) {
    sends.insert(sends.end(), static_cast<std::size_t>(width * chunks), 1);
    sends.back() += static_cast<int>(y + 1 < height ? side : p("RIGHT") * chunks + p("BOTTOM") * row + before);
  }
  return std::make_unique<Repacker>(p.name(), std::move(sends), static_cast<int>(before));
}

std::unique_ptr<Element> make_unfold(const Parameters& p) {
  std::vector<int> sends(static_cast<std::size_t>(p("MAP_WIDTH")), 1);
  std::fill_n(sends.begin(), p("COLUMNS") - 1, 0);
  return std::make_unique<Repacker>(p.name(), std::move(sends));
}

/// Words of window_reader's buffer.
std::int64_t buffer_words(std::int64_t depth, bool shared) {
  constexpr std::int64_t kSpare = 4;
  const std::int64_t power = std::int64_t{1} << clog2(depth + kSpare);
  const std::int64_t below = std::int64_t{1} << clog2(depth);
  return power <= 256 || shared ? power : below < depth + kSpare ? below : depth + kSpare;
}

EngineTiming window(const Parameters& p) {
  EngineTiming t;
  t.shared = p("SHARED", 0) != 0;
  t.buffer = buffer_words(p("BUFFER_DEPTH"), t.shared);
  t.extent = p("EXTENT");
  t.out_height = p("OUT_HEIGHT"), t.out_width = p("OUT_WIDTH");
  t.step_x = p("STEP_X"), t.step_row = p("STEP_ROW"), t.step_frame = p("STEP_FRAME");
  t.groups = p.groups();
  return t;
}

/// basis_layer: the latencies of basis_sums (5 clocks from the one in which a sum is taken, and 2 of registered multipliers), and of what stands behind it as in plane_layer.
std::unique_ptr<Element> make_basis(const Parameters& p) {
  BasisTiming t;
  const nlohmann::json& program = p.sum_program();
  const std::int64_t search_bits = p("SCORES") != 0 ? 0 : p("SEARCH_BITS"), lanes = p("LANES"), count = p("PE") * p("PIXELS");
  const bool registered = p("REGISTERED") != 0;
  t.lanes = p("IN_LANES"), t.pixels = p("PIXELS"), t.channels = p("CHANNELS");
  t.chunks = t.channels / t.lanes;
  const std::int64_t chunk = p("CHUNK_BITS");
  for (auto& steps : program.at("lanes").get<std::vector<std::vector<int>>>())
    t.programs.push_back({std::move(steps), p("BITMAP") != 0 ? static_cast<int>((t.channels + chunk - 1) / chunk) : 0});
  program.at("turns").get_to(t.turns);
  program.at("sums").get_to(t.sums);
  t.lane_depth = p("DEPTH");
  t.steps = p("HEIGHT") / p("ROWS");
  constexpr std::int64_t kApart = 6;  // waiting_sums
  const std::int64_t outputs = p("OUT_CHANNELS");
  t.pause = outputs * t.steps < kApart ? kApart - 1 - (outputs - 1) * t.steps : 0;
  t.blocks = p("BLOCKS"), t.groups = p("GROUPS"), t.map_rows = p("MAP_ROWS"), t.all_rows = p("ALL_ROWS");
  t.first = p("FIRST"), t.stride = p("STRIDE"), t.out_rows = p("OUT_ROWS");
  t.pe = p("PE"), t.group_beats = count / lanes, t.short_beats = p("PE") * p("SHORT") / lanes;
  const std::int64_t activation = p("SCORES") != 0 ? 2 : (registered ? 3 : 2) * search_bits + 1;
  t.latency = 5 + (p("FABRIC") == 1 ? 2 : 0) + (count > lanes ? 1 : 0) + activation;
  t.credits = (16 + activation + t.group_beats) / std::min(t.group_beats, std::max(p("PE") * t.steps, t.short_beats)) + 2 + p("SLACK");
  return std::make_unique<BasisEngine>(p.name(), std::move(t));
}

constexpr std::int64_t kReceiver = 3;  // chip_link_receiver: from a frame's check to the write into its RAM
constexpr std::int64_t kReader = 3;  // window_reader, REGISTERED: from a word of the program to its activations

/// plane_layer: the latencies of window_reader, plane_array, run_combiner, lane_shifter and threshold_search or score_bias.
std::unique_ptr<Element> make_plane(const Parameters& p) {
  EngineTiming t = window(p);
  const std::int64_t simd = p("SIMD"), apar = p("APAR"), wpar = p("WPAR"), count = p("PIXELS") * p("PE"), lanes = p("LANES");
  const bool registered = p("FABRIC") == 1, pairs = p("PAIRS") != 0, triples = p("TRIPLES", 0) != 0, products = p("PRODUCTS", 0) != 0, is_signed = p("A_SIGNED") != 0, scores = p("SCORES") != 0;
  const bool combines = p("RUN_LANES", 0) > 0;
  const std::int64_t run_lanes = combines ? p("RUN_LANES") : count;
  const std::int64_t search_bits = scores ? 0 : p("SEARCH_BITS");
  t.group_beats = count / lanes;
  const std::int64_t flight = 16 + 2 * clog2(simd) + 2 * clog2(wpar) + (scores ? 2 : 3 * search_bits + 1) +
                              (combines ? 3 + count / run_lanes : 0) + t.group_beats;
  t.credits = flight / p("GROUP_CLOCKS") + 2 + p("SLACK");
  const std::int64_t passes = p("A_BITS") / apar > 1 ? 1 : 0;
  const std::int64_t sums = pairs      ? 1 + clog2(simd)
                            : triples  ? 2 + clog2((simd + 2) / 3)
                            : products ? (registered ? 3 : 1) + clog2(simd)
                                       : clog2(simd) - (apar == 1 && simd > 2 ? 1 : 0) + (is_signed ? 1 : 0) + clog2(wpar);
  const std::int64_t array = (registered && !products ? 1 : 0) + sums + 1;
  const std::int64_t combiner = combines ? 2 + (run_lanes < count ? 1 : 0) : 0;
  const std::int64_t shifter = run_lanes > lanes ? 1 : 0;
  const std::int64_t activation = scores ? 2 : (registered ? 3 : 2) * search_bits + 1;
  t.latency = kReader - (pairs || triples ? 1 : 0) + passes + array + combiner + shifter + activation;
  return std::make_unique<Engine>(p.name(), t);
}

std::unique_ptr<Element> make_pool(const Parameters& p) {
  EngineTiming t = window(p);
  t.credits = 10 / (p("PROGRAM_WORDS") / p("GROUPS")) + 2;
  t.latency = kReader + 1;
  return std::make_unique<Engine>(p.name(), t);
}

/// A pipeline of so many clocks, with a FIFO behind it and four places more than it has stages.
std::unique_ptr<Element> make_pipeline(const Parameters& p, std::int64_t latency) {
  return std::make_unique<Buffer>(p.name(), latency + 4, latency);
}

/// chip_link_sender: frames of a header, words and a check of 32 bits, LANES bits a symbol.
std::unique_ptr<Element> make_link_sender(const Parameters& p) {
  LinkTiming t;
  const std::int64_t lanes = p("LANES"), header = clog2(p("DEPTH")) + 1 + clog2(p("FRAME") + 1);
  const auto symbols = [&](std::int64_t bits) { return (bits + lanes - 1) / lanes; };
  t.depth = p("DEPTH");
  t.frame = p("FRAME");
  t.symbol = p("CLOCKS");
  t.word_symbols = symbols(p("WIDTH"));
  t.frame_symbols = symbols(header) + symbols(32) + 3;
  t.latency = p("LATENCY", 0);
  t.report = 2 * (2 * (clog2(t.depth) + 1) + 1 + 32 + 2) * t.symbol + t.latency;
  return std::make_unique<LinkSender>(p.name(), t);
}

using Maker = std::function<std::unique_ptr<Element>(const Parameters&)>;

const std::map<std::string, Maker>& makers() {
  static const std::map<std::string, Maker> all = {
      {"stream_upsize", [](const Parameters& p) { return std::make_unique<Repacker>(p.name(), one_of(p("RATIO"))); }},
      {"stream_downsize", [](const Parameters& p) { return std::make_unique<Repacker>(p.name(), std::vector{static_cast<int>(p("RATIO"))}); }},
      {"map_scale", [](const Parameters& p) { return std::make_unique<Repacker>(p.name(), std::vector{1}); }},
      {"argmax", [](const Parameters& p) { return std::make_unique<Repacker>(p.name(), one_of(p("CHANNELS"))); }},
      {"map_pad", make_pad},
      {"column_unfold", make_unfold},
      {"stream_fork", [](const Parameters& p) { return std::make_unique<Fork>(p.name()); }},
      {"map_add", [](const Parameters& p) { return std::make_unique<Add>(p.name()); }},
      {"map_concat", [](const Parameters& p) { return std::make_unique<Concat>(p.name(), p("A_BEATS"), p("B_BEATS")); }},
      {"stream_fifo", [](const Parameters& p) { return std::make_unique<Buffer>(p.name(), p("DEPTH")); }},
      {"skid_buffer", [](const Parameters& p) { return std::make_unique<Buffer>(p.name(), 2); }},
      {"threshold_layer", [](const Parameters& p) { return make_pipeline(p, 2 * p("SEARCH_BITS") + 1); }},
      {"requantize_layer", [](const Parameters& p) { return make_pipeline(p, 5); }},
      {"pixel_order",
       [](const Parameters& p) {
         const std::int64_t pixel = p("GROUPS") * p("BEATS");
         return std::make_unique<PixelOrder>(p.name(), PixelOrder::Blocks{p("PIXELS") * pixel, p("ROW", 1), p("SHORT", p("PIXELS")) * pixel});
       }},
      {"map_crop",
       [](const Parameters& p) {
         return std::make_unique<Crop>(p.name(), Crop::Shape{p("CHUNKS"), p("IN_WIDTH"), p("FIRST"), p("STRIDE"), p("OUT_WIDTH")});
       }},
      {"map_upsample",
       [](const Parameters& p) {
         return std::make_unique<Upsampler>(p.name(), Upsampler::Shape{p("CHUNKS"), p("MAP_WIDTH"), p("UP_HEIGHT"), p("UP_WIDTH")});
       }},
      {"chip_link_sender", make_link_sender},
      {"chip_link_receiver", [](const Parameters& p) { return std::make_unique<Buffer>(p.name(), p("DEPTH"), kReceiver); }},
      {"plane_layer", make_plane},
      {"basis_layer", make_basis},
      {"max_pool", make_pool},
  };
  return all;
}

}  // namespace

std::unique_ptr<Element> make_element(const nlohmann::json& instance) {
  const Parameters p(instance);
  const auto maker = makers().find(p.module());
  if (maker == makers().end())
    throw Error(p.name(), fmt::format("the transaction-level model has no module {}; simulate with --level rtl", p.module()));
  return maker->second(p);
}

}  // namespace bitloom::system
