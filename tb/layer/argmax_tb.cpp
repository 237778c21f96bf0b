// SPDX-License-Identifier: Apache-2.0
// argmax: the first of the largest scores, with many ties and both ends of the range; out_last with the frame's last index.
#include <Vargmax_one.h>
#include <Vargmax_s5.h>
#include <Vargmax_u3.h>

#include "../stream/stalls.hpp"
#include "bench.hpp"
#include "catch2.hpp"

using namespace bench;

namespace {
template <class Model>
void check_argmax(int bits, bool is_signed, int channels, int index_bits) {
  for (const Stalls& stalls : stall_cases) {
    CAPTURE(stalls.in, stalls.out, stalls.sink_waits);
    Dut<Model> dut(test_seed());
    Random random(test_seed());
    Source in(dut, input_stream(dut, bits), stalls.in);
    Sink out(dut, output_stream(dut, index_bits), stalls.out);
    if (stalls.sink_waits) out.wait_for_valid();
    const auto send = [&](int pixels) {
      for (int pixel = 0; pixel < pixels; ++pixel) {
        const bool last = random.chance(0.3);
        const std::uint32_t kind = random.below(4);  // 0: all equal; 1: two values; else any
        const Bits common = random.bits(bits);
        std::int64_t best = 0;
        int index = -1;
        for (int c = 0; c < channels; ++c) {
          Bits score = kind == 0 ? common : random.bits(bits);
          if (kind == 1) score = Bits(bits, random.chance(0.5) ? 0 : std::uint64_t{1} << (bits - 1));
          const std::int64_t value = is_signed ? score.get_signed(0, bits) : static_cast<std::int64_t>(score.value());
          if (index < 0 || value > best) best = value, index = c;
          in.push({score, last && c == channels - 1});
        }
        out.expect({Bits(index_bits, static_cast<std::uint64_t>(index)), last});
      }
    };
    send(10);  // a reset within a pixel drops it
    REQUIRE_NOTHROW(dut.run(2 * static_cast<std::uint64_t>(channels) + 1));
    dut.reset();
    in.restart_count();
    send(200);
    REQUIRE_NOTHROW(run_stream(dut, in, out));
    if (stalls.in == 1.0 && stalls.out == 1.0) CHECK(in.span() == static_cast<std::uint64_t>(200 * channels));
  }
}
}  // namespace

TEST_CASE("argmax, 10 signed scores", "[layer]") { check_argmax<Vargmax_s5>(5, true, 10, 4); }
TEST_CASE("argmax, 3 unsigned scores, wide index", "[layer]") { check_argmax<Vargmax_u3>(3, false, 3, 5); }
TEST_CASE("argmax, one score", "[layer]") { check_argmax<Vargmax_one>(4, true, 1, 1); }
