// A network with more weights than an iCE40UP5K's block RAMs hold: they come from the board's flash into single-port RAM. Through the simulated board, flash
// included; and its netlists, synthesized and placed (tag [synth]).
#include <nlohmann/json.hpp>

#include "random/generator.hpp"
#include "running_board.hpp"
#include "support.hpp"

using namespace bitloom;
using namespace bitloom::test;

namespace {

/// Fully connected, binary: 64 pixels, `hidden` units, 10 scores; 128,000 weights for 900 twice.
std::string wide_model(int hidden) {
  Spec spec;
  spec.height = spec.width = 8;  // the digits'
  spec.input = InputForm::Quantizer;
  spec.input_quantizer = {.form = QuantizerForm::Quant, .bits = 4};
  LayerSpec layer;
  layer.kind = LayerKind::Dense;
  layer.weights = WeightForm::Bipolar;
  layer.channels = hidden;
  layer.quantizer = {.form = QuantizerForm::Bipolar};
  spec.layers = {layer};
  layer.inputs = {1};
  layer.channels = 80;
  layer.seed = 2;
  spec.layers.push_back(layer);
  layer.inputs = {2};
  layer.channels = 10;
  layer.seed = 3;
  layer.quantizer = {};
  spec.layers.push_back(layer);
  return build(spec).bytes;
}

std::string compiled(const TemporaryFolder& folder, const std::string& name) {
  const std::string design = (folder / name).string();
  write_file_atomically(folder / (name + ".onnx"), wide_model(1024));
  const auto description = json_of(
      bitloom_command({"compile", (folder / (name + ".onnx")).string(), "--board", "icebreaker", "--clocks", "20000", "--fit", "1", "--out", design, "--json"}));
  REQUIRE(description.contains("loaded_weights"));
  return design;
}

}  // namespace

TEST_CASE("weights from the flash of a simulated board: golden's answers; none before they are there") {
  const TemporaryFolder folder;
  const std::string design = compiled(folder, "wide");
  json_of(bitloom_command(
      {"run", (fs::path(design) / "model.onnx").string(), "--data", "digits", "--images", "6", "--json", "--out", (folder / "golden.npy").string()}));
  const auto infer = [&](const std::string& port, const std::string& patience) {
    return bitloom_command({"infer", "--port", port, "--design", design, "--data", "digits", "--images", "6", "--timeout", patience, "--expect",
                            (folder / "golden.npy").string(), "--json"});
  };
  {
    RunningBoard board(folder.path(), design, {"--baud", "3000000"});
    const auto result = json_of(infer(board.port(), "60"));
    CHECK(result.at("images") == 6);
    CHECK(result.at("counters").at("frames") == 6);
  }
  // A flash with another design's weights, say: the link answers, says so, and nothing is computed.
  std::vector<std::uint8_t> bytes = read_file(fs::path(design) / "weights.bin");
  bytes[0] ^= 1;
  write_file_atomically(fs::path(design) / "weights.bin", std::span<const std::uint8_t>(bytes));
  RunningBoard board(folder.path(), design, {"--baud", "3000000"});
  const CommandResult refused = infer(board.port(), "3");
  CHECK(refused.status == 3);
  CHECK_THAT(refused.err, contains_text("flash does not hold this design's weights"));
}

TEST_CASE("weights in single-port RAM: netlists = golden", "[synth]") {
  const TemporaryFolder folder;
  const std::string design = compiled(folder, "wide");
  REQUIRE(json_of(bitloom_command({"synth", design, "--json"})).at("spram").get<int>() > 0);
  check_netlists(design, 3);
}
