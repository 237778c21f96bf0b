// SPDX-License-Identifier: Apache-2.0
// serial_bridge between a host's serial line and a core: bytes become beats and back, both directions at once, `last` counted, overflow
// noticed. For the bench the roles are turned round: in_* is what the core receives, so a Sink sits on it, and a Source on out_*.
#include <Vbridge_narrow.h>
#include <Vbridge_wide.h>

#include "bench.hpp"
#include "catch2.hpp"
#include "serial.hpp"

using namespace bench;

namespace {
template <class Model>
void check_bridge(int in_width, int out_width, int frame_beats, double clocks_per_bit, double core_ready) {
  Dut<Model> dut(test_seed());
  Random random(test_seed());
  SerialSender host_out(dut, {dut->uart_rx, 1}, clocks_per_bit);
  SerialReceiver host_in(dut, {dut->uart_tx, 1}, clocks_per_bit);
  Sink core_in(dut, input_stream(dut, in_width), core_ready);
  Source core_out(dut, output_stream(dut, out_width), 0.1);
  dut.run(10);
  std::vector<std::uint8_t> replies;
  for (int i = 0; i < 100; ++i) {
    const Bits bytes = random.bits((in_width + 7) / 8 * 8);  // with garbage in the unused bits
    for (int at = 0; at < bytes.width(); at += 8) host_out.send(static_cast<std::uint8_t>(bytes.get(at, 8)));
    core_in.expect({bytes.slice(0, in_width), i % frame_beats == frame_beats - 1});
    const Bits reply = random.bits(out_width);
    core_out.push({reply, random.chance(0.5)});
    for (int at = 0; at < out_width; at += 8) replies.push_back(static_cast<std::uint8_t>(reply.get(at, std::min(8, out_width - at))));
  }
  REQUIRE_NOTHROW(dut.run_until([&] { return core_in.done() && host_in.received().size() == replies.size(); }, 200000));
  dut.run(500);
  CHECK(host_in.received() == replies);
  CHECK(dut->overflow == 0);
}
}  // namespace

TEST_CASE("serial_bridge, several bytes a beat", "[link]") { check_bridge<Vbridge_wide>(13, 20, 7, 4.0, 0.05); }
TEST_CASE("serial_bridge, one byte a beat", "[link]") { check_bridge<Vbridge_narrow>(5, 8, 1, 12.0, 0.5); }

TEST_CASE("serial_bridge waits for a busy core, and says when it waited too long", "[link]") {
  Dut<Vbridge_narrow> dut(test_seed());
  SerialSender host(dut, {dut->uart_rx, 1}, 12.0);
  Sink core(dut, input_stream(dut, 5), 0.0);
  dut.run(10);
  // Four bytes in the FIFO, one in the receiver.
  for (unsigned i = 0; i < 5; ++i) {
    host.send(static_cast<std::uint8_t>(i));
    core.expect({Bits(5, i), true});
  }
  dut.run_until([&] { return host.done(); });
  dut.run(200);
  CHECK(dut->overflow == 0);
  SECTION("nothing is lost") {}
  SECTION("overflow is sticky, and what came first is kept") {
    host.send(31);
    dut.run_until([&] { return host.done(); });
    dut.run(200);
    CHECK(dut->overflow == 1);
  }
  SECTION("a missing stop bit counts as lost") {
    host.send(31, false);
    dut.run_until([&] { return host.done(); });
    dut.run(200);
    CHECK(dut->overflow == 1);
  }
  core.set_probability(1.0);
  dut.run(100);
  CHECK(core.done());
  dut.reset();
  CHECK(dut->overflow == 0);
}
