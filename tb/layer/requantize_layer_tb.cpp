// SPDX-License-Identifier: Apache-2.0
// requantize_layer against 64-bit arithmetic: constants at the ends of their ranges, clamping on both sides, shifts from none to beyond
// the sum.
#include <Vrequantize_byte.h>
#include <Vrequantize_logic.h>
#include <Vrequantize_many.h>
#include <Vrequantize_plain.h>
#include <Vrequantize_shared.h>
#include <Vrequantize_sign.h>

#include "../stream/stalls.hpp"
#include "bench.hpp"
#include "catch2.hpp"

using namespace bench;

namespace {

struct RequantizeCase {
  std::string name;  // of the images
  int lanes, in_bits;
  bool in_signed;
  int channels;  // 0: one table
  int mul_bits, add_bits, shift;
  std::int64_t low, high;
  int out_bits;
};

/// A two's complement number, often at an end of its range.
std::int64_t constant(Random& random, int bits) {
  Bits value = random.bits(bits);
  const std::uint32_t kind = random.below(6);
  if (kind < 2) value = Bits(bits, (std::uint64_t{1} << (bits - 1)) - kind);
  return value.get_signed(0, bits);
}

template <class Model>
void check_requantize(const RequantizeCase& layer) {
  Random random(test_seed());
  const int tables = layer.channels == 0 ? 1 : layer.channels, beats = layer.channels == 0 ? 1 : layer.channels / layer.lanes;
  std::vector<std::int64_t> mul, add;
  for (int c = 0; c < tables; ++c) {
    mul.push_back(constant(random, layer.mul_bits));
    add.push_back(constant(random, layer.add_bits));
  }
  const auto channel = [&](int beat, int lane) { return static_cast<std::size_t>(layer.channels == 0 ? 0 : beat * layer.lanes + lane); };
  for (int lane = 0; lane < layer.lanes; ++lane) {
    std::vector<Bits> words;
    for (int beat = 0; beat < beats; ++beat) {
      Bits word(layer.mul_bits + layer.add_bits);
      word.set(0, layer.mul_bits, static_cast<std::uint64_t>(mul[channel(beat, lane)]));
      word.set(layer.mul_bits, layer.add_bits, static_cast<std::uint64_t>(add[channel(beat, lane)]));
      words.push_back(word);
    }
    write_image(layer.name + "_lane" + (lane < 10 ? "0" : "") + std::to_string(lane) + ".mem", words);
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
          Bits values(layer.lanes * layer.in_bits), codes(layer.lanes * layer.out_bits);
          const bool last = beat == beats - 1 && random.chance(0.2);
          for (int lane = 0; lane < layer.lanes; ++lane) {
            const std::size_t c = channel(beat, lane);
            values.set(lane * layer.in_bits, layer.in_bits, static_cast<std::uint64_t>(constant(random, layer.in_bits)));
            const std::int64_t value = layer.in_signed ? values.get_signed(lane * layer.in_bits, layer.in_bits)
                                                       : static_cast<std::int64_t>(values.get(lane * layer.in_bits, layer.in_bits));
            const std::int64_t divisor = std::int64_t{1} << layer.shift, sum = value * mul[c] + add[c];
            const std::int64_t floor = sum / divisor - (sum % divisor < 0 ? 1 : 0);
            codes.set(lane * layer.out_bits, layer.out_bits, static_cast<std::uint64_t>(std::clamp(floor, layer.low, layer.high)));
          }
          in.push({values, last});
          out.expect({codes, last});
        }
    };
    send(20);  // a reset within a pixel drops what is under way
    REQUIRE_NOTHROW(dut.run(13));
    dut.reset();
    in.restart_count(), out.restart_count();
    send(300);
    REQUIRE_NOTHROW(run_stream(dut, in, out));
    if (stalls.in == 1.0 && stalls.out == 1.0) {
      CHECK(in.span() == static_cast<std::uint64_t>(300 * beats));
      CHECK(out.span() == static_cast<std::uint64_t>(300 * beats));
      CHECK(out.first_cycle() == in.first_cycle() + 7);
    }
    out.set_probability(0);  // the beats that it takes when nobody listens
    in.restart_count();
    send(20);
    REQUIRE_NOTHROW(dut.run(300));
    CHECK(in.transfers() == 9);
  }
}

}  // namespace

TEST_CASE("requantize_layer, signed sums to unsigned bytes, 6 channels", "[layer]") {
  check_requantize<Vrequantize_byte>({"requantize_byte", 2, 12, true, 6, 10, 20, 12, 0, 255, 8});
}
TEST_CASE("requantize_layer, one table for all, signed codes, a summand wider than the product", "[layer]") {
  check_requantize<Vrequantize_shared>({"requantize_shared", 3, 5, false, 0, 4, 14, 5, -7, 7, 4});
}
TEST_CASE("requantize_layer, no shift, no clamp", "[layer]") {
  check_requantize<Vrequantize_plain>({"requantize_plain", 1, 1, false, 5, 3, 3, 0, -16, 15, 5});
}
TEST_CASE("requantize_layer, only the sign is left", "[layer]") {
  check_requantize<Vrequantize_sign>({"requantize_sign", 1, 8, true, 3, 8, 8, 40, -1, 0, 1});
}
TEST_CASE("requantize_layer, constants in LUTs that a block RAM would hold", "[layer]") {
  check_requantize<Vrequantize_logic>({"requantize_logic", 2, 10, true, 60, 18, 30, 20, -128, 127, 8});
}
TEST_CASE("requantize_layer, 40-bit sums, 11 lanes, a block RAM of constants", "[layer]") {
  check_requantize<Vrequantize_many>({"requantize_many", 11, 17, false, 220, 20, 38, 3, -2000000000, 2147483647, 32});
}
