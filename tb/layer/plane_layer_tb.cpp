// SPDX-License-Identifier: Apache-2.0
// plane_layer against the definition of convolution: kinds of weights and activations, planes and what programs leave out of them,
// foldings, several pixels, strides, several frames under random stalls; and its rate.
#include <Vplane_1w8a.h>
#include <Vplane_average.h>
#include <Vplane_binary.h>
#include <Vplane_deep.h>
#include <Vplane_dense.h>
#include <Vplane_dense_levels.h>
#include <Vplane_dense_w4a4.h>
#include <Vplane_depthwise.h>
#include <Vplane_digits.h>
#include <Vplane_dw_columns.h>
#include <Vplane_dw_parallel.h>
#include <Vplane_dw_xnor.h>
#include <Vplane_full.h>
#include <Vplane_hollow.h>
#include <Vplane_levels.h>
#include <Vplane_pairs.h>
#include <Vplane_loaded.h>
#include <Vplane_loaded_twos.h>
#include <Vplane_parallel.h>
#include <Vplane_pixels.h>
#include <Vplane_pixels_dw.h>
#include <Vplane_pixels_groups.h>
#include <Vplane_pixels_levels.h>
#include <Vplane_pixels_parallel.h>
#include <Vplane_pixels_whole.h>
#include <Vplane_point.h>
#include <Vplane_products.h>
#include <Vplane_products_dw.h>
#include <Vplane_products_pixels.h>
#include <Vplane_products_point.h>
#include <Vplane_serial.h>
#include <Vplane_signed.h>
#include <Vplane_sparse.h>
#include <Vplane_sparse_parallel.h>
#include <Vplane_stride.h>
#include <Vplane_ternary.h>
#include <Vplane_threes.h>
#include <Vplane_threes_serial.h>
#include <Vplane_twos.h>
#include <Vplane_twos_signed.h>
#include <Vplane_w2a1.h>
#include <Vplane_w2a2.h>
#include <Vplane_w3a4.h>
#include <Vplane_widths.h>
#include <Vplane_xnor_serial.h>

#include "../stream/stalls.hpp"
#include "bench.hpp"
#include "catch2.hpp"
#include "plane_cases.hpp"

using namespace bench;

namespace {

const PlaneCase& find_case(const std::string& name) {
  for (const PlaneCase& layer : plane_cases)
    if (layer.name == name) return layer;
  throw BenchError("no case " + name);
}

/// Counts busy, starved and stalled; at most one may be high.
template <class Model>
class Activity : public Agent {
 public:
  explicit Activity(Dut<Model>& dut) : dut_(dut) { dut.attach(*this); }
  void observe(std::uint64_t cycle) override {
    if (dut_->busy + dut_->starved + dut_->stalled > 1)
      throw BenchError("more than one of busy, starved, stalled in cycle " + std::to_string(cycle));
    if (dut_->busy) {
      if (busy == 0) first = cycle;
      last = cycle;
      ++busy;
    }
    starved += dut_->starved, stalled += dut_->stalled;
  }
  std::uint64_t span() const { return last - first + 1; }
  void restart() { busy = starved = stalled = 0; }
  std::uint64_t busy = 0, starved = 0, stalled = 0, first = 0, last = 0;

