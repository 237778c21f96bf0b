// SPDX-License-Identifier: Apache-2.0
// flash_reader at the pins of a flash that begins asleep: the words come in order behind load_start; what has a wrong hash, a wrong bit or a wrong check is
// told and never called loaded, and is read again until it is right.
#include <Vflash_fast.h>
#include <Vflash_slow.h>

#include "../../sim/glue/flash_model.hpp"
#include "bench.hpp"
#include "catch2.hpp"

using namespace bench;

namespace {

constexpr std::uint64_t kHash = 0x0123456789abcdef;
constexpr std::uint32_t kOffset = 0x2345;
constexpr int kWords = 19, kWait = 50;

std::uint32_t crc32(const std::vector<std::uint8_t>& bytes) {
  std::uint32_t crc = ~0U;
  for (const std::uint8_t byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xEDB88320U : 0);
  }
  return ~crc;
}

/// What flash_reader's header describes.
std::vector<std::uint8_t> contents(std::uint64_t hash, const std::vector<std::uint16_t>& words) {
  std::vector<std::uint8_t> bytes;
  const auto append = [&](std::uint64_t value, int count) {
    for (int i = 0; i < count; ++i) bytes.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
  };
  append(hash, 8);
  for (const std::uint16_t word : words) append(word, 2);
  append(crc32(bytes), 4);
  for (std::uint8_t& byte : bytes) {  // sent highest bit first
    std::uint8_t turned = 0;
    for (int bit = 0; bit < 8; ++bit) turned = static_cast<std::uint8_t>(turned << 1 | (byte >> bit & 1));
    byte = turned;
  }
  return bytes;
}

template <class Model>
struct Reader {
  Dut<Model> dut{test_seed()};
  bitloom::FlashModel flash;
  std::vector<std::uint16_t> got;  // since the last load_start
  int attempts = 0;
  bool started = false;

  explicit Reader(std::vector<std::uint8_t> bytes) : flash(std::move(bytes), kOffset, kWait - 2) {
    dut->spi_miso = 1;
    dut.reset();
  }
  void tick() {
    dut->spi_miso = flash.pins(dut->spi_cs_n, dut->spi_sck, dut->spi_mosi);
    dut.settle();
    if (dut->load_start) {
      REQUIRE(!dut->load_valid);
      attempts += !started;
      got.clear();
    }
    started = dut->load_start;
    if (dut->load_valid) got.push_back(dut->load_data);
    dut.tick();
  }
  bool until(bool wrong) {
    for (int i = 0; i < 20000; ++i) {
      tick();
      if (wrong ? dut->wrong : dut->loaded) return true;
    }
    return false;
  }
};

template <class Model>
void check_reader() {
  Random random(test_seed());
  std::vector<std::uint16_t> words;
  for (int i = 0; i < kWords; ++i) words.push_back(static_cast<std::uint16_t>(random.below(65536)));
  const std::vector<std::uint8_t> right = contents(kHash, words);
  {
    Reader<Model> reader(right);
    REQUIRE(reader.until(false));
    CHECK(reader.got == words);
    CHECK((reader.attempts == 1 && !reader.dut->wrong));
    for (int i = 0; i < 500; ++i) reader.tick();
    CHECK((reader.dut->loaded && reader.dut->spi_cs_n && reader.got == words));
    reader.dut.reset();  // the flash is awake now
    CHECK(!reader.dut->loaded);
    REQUIRE(reader.until(false));
    CHECK(reader.got == words);
  }
  std::vector<std::vector<std::uint8_t>> spoiled = {contents(kHash ^ 1, words), contents(kHash ^ std::uint64_t{1} << 63, words), {}};
  for (const std::size_t byte : {std::size_t{8}, right.size() / 2, right.size() - 1}) {
    spoiled.push_back(right);
    spoiled.back()[byte] ^= static_cast<std::uint8_t>(1 << random.below(8));
  }
  for (const auto& bytes : spoiled) {
    Reader<Model> reader(bytes);
    REQUIRE(reader.until(true));
    for (int i = 0; i < 5000; ++i) {
      reader.tick();
      REQUIRE((reader.dut->wrong && !reader.dut->loaded));
    }
    CHECK(reader.attempts > 1);
    reader.flash.contents() = right;  // written meanwhile; the attempt under way still fails
    REQUIRE(reader.until(false));
    CHECK((reader.got == words && !reader.dut->wrong));
  }
}

}  // namespace

TEST_CASE("flash_reader, half the clock", "[board]") { check_reader<Vflash_fast>(); }
TEST_CASE("flash_reader, a sixth of the clock", "[board]") { check_reader<Vflash_slow>(); }
