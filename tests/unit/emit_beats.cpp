// Beats sent for beats taken, against a list of what each module sends and what it must have taken before; and FIFO depths worked out by
// hand.
#include "catch2.hpp"
#include "emit/beats.hpp"
#include "emit/design.hpp"
#include "random_network.hpp"

using namespace bitloom;
using namespace bitloom::test;

namespace {

/// `needs[t]`: beats that must be taken before beat t can be sent, in one frame of `frame` beats.
void check_reach(const Intake& intake, const std::vector<std::int64_t>& needs, std::int64_t frame) {
  for (std::int64_t taken = 0; taken <= 3 * frame; ++taken) {
    std::int64_t sent = 0;
    while (static_cast<std::int64_t>(needs[static_cast<std::size_t>(sent) % needs.size()]) +
               sent / static_cast<std::int64_t>(needs.size()) * frame <=
           taken)
      ++sent;
    CAPTURE(taken);
    REQUIRE(intake.reach(taken) == sent);
  }
}

std::int64_t depth_of(const Network& network, std::size_t fifo, std::int64_t clocks) {
  const Budget budget{"test", 1 << 20, 1 << 20, 4096, 16, 1e6, 1.0, 1 << 20};
  const Design design = elaborate(network, make_plan(network, budget, {0, clocks}), 0);
  return design.fifos.at(fifo).depth;
}

}  // namespace

TEST_CASE("borders are sent without waiting for what follows them") {
  Window window;
  window.pad_top = 1, window.pad_left = 2, window.pad_right = 1, window.pad_bottom = 2;
  const MapShape shape{3, 4, 6};
  std::vector<std::int64_t> needs;
  std::int64_t taken = 0;
  for (int y = -1; y < 5; ++y)
    for (int x = -2; x < 5; ++x)
      for (int chunk = 0; chunk < 2; ++chunk) needs.push_back(y >= 0 && y < 3 && x >= 0 && x < 4 ? ++taken : taken);
  check_reach(padded(shape, window, 2), needs, 24);
}

TEST_CASE("a window is sent once its last word is there, columns once the rightmost is") {
  Random random(test_seed());
  for (int trial = 0; trial < 40; ++trial) {
    NetworkBuilder builder(random, {pick(random, 1, 7), pick(random, 1, 7), 4}, ValueType::unsigned_bits(2));
    Window window;
    window.kernel_height = pick(random, 1, builder.shape().height), window.kernel_width = pick(random, 1, builder.shape().width);
    window.stride_height = pick(random, 1, 3), window.stride_width = pick(random, 1, 3);
    const Network network = builder.max_pool(window).build();
    const Plan plan = make_plan(network, Budget{"test", 1 << 20, 1 << 20, 4096, 16, 1e6, 1.0}, {});
    const WindowPlan& w = plan.stages[0].window_plan;
    const int chunks = 4 / plan.stages[0].in_lanes, width = network.maps[0].shape.width;
    std::vector<std::int64_t> needs;
    for (int y = 0; y < w.out_height; ++y)
      for (int x = 0; x < w.out_width; ++x)
        needs.push_back(((y * window.stride_height + window.kernel_height - 1) * width + x * window.stride_width + window.kernel_width) *
                        chunks);
    check_reach(windowed(w, 1), needs, std::int64_t{network.maps[0].shape.height} * width * chunks);
  }
  check_reach(unfolded(5, 3), {3, 4, 5}, 5);
}

TEST_CASE("copies of a pixel need it once, copies of a row all of it") {
  check_reach(upsampled({2, 2, 4}, {2, 3}, 2), {1, 2, 2, 2, 2, 2, 3, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4,
                                                5, 6, 6, 6, 6, 6, 7, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8},
              8);
}

TEST_CASE("inputs of a concatenation take turns") {
  const Intake first = first_of_round(2, 3), second = second_of_round(2, 3);
  for (std::int64_t sent = 0; sent < 20; ++sent) {
    CHECK(first.uses(sent) + second.uses(sent) == sent);
    CHECK(first.reach(first.uses(sent)) >= sent);
    CHECK(second.reach(second.uses(sent)) >= sent);
  }
  CHECK(first.reach(2) == 5);   // its two, and the other's three
  CHECK(second.reach(2) == 4);  // the other's two, and its two
}

TEST_CASE("FIFO depths by hand") {
  Random random(test_seed());
  // A 3x3 window with a border of 1 on a row of 6: a row and two pixels beyond the first must be in before the sum can start.
  NetworkBuilder residual(random, {5, 6, 1}, ValueType::unsigned_bits(3));
  const int main = residual.max_pool(square(3, 1, 1)).here();
  CHECK(depth_of(residual.sum({0, main}, {1, 1}).build(), 0, 1000) == 6 + 1);
  // Of two outputs the second waits for the whole first one.
  NetworkBuilder two(random, {4, 4, 1}, ValueType::unsigned_bits(3));
  two.max_pool(square(1)).output().from(0).max_pool(square(1)).output();
  CHECK(depth_of(two.build(), 0, 1000) == 4 * 4 - 1);
}
