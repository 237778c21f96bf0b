// A first-in first-out queue of numbers in one piece of memory, which grows when it is full.
#pragma once

#include <cstddef>
#include <vector>

namespace bitloom::system {

template <class T>
class Queue {
 public:
  bool empty() const { return first_ == end_; }
  std::size_t size() const { return end_ - first_; }
  const T& front() const { return words_[first_ & mask_]; }
  const T& operator[](std::size_t i) const { return words_[(first_ + i) & mask_]; }
  void pop() { ++first_; }
  void push(const T& value) {
    if (size() == words_.size()) grow();
    words_[end_++ & mask_] = value;
  }
  void clear() { first_ = end_ = 0; }

 private:
  void grow() {
    std::vector<T> larger(2 * words_.size());
    for (std::size_t i = 0; i < size(); ++i) larger[i] = (*this)[i];
    end_ = size(), first_ = 0;
    words_.swap(larger);
    mask_ = words_.size() - 1;
  }

  std::vector<T> words_ = std::vector<T>(8);
  std::size_t first_ = 0, end_ = 0, mask_ = 7;
};

}  // namespace bitloom::system
