// SPDX-License-Identifier: Apache-2.0
// serial_link between a host's serial line and a core, with a scoreboard: answers of a model core for every image, under random stalls;
// streams damaged at 1 byte in 100 in both directions; random bytes. For the bench the roles are turned round: a Sink sits on in_*, a
// Source on out_*.
#include <Vlink_narrow.h>
#include <Vlink_wide.h>

#include <set>

#include "bench.hpp"
#include "catch2.hpp"
#include "packets.hpp"
#include "serial.hpp"

using namespace bench;

namespace {

/// The line, the model core and a host that sends one request at a time.
template <class Model>
struct Board {
  static constexpr double kBit = 4.0;
  int in_width, in_beats, out_width, out_beats;
  Dut<Model> dut{test_seed()};
  Random random{test_seed()};
  SerialSender line_out{dut, {dut->uart_rx, 1}, kBit};
  SerialReceiver line_in{dut, {dut->uart_tx, 1}, kBit};
  Sink core_in{dut, input_stream(dut, in_width), 0.3};
  Source core_out{dut, output_stream(dut, out_width), 0.3};
  PacketReader reader;
  std::size_t read = 0, beats_in = 0;
  double noise = 0;
  int damaged_out = 0;

  Board(int in_w, int in_b, int out_w, int out_b) : in_width(in_w), in_beats(in_b), out_width(out_w), out_beats(out_b) {
    core_in.collect();
    dut->weights = 2;
    dut.run(10);
  }
  int in_bytes() const { return (in_width + 7) / 8; }
  int out_bytes() const { return (out_width + 7) / 8; }

  /// The core's answer to an image: beats that depend on every bit of it.
  std::vector<Bits> answer(const std::vector<Beat>& image) const {
    std::uint64_t sum = 0;
    for (const Beat& beat : image) sum = sum * 31 + beat.data.value();
    std::vector<Bits> beats;
    for (int i = 0; i < out_beats; ++i) beats.emplace_back(out_width, sum >> (7 * i) ^ sum << 3);
    return beats;
  }
  ByteString answer_bytes(const ByteString& image) const {
    std::vector<Beat> beats;
    for (std::size_t at = 0; at < image.size(); at += static_cast<std::size_t>(in_bytes())) {
      std::uint64_t value = 0;
      for (int i = 0; i < in_bytes(); ++i) value |= std::uint64_t{image[at + static_cast<std::size_t>(i)]} << (8 * i);
      beats.push_back({Bits(in_width, value), false});
    }
    ByteString bytes;
    for (const Bits& beat : answer(beats))
      for (int i = 0; i < out_bytes(); ++i) bytes.push_back(static_cast<std::uint8_t>(beat.get(8 * i, std::min(8, out_width - 8 * i))));
    return bytes;
  }

