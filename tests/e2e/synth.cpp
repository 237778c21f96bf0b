// The digits models placed and routed for both boards: they fit, reach their clocks, and every cell is accounted for by layer.
#include <nlohmann/json.hpp>

#include "support.hpp"

using namespace bitloom;
using namespace bitloom::test;

TEST_CASE("digits on iCEBreaker and ULX3S: fit, Fmax, bitstream, utilization by layer") {
  const auto model = GENERATE(as<std::string>{}, "digits-w1a1", "digits-w2a2");
  const auto [board, share, least_mhz] =
      GENERATE(table<std::string, std::string, double>({{"icebreaker", "0.7", 25.0}, {"ulx3s-85f", "0.05", 80.0}}));
  CAPTURE(model, board);
  const TemporaryFolder folder;
  const std::string design = (folder / "design").string();
  REQUIRE(
      bitloom_command({"compile", digits_model(model).string(), "--board", board, "--argmax", "--fit", share, "--out", design}).status ==
      0);
  const nlohmann::json synth = json_of(bitloom_command({"synth", design, "--json"}));
  CHECK(synth.at("lut4").get<int>() <= synth.at("lut4_available").get<int>());
  CHECK(synth.at("bram").get<int>() <= synth.at("bram_available").get<int>());
  CHECK(synth.at("fmax_mhz").get<double>() >= least_mhz);
  CHECK(fs::file_size(folder.path() / "design" / synth.at("bitstream").get<std::string>()) > 10000);
  const nlohmann::json description = nlohmann::json::parse(read_text_file(folder / "design/design.json"));
  CHECK(synth.at("layers").size() == description.at("layers").size() + 1);  // and "link and board"
  int lut4 = 0, bram = 0;
  for (std::size_t i = 0; i < description.at("layers").size(); ++i) {
    CAPTURE(synth.at("layers")[i].at("name"));
    CHECK(synth.at("layers")[i].at("bram").get<int>() <= description.at("layers")[i].at("estimated_block_rams").get<int>());
  }
  for (const auto& layer : synth.at("layers")) {
    lut4 += layer.at("lut4").get<int>();
    bram += layer.at("bram").get<int>();
    CHECK(layer.at("lut4").get<int>() > 0);
  }
  CHECK(lut4 == synth.at("lut4").get<int>());
  CHECK(bram == synth.at("bram").get<int>());
}
