#include "map/chip_link.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "map/stages.hpp"

namespace bitloom {
namespace {

constexpr int kWordBits = 36;       // a word's bits, where values allow: one block RAM of ECP5
constexpr int kFrameBits = 1024;    // of words in a frame: 7 % of the wires' time go into the rest
constexpr int kCheckBits = 32;      // chip_crc
constexpr int kIdleSymbols = 3;     // between frames
constexpr int kPinClocks = 8;       // pins' registers and synchronizers, and what the ends need to turn round
constexpr int kLeastDepth = 64;     // of the buffers, in words: with 16 or 32 bursts wait for reports (docs/system.md)
constexpr std::int64_t kHeadroom = 4;  // a link whose buffers keep it below the wires' rate is still so many times faster than what it has to carry
constexpr int kMaxLatency = 4096;

// LUT4 of the ends without their buffers, measured by synthesis for ECP5 (docs/chips.md): hardly of the words' width.
constexpr double kSenderLuts = 385, kReceiverLuts = 270;

std::int64_t symbols(std::int64_t bits, int lanes) { return (bits + lanes - 1) / lanes; }

int number_bits(int depth) { return std::bit_width(static_cast<unsigned>(depth)); }  // 2 * depth numbers

std::int64_t report_clocks(const ChipLink& link) {
  return (2 * number_bits(link.depth) + 1 + kCheckBits + 2) * std::int64_t{link.spec.clock_ratio};
}

}  // namespace

void check_link_spec(const LinkSpec& spec) {
  if (spec.lanes < 1 || spec.lanes > 8) throw Error("--link-lanes", fmt::format("{} given; 1 to 8 wires expected", spec.lanes));
  if (spec.clock_ratio < 1 || spec.clock_ratio > 64)
    throw Error("--link-clock-ratio", fmt::format("{} given; 1 to 64 clocks of the cores to a symbol expected", spec.clock_ratio));
  if (spec.latency < 0 || spec.latency > kMaxLatency)
    throw Error("--link-latency", fmt::format("{} given; 0 to {} clocks expected", spec.latency, kMaxLatency));
}

std::int64_t frame_clocks(const ChipLink& link, std::int64_t words) {
  const int header = number_bits(link.depth) + std::bit_width(static_cast<unsigned>(link.frame_words));
  return (symbols(header, link.spec.lanes) + words * symbols(link.word_bits, link.spec.lanes) + symbols(kCheckBits, link.spec.lanes) +
          kIdleSymbols) *
         link.spec.clock_ratio;
}

ChipLink make_chip_link(const LinkSpec& spec, int word_bits, std::int64_t words, const Budget& device, std::int64_t clocks) {
  ChipLink link;
  link.spec = spec;
  link.word_bits = word_bits;
  link.words = words;
  const std::int64_t most = std::clamp<std::int64_t>(kFrameBits / word_bits, 1, std::min<std::int64_t>(64, words));
  for (link.depth = kLeastDepth;; link.depth *= 2) {
    link.frame_words = static_cast<int>(std::min<std::int64_t>(most, link.depth / 2));
    // Words are under way until the report of their arrival is back, and a frame more waits meanwhile.
    const std::int64_t back = 3 * frame_clocks(link, link.frame_words) + 2 * (spec.latency + kPinClocks) + 2 * report_clocks(link);
    link.timeout = static_cast<int>(2 * back);
    std::int64_t wires = words / link.frame_words * frame_clocks(link, link.frame_words);
    if (const std::int64_t rest = words % link.frame_words; rest > 0) wires += frame_clocks(link, rest);
    link.clocks = std::max(wires, words * back / link.depth);
    const std::int64_t word = symbols(word_bits, spec.lanes) * spec.clock_ratio;
    const bool full_rate = link.frame_words == most && link.depth >= 2 * link.frame_words && link.depth * word >= back;
    if (full_rate || link.depth == 32768 || (clocks > 0 && link.clocks * kHeadroom <= clocks)) break;
  }
  for (Cost* end : {&link.sender, &link.receiver}) {
    add_ram(*end, device, word_bits, link.depth);
    total_lut4(*end, device);
  }
  link.sender.lut4 += kSenderLuts;
  link.receiver.lut4 += kReceiverLuts;
  return link;
}

ChipLink make_chip_link(const LinkSpec& spec, int channels, const ValueType& type, std::int64_t size, const Budget& device, std::int64_t clocks) {
  int best = 1;
  double fewest = 0;  // symbols for a value
  for (const int together : divisors(channels)) {
    const int bits = together * type.bits();
    if (together > 1 && bits > kWordBits) continue;
    const double each = static_cast<double>(symbols(bits, spec.lanes)) / together;
    if (together > 1 && each > fewest) continue;
    best = together;
    fewest = each;
  }
  ChipLink link = make_chip_link(spec, best * type.bits(), size / best, device, clocks);
  link.channels = best;
  return link;
}

}  // namespace bitloom
