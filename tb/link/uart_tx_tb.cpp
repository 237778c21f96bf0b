// SPDX-License-Identifier: Apache-2.0
// uart_tx: every byte arrives at a receiver, with gaps and without; ten bit times a byte.
#include <Vuart_tx_12.h>
#include <Vuart_tx_4.h>
#include <Vuart_tx_8.h>

#include "bench.hpp"
#include "catch2.hpp"
#include "serial.hpp"

using namespace bench;

namespace {
template <class Model>
void check_tx(double clocks_per_bit, double probability, double receiver_error) {
  Dut<Model> dut(test_seed());
  Stream stream{"in", {dut->in_valid, 1}, {dut->in_ready, 1}, {dut->in_data, 8}, {}};
  Source in(dut, stream, probability);
  SerialReceiver line(dut, {dut->tx, 1}, clocks_per_bit * receiver_error);
  CHECK(dut->tx == 1);
  std::vector<std::uint8_t> sent;
  for (unsigned i = 0; i < 256; ++i) {
    sent.push_back(static_cast<std::uint8_t>(i * 37));
    in.push({Bits(8, sent.back())});
  }
  REQUIRE_NOTHROW(dut.run_until([&] { return line.received().size() == 256; }, 200000));
  dut.run(20 * static_cast<std::uint64_t>(clocks_per_bit));
  CHECK(line.received() == sent);
  const bool whole = clocks_per_bit == std::floor(clocks_per_bit);
  if (probability == 1.0 && whole) CHECK(in.span() == static_cast<std::uint64_t>(255 * 10 * clocks_per_bit + 1));
}
}  // namespace

TEST_CASE("uart_tx sends every byte", "[link]") {
  check_tx<Vuart_tx_12>(12, 1.0, 1.0);
  check_tx<Vuart_tx_12>(12, 0.01, 1.0);
  check_tx<Vuart_tx_12>(12, 1.0, 1.02);
  check_tx<Vuart_tx_4>(4, 1.0, 1.0);
  check_tx<Vuart_tx_8>(25.0 / 3.0, 1.0, 1.0);
}
