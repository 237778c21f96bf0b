// SPDX-License-Identifier: Apache-2.0
// sparse_sums (and sparse_lane within it) against the definition: sums in the order of the tasks, whatever lane has them, of blocks back to back; every lane adds in
// nearly every clock when sums are taken at once.
#include <Vsums_bitmap.h>
#include <Vsums_gaps.h>
#include <Vsums_one.h>

#include <numeric>

#include "../stream/stalls.hpp"
#include "catch2.hpp"
#include "coefficients.hpp"

using namespace bench;
using bitloom::CoefficientCode;
using bitloom::CoefficientTask;

namespace {

struct SumsCase {
  std::string name;
  int bits;
  bool is_signed;
  int channels, pixels, sum_bits, kernels;
  CoefficientCode code;
  std::vector<int> tasks;  // by lane
  std::vector<int> count;  // gaps: words, bitmap: signs, by lane
  int order_gap_bits;
};

/// Tasks whose code has exactly that many words, or signs.
std::vector<CoefficientTask> tasks_of(const SumsCase& c, std::size_t lane, Random& random, bitloom::LaneCode& code) {
  if (c.code.bitmap) return random_bitmap(c.channels, c.code.chunk_bits, c.tasks[lane], c.count[lane], random, code);
  for (int attempt = 0; attempt < 10000; ++attempt) {
    std::vector<std::vector<bool>> set(static_cast<std::size_t>(c.tasks[lane]), std::vector<bool>(static_cast<std::size_t>(c.channels), false));
    std::vector<CoefficientTask> tasks;
    do {
      set[random.below(static_cast<std::uint32_t>(set.size()))][random.below(static_cast<std::uint32_t>(c.channels))] = true;
      tasks.assign(set.size(), {});
      for (std::size_t t = 0; t < set.size(); ++t)
        for (int channel = 0; channel < c.channels; ++channel)
          if (set[t][static_cast<std::size_t>(channel)]) {
            tasks[t].channels.push_back(channel);
            tasks[t].negative.push_back(random.chance(0.5));
          }
      code = bitloom::encode(c.code, tasks, c.channels);
    } while (static_cast<int>(code.words.size()) < c.count[lane]);
    if (static_cast<int>(code.words.size()) == c.count[lane]) return tasks;
  }
  throw BenchError("no tasks with so many words");
}

template <class Model>
void check_sums(const SumsCase& c) {
  Random random(test_seed());
  const std::size_t lanes = c.tasks.size();
  std::vector<std::vector<CoefficientTask>> tasks;
  for (std::size_t lane = 0; lane < lanes; ++lane) {
    bitloom::LaneCode code;
    tasks.push_back(tasks_of(c, lane, random, code));
    const std::string digits = std::to_string(lane / 10) + std::to_string(lane % 10);
    write_code(c.name + "_lane" + digits + ".mem", c.code.bitmap ? c.name + "_signs" + digits + ".mem" : "",
               c.code.bitmap ? c.code.chunk_bits : c.code.gap_bits + 1, code);
  }
  // The order: a lane and a kernel for each; a kernel that is not above the one before is the next output channel's.
  struct Turn {
    std::size_t lane;
    int kernel;
    bool last;
  };
  std::vector<Turn> order;
  for (std::size_t lane = 0; lane < lanes; ++lane)
    for (int t = 0; t < c.tasks[lane]; ++t) order.push_back({lane, 0, false});
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(static_cast<std::uint32_t>(i))]);
  std::vector<Bits> image;
  int kernel = c.kernels - 1, lane_bits = 0;
  while ((std::size_t{1} << lane_bits) < lanes) ++lane_bits;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const auto gap = c.order_gap_bits == 0 ? 0 : random.below(1U << c.order_gap_bits);
    if (c.order_gap_bits + lane_bits > 0) image.emplace_back(c.order_gap_bits + lane_bits, gap << lane_bits | static_cast<std::uint32_t>(order[i].lane));
    kernel += static_cast<int>(gap) + 1;
    if (i > 0) order[i - 1].last = kernel >= c.kernels;
    kernel %= c.kernels;
    order[i].kernel = kernel;
  }
  order.back().last = true;
  write_image(c.name + "_order.mem", image);

  const int sum_width = c.pixels * c.sum_bits;
  for (const Stalls& stalls : stall_cases) {
    CAPTURE(c.name, stalls.in, stalls.out);
    Dut<Model> dut(test_seed());
    Source in(dut, input_stream(dut, c.pixels * c.bits), stalls.in);
    // Kernel, and whether the block ends, are compared as part of the data.
    Stream stream{"out", {dut->out_valid, 1}, {dut->out_ready, 1}, {dut->out_data, sum_width}, {}};
    stream.last.emplace(dut->out_last, 1);
    Sink out(dut, stream, stalls.out);
    if (stalls.sink_waits) out.wait_for_valid();
    struct Side : Agent {  // the rest of the payload
      Dut<Model>& dut;
      const std::vector<Turn>& order;
      std::size_t at = 0;
      std::uint64_t added = 0;
      Side(Dut<Model>& d, const std::vector<Turn>& o) : dut(d), order(o) { dut.attach(*this); }
      void observe(std::uint64_t) override {
        for (std::uint32_t bits = dut->adding; bits != 0; bits &= bits - 1) ++added;
        if (!dut->out_valid || !dut->out_ready) return;
        if (dut->out_kernel != static_cast<std::uint32_t>(order[at].kernel)) throw BenchError("kernel of sum " + std::to_string(at));
        if (dut->out_ends != (at + 1 == order.size())) throw BenchError("out_ends with sum " + std::to_string(at));
        at = at + 1 == order.size() ? 0 : at + 1;
      }
      void reset() override { at = 0, added = 0; }
    } side(dut, order);
    const auto send = [&](int blocks) {
      for (int block = 0; block < blocks; ++block) {
        std::vector<Bits> words;
        for (int channel = 0; channel < c.channels; ++channel) {
          words.push_back(random.bits(c.pixels * c.bits));
          in.push({words.back(), channel == c.channels - 1});
        }
        std::vector<std::size_t> next(lanes, 0);
        for (const Turn& turn : order) {
          const CoefficientTask& task = tasks[turn.lane][next[turn.lane]++];
          Bits sums(sum_width);
          for (int pixel = 0; pixel < c.pixels; ++pixel) {
            std::int64_t sum = 0;
            for (std::size_t i = 0; i < task.channels.size(); ++i) {
              const Bits& word = words[static_cast<std::size_t>(task.channels[i])];
              const std::int64_t value = c.is_signed ? word.get_signed(pixel * c.bits, c.bits) : static_cast<std::int64_t>(word.get(pixel * c.bits, c.bits));
              sum += task.negative[i] ? -value : value;
            }
            sums.set(pixel * c.sum_bits, c.sum_bits, static_cast<std::uint64_t>(sum));
          }
          out.expect({sums, turn.last});
        }
      }
    };
    send(2);
    REQUIRE_NOTHROW(dut.run(1 + random.below(100)));
    dut.reset();
    send(8);
    REQUIRE_NOTHROW(run_stream(dut, in, out));
    std::uint64_t coefficients = 0;
    for (const auto& lane : tasks)
      for (const CoefficientTask& task : lane) coefficients += task.channels.size();
    CHECK(side.added == 8 * coefficients);
  }
}

}  // namespace

TEST_CASE("sparse_sums, gaps, 3 lanes, 4 pixels, kernels left out", "[basis]") {
  check_sums<Vsums_gaps>({"sums_gaps", 4, false, 11, 4, 10, 3, {false, 3, 1}, {5, 7, 4}, {14, 18, 12}, 1});
}
TEST_CASE("sparse_sums, bitmap, 2 lanes, signed, 2 pixels", "[basis]") {
  check_sums<Vsums_bitmap>({"sums_bitmap", 3, true, 10, 2, 8, 4, {true, 1, 8}, {6, 6}, {31, 29}, 0});
}
TEST_CASE("sparse_sums, one lane, one channel, one pixel, one kernel", "[basis]") {
  check_sums<Vsums_one>({"sums_one", 8, false, 1, 1, 9, 1, {false, 1, 1}, {2}, {2}, 0});
}