  void tick() {
    dut.tick();
    if (dut->core_rst) {  // the core forgets a beat that it was offered
      core_in.Monitor::reset();
      core_out.reset();
    }
    // The model core: an image's last beat makes its answer.
    const auto& beats = core_in.received();
    if (beats.size() >= beats_in + static_cast<std::size_t>(in_beats)) {
      const std::vector<Beat> image(beats.begin() + static_cast<std::ptrdiff_t>(beats_in),
                                    beats.begin() + static_cast<std::ptrdiff_t>(beats_in) + in_beats);
      for (int i = 0; i < in_beats; ++i) REQUIRE(image[static_cast<std::size_t>(i)].last == (i == in_beats - 1));
      beats_in += static_cast<std::size_t>(in_beats);
      const std::vector<Bits> result = answer(image);
      for (std::size_t i = 0; i < result.size(); ++i) core_out.push({result[i], i + 1 == result.size()});
    }
    while (read < line_in.received().size()) {
      const std::uint8_t byte = line_in.received()[read++];
      if (noise == 0 || !random.chance(noise)) {
        reader.take(byte);
        continue;
      }
      ++damaged_out;
      const unsigned kind = random.below(3);
      if (kind == 1) reader.take(static_cast<std::uint8_t>(random.below(256)));
      if (kind != 0) reader.take(kind == 2 ? byte ^ static_cast<std::uint8_t>(1u << random.below(8)) : byte);
    }
  }
  /// True when the bytes came to the line as they are.
  bool send(const ByteString& bytes) {
    bool clean = true;
    for (const std::uint8_t byte : bytes) {
      if (noise == 0 || !random.chance(noise)) {
        line_out.send(byte);
        continue;
      }
      clean = false;
      const unsigned kind = random.below(3);
      if (kind == 1) line_out.send(static_cast<std::uint8_t>(random.below(256)));
      if (kind != 0) line_out.send(kind == 2 ? byte ^ static_cast<std::uint8_t>(1u << random.below(8)) : byte);
    }
    return clean;
  }
  void wait_quiet() {
    int quiet = 0;
    std::size_t seen = line_in.received().size();
    for (int i = 0; i < 400000 && quiet < 2000; ++i) {
      tick();
      const bool moved = !line_out.done() || seen != line_in.received().size();
      seen = line_in.received().size();
      quiet = moved ? 0 : quiet + 1;
    }
    REQUIRE(quiet == 2000);
  }
  /// Replies to what was sent.
  std::vector<Packet> replies() {
    wait_quiet();
    return std::exchange(reader.packets, {});
  }
  Packet ask(std::uint8_t type, std::uint8_t seq, const ByteString& payload = {}) {
    send(packet(type, seq, payload));
    const std::vector<Packet> got = replies();
    REQUIRE(got.size() == 1);
    return got.front();
  }
  /// As a host does it: again until the reply is there.
  Packet insist(std::uint8_t type, std::uint8_t seq, const ByteString& payload = {}) {
    for (int attempt = 0; attempt < 200; ++attempt) {
      send(packet(type, seq, payload));
      for (const Packet& got : replies())
        if (got.type == (0x80 | type) && got.seq == seq) return got;
    }
    FAIL("no reply in 200 attempts");
    return {};
  }
  ByteString random_image() {
    ByteString image(static_cast<std::size_t>(in_bytes() * in_beats));
    for (std::uint8_t& byte : image) byte = random.chance(0.05) ? kFlag : static_cast<std::uint8_t>(random.below(256));
    return image;
  }
};

unsigned number(const ByteString& bytes, std::size_t at) { return bytes.at(at) + 256u * bytes.at(at + 1); }

/// `images` images in chunks that do not care where an image begins; every answer right, in order, and no other.
template <class Model>
void classify(Board<Model>& board, int images, double noise) {
  const unsigned buffer = 256;
  board.insist(kReset, 7);
  board.noise = noise;
  ByteString input, expected, got;
  for (int i = 0; i < images; ++i) {
    const ByteString image = board.random_image(), answer = board.answer_bytes(image);
    input.insert(input.end(), image.begin(), image.end());
    expected.insert(expected.end(), answer.begin(), answer.end());
  }
  std::size_t sent = 0;
  unsigned room = buffer;
  for (std::uint8_t seq = 8; got.size() < expected.size(); ++seq) {
    const std::size_t most = std::min<std::size_t>({room, input.size() - sent, noise > 0 ? 30u : 256u});
    const std::size_t size = most == 0 ? 0 : 1 + board.random.below(static_cast<std::uint32_t>(most));
    const Packet reply = board.insist(
        kExchange, seq, {input.begin() + static_cast<std::ptrdiff_t>(sent), input.begin() + static_cast<std::ptrdiff_t>(sent + size)});
    sent += size;
    REQUIRE(number(reply.payload, 0) == sent % (2 * buffer));
    room = number(reply.payload, 2);
    got.insert(got.end(), reply.payload.begin() + 4, reply.payload.end());
  }
  CHECK(got == expected);
  board.noise = 0;
  CHECK(board.insist(kHello, 1).payload.size() == 30);
}
using Wide = Board<Vlink_wide>;
using Narrow = Board<Vlink_narrow>;

}  // namespace

