// SPDX-License-Identifier: Apache-2.0
// packet_receiver against the reader in packets.hpp: good packets, wrong lengths, random bytes, and streams damaged at 1 byte in 100.
#include <Vreceiver.h>

#include "bench.hpp"
#include "catch2.hpp"
#include "packets.hpp"

using namespace bench;

namespace {

/// What came of each packet: its payload as passed on, and the verdict.
struct Verdict {
  bool good = false, damaged = false;
  Packet packet;
  bool operator==(const Verdict&) const = default;
};

struct Receiver {
  Dut<Vreceiver> dut{test_seed()};
  Source in{dut, input_stream(dut, 8), 0.3};
  std::vector<Verdict> verdicts;
  ByteString payload;

  void push(const ByteString& bytes) {
    for (const std::uint8_t byte : bytes) in.push({Bits(8, byte), false});
  }
  void run() {
    const auto step = [&] {
      dut.tick();
      if (dut->payload_valid) payload.push_back(dut->payload_data);
      if (dut->packet_end) {
        verdicts.push_back({dut->packet_good != 0, dut->packet_damaged != 0, {dut->packet_type, dut->packet_seq, payload}});
        payload.clear();
      }
    };
    while (!in.done()) step();
    for (int i = 0; i < 20; ++i) step();
  }
};

ByteString random_bytes(Random& random, unsigned size) {
  ByteString bytes(size);
  // Flags and escapes more often than chance would have them.
  for (std::uint8_t& byte : bytes)
    byte = random.chance(0.1) ? (random.chance(0.5) ? kFlag : kEscape) : static_cast<std::uint8_t>(random.below(256));
  return bytes;
}

}  // namespace

TEST_CASE("packet_receiver takes packets of every length and content", "[link]") {
  Receiver test;
  Random random(test_seed());
  std::vector<Verdict> expected;
  for (const unsigned size : {0u, 1u, 2u, 3u, 4u, 255u, 256u, 257u, 1023u, 17u, 31u}) {
    const ByteString payload = random_bytes(random, size);
    const auto type = static_cast<std::uint8_t>(random.below(256)), seq = static_cast<std::uint8_t>(random.below(256));
    test.push(packet(type, seq, payload));
    if (random.chance(0.5)) test.push({kFlag, kFlag});
    expected.push_back({true, false, {type, seq, payload}});
  }
  test.run();
  REQUIRE(test.verdicts == expected);
}
TEST_CASE("packet_receiver tells a wrong length from damage", "[link]") {
  Receiver test;
  test.push(framed(packet_body(1, 2, ByteString(5), 4)));     // one byte too many
  test.push(framed(packet_body(1, 2, ByteString(5), 6)));     // one too few
  test.push(framed(packet_body(1, 2, ByteString(5), 1024)));  // longer than LENGTH_BITS
  test.push(framed(packet_body(1, 2, ByteString(5), 0)));
  ByteString cut = packet(1, 2, ByteString(9));
  cut.erase(cut.end() - 4, cut.end() - 1);
  test.push(cut);  // the check's end is missing
  test.push({kFlag, 5, kEscape, kFlag});
  test.push({kEscape, kFlag});
  test.push(packet(3, 4, {kFlag, kEscape}));
  test.run();
  REQUIRE(test.verdicts.size() == 8);
  for (int i = 0; i < 4; ++i) {
    CHECK(!test.verdicts[static_cast<std::size_t>(i)].good);
    CHECK(!test.verdicts[static_cast<std::size_t>(i)].damaged);
  }
  for (int i = 4; i < 7; ++i) CHECK(test.verdicts[static_cast<std::size_t>(i)].damaged);
  CHECK(test.verdicts[7] == Verdict{true, false, {3, 4, {kFlag, kEscape}}});
}
TEST_CASE("packet_receiver, fuzzed: random bytes and damaged packets; what it calls good is good, and good packets are found", "[link]") {
  Receiver test;
  Random random(test_seed());
  PacketReader reader;
  const auto send = [&](const ByteString& bytes) {
    test.push(bytes);
    for (const std::uint8_t byte : bytes) reader.take(byte);
  };
  int sent = 0;
  for (int round = 0; round < 1500; ++round) {
    ByteString line = random.chance(0.2) ? random_bytes(random, random.below(60))
                                         : packet(static_cast<std::uint8_t>(random.below(256)), static_cast<std::uint8_t>(round),
                                                  random_bytes(random, random.below(50)));
    ByteString noisy;
    for (const std::uint8_t byte : line) {
      const bool hit = random.chance(0.01);
      const unsigned kind = random.below(3);
      if (hit && kind == 0) continue;
      if (hit && kind == 1) noisy.push_back(static_cast<std::uint8_t>(random.below(256)));
      noisy.push_back(hit && kind == 2 ? byte ^ static_cast<std::uint8_t>(1 + random.below(255)) : byte);
    }
    sent += noisy == line ? 1 : 0;
    send(noisy);
  }
  send({kFlag});
  test.run();
  std::vector<Packet> good;
  int bad = 0;
  for (const Verdict& verdict : test.verdicts) {
    if (verdict.good)
      good.push_back(verdict.packet);
    else
      ++bad;
  }
  CHECK(good == reader.packets);
  CHECK(bad == reader.damaged);
  CHECK(good.size() > 300);
  CHECK(sent > 300);
}
