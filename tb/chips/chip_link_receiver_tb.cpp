// SPDX-License-Identifier: Apache-2.0
// A link, sender and receiver, each with a clock's worth of wires between them: every beat arrives once and in order, whatever the lines do, and at the rate that
// the sender's header promises.
#include <Vreceiver_a.h>
#include <Vreceiver_b.h>
#include <Vreceiver_c.h>
#include <Vreceiver_d.h>
#include <Vsender_a.h>
#include <Vsender_b.h>
#include <Vsender_c.h>
#include <Vsender_d.h>

#include <cmath>

#include "../../sim/chips/line_model.hpp"
#include "bench.hpp"
#include "catch2.hpp"

using namespace bench;
using bitloom::LineModel;
using bitloom::LineOptions;

namespace {

struct Shape {
  int width, beats, lanes, clocks, frame;
};
constexpr Shape kA{64, 0, 8, 1, 16}, kB{13, 10, 3, 1, 4}, kC{64, 50, 8, 1, 16}, kD{24, 0, 4, 4, 8};

struct Conditions {
  int latency = 0;
  double damage = 0, loss = 0, hold = 0;
  double offered = 1, ready = 1;
  double drift = 0;  // of the receiver's clock against the sender's
};

struct Outcome {
  std::uint64_t span = 0;  // of the sender's clocks, from the first beat received to the last
  std::int64_t frames = 0, damaged = 0, lost = 0, reports = 0;
};

template <class Sender, class Receiver>
Outcome transfer(const Shape& shape, const Conditions& c, int beats) {
  CAPTURE(c.latency, c.damage, c.loss, c.hold, c.offered, c.ready, c.drift);
  Dut<Sender> sender(test_seed());
  Dut<Receiver> receiver(test_seed() + 1);
  Random random(test_seed());
  LineOptions there{shape.lanes, shape.clocks, c.latency, c.damage, c.loss, c.hold, 100, test_seed()};
  LineOptions back{1, shape.clocks, c.latency, c.damage, c.loss, c.hold, 100, test_seed() + 7};
  LineModel line(there), status(back);
  Source in(sender, input_stream(sender, shape.width), c.offered);
  Sink out(receiver, output_stream(receiver, shape.width), c.ready);
  sender->status = 0, receiver->line = 0;
  const int frame = shape.beats == 0 ? 7 : shape.beats;
  for (int i = 0; i < beats; ++i) {
    const Beat beat{random.bits(shape.width), i % frame == frame - 1};
    in.push(beat);
    out.expect(beat);
  }
  double receiver_time = 0;
  const std::uint64_t limit = 20000 + static_cast<std::uint64_t>(static_cast<double>(beats) * 400 / c.offered / c.ready);
  for (std::uint64_t clock = 0; !out.done(); ++clock) {
    if (clock > limit) throw BenchError("not done after " + std::to_string(limit) + " clocks");
    // Both lines are registers at either end: what is on them now is sampled by the coming edge.
    const std::uint32_t sent = line.step(sender->line), told = status.step(receiver->status);
    sender->status = static_cast<std::uint8_t>(told);
    sender.tick();
    for (receiver_time += 1 + c.drift; receiver_time >= 1; receiver_time -= 1) {
      set_bits(receiver->line, Bits(shape.lanes + 1, sent));
      receiver.tick();
    }
  }
  for (int i = 0; i < 2000; ++i) {  // a surplus beat would come
    sender->status = static_cast<std::uint8_t>(status.step(receiver->status));
    set_bits(receiver->line, Bits(shape.lanes + 1, line.step(sender->line)));
    sender.tick();
    receiver.tick();
  }
  CHECK(out.transfers() == static_cast<std::uint64_t>(beats));
  return {out.span(), line.frames(), line.damaged() + status.damaged(), line.lost() + status.lost(), status.frames()};
}

/// Clocks for a beat at full rate, as the header of chip_link_sender says.
double clocks_per_beat(const Shape& s, int depth) {
  const auto up = [&](int bits) { return (bits + s.lanes - 1) / s.lanes; };
  const int header = static_cast<int>(std::log2(depth)) + 1 + static_cast<int>(std::ceil(std::log2(s.frame + 1)));
  return static_cast<double>(s.clocks * (s.frame * up(s.width + (s.beats == 0 ? 1 : 0)) + up(header) + up(32) + 3)) / s.frame;
}

}  // namespace

