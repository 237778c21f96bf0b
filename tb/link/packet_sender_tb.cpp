// SPDX-License-Identifier: Apache-2.0
// packet_sender: its bytes are those of packets.hpp, whatever the payload, with stalls on both sides.
#include <Vsender.h>

#include "bench.hpp"
#include "catch2.hpp"
#include "packets.hpp"

using namespace bench;

namespace {
/// Asks for a packet until it is done.
struct Starter : Agent {
  explicit Starter(Dut<Vsender>& sender) : dut(sender) {
    dut.attach(*this);
    dut->start_valid = 0;
  }
  void start(std::uint8_t type, std::uint8_t seq, unsigned length) {
    dut->start_type = type, dut->start_seq = seq, dut->start_length = static_cast<std::uint16_t>(length);
    asking = true;
  }
  void drive() override { dut->start_valid = asking; }
  void observe(std::uint64_t) override { asking = asking && !dut->start_ready; }
  Dut<Vsender>& dut;
  bool asking = false;
};
}  // namespace

TEST_CASE("packet_sender frames, escapes and checks", "[link]") {
  const double rate = GENERATE(1.0, 0.05);
  Dut<Vsender> dut(test_seed());
  Random random(test_seed());
  Source in(dut, input_stream(dut, 8), rate);
  Sink out(dut, output_stream(dut, 8), rate);
  Starter starter(dut);
  for (const unsigned size : {0u, 1u, 2u, 0u, 300u, 7u, 1000u}) {
    ByteString payload(size);
    for (std::uint8_t& byte : payload)
      byte = random.chance(0.2) ? (random.chance(0.5) ? kFlag : kEscape) : static_cast<std::uint8_t>(random.below(256));
    const auto type = static_cast<std::uint8_t>(random.chance(0.3) ? kFlag : random.below(256));
    const auto seq = static_cast<std::uint8_t>(random.chance(0.3) ? kEscape : random.below(256));
    for (const std::uint8_t byte : payload) in.push({Bits(8, byte), false});
    for (const std::uint8_t byte : packet(type, seq, payload)) out.expect({Bits(8, byte), false});
    starter.start(type, seq, size);
    REQUIRE_NOTHROW(dut.run_until([&] { return !starter.asking; }, 2000000));
    dut.run(random.below(3));
    REQUIRE(in.done());
    REQUIRE(out.done());
  }
}
