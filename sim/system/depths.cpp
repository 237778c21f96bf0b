#include "system/depths.hpp"

#include <algorithm>

#include "core/error.hpp"

namespace bitloom {
namespace {

constexpr std::int64_t kImages = 24;         // long enough for a steady state; what is alike earlier is not simulated
constexpr std::int64_t kDeep = 1 << 24;      // words: more than a frame of any map

SystemResult run(System& system, FifoDepths& counted) {
  ++counted.runs;
  SystemOptions options;
  options.images = kImages;
  return system.run(options);
}

}  // namespace

FifoDepths enough_depths(System& system) {
  FifoDepths result;
  for (const std::string& fifo : system.fifos()) system.set_depth(fifo, kDeep);
  const SystemResult free = run(system, result);
  if (!free.failure.empty()) throw Error("FIFOs", "the design stops even with FIFOs of any depth: " + free.failure);
  result.clocks_per_image = free.clocks_per_image;
  for (const SystemFifo& fifo : free.fifos) result.depth[fifo.name] = std::max<std::int64_t>(1, fifo.most);
  for (const auto& [name, depth] : result.depth) system.set_depth(name, depth);
  return result;
}

FifoDepths smallest_depths(System& system) {
  FifoDepths result = enough_depths(system);
  const auto keeps_up = [&] {
    const SystemResult now = run(system, result);
    return now.failure.empty() && now.clocks_per_image <= result.clocks_per_image;
  };
  for (auto& [name, enough] : result.depth) {
    std::int64_t least = 1;
    while (least < enough) {
      const std::int64_t middle = least + (enough - least) / 2;
      system.set_depth(name, middle);
      if (keeps_up())
        enough = middle;
      else
        least = middle + 1;
    }
    system.set_depth(name, enough);
  }
  return result;
}

}  // namespace bitloom
