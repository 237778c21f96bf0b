// Power of a small synthesized design: every net's toggles equal to those in another simulator's value change dump.
#include <cmath>
#include <nlohmann/json.hpp>

#include "random/generator.hpp"
#include "support.hpp"

using namespace bitloom;
using namespace bitloom::test;

namespace {

/// Two layers on 4x4 pixels: enough for LUTs, carries, flip-flops and block RAM.
Spec small_network() {
  Spec spec;
  spec.input = InputForm::Quantizer;
  spec.input_quantizer = {.form = QuantizerForm::Quant, .bits = 2};
  LayerSpec conv;
  conv.channels = 4;
  conv.kernel_height = conv.kernel_width = 3;
  conv.relu = true;
  conv.quantizer = {.form = QuantizerForm::Quant, .bits = 2};
  LayerSpec dense;
  dense.kind = LayerKind::Dense;
  dense.inputs = {1};
  dense.channels = 3;
  spec.layers = {conv, dense};
  return spec;
}

}  // namespace

TEST_CASE("toggles equal an independent count, and power.json is whole") {
  const TemporaryFolder folder;
  const std::string design = (folder / "design").string();
  write_file_atomically(folder / "small.onnx", build(small_network()).bytes);
  const CommandResult compiled =
      bitloom_command({"compile", (folder / "small.onnx").string(), "--board", "icebreaker", "--clocks", "400", "--out", design});
  INFO(compiled.err);
  REQUIRE(compiled.status == 0);

  const CommandResult early = bitloom_command({"power", design, "--data", "digits"});
  CHECK(early.status == 2);
  CHECK_THAT(early.err, contains_text("bitloom synth"));
  REQUIRE(bitloom_command({"synth", design}).status == 0);

  const char* python = std::getenv("BITLOOM_PYTHON");
  const char* program = std::getenv("BITLOOM");
  REQUIRE(python != nullptr);
  REQUIRE(program != nullptr);
  for (const std::string netlist : {"synthesized", "placed"}) {
    const fs::path log = folder / "log";
    const int status = run(python, {resource("tests/power/check_toggles.py").string(), program, design, netlist},
                           {.cwd = {}, .out = log, .err = log, .env = {}});
    INFO(read_text_file(log));
    CHECK(status == 0);
  }

  const nlohmann::json power = nlohmann::json::parse(read_text_file(folder / "design/power.json"));
  CHECK(power.at("bit_exact") == true);
  CHECK(power.at("estimate") == true);
  double kinds = 0, layers = 0, shares = 0;
  for (const auto& kind : power.at("kinds")) kinds += kind.at("mw").get<double>();
  for (const auto& layer : power.at("layers")) layers += layer.at("mw").get<double>(), shares += layer.at("share").get<double>();
  const double total = power.at("total_mw");
  CHECK(std::abs(kinds - total) < 1e-9);
  CHECK(std::abs(layers - total) < 1e-9);
  CHECK(std::abs(shares - 1) < 1e-9);
  CHECK(std::abs(power.at("static_mw").get<double>() + power.at("dynamic_mw").get<double>() - total) < 1e-9);
  // One image takes as long as the clock and the frames per second say, and what it costs is power times time.
  CHECK(std::abs(power.at("nj_per_inference").get<double>() - total * 1e6 / power.at("frames_per_second").get<double>()) < 1e-6);
  const nlohmann::json description = nlohmann::json::parse(read_text_file(folder / "design/design.json"));
  CHECK(power.at("layers").size() == description.at("layers").size() + 2);  // link and board, chip
}
