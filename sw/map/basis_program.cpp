#include "map/basis_program.hpp"

#include <algorithm>

namespace bitloom {
namespace {

constexpr int kPlayed = 8, kSettled = 3;  // blocks that are played, and those before the steady state

/// Bits of every sum: as many as the widest needs, and one more than an activation.
int sum_bits(const std::vector<CoefficientTask>& tasks, const ValueType& in) {
  std::int64_t low = in.min(), high = in.max();
  low = std::min(low, -high);
  for (const CoefficientTask& task : tasks) {
    std::int64_t least = 0, most = 0;
    for (const bool negative : task.negative) {
      least += negative ? -in.max() : in.min();
      most += negative ? -in.min() : in.max();
    }
    low = std::min(low, least);
    high = std::max(high, most);
  }
  return ValueType::holding(std::min<std::int64_t>(low, -1), high).bits();
}

void share_out(BasisProgram& program, const std::vector<int>& clocks, int lanes) {
  std::vector<std::int64_t> busy(static_cast<std::size_t>(lanes), 0);
  program.lanes.assign(static_cast<std::size_t>(lanes), {});
  for (std::size_t i = 0; i < program.tasks.size(); ++i) {
    auto lane = static_cast<std::size_t>(std::min_element(busy.begin(), busy.end()) - busy.begin());
    // No lane stays without a task.
    const std::size_t left = program.tasks.size() - i;
    const auto idle = static_cast<std::size_t>(std::count(busy.begin(), busy.end(), 0));
    if (idle > 0 && left <= idle) lane = static_cast<std::size_t>(std::find(busy.begin(), busy.end(), 0) - busy.begin());
    busy[lane] += clocks[i];
    program.lanes[lane].push_back(program.tasks[i]);
    program.lane_of.push_back(static_cast<int>(lane));
  }
}

}  // namespace

std::int64_t BasisProgram::stored_bits(int in_channels) const {
  std::int64_t bits = order.bits();
  for (const std::vector<CoefficientTask>& lane : lanes) bits += code_bits(code, encode(code, lane, in_channels));
  return bits;
}

BasisProgram make_basis_program(const Convolution& conv, const ValueType& activations, int lanes) {
  const Decomposition& d = *conv.decomposition;
  const int in_channels = static_cast<int>(d.coefficients.size()) / d.kernels / conv.out_channels;
  BasisProgram program;
  program.tasks = coefficient_tasks(d, conv.out_channels, in_channels);
  if (lanes > static_cast<int>(program.tasks.size())) throw Error("basis engine", "more lanes than tasks");
  const CoefficientCode alone = choose_code({program.tasks}, in_channels);
  share_out(program, task_clocks(alone, program.tasks, in_channels), lanes);
  program.code = choose_code(program.lanes, in_channels);
  program.order = task_order(program.tasks, program.lane_of, d.kernels, lanes);
  for (const CoefficientTask& task : program.tasks) program.coefficients += static_cast<std::int64_t>(task.channels.size());
  program.sum_bits = sum_bits(program.tasks, activations);
  return program;
}

std::int64_t block_clocks(const BasisProgram& program, int in_channels, int steps) {
  std::vector<std::vector<int>> clocks;
  for (const std::vector<CoefficientTask>& lane : program.lanes) clocks.push_back(task_clocks(program.code, lane, in_channels));
  struct Lane {
    std::size_t task = 0;
    std::int64_t free = 0;                 ///< when its next task may begin
    std::vector<std::int64_t> taken{};     ///< when its last sums were taken, a ring
  };
  std::vector<Lane> lanes(program.lanes.size());
  for (Lane& lane : lanes) lane.taken.assign(kSumsThatWait, 0);
  std::vector<std::int64_t> ends{0, 0};  // of blocks: a lane's memory holds two
  std::int64_t took = 0, now = 0;  // the last sum's clocks: taken from its lane, and by the products
  std::vector<std::int64_t> left(kSumsAhead, 0);
  std::size_t sum = 0;
  for (int block = 0; block < kPlayed; ++block) {
    const std::int64_t loaded = ends[static_cast<std::size_t>(block) % 2];  // of the block two before
    std::int64_t issued = loaded;
    for (std::size_t i = 0; i < program.tasks.size(); ++i) {
      const auto l = static_cast<std::size_t>(program.lane_of[i]);
      Lane& lane = lanes[l];
      std::int64_t& oldest = lane.taken[lane.task % kSumsThatWait];
      const std::int64_t done = std::max(std::max(lane.free, loaded) + clocks[l][lane.task % clocks[l].size()], oldest + 1);
      lane.free = done;
      issued = std::max(issued, done);
      std::int64_t& room = left[sum++ % kSumsAhead];  // when the products took the sum that makes room for this one
      took = std::max({took + 1, done + 1, room + 1});
      now = std::max(now + steps, took + 1);
      room = now;
      oldest = took;
      ++lane.task;
    }
    ends[static_cast<std::size_t>(block) % 2] = issued;
    if (block == kSettled - 1) ends.push_back(now);
  }
  return (now - ends.back() + kPlayed - kSettled - 1) / (kPlayed - kSettled);
}

BasisBlocks basis_blocks(const MapShape& in, const Window& w, int pixels) {
  const auto beyond = [](int pad, int kernel) { return std::max(0, pad - (kernel - 1)); };
  BasisBlocks b;
  b.inserted.pad_top = beyond(w.pad_top, w.kernel_height);
  b.inserted.pad_bottom = beyond(w.pad_bottom, w.kernel_height);
  b.inserted.pad_left = beyond(w.pad_left, w.kernel_width);
  b.inserted.pad_right = beyond(w.pad_right, w.kernel_width);
  const int width = in.width + b.inserted.pad_left + b.inserted.pad_right;
  b.blocks = (width + pixels - 1) / pixels;
  b.groups = (width + w.pad_right - b.inserted.pad_right + pixels - 1) / pixels;
  b.inserted.pad_right += b.blocks * pixels - width;
  b.out_rows = w.out_height(in.height);
  b.out_columns = w.out_width(in.width);
  b.first_row = w.kernel_height - 1 - (w.pad_top - b.inserted.pad_top);
  b.first_column = w.kernel_width - 1 - (w.pad_left - b.inserted.pad_left);
  b.last_pixels = std::clamp(b.first_column + (b.out_columns - 1) * w.stride_width + 1 - (b.groups - 1) * pixels, 1, pixels);
  b.map_rows = in.height + b.inserted.pad_top + b.inserted.pad_bottom;
  b.all_rows = std::max(b.map_rows, b.first_row + (b.out_rows - 1) * w.stride_height + 1);
  return b;
}

}  // namespace bitloom
