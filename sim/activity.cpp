#include "sim/activity.hpp"

#include <algorithm>
#include <cstring>

namespace bitloom {
namespace {

std::size_t words_of(const Port& port) { return (port.bytes() + 7) / 8; }

void copy(const Port& port, std::vector<std::uint64_t>& words) { std::memcpy(words.data(), port.data(), port.bytes()); }

}  // namespace

void BitCounter::add(const std::vector<std::uint64_t>& ones) {
  for (std::size_t w = 0; w < ones.size(); ++w) {
    std::uint64_t carry = ones[w];
    for (std::uint64_t* plane = &planes_[w * kPlanes]; carry != 0; ++plane) {
      const std::uint64_t both = *plane & carry;
      *plane ^= carry;
      carry = both;
    }
  }
  if (++added_ == (1 << kPlanes) - 1) flush();
}

const std::vector<std::uint64_t>& BitCounter::totals() {
  flush();
  return totals_;
}

void BitCounter::flush() {
  for (std::size_t i = 0; i < totals_.size(); ++i)
    for (std::size_t p = 0; p < kPlanes; ++p) totals_[i] += ((planes_[i / 64 * kPlanes + p] >> (i % 64)) & 1) << p;
  std::fill(planes_.begin(), planes_.end(), 0);
  added_ = 0;
}

NetCounter::NetCounter(const Port& toggles, const Port& accesses)
    : toggle_port_(toggles),
      access_port_(accesses),
      before_(words_of(toggles)),
      now_(words_of(toggles)),
      accessed_(words_of(accesses)),
      toggles_(words_of(toggles)),
      accesses_(words_of(accesses)) {}

void NetCounter::start() { copy(toggle_port_, before_); }

void NetCounter::sample() {
  copy(toggle_port_, now_);
  for (std::size_t w = 0; w < now_.size(); ++w) before_[w] ^= now_[w];
  toggles_.add(before_);
  std::swap(before_, now_);
  copy(access_port_, accessed_);
  accesses_.add(accessed_);
}

void NetCounter::read(std::vector<std::uint64_t>& toggles, std::vector<std::uint64_t>& accesses) {
  toggles = toggles_.totals();
  accesses = accesses_.totals();
}

}  // namespace bitloom
