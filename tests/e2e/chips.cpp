// Systems of several chips: a residual network cut over two and three Verilated chips joined by links that stall, damage and lose what they
// carry gives what one chip gives, value by value; and a link that does not repeat what was lost is found.
#include <nlohmann/json.hpp>

#include "random/generator.hpp"
#include "support.hpp"

using namespace bitloom;
using namespace bitloom::test;
using nlohmann::json;

namespace {

LayerSpec convolution(int input, int channels, int kernel, int stride, std::uint32_t seed) {
  LayerSpec layer;
  layer.inputs = {input};
  layer.channels = channels;
  layer.kernel_height = layer.kernel_width = kernel;
  layer.stride_height = layer.stride_width = stride;
  layer.pad_top = layer.pad_left = layer.pad_bottom = layer.pad_right = kernel / 2;
  layer.weights = WeightForm::Bipolar;
  layer.relu = true;
  layer.quantizer = {.form = QuantizerForm::Quant, .bits = 2, .shift = -3};  // sums are far from their limits: codes shall vary
  layer.seed = seed;
  return layer;
}

LayerSpec sum(int a, int b) {
  LayerSpec layer;
  layer.kind = LayerKind::Add;
  layer.inputs = {a, b};
  layer.quantizer = {.form = QuantizerForm::Quant, .bits = 2};
  return layer;
}

/// Three residual blocks, the second with a convolution in its skip path, on the digits' images.
fs::path residual_model(const TemporaryFolder& folder) {
  Spec spec;
  spec.height = spec.width = 8;
  spec.layers.push_back(convolution(0, 8, 3, 1, 1));
  spec.layers.back().quantizer.shift = -6;  // pixels of the digits are 0 to 16
  int here = 1;
  for (int block = 0; block < 3; ++block) {
    const bool narrows = block == 1;
    const int channels = block == 0 ? 8 : 16;
    spec.layers.push_back(convolution(here, channels, 3, narrows ? 2 : 1, static_cast<std::uint32_t>(10 + block)));
    const auto first = static_cast<int>(spec.layers.size());
    spec.layers.push_back(convolution(first, channels, 3, 1, static_cast<std::uint32_t>(20 + block)));
    const auto second = static_cast<int>(spec.layers.size());
    int skip = here;
    if (narrows) {
      spec.layers.push_back(convolution(here, channels, 1, 2, 30));
      skip = static_cast<int>(spec.layers.size());
    }
    spec.layers.push_back(sum(second, skip));
    here = static_cast<int>(spec.layers.size());
  }
  LayerSpec dense;
  dense.kind = LayerKind::Dense;
  dense.inputs = {here};
  dense.channels = 10;
  dense.weights = WeightForm::Bipolar;
  dense.seed = 40;
  spec.layers.push_back(dense);
  const Model model = build(spec);
  const fs::path file = folder / "residual.onnx";
  write_file_atomically(file, model.bytes);
  return file;
}

void compile(const fs::path& model, const fs::path& out, std::vector<std::string> options) {
  std::vector<std::string> args = {"compile", model.string(), "--board", "ulx3s-85f", "--clocks", "3000", "--out", out.string()};
  args.insert(args.end(), options.begin(), options.end());
  const CommandResult result = bitloom_command(args);
  CAPTURE(result.err);
  REQUIRE(result.status == 0);
}

CommandResult simulate(const fs::path& design, std::vector<std::string> options) {
  std::vector<std::string> args = {"sim", design.string(), "--data", "digits", "--images", "40", "--quick"};
  args.insert(args.end(), options.begin(), options.end());
  return bitloom_command(args);
}

std::int64_t sum_of(const json& report, const char* field) {
  std::int64_t total = 0;
  for (const json& line : report.at("links")) total += line.at(field).get<std::int64_t>();
  return total;
}

}  // namespace

TEST_CASE("a residual network over 2 and 3 chips equals one chip, with link stalls and 1 in 1,000 frames damaged") {
  const TemporaryFolder folder;
  const fs::path model = residual_model(folder);
  const fs::path one = folder / "one", outputs = folder / "one.npy";
  compile(model, one, {});
  const CommandResult alone = simulate(one, {"--out", outputs.string()});
  CAPTURE(alone.err);
  REQUIRE(alone.status == 0);
  for (const std::string devices : {"2", "3"}) {
    CAPTURE(devices);
    const fs::path system = folder / ("chips" + devices);
    compile(model, system, {"--devices", devices, "--link-lanes", devices == "2" ? "4" : "8", "--link-latency", devices == "2" ? "10" : "3"});
    const json description = json::parse(read_text_file(system / "system.json"));
    CHECK(description.at("chips").size() == std::stoul(devices));

    const CommandResult quiet = simulate(system, {"--expect", outputs.string()});
    CAPTURE(quiet.out, quiet.err);
    REQUIRE(quiet.status == 0);
    const json steady = json::parse(read_text_file(system / "sim.json"));
    CHECK(steady.at("bit_exact").get<bool>());
    CHECK(steady.at("clocks_per_image").get<double>() ==
          Catch::Approx(description.at("predicted_clocks_per_image").get<double>()).epsilon(0.02));

    // The bar's rate; and far worse, so that a short run sees many repetitions.
    for (const auto& [noise, loss] : {std::pair("0.001", "0.001"), std::pair("0.05", "0.02")}) {
      const CommandResult result = simulate(system, {"--expect", outputs.string(), "--stall", "0.2", "--link-noise", noise, "--link-loss",
                                                     loss, "--link-stall", "0.05", "--seed", "3"});
      CAPTURE(noise, result.out, result.err);
      REQUIRE(result.status == 0);
      const json report = json::parse(read_text_file(system / "sim-stalled.json"));
      CHECK(report.at("bit_exact").get<bool>());
      CHECK(sum_of(report, "held") > 0);
      CHECK(sum_of(report, "damaged") + sum_of(report, "lost") >= 3);
    }
  }
}

