#include "core/parallel.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace bitloom {

int cores() { return static_cast<int>(std::max(1U, std::thread::hardware_concurrency())); }

void parallel_for(int jobs, std::int64_t count, const std::function<void(std::int64_t)>& work) {
  // Work is begun in order and what was begun is finished: when i fails, everything below i has been begun.
  std::atomic<std::int64_t> next{0};
  std::mutex mutex;
  std::exception_ptr error;
  std::int64_t failed = count;
  const auto loop = [&] {
    for (std::int64_t i = next++; i < count; i = next++) {
      try {
        work(i);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (i < failed) {
          failed = i;
          error = std::current_exception();
        }
        next = count;
      }
    }
  };
  std::vector<std::jthread> threads;
  for (std::int64_t i = 1; i < std::min<std::int64_t>(jobs, count); ++i) threads.emplace_back(loop);
  loop();
  threads.clear();
  if (error) std::rethrow_exception(error);
}

}  // namespace bitloom
