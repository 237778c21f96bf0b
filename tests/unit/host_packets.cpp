// The host's packets: the published check value, round trips of any content, and what damage leaves.
#include <random>

#include "catch2.hpp"
#include "host/bitloom_host.h"
#include "host/packets.hpp"

using namespace bitloom::host;

namespace {
std::vector<Packet> all(Reader& reader, const Bytes& bytes) {
  std::vector<Packet> packets;
  for (const std::uint8_t byte : bytes)
    if (auto packet = reader.take(byte)) packets.push_back(std::move(*packet));
  return packets;
}
}  // namespace

TEST_CASE("the check is CRC-32") {
  const std::string digits = "123456789";
  CHECK(check_of(reinterpret_cast<const std::uint8_t*>(digits.data()), digits.size()) == 0xcbf43926U);
}
TEST_CASE("the example of docs/protocol.md") {
  CHECK(on_the_line(Type::Hello, 1, {}) == Bytes{0x7e, 0x01, 0x01, 0x00, 0x00, 0x4e, 0xd2, 0x3a, 0x98, 0x7e, 0x7e});
}
TEST_CASE("packets of any content come back, flags and escapes included") {
  std::mt19937 random(test_seed());
  Reader reader;
  for (const std::size_t size : {0, 1, 2, 255, 256, 512, 700}) {
    Bytes payload(size);
    for (std::uint8_t& byte : payload) byte = random() % 4 == 0 ? 0x7e : random() % 4 == 0 ? 0x7d : static_cast<std::uint8_t>(random());
    const auto found = all(reader, on_the_line(Type::Exchange, 0x7e, payload));
    REQUIRE(found.size() == 1);
    CHECK(found[0].type == 3);
    CHECK(found[0].number == 0x7e);
    CHECK(found[0].payload == payload);
  }
  CHECK(reader.damaged() == 0);
}
TEST_CASE("a damaged packet is counted and the next one found; a lost closing flag costs nothing") {
  Reader reader;
  const Bytes good = on_the_line(Type::Counters, 9, {1, 2, 3});
  for (std::size_t at = 1; at + 2 < good.size(); ++at) {
    Bytes flipped = good, dropped = good;
    flipped[at] ^= 0x10;
    dropped.erase(dropped.begin() + static_cast<std::ptrdiff_t>(at));
    const std::uint64_t before = reader.damaged();
    CHECK(all(reader, flipped).empty());
    CHECK(all(reader, dropped).empty());
    CHECK(reader.damaged() >= before + 2);
    CHECK(all(reader, good).size() == 1);
  }
  CHECK(all(reader, Bytes(good.begin(), good.end() - 2)).size() == 1);
  CHECK(all(reader, good).size() == 1);
}
TEST_CASE("a port that is not there, or is none, is refused with a sentence") {
  CHECK(bitloom_open("/dev/bitloom-none", 1000000, 100) == nullptr);
  CHECK(bitloom_last_status(nullptr) == BITLOOM_NO_PORT);
  CHECK_THAT(std::string(bitloom_error(nullptr)), contains_text("is the board plugged in?"));
  CHECK(bitloom_open("/dev/null", 1000000, 100) == nullptr);
  CHECK_THAT(std::string(bitloom_error(nullptr)), contains_text("is no serial port"));
  CHECK(bitloom_open(nullptr, 1000000, 100) == nullptr);
  CHECK(bitloom_last_status(nullptr) == BITLOOM_BAD_ARGUMENT);
}