TEST_CASE("chip_link: undisturbed, at the rate of the lines", "[chips]") {
  const Outcome a = transfer<Vsender_a, Vreceiver_a>(kA, {}, 3000);
  CHECK(static_cast<double>(a.span) < 3000 * clocks_per_beat(kA, 256) * 1.01);
  const Outcome far = transfer<Vsender_a, Vreceiver_a>(kA, {.latency = 100}, 3000);
  CHECK(static_cast<double>(far.span) < 3000 * clocks_per_beat(kA, 256) * 1.01);
  const Outcome b = transfer<Vsender_b, Vreceiver_b>(kB, {}, 3000);
  CHECK(static_cast<double>(b.span) < 3000 * clocks_per_beat(kB, 64) * 1.01);
  const Outcome c = transfer<Vsender_c, Vreceiver_c>(kC, {.latency = 10}, 3000);
  CHECK(static_cast<double>(c.span) < 3000 * clocks_per_beat(kC, 128) * 1.01);
  WARN("64 bits by 8 lanes: " << static_cast<double>(c.span) / 3000 << " clocks a beat, " << 8.0 / (static_cast<double>(c.span) / 3000) * 100
                              << " % of the lanes' rate");
}

TEST_CASE("chip_link: stalls at either end, damaged, lost and held frames and reports, any latency", "[chips]") {
  std::int64_t damaged = 0, lost = 0;
  for (const int latency : {0, 1, 7, 33, 100}) {
    for (const Conditions& c : {Conditions{latency, 0.001, 0, 0}, Conditions{latency, 0.02, 0.01, 0.05}, Conditions{latency, 0.2, 0.1, 0.1},
                                Conditions{latency, 0, 0, 0, 0.5, 0.1}, Conditions{latency, 0.02, 0.02, 0.1, 0.1, 1},
                                Conditions{latency, 0.02, 0.02, 0.1, 1, 0.05}}) {
      for (const Outcome& outcome : {transfer<Vsender_a, Vreceiver_a>(kA, c, 700), transfer<Vsender_b, Vreceiver_b>(kB, c, 700),
                                     transfer<Vsender_c, Vreceiver_c>(kC, c, 700), transfer<Vsender_d, Vreceiver_d>(kD, c, 300)})
        damaged += outcome.damaged, lost += outcome.lost;
    }
  }
  CHECK(damaged > 1000);
  CHECK(lost > 500);
}

TEST_CASE("chip_link: one frame in 1,000 damaged costs little", "[chips]") {
  const int beats = 60000;
  const Outcome outcome = transfer<Vsender_c, Vreceiver_c>(kC, {.latency = 10, .damage = 0.001, .loss = 0.001}, beats);
  CHECK(outcome.damaged + outcome.lost >= 5);
  CHECK(static_cast<double>(outcome.span) < beats * clocks_per_beat(kC, 128) * 1.02);
  WARN(outcome.frames << " frames, " << outcome.reports << " reports, " << outcome.damaged << " damaged, " << outcome.lost << " lost: "
                      << static_cast<double>(outcome.span) / beats << " clocks a beat");
}

TEST_CASE("chip_link: ends with clocks of their own, four clocks a symbol", "[chips]") {
  for (const double drift : {0.002, -0.002, 0.0001, -0.0001}) {
    transfer<Vsender_d, Vreceiver_d>(kD, {.latency = 5, .drift = drift}, 400);
    transfer<Vsender_d, Vreceiver_d>(kD, {.latency = 5, .damage = 0.01, .loss = 0.01, .drift = drift}, 400);
  }
}
