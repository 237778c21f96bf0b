#include "core/coefficient_code.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace bitloom {
namespace {

constexpr int kChunk = 8;
constexpr int kLeastShare = 8;  // of words with a coefficient to those without

int bits_for(std::uint32_t largest) {
  int bits = 0;
  while (largest >> bits != 0) ++bits;
  return bits;
}

int chunk_bits(int in_channels) { return std::min(in_channels, kChunk); }

[[noreturn]] void refuse(const std::string& what) { throw Error("coefficient code", what); }

/// Appends the words of one task; `position` is that of the last word, and moves on.
void append_gaps(std::vector<std::uint32_t>& words, int gap_bits, const CoefficientTask& task, std::int64_t start, std::int64_t& position) {
  const std::int64_t skip = (std::int64_t{1} << gap_bits) - 1;
  const auto skip_to = [&](std::int64_t least) {
    for (; position < least; position += skip) words.push_back(static_cast<std::uint32_t>(skip << 1));
  };
  for (std::size_t i = 0; i < task.channels.size(); ++i) {
    const std::int64_t target = start + task.channels[i];
    skip_to(target - skip);
    words.push_back(static_cast<std::uint32_t>((target - position - 1) << 1 | (task.negative[i] ? 1 : 0)));
    position = target;
  }
  if (task.channels.empty()) skip_to(start);
}

LaneCode encode_bitmap(int chunk, const std::vector<CoefficientTask>& tasks, int in_channels) {
  LaneCode lane;
  for (const CoefficientTask& task : tasks) {
    const std::size_t first = lane.words.size();
    lane.words.resize(first + static_cast<std::size_t>((in_channels + chunk - 1) / chunk), 0);
    for (const int channel : task.channels) lane.words[first + static_cast<std::size_t>(channel / chunk)] |= 1U << channel % chunk;
    lane.signs.insert(lane.signs.end(), task.negative.begin(), task.negative.end());
  }
  return lane;
}

std::vector<CoefficientTask> decode_gaps(int gap_bits, const LaneCode& lane, int in_channels) {
  const std::uint32_t all_ones = (1U << gap_bits) - 1;
  std::vector<CoefficientTask> tasks;
  int channel = in_channels - 1;  // of a task before the first
  for (const std::uint32_t word : lane.words) {
    const std::uint32_t gap = word >> 1;
    channel += static_cast<int>(gap == all_ones ? gap : gap + 1);
    if (channel >= in_channels) {
      channel -= in_channels;
      tasks.emplace_back();
    }
    if (channel >= in_channels || tasks.empty()) refuse(fmt::format("a gap of {} jumps over a task of {} channels", gap, in_channels));
    if (gap == all_ones) continue;
    tasks.back().channels.push_back(channel);
    tasks.back().negative.push_back((word & 1) != 0);
  }
  return tasks;
}

std::vector<CoefficientTask> decode_bitmap(int chunk, const LaneCode& lane, int in_channels) {
  const auto chunks = static_cast<std::size_t>((in_channels + chunk - 1) / chunk);
  if (lane.words.size() % chunks != 0) refuse(fmt::format("{} chunks are no whole number of tasks", lane.words.size()));
  std::vector<CoefficientTask> tasks(lane.words.size() / chunks);
  std::size_t sign = 0;
  for (std::size_t i = 0; i < lane.words.size(); ++i)
    for (int bit = 0; bit < chunk; ++bit) {
      if ((lane.words[i] >> bit & 1) == 0) continue;
      const int channel = static_cast<int>(i % chunks) * chunk + bit;
      if (channel >= in_channels || sign >= lane.signs.size()) refuse("a bit beyond the channels, or without a sign");
      tasks[i / chunks].channels.push_back(channel);
      tasks[i / chunks].negative.push_back(lane.signs[sign++]);
    }
  return tasks;
}

}  // namespace

std::vector<CoefficientTask> coefficient_tasks(const Decomposition& d, int out_channels, int in_channels) {
  std::vector<CoefficientTask> tasks;
  for (int k = 0; k < out_channels; ++k) {
    const std::size_t before = tasks.size();
    for (int m = 0; m < d.kernels; ++m) {
      CoefficientTask task{k, m, {}, {}};
      for (int c = 0; c < in_channels; ++c) {
        const std::size_t i = (static_cast<std::size_t>(k) * static_cast<std::size_t>(in_channels) + static_cast<std::size_t>(c)) *
                                  static_cast<std::size_t>(d.kernels) +
                              static_cast<std::size_t>(m);
        if (d.coefficients[i] == 0) continue;
        task.channels.push_back(c);
        task.negative.push_back(d.coefficients[i] < 0);
      }
      if (!task.channels.empty()) tasks.push_back(std::move(task));
    }
    if (tasks.size() == before) tasks.push_back({k, 0, {}, {}});
  }
  return tasks;
}