TEST_CASE("serial_link says hello, and where the weights are", "[link]") {
  Wide board(13, 7, 20, 2);
  const Packet hello = board.ask(kHello, 0x7e);
  CHECK(hello ==
        Packet{0x81, 0x7e, {1, 3, 2, 1, 0, 0x7d, 0x7e, 0x7d, 0x7e, 0x00, 0x09, 0x3d, 0, 7, 0, 0, 0, 13, 0, 2, 0, 0, 0, 20, 0, 0, 1, 0, 1, 2}});
}
TEST_CASE("serial_link carries images and answers", "[link]") {
  {  // one model at a time: Verilator 5 takes an ending model's scopes out of the context that was made last
    Wide wide(13, 7, 20, 2);
    classify(wide, 60, 0);
  }
  Narrow narrow(5, 16, 4, 1);
  classify(narrow, 60, 0);
  const Packet counters = narrow.ask(kCounters, 1);
  CHECK(number(counters.payload, 0) == 60);
  CHECK(number(counters.payload, 4) > 0);
  CHECK(number(counters.payload, 12) == 0);
}
TEST_CASE("serial_link: bytes flipped, dropped and inserted at 1 in 100 in both directions cost repetitions, and no answer", "[link]") {
  {
    Wide wide(13, 7, 20, 2);
    classify(wide, 60, 0.01);
  }
  Narrow narrow(5, 16, 4, 1);
  classify(narrow, 60, 0.01);
}
TEST_CASE(
    "serial_link: of 1,000 packets damaged at 1 byte in 100 each damaged one is reported, each other executed, the next after damage too",
    "[link]") {
  Narrow board(5, 16, 4, 1);
  board.core_in.set_probability(1.0);
  board.ask(kReset, 0);
  int damaged = 0, whole = 0, right_after = 0;
  bool last_damaged = false;
  std::size_t beats = 0;
  std::uint8_t seq = 1;
  for (int i = 0; i < 1000; ++i) {
    ByteString payload = board.random_image();
    board.noise = 0.01;
    const bool clean = board.send(packet(kExchange, seq, payload));
    board.noise = 0;
    const std::vector<Packet> got = board.replies();
    int executed = 0, reported = 0;
    for (const Packet& reply : got) (reply.type == 0x83 && reply.seq == seq ? executed : reported)++;
    for (const Packet& reply : got)
      if (reply.type != 0x83) REQUIRE(reply.type == 0x80);
    if (clean) {
      ++whole;
      right_after += last_damaged ? 1 : 0;
      REQUIRE(executed == 1);
      // What the damage before left behind is reported now, once.
      REQUIRE(reported <= (last_damaged ? 1 : 0));
    } else {
      ++damaged;
      if (executed == 0 && reported == 0) {  // the closing flag is gone: the packet is still open; the next flag ends it
        board.send({kFlag});
        for (const Packet& reply : board.replies()) (reply.type == 0x83 && reply.seq == seq ? executed : reported)++;
      }
      // Damage outside the packet proper (a flag for which another stands in, a byte between packets) may leave it whole.
      if (executed + reported == 0) {  // a byte behind the closing flag waits there for the next flag, which has come by now
        REQUIRE(false);
      }
    }
    REQUIRE(executed <= 1);
    if (executed == 1) {
      beats += payload.size();
      ++seq;
    }
    REQUIRE(board.core_in.received().size() == beats);  // nothing of a damaged packet, and all of every other
    last_damaged = !clean;
  }
  CHECK(damaged > 100);
  CHECK(whole > 500);
  CHECK(right_after > 50);
}
TEST_CASE("serial_link, fuzzed with random bytes: nothing reaches the core, replies stay well formed, and the next request is answered",
          "[link]") {
  Narrow board(5, 16, 4, 1);
  for (int round = 0; round < 60; ++round) {
    const unsigned size = 1 + board.random.below(150);
    for (unsigned i = 0; i < size; ++i)
      board.line_out.send(board.random.chance(0.1) ? kFlag : static_cast<std::uint8_t>(board.random.below(256)),
                          !board.random.chance(0.02));
    board.line_out.idle(3);
    board.wait_quiet();
    board.send(packet(kHello, static_cast<std::uint8_t>(round)));
    bool answered = false;
    for (const Packet& reply : board.replies()) {
      answered = answered || (reply.type == 0x81 && reply.seq == round);
      if (reply.type == 0x80) REQUIRE(reply.payload.size() == 1);
    }
    REQUIRE(answered);
    REQUIRE(board.reader.damaged == 0);
    REQUIRE(board.core_in.received().empty());
  }
}
TEST_CASE("serial_link: an impatient host loses nothing: requests on top of each other are refused, not mixed", "[link]") {
  Narrow board(5, 16, 4, 1);
  board.ask(kReset, 0);
  const ByteString image = board.random_image();
  for (int i = 0; i < 5; ++i) board.send(packet(kExchange, 1, image));  // the same request, five times, without waiting
  int executed = 0;
  for (const Packet& reply : board.replies()) executed += reply.type == 0x83 ? 1 : 0;
  CHECK(executed >= 2);
  CHECK(board.core_in.received().size() == 16);
  const Packet reply = board.ask(kExchange, 2);
  CHECK(reply.payload.size() == 5);
  CHECK(ByteString(reply.payload.begin() + 4, reply.payload.end()) == board.answer_bytes(image));
}
TEST_CASE("serial_link: a core that waits is fed as it can take it, a full buffer refuses, and a reset starts anew", "[link]") {
  Narrow board(5, 16, 4, 1);
  board.core_in.set_probability(0.0);
  board.ask(kReset, 0);
  const ByteString half(200, 1);
  CHECK(number(board.ask(kExchange, 1, half).payload, 0) == 200);
  CHECK(board.ask(kExchange, 2, half) == Packet{0x80, 1, {kOverrun}});
  const Packet reply = board.ask(kExchange, 2);
  CHECK(number(reply.payload, 0) == 200);
  CHECK(number(reply.payload, 2) <= 57);
  CHECK(board.ask(kReset, 100).type == 0x82);
  board.core_in.set_probability(1.0);
  CHECK(number(board.ask(kExchange, 101).payload, 2) == 256);
  CHECK(board.core_in.received().empty());
}
TEST_CASE("serial_link: the closing flag of one packet opens the next, and line noise without stop bits is no harm", "[link]") {
  Narrow board(5, 16, 4, 1);
  ByteString twice = packet(kHello, 1);
  const ByteString second = packet(kCounters, 2);
  twice.insert(twice.end(), second.begin() + 1, second.end());
  board.send(twice);
  const auto both = board.replies();
  REQUIRE(both.size() == 2);
  CHECK(both[1].type == 0x84);
  for (int i = 0; i < 3; ++i) board.line_out.send(0, false);  // a break
  board.line_out.idle(3);
  CHECK(board.ask(kHello, 3).type == 0x81);
}
