// Independent pieces of work on several threads.
#pragma once

#include <cstdint>
#include <functional>

namespace bitloom {

/// Threads that the machine runs at once, at least 1.
int cores();

/// Calls work(i) for every i in 0 .. count-1 on `jobs` threads (this one among them), lower numbers first. What work(i) throws ends it:
/// the error of the lowest i that has one is thrown again, whatever the number of threads.
void parallel_for(int jobs, std::int64_t count, const std::function<void(std::int64_t)>& work);

}  // namespace bitloom
