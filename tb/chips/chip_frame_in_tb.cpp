// SPDX-License-Identifier: Apache-2.0
// chip_frame_in: good frames come whole; with any bit wrong, any symbol missing or one too many they are told to be bad; the next one is received.
#include <Vin_1.h>
#include <Vin_3.h>
#include <Vin_8.h>

#include "bench.hpp"
#include "catch2.hpp"
#include "chips/frames.hpp"

using namespace bench;

namespace {
template <class Model>
class Receiver {
 public:
  Receiver(int lanes, int clocks, int header_bits, int width) : lanes_(lanes), clocks_(clocks), header_(header_bits), width_(width) {
    dut_->line = 0;
    dut_.run(10);
  }
  bool begun = false, ended = false, good = false;
  Bits header;
  std::vector<Bits> words;

  /// The line as it is for `symbols`, valid or not, then invalid for a symbol.
  void put(const chips::Symbols& symbols) {
    begun = ended = good = false;
    words.clear();
    for (const std::uint32_t symbol : symbols) hold(symbol | 1U << lanes_);
    hold(random_.below(1U << lanes_));
    for (int i = 0; i < 6; ++i) clock();
  }

 private:
  void hold(std::uint32_t value) {
    set_bits(dut_->line, Bits(lanes_ + 1, value));
    for (int i = 0; i < clocks_; ++i) clock();
  }
  void clock() {
    dut_.settle();
    if (dut_->frame_begin) {
      REQUIRE(!begun);
      begun = true;
      header = get_bits(dut_->header, header_);
    }
    if (dut_->word_valid) words.push_back(get_bits(dut_->word, width_));
    if (dut_->frame_end) {
      REQUIRE(!ended);
      ended = true, good = dut_->frame_good != 0;
    }
    dut_.tick();
  }
  Dut<Model> dut_{test_seed()};
  Random random_{test_seed() + 1};
  int lanes_, clocks_, header_, width_;
};

template <class Model>
void check_frames(int lanes, int clocks, int header, int width, int count_bits) {
  CAPTURE(lanes, clocks, header, width);
  Receiver<Model> receiver(lanes, clocks, header, width);
  Random random(test_seed());
  for (int trial = 0; trial < 40; ++trial) {
    std::vector<Bits> words(random.below(1U << count_bits));
    for (Bits& word : words) word = random.bits(width);
    Bits head = random.bits(header);
    head.set(0, count_bits, words.size());
    const chips::Symbols sent = chips::frame(head, words, lanes);
    const auto check_good = [&] {
      receiver.put(sent);
      REQUIRE(receiver.begun);
      REQUIRE(receiver.ended);
      REQUIRE(receiver.good);
      REQUIRE(receiver.header == head);
      REQUIRE(receiver.words == words);
    };
    check_good();
    chips::Symbols bad = sent;
    switch (trial % 4) {
      case 0: bad[random.below(static_cast<std::uint32_t>(bad.size()))] ^= 1U << random.below(static_cast<std::uint32_t>(lanes)); break;
      case 1: bad.resize(random.below(static_cast<std::uint32_t>(bad.size() - 1)) + 1); break;
      case 2: bad.push_back(random.below(1U << lanes)); break;
      default: bad.resize(bad.size() + random.below(100) + 1, 0); break;
    }
    receiver.put(bad);
    REQUIRE(receiver.ended);
    REQUIRE(!receiver.good);
    check_good();
  }
}
}  // namespace

TEST_CASE("chip_frame_in", "[chips]") {
  check_frames<Vin_1>(1, 1, 13, 7, 3);
  check_frames<Vin_3>(3, 4, 9, 31, 2);
  check_frames<Vin_8>(8, 2, 16, 8, 4);
}
TEST_CASE("chip_frame_in: every bit of a frame is covered by the check", "[chips]") {
  Receiver<Vin_8> receiver(8, 2, 16, 8);
  Random random(test_seed());
  Bits head = random.bits(16);
  head.set(0, 4, 2);
  const chips::Symbols sent = chips::frame(head, {random.bits(8), random.bits(8)}, 8);
  for (std::size_t symbol = 0; symbol < sent.size(); ++symbol)
    for (int bit = 0; bit < 8; ++bit) {
      chips::Symbols bad = sent;
      bad[symbol] ^= 1U << bit;
      receiver.put(bad);
      REQUIRE(receiver.ended);
      REQUIRE(!receiver.good);
    }
}