 private:
  Dut<Model>& dut_;
};

/// Fills the weight memory of a layer that is loaded, what comes behind its words is passed on.
template <class Model>
void load_weights(Dut<Model>& dut, const PlaneCase& layer, const PlaneModel& model, Random& random) {
  dut->load_start = 0, dut->load_valid = 0, dut->load_data = 0;
  if (!layer.engine.loaded) return;
  dut->rst = 1;
  dut->load_start = 1;
  dut.tick();
  dut->load_start = 0;
  const auto offer = [&](std::uint64_t word, bool mine) {
    while (!random.chance(0.5)) dut.tick();
    dut->load_valid = 1, dut->load_data = static_cast<std::uint16_t>(word);
    dut.settle();
    REQUIRE(dut->load_next == !mine);
    dut.tick();
    dut->load_valid = 0;
  };
  for (const Bits& word : model.weight_image())
    for (int low = 0; low < word.width(); low += 16) offer(word.get(low, std::min(16, word.width() - low)), true);
  for (int i = 0; i < 3; ++i) offer(random.below(65536), false);
  dut->rst = 0;
}

template <class Model>
void check_layer(const std::string& name) {
  const PlaneCase& layer = find_case(name);
  Random random(test_seed());
  const PlaneModel model(layer, random);
  model.write_images();
  for (const Stalls& stalls : stall_cases) {
    CAPTURE(name, stalls.in, stalls.out, stalls.sink_waits);
    Dut<Model> dut(test_seed());
    Source in(dut, input_stream(dut, layer.word() * layer.a_bits), stalls.in);
    Sink out(dut, output_stream(dut, layer.lanes * layer.out_bits), stalls.out);
    Activity<Model> activity(dut);
    if (stalls.sink_waits) out.wait_for_valid();
    load_weights(dut, layer, model, random);
    const auto send = [&](int frames) {
      for (int f = 0; f < frames; ++f) {
        const std::vector<int> values = model.frame(random);
        in.push(model.input_beats(values));
        out.expect(model.output_beats(model.reference(values)));
      }
    };
    send(3);  // a reset within a frame, with words in every stage, drops it
    REQUIRE_NOTHROW(dut.run(20 + random.below(2 * static_cast<std::uint32_t>(layer.clocks()))));
    dut.reset();
    activity.restart();
    const int frames = 5;
    send(frames);
    const int frame_clocks = layer.clocks() + layer.height * layer.width * layer.words();
    REQUIRE_NOTHROW(run_stream(dut, in, out, 1000 + 40ull * static_cast<std::uint64_t>(frames * frame_clocks)));
    CHECK(activity.busy == static_cast<std::uint64_t>(frames * layer.clocks()));
  }
}

/// Clocks from a frame's end to the next frame's, over several frames, neighbours always willing.
template <class Model>
double clocks_per_frame(const PlaneCase& layer, double* busy_share) {
  Random random(test_seed());
  const PlaneModel model(layer, random);
  model.write_images();
  Dut<Model> dut(test_seed());
  Source in(dut, input_stream(dut, layer.word() * layer.a_bits));
  Sink out(dut, output_stream(dut, layer.lanes * layer.out_bits));
  Activity<Model> activity(dut);
  load_weights(dut, layer, model, random);
  const int frames = 6 + 2000 / layer.clocks();
  std::vector<std::uint64_t> ends;
  for (int f = 0; f < frames; ++f) {
    const std::vector<int> values = model.frame(random);
    in.push(model.input_beats(values));
    out.expect(model.output_beats(model.reference(values)));
  }
  const std::uint64_t beats = static_cast<std::uint64_t>(layer.out_height() * layer.out_width() * layer.out_channels / layer.lanes);
  dut.run_until([&] { return out.transfers() >= 2 * beats; });
  const std::uint64_t start = dut.cycle();
  activity.restart();
  dut.run_until([&] { return out.transfers() >= static_cast<std::uint64_t>(frames - 1) * beats; });
  const std::uint64_t end = dut.cycle();
  *busy_share = static_cast<double>(activity.busy) / static_cast<double>(end - start);
  dut.run_until([&] { return out.done(); });
  return static_cast<double>(end - start) / (frames - 3);
}

template <class Model>
void check_rate(const std::string& name) {
  const PlaneCase& layer = find_case(name);
  double busy = 0;
  const double clocks = clocks_per_frame<Model>(layer, &busy);
  CAPTURE(name, clocks, layer.clocks());
  CHECK(busy >= 0.98);
  CHECK(clocks >= 0.99 * layer.clocks());
  CHECK(clocks <= 1.01 * layer.clocks());
}

}  // namespace

TEST_CASE("the CASES lines of benches.cmake", "[.parameters]") {
  for (const PlaneCase& layer : plane_cases) WARN("  \"V" << layer.name << layer.parameters() << "\"");
}

