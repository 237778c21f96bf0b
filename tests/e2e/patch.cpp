// Other weights in placed designs, and netlists in simulation (label synth: two places and routes, about three minutes).
#include <nlohmann/json.hpp>

#include "perturb.hpp"

using namespace bitloom;
using namespace bitloom::test;

TEST_CASE("a placed design takes other weights: netlists = golden") {
  const auto [board, share, bitstream] =
      GENERATE(table<std::string, std::string, std::string>({{"icebreaker", "0.7", "design.bin"}, {"ulx3s-12f", "0.3", "design.bit"}}));
  CAPTURE(board);
  const TemporaryFolder folder;
  const std::string design = (folder / "design").string(), other = (folder / "other").string();
  REQUIRE(bitloom_command({"compile", digits_model("digits-w1a1").string(), "--board", board, "--argmax", "--fit", share, "--out", design})
              .status == 0);

  // Not patchable yet: the message says how it becomes so.
  perturb_model(digits_model("digits-w1a1"), folder / "retrained.onnx", 7);
  const CommandResult refused = bitloom_command({"patch", design, "--model", (folder / "retrained.onnx").string(), "--out", other});
  CHECK(refused.status == 2);
  CHECK_THAT(refused.err, contains_text("are logic") && contains_text("--patchable"));

  json_of(bitloom_command({"synth", design, "--patchable", "--json"}));
  check_netlists(design, 50);

  // The patched design is one of its own: RTL, golden and both netlists have the new weights.
  const CommandResult patched = bitloom_command({"patch", design, "--model", (folder / "retrained.onnx").string(), "--out", other});
  INFO(patched.err);
  REQUIRE(patched.status == 0);
  CHECK(json_of(bitloom_command({"sim", other, "--data", "digits", "--images", "5", "--json"})).at("bit_exact") == true);
  CHECK(json_of(bitloom_command({"sim", other, "--data", "digits", "--images", "50", "--netlist", "placed", "--json"})).at("bit_exact") ==
        true);
  // The weights did change: the old images do not give the new model's maps.
  CHECK(read_text_file(folder / "other/mem/conv1_weights.mem") != read_text_file(folder / "design/mem/conv1_weights.mem"));

  // Back to the first model, in the patched copy: the first bitstream, bit by bit.
  const std::string build = "/build/synth/" + board + "/";
  const std::string back = (folder / "back").string();
  REQUIRE(bitloom_command({"patch", other, "--model", digits_model("digits-w1a1").string(), "--out", back}).status == 0);
  CHECK(read_text_file(back + build + bitstream) == read_text_file(design + build + bitstream));
  CHECK(read_text_file(other + build + bitstream) != read_text_file(design + build + bitstream));

  // Another shape is refused.
  const CommandResult shape =
      bitloom_command({"patch", design, "--model", digits_model("digits-w2a2").string(), "--out", (folder / "no").string()});
  CHECK(shape.status == 2);
  CHECK_THAT(shape.err, contains_text("Compile the model anew") || contains_text("compile"));
}
