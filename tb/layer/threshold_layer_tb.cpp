// SPDX-License-Identifier: Apache-2.0
// threshold_layer against counting: rising and falling channels, fewer levels than the search has places, signed codes, steps, one table
// for all channels.
#include <Vthreshold_bit.h>
#include <Vthreshold_shared.h>
#include <Vthreshold_signed.h>
#include <Vthreshold_steps.h>

#include "../stream/stalls.hpp"
#include "bench.hpp"
#include "catch2.hpp"

using namespace bench;

namespace {

struct ThresholdCase {
  std::string name;  // of the images
  int lanes, in_bits;
  bool in_signed;
  int channels;  // 0: one table
  int threshold_bits, search_bits, levels, low, step, out_bits;
};

template <class Model>
void check_threshold(const ThresholdCase& layer) {
  Random random(test_seed());
  const int tables = layer.channels == 0 ? 1 : layer.channels;
  const std::int64_t min = layer.in_signed ? -(1 << (layer.in_bits - 1)) : 0;
  const std::int64_t max = min + (1 << layer.in_bits) - 1;
  std::vector<std::vector<std::int64_t>> thresholds;
  std::vector<bool> falling;
  for (int c = 0; c < tables; ++c) {
    std::vector<std::int64_t> t;
    // min: always reached; max + 1: never.
    for (int i = 0; i < layer.levels; ++i) t.push_back(min + random.below(static_cast<std::uint32_t>(max - min + 2)));
    std::sort(t.begin(), t.end());
    thresholds.push_back(t);
    falling.push_back(c % 2 == 1 || random.chance(0.2));
  }
  const int beats = layer.channels == 0 ? 1 : layer.channels / layer.lanes;
  for (int lane = 0; lane < layer.lanes; ++lane)
    for (int level = 0; level < layer.search_bits; ++level) {
      std::vector<Bits> words;
      for (int beat = 0; beat < beats; ++beat)
        for (int found = 0; found < 1 << level; ++found) {
          const auto c = static_cast<std::size_t>(layer.channels == 0 ? 0 : beat * layer.lanes + lane);
          const int rest = layer.search_bits - level, index = (found << rest) + (1 << (rest - 1)) - 1;
          Bits word(layer.threshold_bits + (level == 0 ? 1 : 0));
          word.set(0, layer.threshold_bits,
                   static_cast<std::uint64_t>(index < layer.levels ? thresholds[c][static_cast<std::size_t>(index)] : max + 1));
          if (level == 0) word.set(layer.threshold_bits, 1, falling[c]);
          words.push_back(word);
        }
      write_image(layer.name + "_level" + std::to_string(level) + "_lane0" + std::to_string(lane) + ".mem", words);
    }

  for (const Stalls& stalls : stall_cases) {
    CAPTURE(layer.name, stalls.in, stalls.out, stalls.sink_waits);
    Dut<Model> dut(test_seed());
    Source in(dut, input_stream(dut, layer.lanes * layer.in_bits), stalls.in);
    Sink out(dut, output_stream(dut, layer.lanes * layer.out_bits), stalls.out);
    if (stalls.sink_waits) out.wait_for_valid();
    const auto send = [&](int pixels) {
      for (int pixel = 0; pixel < pixels; ++pixel)
        for (int beat = 0; beat < beats; ++beat) {
          const Bits values = random.bits(layer.lanes * layer.in_bits);
          const bool last = beat == beats - 1 && random.chance(0.2);
          Bits codes(layer.lanes * layer.out_bits);
          for (int lane = 0; lane < layer.lanes; ++lane) {
            const auto c = static_cast<std::size_t>(layer.channels == 0 ? 0 : beat * layer.lanes + lane);
            const std::int64_t value = layer.in_signed ? values.get_signed(lane * layer.in_bits, layer.in_bits)
                                                       : static_cast<std::int64_t>(values.get(lane * layer.in_bits, layer.in_bits));
            std::int64_t n = 0;
            for (const std::int64_t t : thresholds[c]) n += value >= t;
            const std::int64_t code = layer.low + layer.step * (falling[c] ? layer.levels - n : n);
            codes.set(lane * layer.out_bits, layer.out_bits, static_cast<std::uint64_t>(code));
          }
          in.push({values, last});
          out.expect({codes, last});
        }
    };
    send(20);  // a reset within a pixel drops what is under way
    REQUIRE_NOTHROW(dut.run(13));
    dut.reset();
    in.restart_count();
    send(300);
    REQUIRE_NOTHROW(run_stream(dut, in, out));
    if (stalls.in == 1.0 && stalls.out == 1.0) CHECK(in.span() == static_cast<std::uint64_t>(300 * beats));
  }
}

}  // namespace

TEST_CASE("threshold_layer, one bit, 6 channels", "[layer]") {
  check_threshold<Vthreshold_bit>({"threshold_bit", 2, 5, false, 6, 7, 1, 1, 0, 1, 1});
}
TEST_CASE("threshold_layer, signed input and codes", "[layer]") {
  check_threshold<Vthreshold_signed>({"threshold_signed", 1, 6, true, 5, 7, 3, 7, -4, 1, 3});
}
TEST_CASE("threshold_layer, 5 of 7 levels, steps of 2", "[layer]") {
  check_threshold<Vthreshold_steps>({"threshold_steps", 3, 8, false, 6, 10, 3, 5, -5, 2, 4});
}
TEST_CASE("threshold_layer, one table for all, 4-bit codes", "[layer]") {
  check_threshold<Vthreshold_shared>({"threshold_shared", 2, 7, true, 0, 8, 4, 11, 0, 1, 4});
}
