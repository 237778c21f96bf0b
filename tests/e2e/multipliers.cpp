// Designs with multiplier blocks: their netlists, synthesized and placed, equal golden (label synth: three small place and routes).
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

/// A 3x3 convolution of 6-bit weights and 4-bit pixels, to be made of products.
Spec multiplied() {
  Spec spec = requantized();
  LayerSpec& conv = spec.layers.front();
  conv.kernel_height = conv.kernel_width = 3;
  conv.quantizer = {.form = QuantizerForm::Quant, .bits = 2};
  return spec;
}

void check_blocks(const Spec& spec, const std::string& board, const std::vector<std::string>& options, int blocks) {
  const TemporaryFolder folder;
  const std::string design = (folder / "design").string();
  write_file_atomically(folder / "small.onnx", build(spec).bytes);
  std::vector<std::string> compile = {"compile", (folder / "small.onnx").string(), "--board", board, "--out", design, "--json"};
  compile.insert(compile.end(), options.begin(), options.end());
  json_of(bitloom_command(compile));
  REQUIRE(json_of(bitloom_command({"synth", design, "--json"})).at("dsp").get<int>() == blocks);
  check_netlists(design, 8);
}

}  // namespace

TEST_CASE("a requantizer's multiplier blocks in netlists = golden") { check_blocks(requantized(), "ulx3s-12f", {"--clocks", "130", "--fold", "*:wpar=1"}, 2); }

TEST_CASE("a block for each weight in netlists = golden") {
  check_blocks(multiplied(), "ulx3s-12f", {"--fold", "*:pe=2,simd=3,pixels=1,products=blocks"}, 6);
  check_blocks(multiplied(), "icebreaker", {"--fold", "*:pe=2,simd=3,pixels=1,products=blocks"}, 6);
}
