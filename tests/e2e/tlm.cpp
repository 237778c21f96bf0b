// The transaction-level model against the RTL, clock by clock; and that a fault in its timing is found.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "random/check.hpp"
#include "sim/quick.hpp"
#include "support.hpp"

using namespace bitloom;
using namespace bitloom::test;
using nlohmann::json;

namespace {

json tlm(const fs::path& design, int images, bool every_image = false) {
  std::vector<std::string> args = {"sim", design.string(), "--level", "tlm", "--images", std::to_string(images), "--json"};
  if (every_image) args.emplace_back("--every-image");
  return json_of(bitloom_command(args));
}

json rtl(const fs::path& design, int images) {
  return json_of(bitloom_command({"sim", design.string(), "--data", "digits", "--images", std::to_string(images), "--quick", "--json"}));
}

/// Layers whose shares of busy clocks differ by more than a hundredth stand in the same order in both.
void check_order(const json& real, const json& modelled) {
  const auto share = [](const json& layer) {
    const auto busy = layer.at("busy").get<double>();
    return busy / (busy + layer.at("starved").get<double>() + layer.at("stalled").get<double>());
  };
  const json &a = real.at("layers"), &b = modelled.at("layers");
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    CAPTURE(a[i].dump(), b[i].dump());
    CHECK(a[i].at("name") == b[i].at("name"));
    CHECK(share(b[i]) == Catch::Approx(share(a[i])).margin(0.02));
    for (std::size_t j = 0; j < a.size(); ++j)
      if (share(a[i]) > share(a[j]) + 0.01) CHECK(share(b[i]) > share(b[j]));
  }
}

fs::path compile(const TemporaryFolder& folder, const fs::path& model, const std::string& board, std::vector<std::string> more = {}) {
  std::vector<std::string> args = {"compile", model.string(), "--board", board, "--out", (folder / "design").string()};
  args.insert(args.end(), more.begin(), more.end());
  const CommandResult result = bitloom_command(args);
  CAPTURE(result.err);
  REQUIRE(result.status == 0);
  return folder / "design";
}

/// Changes a number in the netlist that only the model reads. False: no instance has it.
bool change(const fs::path& design, const std::string& module, const std::string& parameter, const std::function<std::int64_t(std::int64_t)>& to) {
  json description = json::parse(read_text_file(design / "design.json"));
  for (json& instance : description.at("netlist").at("instances")) {
    if (instance.at("module") != module) continue;
    json& number = parameter == "groups" ? instance.at("groups").at(0).at(0) : instance.at("parameters").at(parameter);
    number = to(number.get<std::int64_t>());
    write_file_atomically(design / "design.json", description.dump());
    return true;
  }
  return false;
}

}  // namespace

TEST_CASE("digits: the model's clocks are those of the RTL") {
  const auto model = GENERATE(as<std::string>{}, "digits-w1a1", "digits-w2a2");
  const auto board = GENERATE(as<std::string>{}, "icebreaker", "ulx3s-85f");
  CAPTURE(model, board);
  const TemporaryFolder folder;
  const fs::path design = compile(folder, digits_model(model), board, {"--argmax"});
  const json real = rtl(design, 24), modelled = tlm(design, 24), whole = tlm(design, 24, true);
  for (const char* figure : {"clocks_per_image", "first_image_latency", "total_clocks"}) {
    CAPTURE(figure);
    CHECK(modelled.at(figure) == real.at(figure));
    CHECK(whole.at(figure) == real.at(figure));
  }
  CHECK(whole.at("simulated_images") == 24);
  CHECK(modelled.at("simulated_images").get<int>() < 24);
  check_order(real, modelled);
}

TEST_CASE("random networks: the model's clocks are those of the RTL") {
  const TemporaryFolder folder;
  prepare_quick_runtime(folder / "runtime");
  int compared = 0, joins = 0, basis = 0;
  for (std::uint64_t seed = 10; seed <= 19; ++seed) {
    CheckOptions options;
    options.folder = folder / "case";
    options.runtime = folder / "runtime";
    options.observe = [&](const fs::path& design, const SimulationResult& real) {
      basis += read_text_file(design / "design.json").find("basis_layer") != std::string::npos ? 1 : 0;
      const json modelled = tlm(design, options.images);
      const auto same = [&](const char* figure, double found, double expected) {
        if (found != expected) throw Error("tlm", fmt::format("{}: {} in the model, {} in RTL", figure, found, expected));
      };
      same("first_image_latency", modelled.at("first_image_latency").get<double>(), static_cast<double>(real.first_image_latency));
      same("total_clocks", modelled.at("total_clocks").get<double>(), static_cast<double>(real.total_clocks));
      same("clocks_per_image", modelled.at("clocks_per_image").get<double>(), real.clocks_per_image);
      joins += modelled.at("fifos").empty() ? 0 : 1;
      ++compared;
    };
    const CheckResult result = check_case(random_spec(seed), options);
    CAPTURE(seed, result.stage, result.message);
    CHECK(result.outcome != CheckResult::Outcome::Failed);
  }
  CHECK(compared >= 6);
  CHECK(joins >= 1);
  CHECK(basis >= 1);
}

TEST_CASE("a fault in the model's timing shows in its clocks") {
  const TemporaryFolder folder;
  const fs::path design = compile(folder, digits_model("digits-w1a1"), "icebreaker", {"--argmax"});
  const std::string correct = read_text_file(design / "design.json");
  const json real = rtl(design, 12);
  const auto agrees = [&] {
    const json modelled = tlm(design, 12);
    return modelled.at("total_clocks") == real.at("total_clocks") && modelled.at("first_image_latency") == real.at("first_image_latency");
  };
  REQUIRE(agrees());
  struct Fault {
    const char *module, *parameter;
    std::function<std::int64_t(std::int64_t)> to;
  };
  const std::vector<Fault> faults = {
      {"plane_layer", "groups", [](std::int64_t clocks) { return clocks + 1; }},      // a word more in the first group's program
      {"plane_layer", "SIMD", [](std::int64_t simd) { return 4 * simd; }},            // a deeper adder tree: two clocks of latency
      {"plane_layer", "BUFFER_DEPTH", [](std::int64_t) { return std::int64_t{4}; }},  // a window buffer that can never hold its window
      {"map_pad", "TOP", [](std::int64_t) { return std::int64_t{0}; }},
      {"stream_upsize", "RATIO", [](std::int64_t ratio) { return 2 * ratio; }}};
  int planted = 0;
  for (const Fault& fault : faults) {
    CAPTURE(fault.module, fault.parameter);
    write_file_atomically(design / "design.json", correct);
    if (!change(design, fault.module, fault.parameter, fault.to)) continue;
    ++planted;
    const CommandResult result = bitloom_command({"sim", design.string(), "--level", "tlm", "--images", "12", "--json"});
    CHECK((result.status != 0 || !agrees()));
  }
  CHECK(planted >= 3);
}
