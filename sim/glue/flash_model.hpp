// An SPI NOR flash of the 25 series at the pins, as JEDEC JESD216 describes it: mode 0, 03h reads from an address of 3 bytes on, ABh wakes it from deep power-down,
// in which it begins. Anything else is ignored. For the simulated board and for the testbench of flash_reader; needs the standard library only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace bitloom {

class FlashModel {
 public:
  /// `contents` from byte `offset` on; the rest is erased (FFh). `wake`: calls of pins() that it takes to wake up.
  FlashModel(std::vector<std::uint8_t> contents, std::uint32_t offset, int wake) : contents_(std::move(contents)), offset_(offset), wake_(wake) {}

  std::vector<std::uint8_t>& contents() { return contents_; }

  /// The pins in a clock of whatever drives them; returns MISO. Not driven, it reads as 1.
  bool pins(bool cs_n, bool sck, bool mosi) {
    if (waking_ > 0 && --waking_ == 0) awake_ = true;
    if (cs_n) {
      if (!cs_n_ && bits_ == 8 && command_ == 0xAB && !awake_) waking_ = wake_;
      bits_ = 0, command_ = 0, sends_ = false, miso_ = true;
    } else if (sck && !sck_) {
      if (bits_ < 32) command_ = command_ << 1 | (mosi ? 1U : 0U), ++bits_;
    } else if (!sck && sck_) {
      if (bits_ == 32 && !sends_ && awake_ && command_ >> 24 == 0x03) sends_ = true, place_ = std::size_t{command_ & 0xFFFFFFU} * 8;
      if (sends_) miso_ = bit(place_++);
    }
    cs_n_ = cs_n, sck_ = sck;
    return miso_;
  }

 private:
  bool bit(std::size_t place) const {
    const std::size_t byte = place / 8;
    return byte < offset_ || byte - offset_ >= contents_.size() || (contents_[byte - offset_] >> (7 - place % 8) & 1) != 0;
  }

  std::vector<std::uint8_t> contents_;
  std::uint32_t offset_, command_ = 0;
  int wake_, waking_ = 0, bits_ = 0;
  std::size_t place_ = 0;
  bool awake_ = false, sends_ = false, cs_n_ = true, sck_ = false, miso_ = true;
};

}  // namespace bitloom
