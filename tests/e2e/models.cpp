// Real networks from file to simulated RTL: accuracy, every layer boundary against golden, clocks as predicted.
#include <nlohmann/json.hpp>

#include "support.hpp"

using namespace bitloom;
using namespace bitloom::test;

namespace {

/// Simulates a design and checks what every simulation must show.
nlohmann::json simulate_design(const std::string& design, const std::vector<std::string>& more) {
  std::vector<std::string> args = {"sim", design, "--json", "--data"};
  args.insert(args.end(), more.begin(), more.end());
  nlohmann::json sim = json_of(bitloom_command(args));
  CHECK(sim.at("bit_exact").get<bool>());
  for (const auto& boundary : sim.at("boundaries")) {
    CHECK(boundary.at("mismatches").get<std::int64_t>() == 0);
    CHECK(boundary.at("compared").get<std::int64_t>() > 0);
  }
  return sim;
}

void check_clocks(const nlohmann::json& sim) {
  const double predicted = sim.at("predicted_clocks_per_image").get<double>();
  CHECK(sim.at("clocks_per_image").get<double>() == Catch::Approx(predicted).epsilon(0.01));
}

}  // namespace

TEST_CASE("both digits models, all 360 test images: the RTL equals golden at every layer boundary, stalled and not") {
  const auto [model, accuracy] = GENERATE(table<std::string, double>({{"digits-w1a1", 0.94}, {"digits-w2a2", 0.97}}));
  const auto board = GENERATE(as<std::string>{}, "icebreaker", "ulx3s-85f");
  CAPTURE(model, board);
  const TemporaryFolder folder;
  const std::string design = (folder / "design").string();
  const std::string file = digits_model(model).string();
  const nlohmann::json golden = json_of(bitloom_command({"run", file, "--data", "digits", "--check", "--json"}));
  CHECK(golden.at("images").get<int>() == 360);
  CHECK(golden.at("agrees_with_float").get<int>() == 360);
  CHECK(golden.at("accuracy").get<double>() >= accuracy);
  REQUIRE(bitloom_command({"compile", file, "--board", board, "--argmax", "--fit", board == "icebreaker" ? "0.7" : "0.15", "--out", design})
              .status == 0);
  const nlohmann::json free = simulate_design(design, {"digits"});
  CHECK(free.at("images").get<int>() == 360);
  CHECK(free.at("accuracy").get<double>() == golden.at("accuracy").get<double>());
  check_clocks(free);
  // The layer that sets the pace is idle for at most 2 % of the clocks, but where its input stream sets it.
  const nlohmann::json planned = nlohmann::json::parse(read_text_file(fs::path(design) / "design.json"));
  double pace = 0;  // the largest share of the clocks in which a program has a word
  for (const auto& layer : planned.at("layers"))
    if (layer.at("bit_operations").get<double>() > 0)
      pace = std::max(pace, layer.at("bit_operations").get<double>() /
                                (layer.at("pe").get<double>() * layer.at("pixels").get<double>() * layer.at("simd").get<double>() *
                                 layer.at("apar").get<double>() * layer.at("wpar").get<double>()) /
                                planned.at("predicted_clocks_per_image").get<double>());
  CHECK(pace >= 0.9);
  std::int64_t busiest = 0;
  for (const auto& layer : free.at("layers")) busiest = std::max(busiest, layer.at("busy").get<std::int64_t>());
  CHECK(static_cast<double>(busiest) >= 0.98 * pace * free.at("span_clocks").get<double>());
  simulate_design(design, {"digits", "--stall", "0.35", "--seed", std::to_string(test_seed())});
}

TEST_CASE("raw scores in place of the class: the RTL's scores are the float model's") {
  const TemporaryFolder folder;
  const std::string design = (folder / "design").string(), file = digits_model("digits-w2a2").string();
  REQUIRE(bitloom_command({"compile", file, "--board", "icebreaker", "--out", design}).status == 0);
  REQUIRE(bitloom_command({"run", file, "--data", "digits", "--images", "40", "--out", (folder / "golden.npy").string()}).status == 0);
  simulate_design(design, {"digits", "--images", "40", "--expect", (folder / "golden.npy").string()});
  // And a comparison that must fail does.
  CHECK(
      bitloom_command({"sim", design, "--data", "digits", "--images", "40", "--offset", "1", "--expect", (folder / "golden.npy").string()})
          .status == 1);
}

TEST_CASE("an FST trace is written on request") {
  const TemporaryFolder folder;
  const std::string design = (folder / "design").string();
  REQUIRE(bitloom_command({"compile", digits_model("digits-w1a1").string(), "--board", "icebreaker", "--argmax", "--out", design}).status ==
          0);
  simulate_design(design, {"digits", "--images", "2", "--trace", (folder / "wave.fst").string()});
  CHECK(fs::file_size(folder / "wave.fst") > 1000);
}

TEST_CASE("TFC on MNIST: the published files' accuracy on 10,000 images in golden, 500 images in RTL") {
  const auto [name, right] = GENERATE(table<std::string, int>({{"TFC_1W1A", 9296}, {"TFC_1W2A", 9474}, {"TFC_2W2A", 9660}}));
  const fs::path model = shared("models/tfc/" + name + ".onnx"), mnist = shared("data/mnist");
  if (model.empty() || mnist.empty()) return;
  CAPTURE(name);
  const nlohmann::json golden =
      json_of(bitloom_command({"run", model.string(), "--scale", "1/255", "--data", mnist.string(), "--check", "--json"}));
  CHECK(golden.at("images").get<int>() == 10000);
  CHECK(golden.at("agrees_with_float").get<int>() == 10000);
  CHECK(golden.at("accuracy").get<double>() * 10000 == Catch::Approx(right));
  const TemporaryFolder folder;
  const std::string design = (folder / "design").string();
  REQUIRE(
      bitloom_command({"compile", model.string(), "--scale", "1/255", "--board", "ulx3s-85f", "--argmax", "--fit", "0.1", "--out", design})
          .status == 0);
  check_clocks(simulate_design(design, {mnist.string(), "--images", "500"}));
}
