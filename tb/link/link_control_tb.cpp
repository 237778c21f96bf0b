// SPDX-License-Identifier: Apache-2.0
// link_control alone, clock by clock: what a packet's verdict leads to, and in which order replies and errors are given. The whole protocol
// is serial_link's test.
#include <Vcontrol.h>

#include "bench.hpp"
#include "catch2.hpp"
#include "packets.hpp"

using namespace bench;

namespace {
struct Control {
  Dut<Vcontrol> dut{test_seed()};
  int commits = 0, rollbacks = 0, rewinds = 0, confirms = 0, errors = 0;

  Control() {
    dut->payload_valid = 0, dut->packet_end = 0, dut->packet_good = 0, dut->packet_damaged = 0, dut->lost = 0;
    dut->position = 0, dut->free = 200, dut->available = 0, dut->rd_valid = 1, dut->rd_data = 0x77, dut->counters_value = 0x33;
    dut->start_ready = 0, dut->reply_ready = 0, dut->weights = 0;
    dut.reset();
    dut.run(3);
    commits = rollbacks = rewinds = confirms = errors = 0;
  }
  void tick() {
    dut.settle();
    commits += dut->commit, rollbacks += dut->rollback, rewinds += dut->rewind, confirms += dut->confirm, errors += dut->error;
    REQUIRE(!(dut->commit && dut->rollback));
    dut.tick();
  }
  enum Kind { Good, Damaged, Length };
  void packet(Kind kind, std::uint8_t type, std::uint8_t seq, int payload = 0) {
    dut->packet_type = type, dut->packet_seq = seq;
    for (int i = 0; i < payload; ++i) {
      dut->payload_valid = 1;
      tick();
      dut->payload_valid = 0;
    }
    dut->packet_end = 1, dut->packet_good = kind == Good, dut->packet_damaged = kind == Damaged;
    tick();
    dut->packet_end = 0, dut->packet_good = 0, dut->packet_damaged = 0;
  }
  /// Takes the reply as packet_sender would.
  Packet reply() {
    for (int i = 0; i < 10 && !dut->start_valid; ++i) tick();
    REQUIRE(dut->start_valid);
    Packet packet{dut->start_type, dut->start_seq, {}};
    for (unsigned i = 0; i < dut->start_length; ++i) {
      REQUIRE(dut->reply_valid);
      packet.payload.push_back(dut->reply_data);
      dut->reply_ready = 1;
      tick();
      dut->reply_ready = 0;
      tick();
    }
    dut->start_ready = 1;
    tick();
    dut->start_ready = 0;
    return packet;
  }
  bool quiet() {
    for (int i = 0; i < 10; ++i) {
      tick();
      if (dut->start_valid) return false;
    }
    return true;
  }
};
Packet error(std::uint8_t code, std::uint8_t seq) { return {0x80, seq, {code}}; }
}  // namespace