TEST_CASE("a layer that no device holds is split, and the model's clocks of the system are the RTL's") {
  Spec spec;
  spec.height = spec.width = 8;
  spec.layers.push_back(convolution(0, 16, 3, 1, 1));
  spec.layers.back().quantizer.shift = -6;
  for (const int channels : {640, 10}) {  // 655 kbit: 36 block RAMs, of which the device has 32
    LayerSpec dense;
    dense.kind = LayerKind::Dense;
    dense.inputs = {static_cast<int>(spec.layers.size())};
    dense.channels = channels;
    dense.weights = WeightForm::Bipolar;
    dense.seed = static_cast<std::uint32_t>(channels);
    if (channels == 640) {
      dense.relu = true;
      dense.quantizer = {.form = QuantizerForm::Quant, .bits = 2, .shift = -3};
    }
    spec.layers.push_back(dense);
  }
  const TemporaryFolder folder;
  const fs::path model = folder / "wide.onnx", one = folder / "one", system = folder / "system", outputs = folder / "one.npy";
  write_file_atomically(model, build(spec).bytes);
  compile(model, one, {});
  REQUIRE(simulate(one, {"--out", outputs.string()}).status == 0);
  const CommandResult made = bitloom_command({"compile", model.string(), "--board", "ulx3s-12f", "--devices", "auto", "--clocks", "12000", "--out", system.string()});
  CAPTURE(made.out, made.err);
  REQUIRE(made.status == 0);
  const json description = json::parse(read_text_file(system / "system.json"));
  CHECK(description.at("chips").size() == 2);
  CHECK(description.at("options").at("splits").size() == 1);
  const CommandResult result = simulate(system, {"--expect", outputs.string()});
  CAPTURE(result.out, result.err);
  REQUIRE(result.status == 0);
  REQUIRE(bitloom_command({"sim", system.string(), "--level", "tlm", "--images", "40", "--every-image"}).status == 0);
  const json rtl = json::parse(read_text_file(system / "sim.json")), timing = json::parse(read_text_file(system / "sim-tlm.json"));
  for (const char* figure : {"clocks_per_image", "first_image_latency"})
    CHECK(timing.at(figure).get<double>() == Catch::Approx(rtl.at(figure).get<double>()).epsilon(0.01));
}

TEST_CASE("links that do not do their work are found") {
  const TemporaryFolder folder;
  const fs::path model = residual_model(folder), system = folder / "system";
  compile(model, system, {"--devices", "2"});
  const std::vector<std::string> disturbed = {"--link-noise", "0.02", "--link-loss", "0.02"};
  REQUIRE(simulate(system, disturbed).status == 0);
  const auto plant = [&](const fs::path& file, const std::string& what, const std::string& with) {
    std::string text = read_text_file(file);
    const std::string before = text;
    const std::size_t at = text.find(what);
    REQUIRE(at != std::string::npos);
    text.replace(at, what.size(), with);
    write_file_atomically(file, text);
    return before;
  };
  SECTION("no repetition") {
    plant(system / "chip0" / "rtl" / "chip_replay.sv", "    if (rewind) begin", "    if (rst) begin");
    const CommandResult result = simulate(system, disturbed);
    CHECK(result.status == 1);
    CHECK_THAT(result.err, contains_text("no beat moved"));
  }
  SECTION("damaged frames are taken for good") {
    plant(system / "chip1" / "rtl" / "chip_frame_in.sv", "state == StWhole && crc == '0", "state == StWhole");
    CHECK(simulate(system, {"--link-noise", "0.2"}).status == 1);
  }
  SECTION("words that come again are taken again") {
    plant(system / "chip1" / "rtl" / "chip_accept.sv", "coming == next && ", "");
    const CommandResult result = simulate(system, {"--link-loss", "0.1"});
    CAPTURE(result.out);
    CHECK(result.status == 1);
  }
}

TEST_CASE("what cannot be partitioned is refused by name") {
  const TemporaryFolder folder;
  const fs::path model = residual_model(folder);
  const auto refused = [&](std::vector<std::string> options) {
    std::vector<std::string> args = {"compile", model.string(), "--board", "ulx3s-85f", "--out", (folder / "none").string()};
    args.insert(args.end(), options.begin(), options.end());
    const CommandResult result = bitloom_command(args);
    CHECK(result.status == 2);
    return result.err;
  };
  CHECK_THAT(refused({"--devices", "99"}), contains_text("--devices"));
  CHECK_THAT(refused({"--devices", "two"}), contains_text("'two'"));
  CHECK_THAT(refused({"--devices", "2", "--link-lanes", "9"}), contains_text("--link-lanes"));
  CHECK_THAT(refused({"--devices", "2", "--clocks", "100", "--link-lanes", "1", "--link-clock-ratio", "16"}), contains_text("clocks"));
}
