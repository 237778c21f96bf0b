// Flip-flops at the end of carry chains: which get a LUT in front.
#include "catch2.hpp"
#include "flow/carry_ends.hpp"

using namespace bitloom;
using nlohmann::json;

namespace {

json flip_flop(int d) {
  return {{"type", "SB_DFFE"}, {"connections", {{"C", {2}}, {"D", {d}}, {"Q", {d + 100}}}}};
}

/// A carry with output 10, and what reads it.
json chain(const json& readers) {
  json cells = readers;
  cells["sum.carry"] = {{"type", "SB_CARRY"},
                        {"connections", {{"I0", {3}}, {"I1", {4}}, {"CI", {"0"}}, {"CO", {10}}}}};
  return {{"ports", json::object()}, {"cells", cells}, {"netnames", json::object()}};
}

}  // namespace

TEST_CASE("a flip-flop that alone reads a carry gets a LUT that passes it on") {
  json module = chain({{"sum.top", flip_flop(10)}});
  CHECK(buffer_carry_ends(module) == 1);
  const json& lut = module.at("cells").at("sum.top_carry");
  CHECK(lut.at("type") == "SB_LUT4");
  CHECK(lut.at("parameters").at("LUT_INIT") == "1111111100000000");  // 1 where I3 is
  CHECK(lut.at("connections").at("I3") == json::array({10}));
  const json out = lut.at("connections").at("O");
  CHECK(out != json::array({10}));
  CHECK(module.at("cells").at("sum.top").at("connections").at("D") == out);
  CHECK(module.at("netnames").at("sum.top_carry").at("bits") == out);
  CHECK(out[0] == 111);  // above every net there was
  CHECK(buffer_carry_ends(module) == 0);
}

TEST_CASE("what nextpnr must lead out of the chain anyway stays as it is") {
  json two = chain({{"sum.top", flip_flop(10)}, {"sum.copy", flip_flop(10)}});
  CHECK(buffer_carry_ends(two) == 0);
  json port = chain({{"sum.top", flip_flop(10)}});
  port["ports"]["out"] = {{"direction", "output"}, {"bits", {10}}};
  CHECK(buffer_carry_ends(port) == 0);
  json plain = chain({{"sum.top", flip_flop(11)}});
  CHECK(buffer_carry_ends(plain) == 0);
}