LaneCode encode(const CoefficientCode& code, const std::vector<CoefficientTask>& tasks, int in_channels) {
  if (code.bitmap) return encode_bitmap(code.chunk_bits, tasks, in_channels);
  LaneCode lane;
  std::int64_t start = 0, position = -1;
  for (const CoefficientTask& task : tasks) {
    append_gaps(lane.words, code.gap_bits, task, start, position);
    start += in_channels;
  }
  return lane;
}

std::vector<CoefficientTask> decode(const CoefficientCode& code, const LaneCode& lane, int in_channels) {
  return code.bitmap ? decode_bitmap(code.chunk_bits, lane, in_channels) : decode_gaps(code.gap_bits, lane, in_channels);
}

std::int64_t code_bits(const CoefficientCode& code, const LaneCode& lane) {
  const auto words = static_cast<std::int64_t>(lane.words.size());
  return code.bitmap ? words * code.chunk_bits + static_cast<std::int64_t>(lane.signs.size()) : words * (code.gap_bits + 1);
}

std::vector<int> task_clocks(const CoefficientCode& code, const std::vector<CoefficientTask>& tasks, int in_channels) {
  std::vector<int> clocks;
  std::int64_t start = 0, position = -1;
  for (const CoefficientTask& task : tasks) {
    if (code.bitmap) {
      clocks.push_back(std::max(1, static_cast<int>(task.channels.size())));
      continue;
    }
    std::vector<std::uint32_t> words;
    append_gaps(words, code.gap_bits, task, start, position);
    start += in_channels;
    clocks.push_back(static_cast<int>(words.size()));
  }
  return clocks;
}

CoefficientCode choose_code(const std::vector<std::vector<CoefficientTask>>& lanes, int in_channels) {
  std::int64_t coefficients = 0;
  for (const std::vector<CoefficientTask>& tasks : lanes)
    for (const CoefficientTask& task : tasks) coefficients += static_cast<std::int64_t>(task.channels.size());
  const auto measure = [&](const CoefficientCode& code, std::int64_t& words) {
    std::int64_t bits = 0;
    words = 0;
    for (const std::vector<CoefficientTask>& tasks : lanes) {
      const LaneCode lane = encode(code, tasks, in_channels);
      words += static_cast<std::int64_t>(lane.words.size());
      bits += code_bits(code, lane);
    }
    return bits;
  };
  std::int64_t words = 0;
  CoefficientCode best{true, 1, chunk_bits(in_channels)};
  std::int64_t least = measure(best, words);
  for (int bits = bits_for(static_cast<std::uint32_t>(in_channels) + 1) - 1; bits >= 1; --bits) {
    const CoefficientCode code{false, bits, 1};
    const std::int64_t size = measure(code, words);
    const bool widest = bits == bits_for(static_cast<std::uint32_t>(in_channels) + 1) - 1;
    if (!widest && (words - coefficients) * kLeastShare > coefficients) break;
    if (size < least) {
      least = size;
      best = code;
    }
  }
  return best;
}

TaskOrder task_order(const std::vector<CoefficientTask>& tasks, const std::vector<int>& lane_of, int kernels, int lanes) {
  TaskOrder order;
  order.lane_bits = bits_for(static_cast<std::uint32_t>(lanes) - 1);
  std::vector<std::uint32_t> gaps;
  int position = -1;
  for (const CoefficientTask& task : tasks) {
    const int next = task.output * kernels + task.kernel;
    gaps.push_back(static_cast<std::uint32_t>(next - position - 1));
    position = next;
    order.gap_bits = std::max(order.gap_bits, bits_for(gaps.back()));
  }
  for (std::size_t i = 0; i < tasks.size(); ++i)
    order.words.push_back(gaps[i] << order.lane_bits | static_cast<std::uint32_t>(lane_of[i]));
  return order;
}

int basis_bits(const Decomposition& decomposition) {
  const auto [low, high] = std::minmax_element(decomposition.basis.begin(), decomposition.basis.end());
  return ValueType::holding(std::min(*low, -1), *high).bits();
}

StoredBits stored_bits(const Convolution& conv) {
  const Decomposition& d = *conv.decomposition;
  const int in_channels = static_cast<int>(d.coefficients.size()) / d.kernels / conv.out_channels;
  const std::vector<CoefficientTask> tasks = coefficient_tasks(d, conv.out_channels, in_channels);
  const CoefficientCode code = choose_code({tasks}, in_channels);
  return {code_bits(code, encode(code, tasks, in_channels)),
          task_order(tasks, std::vector<int>(tasks.size(), 0), d.kernels, 1).bits(),
          static_cast<std::int64_t>(d.basis.size()) * basis_bits(d)};
}

}  // namespace bitloom