TEST_CASE("link_control: hello and counters", "[link]") {
  Control test;
  test.packet(Control::Good, kHello, 9);
  const ByteString hello = {1,    0xef, 0xcd, 0xab, 0x89, 0x67, 0x45, 0x23, 0x01, 0x40, 0x78, 0x7d, 0x01, 0xa0, 0x86,
                            0x01, 0,    13,   0,    3,    0,    0,    0,    20,   0,    0,    1,    0,    1,    0};
  CHECK(test.reply() == Packet{0x81, 9, hello});
  for (const int weights : {1, 2}) {
    test.dut->weights = static_cast<std::uint8_t>(weights);
    test.packet(Control::Good, kHello, 9);
    CHECK(test.reply().payload.back() == weights);
  }
  test.packet(Control::Good, kCounters, 10);
  CHECK(test.reply() == Packet{0x84, 10, ByteString(16, 0x33)});
  CHECK(test.quiet());
  CHECK(test.errors == 0);
}
TEST_CASE("link_control: an exchange is executed once, its repetition replayed, any other number refused", "[link]") {
  Control test;
  test.packet(Control::Good, kExchange, 1, 3);
  test.dut->available = 2, test.dut->position = 3;
  CHECK(test.reply() == Packet{0x83, 1, {3, 0, 200, 0, 0x77, 0x77}});
  CHECK((test.commits == 1 && test.confirms == 1 && test.rewinds == 0 && test.rollbacks == 0));
  test.dut->available = 5;  // more has come: the repeated reply holds what it held
  test.packet(Control::Good, kExchange, 1, 3);
  CHECK(test.reply() == Packet{0x83, 1, {3, 0, 200, 0, 0x77, 0x77}});
  CHECK((test.commits == 1 && test.confirms == 1 && test.rewinds == 1 && test.rollbacks == 1));
  test.packet(Control::Good, kExchange, 3, 3);
  CHECK(test.reply() == error(kBadSequence, 1));
  CHECK((test.commits == 1 && test.confirms == 1 && test.rewinds == 1 && test.rollbacks == 2 && test.errors == 1));
  test.packet(Control::Good, kExchange, 2);
  CHECK(test.reply().payload.size() == 4 + 5);
  CHECK(test.commits == 2);
}
TEST_CASE("link_control: a reset starts the numbers again and holds clear while its reply lasts", "[link]") {
  Control test;
  test.packet(Control::Good, kReset, 0xff);
  test.tick();
  test.dut.settle();
  CHECK(test.dut->clear == 1);
  CHECK(test.reply() == Packet{0x82, 0xff, {}});
  test.tick();
  test.dut.settle();
  CHECK(test.dut->clear == 0);
  test.packet(Control::Good, kExchange, 0);  // the number after 255
  CHECK(test.reply() == Packet{0x83, 0, {0, 0, 200, 0}});
  CHECK(test.commits == 1);
}
TEST_CASE("link_control: every refusal has its code, rolls back, and executes nothing", "[link]") {
  Control test;
  test.packet(Control::Damaged, kExchange, 1, 3);
  CHECK(test.reply() == error(kBadCheck, 0));
  test.packet(Control::Length, kExchange, 1, 3);
  CHECK(test.reply() == error(kBadLength, 0));
  for (const int type : {0, 5, 6, 7, 8, 0x0b, 0x83, 0xff}) {
    test.packet(Control::Good, static_cast<std::uint8_t>(type), 1);
    CHECK(test.reply() == error(kUnknownType, 0));
  }
  test.dut->lost = 1;
  test.packet(Control::Good, kExchange, 1, 3);
  CHECK(test.reply() == error(kOverrun, 0));
  CHECK((test.commits == 0 && test.confirms == 0 && test.rollbacks == 11 && test.errors == 11));
}
TEST_CASE("link_control: while a reply is under way one request and one error wait", "[link]") {
  Control test;
  test.packet(Control::Good, kHello, 1);
  for (int i = 0; i < 5; ++i) test.tick();  // the hello is being answered
  test.packet(Control::Good, kExchange, 1, 2);
  test.packet(Control::Good, kExchange, 2, 2);  // refused, and does not disturb the one that waits
  test.packet(Control::Damaged, kExchange, 2, 2);
  CHECK(test.rollbacks == 0);
  CHECK(test.errors == 2);
  CHECK(test.reply().type == 0x81);
  CHECK(test.reply() == Packet{0x83, 1, {0, 0, 200, 0}});
  CHECK(test.commits == 1);
  CHECK(test.reply() == error(kOverrun, 1));
  CHECK(test.quiet());
  // A packet that began while a request waited has lost bytes, even when it ends later.
  test.packet(Control::Good, kHello, 1);
  for (int i = 0; i < 5; ++i) test.tick();
  test.packet(Control::Good, kCounters, 1);
  test.dut->packet_type = kExchange, test.dut->payload_valid = 1;
  test.tick();
  test.dut->payload_valid = 0;
  CHECK(test.reply().type == 0x81);
  CHECK(test.reply().type == 0x84);
  test.packet(Control::Good, kExchange, 2, 1);
  CHECK(test.reply() == error(kOverrun, 1));
  CHECK(test.commits == 1);
}
