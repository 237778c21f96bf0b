// A design with multiplier blocks: its netlists, synthesized and placed, equal golden (label synth: one place and route).
#include <nlohmann/json.hpp>

#include "random/generator.hpp"
#include "support.hpp"

using namespace bitloom;
using namespace bitloom::test;

namespace {

/// A pixelwise convolution whose 8-bit codes come from a requantizer, which multiplies.
Spec requantized() {
  Spec spec;
  spec.height = spec.width = 8;  // the digits'
  spec.input = InputForm::Quantizer;
  spec.input_quantizer = {.form = QuantizerForm::Quant, .bits = 4};
  LayerSpec conv;
  conv.channels = 2;
  conv.weight_bits = 6;
  conv.quantizer = {.form = QuantizerForm::Quant, .bits = 8, .is_signed = true, .odd_scale = true};
  spec.layers = {conv};
  return spec;
}

}  // namespace

TEST_CASE("multiplier blocks in netlists = golden") {
  const TemporaryFolder folder;
  const std::string design = (folder / "design").string();
  write_file_atomically(folder / "small.onnx", build(requantized()).bytes);
  const auto done = [](const CommandResult& result) {
    INFO(result.err);
    REQUIRE(result.status == 0);
    return nlohmann::json::parse(result.out);
  };
  done(bitloom_command({"compile", (folder / "small.onnx").string(), "--board", "ulx3s-12f", "--clocks", "130", "--out", design, "--json"}));
  REQUIRE(done(bitloom_command({"synth", design, "--json"})).at("dsp").get<int>() > 0);
  for (const char* netlist : {"synthesized", "placed"}) {
    CAPTURE(netlist);
    const auto result = done(bitloom_command({"sim", design, "--data", "digits", "--images", "8", "--netlist", netlist, "--json"}));
    CHECK(result.at("bit_exact") == true);
    CHECK(result.at("images") == 8);
  }
}