#define PLANE_TEST(title, name)                                                \
  TEST_CASE("plane_layer, " title, "[layer]") { check_layer<V##name>(#name); } \
  TEST_CASE("plane_layer, rate, " title, "[layer][rate]") { check_rate<V##name>(#name); }

PLANE_TEST("binary 3x3, two groups, ALPHA 2", plane_binary)
PLANE_TEST("w2a2 AND, signed weights, unsigned activations, APAR 2", plane_w2a2)
PLANE_TEST("4-bit signed activations bit by bit, dilation 2, falling codes by steps of 2 from below zero", plane_serial)
PLANE_TEST("4-bit signed activations in pairs, all lanes at once", plane_pairs)
PLANE_TEST("bipolar weights, 3-bit signed activations", plane_signed)
PLANE_TEST("bipolar weights, 8-bit unsigned activations", plane_1w8a)
PLANE_TEST("2-bit weights, bipolar activations", plane_w2a1)
PLANE_TEST("fully connected, binary scores", plane_dense)
PLANE_TEST("fully connected, w4a4 scores, two bits at a time", plane_dense_w4a4)
PLANE_TEST("stride 2 with leftover rows and columns", plane_stride)
PLANE_TEST("one program word, one clock a pixel", plane_point)
PLANE_TEST("a buffer whose depth is no power of two, much ahead", plane_deep)
PLANE_TEST("depthwise 3x3, 2-bit signed weights, two groups", plane_depthwise)
PLANE_TEST("depthwise 3x3, unfolded columns, two passes", plane_dw_columns)
PLANE_TEST("depthwise binary, stride 2, two groups", plane_dw_xnor)
PLANE_TEST("3x3, four signed weight planes at once", plane_parallel)
PLANE_TEST("depthwise 3x3, three weight planes at once", plane_dw_parallel)
PLANE_TEST("average of 2x2: AND cells, all weights 1, sums", plane_average)
PLANE_TEST("3-bit weights, 4-bit activations, bit by bit", plane_w3a4)
PLANE_TEST("bipolar weights, 3-bit signed activations bit by bit", plane_xnor_serial)
PLANE_TEST("2 pixels, one group", plane_pixels)
PLANE_TEST("4 pixels, two groups, two passes", plane_pixels_groups)
PLANE_TEST("4 pixels, one group, all totals combined at once", plane_pixels_whole)
PLANE_TEST("depthwise, stride 2, 2 pixels, two groups", plane_pixels_dw)
PLANE_TEST("products, w8a8, ECP5", plane_products)
PLANE_TEST("products, a group a clock", plane_products_point)
PLANE_TEST("products, depthwise, iCE40", plane_products_dw)
PLANE_TEST("products, 2 pixels, scores", plane_products_pixels)
PLANE_TEST("2 pixels, three weight planes at once, two groups", plane_pixels_parallel)
PLANE_TEST("3-bit weights, 2-bit activations at once", plane_full)
PLANE_TEST("a quarter of the words", plane_sparse)
PLANE_TEST("a quarter of the words, three weight planes at once", plane_sparse_parallel)
PLANE_TEST("left-out planes, blank runs that double, two passes", plane_hollow)
PLANE_TEST("groups of 4, 3 and 2 bits, scores", plane_widths)
PLANE_TEST("ternary weights, bipolar activations, a quarter of the words", plane_ternary)
PLANE_TEST("signed digits, left-out planes, groups of different widths, three passes, totals at once", plane_digits)
PLANE_TEST("four levels, signed activations bit by bit, a quarter of the words", plane_levels)
PLANE_TEST("levels, 2 pixels, two groups, totals at once", plane_pixels_levels)
PLANE_TEST("cells by twos, 8-bit unsigned activations", plane_twos)
PLANE_TEST("weights loaded, w2a2, bit by bit", plane_loaded)
PLANE_TEST("weights loaded, two RAMs, cells by twos", plane_loaded_twos)
PLANE_TEST("cells by twos, 3-bit signed activations, 2 pixels, scores", plane_twos_signed)
PLANE_TEST("cells by threes, binary, one left over", plane_threes)
PLANE_TEST("cells by threes, 3-bit unsigned activations bit by bit", plane_threes_serial)
PLANE_TEST("fully connected, three levels, bipolar activations, scores", plane_dense_levels)

TEST_CASE("plane_layer, a w-bit, a-bit layer takes w*a times the clocks of the binary one", "[layer][rate]") {
  const PlaneCase &binary = find_case("plane_binary"), &bits = find_case("plane_w3a4");
  REQUIRE(bits.apar == 1);
  double busy = 0;
  const double ratio = clocks_per_frame<Vplane_w3a4>(bits, &busy) / clocks_per_frame<Vplane_binary>(binary, &busy);
  CHECK(ratio >= 0.98 * bits.w_bits * bits.a_bits);
  CHECK(ratio <= 1.02 * bits.w_bits * bits.a_bits);
}

TEST_CASE("plane_layer, with three words of four left out, takes less than 1/3.7 of the clocks", "[layer][rate]") {
  double busy = 0;
  const double full = clocks_per_frame<Vplane_full>(find_case("plane_full"), &busy);
  CHECK(full >= 3.7 * clocks_per_frame<Vplane_sparse>(find_case("plane_sparse"), &busy));
}
