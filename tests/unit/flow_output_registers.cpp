// Registers behind block RAMs: which go into the block, and which must not.
#include <fmt/format.h>

#include "catch2.hpp"
#include "flow/output_registers.hpp"

using namespace bitloom;
using nlohmann::json;

namespace {

constexpr int kClock = 2;

json flip_flop(int d, int q) {
  return {{"type", "TRELLIS_FF"},
          {"parameters", {{"CEMUX", "1 "}, {"CLKMUX", "CLK"}, {"LSRMUX", "LSR"}, {"REGSET", "RESET"}}},
          {"port_directions", {{"CLK", "input"}, {"DI", "input"}, {"LSR", "input"}, {"Q", "output"}}},
          {"connections", {{"CLK", {kClock}}, {"DI", {d}}, {"LSR", {"0"}}, {"Q", {q}}}}};
}

/// A memory whose outputs DOB0 .. are nets 10 .., each read by a flip-flop with Q = 50 ..
json memory(int width, int used) {
  json ram = {{"type", "DP16KD"},
              {"parameters",
               {{"DATA_WIDTH_A", "10010"}, {"DATA_WIDTH_B", fmt::format("{:b}", width)}, {"REGMODE_A", "NOREG"}, {"REGMODE_B", "NOREG"}}},
              {"port_directions", {{"CLKA", "input"}, {"CLKB", "input"}}},
              {"connections", {{"CLKA", {kClock}}, {"CLKB", {kClock}}}}};
  json cells;
  for (int i = 0; i < used; ++i) {
    const std::string pin = i < 18 ? fmt::format("DOB{}", i) : fmt::format("DOA{}", i - 18);
    ram["port_directions"][pin] = "output";
    ram["connections"][pin] = {10 + i};
    cells[fmt::format("core.a.ff{}", i)] = flip_flop(10 + i, 50 + i);
  }
  cells["core.a.ram"] = ram;
  return {{"ports", json::object()}, {"cells", cells}};
}

}  // namespace

TEST_CASE("registers behind a port go into the block") {
  json module = memory(18, 3);
  CHECK(absorb_output_registers(module) == 3);
  const json& ram = module.at("cells").at("core.a.ram");
  CHECK(module.at("cells").size() == 1);
  CHECK(ram.at("parameters").at("REGMODE_B") == "OUTREG");
  CHECK(ram.at("parameters").at("REGMODE_A") == "NOREG");
  CHECK(ram.at("connections").at("OCEB") == json::array({"1"}));
  for (int i = 0; i < 3; ++i) CHECK(ram.at("connections").at(fmt::format("DOB{}", i)) == json::array({50 + i}));
}

TEST_CASE("a word of 36 bits takes the registers of both ports, or none") {
  json module = memory(36, 20);
  CHECK(absorb_output_registers(module) == 20);
  CHECK(module.at("cells").at("core.a.ram").at("parameters").at("REGMODE_A") == "OUTREG");
  module = memory(36, 20);
  module["cells"]["core.a.ff19"]["connections"]["LSR"] = {99};
  CHECK(absorb_output_registers(module) == 0);
  CHECK(module.at("cells").at("core.a.ram").at("parameters").at("REGMODE_B") == "NOREG");
  module = memory(36, 5);
  CHECK(absorb_output_registers(module) == 5);  // nobody reads the upper half
}

TEST_CASE("a port keeps its flip-flops where one of them is not plain") {
  const auto change = GENERATE(json{{"pin", "LSR"}, {"to", 99}}, json{{"pin", "CE"}, {"to", 99}}, json{{"pin", "CLK"}, {"to", 98}},
                               json{{"parameter", "REGSET"}, {"to", "SET"}}, json{{"parameter", "CLKMUX"}, {"to", "INV"}});
  json module = memory(18, 3);
  json& ff = module["cells"]["core.a.ff1"];
  if (change.contains("pin")) {
    ff["connections"][change.at("pin").get<std::string>()] = {change.at("to")};
    ff["port_directions"][change.at("pin").get<std::string>()] = "input";
    if (change.at("pin") == "CE") ff["parameters"]["CEMUX"] = "CE";
  } else {
    ff["parameters"][change.at("parameter").get<std::string>()] = change.at("to");
  }
  CHECK(absorb_output_registers(module) == 0);
  CHECK(module.at("cells").size() == 4);
}

TEST_CASE("an output with another reader keeps its flip-flop") {
  json module = memory(18, 3);
  module["cells"]["core.a.more"] = flip_flop(11, 70);
  CHECK(absorb_output_registers(module) == 0);
  module = memory(18, 3);
  module["ports"]["out"] = {{"direction", "output"}, {"bits", {12}}};
  CHECK(absorb_output_registers(module) == 0);
}

TEST_CASE("a register of another instance stays: between them is a stream that netlists are entered at") {
  json module = memory(18, 3);
  json& cells = module["cells"];
  cells["link.ram"] = cells.at("core.a.ram");
  cells.erase("core.a.ram");
  CHECK(absorb_output_registers(module) == 0);
}
