// From result files to summary.json and the page, and what is said of files that are wrong.
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "catch2.hpp"
#include "core/error.hpp"
#include "core/files.hpp"
#include "report/report.hpp"

using namespace bitloom;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

json layer(const char* name, const char* kind, int macs) {
  return {{"name", name},
          {"kind", kind},
          {"pe", 8},
          {"simd", 3},
          {"apar", 1},
          {"clocks", 384},
          {"macs", macs},
          {"bops_uniq", 2.5 * macs},
          {"bops_qonnx", macs},
          {"weight_bits", macs / 64}};
}

/// One model, two boards: one simulated and routed, one only compiled. Tests spoil the parts before writing them.
struct Results {
  fs::path root = fs::temp_directory_path() / fmt::format("bitloom_report_{}", getpid());
  json run = {{"model", "digits"},
              {"data", "digits & <more>"},
              {"images", 4},
              {"accuracy", 0.75},
              {"float_accuracy", nullptr},
              {"agrees_with_float", nullptr},
              {"confusion", {{2, 0}, {1, 1}}},
              {"seconds", 0.5},
              {"images_per_second", 8.0}};
  json design = {{"name", "digits"},
                 {"board", "icebreaker"},
                 {"layers", {layer("conv1", "convolution", 9216), layer("argmax", "argmax", 0)}},
                 {"predicted_clocks_per_image", 2000},
                 {"macs", 9216},
                 {"bops_uniq", 23040.0},
                 {"bops_qonnx", 9216},
                 {"weight_bits", 144}};
  json sim = {{"images", 3},
              {"bit_exact", true},
              {"clocks_per_image", 2400.0},
              {"first_image_latency", 2711},
              {"total_clocks", 9000},
              {"stall_probability", 0.0},
              {"tool", "Verilator 5.032"},
              {"layers", {{{"name", "conv1"}, {"busy", 60}, {"starved", 30}, {"stalled", 10}}}}};
  json synth;

  Results() {
    fs::remove_all(root);
    SynthResult result;
    result.design = "digits";
    result.board = "icebreaker";
    result.device = "up5k";
    result.tools = {{"yosys", "Yosys 0.52"}};
    result.clock_mhz = 12;
    result.fmax_mhz = 24;
    result.layers = {{"conv1", {900, 400, 2, 0, 0}}, {"argmax", {50, 20, 0, 0, 0}}, {"link and board", {150, 100, 0, 0, 0}}};
    result.used = {1100, 520, 2, 0, 0};
    result.available = {5280, 5280, 30, 8, 4};
    result.bitstream = "build/synth/icebreaker/design.bin";
    result.bitstream_bytes = 104090;
    synth = to_json(result);
  }
  ~Results() { fs::remove_all(root); }
  void put(const fs::path& file, const json& value) const {
    fs::create_directories((root / file).parent_path());
    std::ofstream(root / file) << value.dump();
  }
  ReportData gather() const {
    put("digits/run.json", run);
    put("digits/icebreaker/design.json", design);
    put("digits/icebreaker/sim.json", sim);
    put("digits/icebreaker/build/synth/icebreaker/synth.json", synth);
    json other = design;
    other["board"] = "ulx3s-85f";
    put("digits/ulx3s-85f/design.json", other);
    return gather_report(root);
  }
};

}  // namespace

TEST_CASE("results are gathered by model and board") {
  const Results results;
  const ReportData data = results.gather();
  REQUIRE(data.models.size() == 1);
  const ModelReport& model = data.models[0];
  CHECK(model.name == "digits");
  CHECK(model.images == 4);
  CHECK(*model.accuracy == 0.75);
  CHECK_FALSE(model.float_accuracy);
  CHECK(model.confusion == std::vector<std::vector<std::int64_t>>{{2, 0}, {1, 1}});
  REQUIRE(model.designs.size() == 2);
  const DesignReport& ice = model.designs[0];
  CHECK(ice.board == "icebreaker");
  CHECK(ice.layers[0].busy == 60);
  CHECK(ice.layers[1].busy == -1);
  CHECK(ice.layers[0].use->lut4 == 900);
  CHECK(ice.clocks_per_image() == 2400);
  CHECK(ice.frames_per_second() == 5000);
  CHECK(ice.frames_per_second_at_fmax() == 10000);
  const DesignReport& ulx = model.designs[1];
  CHECK_FALSE(ulx.simulation);
  CHECK(ulx.clocks_per_image() == 2000);  // the prediction
  CHECK(ulx.frames_per_second() == 0);    // no clock without synthesis
  CHECK_FALSE(model.bit_exact());         // one design was not simulated
}

TEST_CASE("a wrong or stalled simulation does not count as a measured rate") {
  Results results;
  SECTION("different from golden") { results.sim["bit_exact"] = false; }
  SECTION("stalled on purpose") { results.sim["stall_probability"] = 0.3; }
  SECTION("one image") { results.sim["clocks_per_image"] = nullptr; }
  CHECK(results.gather().models[0].designs[0].clocks_per_image() == 2000);
}

TEST_CASE("the summary has every figure, and null for what was not measured") {
  const Results results;
  const json summary = summary_json(results.gather());
  CHECK(summary["tools"]["yosys"].get<std::string>() == "Yosys 0.52");
  CHECK(summary["tools"]["simulator"].get<std::string>() == "Verilator 5.032");
  CHECK_THAT(summary["definitions"]["bops_uniq"].get<std::string>(), contains_text("log2"));
  const json& model = summary["models"][0];
  CHECK(model["accuracy"].get<double>() == 0.75);
  CHECK(model["float_accuracy"].is_null());
  CHECK(model["bit_exact"].is_null());
  CHECK(model["reference_board"].get<std::string>() == "icebreaker");  // simulated, though the other is predicted to be faster
  CHECK(model["clocks_per_image"].get<double>() == 2400.0);
  const json& ice = model["boards"][0];
  for (const char* name : {"board", "clocks_per_image", "predicted_clocks_per_image", "first_image_latency", "simulated_images",
                           "bit_exact", "lut4", "lut4_available", "ff", "bram", "dsp", "fmax_mhz", "clock_mhz", "frames_per_second",
                           "frames_per_second_at_fmax", "bitstream", "bitstream_bytes", "seed", "layers"}) {
    CAPTURE(name);
    CHECK(ice.contains(name));
    CHECK_FALSE(ice[name].is_null());
  }
  CHECK(ice["lut4"] == 1100);
  CHECK(ice["layers"][0]["lut4"] == 900);
  CHECK(ice["layers"][1]["busy"].is_null());
  CHECK(model["boards"][1]["lut4"].is_null());
  CHECK(model["boards"][1]["bit_exact"].is_null());
}

TEST_CASE("designs of several models may stand side by side, and a folder may be one design") {
  Results results;
  results.put("a-ice/design.json", results.design);
  json second = results.design;
  second["name"] = "other";
  results.put("b-ice/design.json", second);
  results.put("run.json", results.run);
  const ReportData data = gather_report(results.root);
  REQUIRE(data.models.size() == 2);
  CHECK(data.models[0].name == "digits");
  CHECK(data.models[0].images == 4);
  CHECK(data.models[1].name == "other");
  CHECK(data.models[1].images == 0);
  const ReportData one = gather_report(results.root / "a-ice");
  REQUIRE(one.models.size() == 1);
  CHECK(one.models[0].designs.size() == 1);
}

TEST_CASE("a golden run without a design is a model too; nothing at all is an error") {
  Results results;
  fs::create_directories(results.root);
  CHECK_THROWS_WITH(gather_report(results.root), contains_text("no design.json, run.json or explore.json"));
  CHECK_THROWS_WITH(gather_report(results.root / "none"), contains_text("no such folder"));
  results.put("digits/run.json", results.run);
  results.put("digits/build/x/design.json", json::object());  // build folders are not searched
  CHECK(gather_report(results.root).models[0].designs.empty());
}

TEST_CASE("a wrong result file is named with its field") {
  Results results;
  SECTION("missing field") {
    results.sim.erase("bit_exact");
    CHECK_THROWS_WITH(results.gather(), contains_text("sim.json: the field 'bit_exact' is missing"));
  }
  SECTION("wrong type") {
    results.sim["bit_exact"] = 1;
    CHECK_THROWS_WITH(results.gather(), contains_text("'bit_exact' is 1"));
  }
  SECTION("fraction for a count") {
    results.design["layers"][0]["pe"] = 1.5;
    CHECK_THROWS_WITH(results.gather(), contains_text("design.json: layers[0]: 'pe' is 1.5"));
  }
  SECTION("negative count") {
    results.design["macs"] = -1;
    CHECK_THROWS_WITH(results.gather(), contains_text("'macs' is -1"));
  }
  SECTION("accuracy in percent") {
    results.run["accuracy"] = 75;
    CHECK_THROWS_WITH(results.gather(), contains_text("run.json: 'accuracy' is 75, a fraction of 1 expected"));
  }
  SECTION("ragged confusion") {
    results.run["confusion"] = {{1, 2}, {3}};
    CHECK_THROWS_WITH(results.gather(), contains_text("'confusion' is not a square matrix"));
  }
  SECTION("unknown layer") {
    results.sim["layers"][0]["name"] = "conv9";
    CHECK_THROWS_WITH(results.gather(), contains_text("the design has no layer 'conv9'"));
  }
  SECTION("layers that do not add up") {
    results.synth["layers"][0]["lut4"] = 1;
    CHECK_THROWS_WITH(results.gather(), contains_text("synth.json: the layers do not add up"));
  }
  SECTION("not JSON") {
    results.gather();
    std::ofstream(results.root / "digits" / "run.json") << "{";
    CHECK_THROWS_WITH(gather_report(results.root), contains_text("run.json: is not valid JSON"));
  }
}

TEST_CASE("power is read with whatever it says") {
  Results results;
  results.put("digits/icebreaker/power.json", json::object());
  CHECK_FALSE(results.gather().models[0].designs[0].power->total_mw);
  json power = {{"total_mw", 10.5},
                {"static_mw", 0.5},
                {"dynamic_mw", 10},
                {"uncertainty", 0.4},
                {"nj_per_inference", 900},
                {"images", 20},
                {"netlist", "placed"},
                {"voltage", nullptr},
                {"kinds", {{{"kind", "LUT"}, {"mw", 4}, {"toggles", 1000}}}},
                {"layers", {{{"name", "conv1"}, {"mw", 6.0}, {"share", 0.6}}}},
                {"sources", {"a data sheet", {{"what", "a paper"}}}}};
  results.put("digits/icebreaker/power.json", power);
  const PowerReport read = *results.gather().models[0].designs[0].power;
  CHECK(*read.total_mw == 10.5);
  CHECK_FALSE(read.voltage);
  CHECK(*read.range(100) == std::pair<double, double>(60, 140));
  CHECK(read.kinds[0].name == "LUT");
  CHECK(*read.kinds[0].toggles == 1000);
  CHECK(read.layers[0].mw == 6);
  CHECK(read.sources == std::vector<std::string>{"a data sheet", "what: a paper"});
  CHECK(summary_json(results.gather())["models"][0]["boards"][0]["power"]["nj_per_inference"] == 900);
  power["uncertainty"] = 1.5;
  results.put("digits/icebreaker/power.json", power);
  CHECK(*results.gather().models[0].designs[0].power->range(100) == std::pair<double, double>(0, 250));
  power["uncertainty"] = "a factor of two";
  results.put("digits/icebreaker/power.json", power);
  CHECK_FALSE(results.gather().models[0].designs[0].power->range(100));
  CHECK(results.gather().models[0].designs[0].power->note == "a factor of two");
  power["uncertainty"] = -1;
  results.put("digits/icebreaker/power.json", power);
  CHECK_THROWS_WITH(results.gather(), contains_text("power.json: 'uncertainty' is -1"));
}

TEST_CASE("a sweep is read, and a fit takes the points of its engine and device") {
  Results results;
  const auto point = [](const char* engine, const char* board, double bops, double lut4) {
    return json{{"id", "p"},          {"engine", engine}, {"board", board}, {"folding", {{"pe", 4}, {"simd", 2}}},
                {"bops_uniq", bops},  {"lut4", lut4},     {"clocks", 50},   {"fmax_mhz", 25},
                {"accuracy", nullptr}};
  };
  json sweep = {{"explore", 1},
                {"model", "digits"},
                {"points",
                 {point("parallel", "icebreaker", 100, 210), point("parallel", "ulx3s-85f", 100, 190),
                  point("serial", "icebreaker", 100, 50), point("parallel", "icebreaker", 200, 400)}},
                {"fits",
                 {{{"device", "up5k"},
                   {"engine", "parallel"},
                   {"x", "bops_uniq"},
                   {"y", "lut4"},
                   {"slope", 1.9},
                   {"intercept", 20},
                   {"r2", 1},
                   {"points", 2}}}}};
  results.put("sweep/explore.json", sweep);
  const SweepReport read = results.gather().sweeps.at(0);
  REQUIRE(read.points.size() == 4);
  CHECK(read.points[0].folding == "pe 4, simd 2");
  CHECK_FALSE(read.points[0].accuracy);
  CHECK(*read.points[0].figure("frames_per_second") == 500000);
  CHECK_FALSE(read.points[0].figure("unheard_of"));
  CHECK(read.fits[0].points == std::vector<std::pair<double, double>>{{100, 210}, {200, 400}});
  CHECK(read.fits[0].members == std::vector<std::size_t>{0, 3});
  sweep["fits"][0]["pe"] = 8;  // another array
  results.put("sweep/explore.json", sweep);
  CHECK(results.gather().sweeps[0].fits[0].points.empty());
  sweep["fits"][0]["pe"] = 4;
  sweep["points"][0]["device"] = "hx8k";
  sweep["points"][3]["error"] = "did not fit";
  results.put("sweep/explore.json", sweep);
  CHECK(results.gather().sweeps[0].fits[0].points.empty());
  sweep["fits"][0]["points"] = {{1, 2}, {3, 4}};
  results.put("sweep/explore.json", sweep);
  CHECK(results.gather().sweeps[0].fits[0].points == std::vector<std::pair<double, double>>{{1, 2}, {3, 4}});
  sweep["points"][0]["accuracy"] = 97;
  results.put("sweep/explore.json", sweep);
  CHECK_THROWS_WITH(results.gather(), contains_text("explore.json: points[0]: 'accuracy' is 97"));
}

TEST_CASE("wrong images are read with their pixels, and damaged ones named") {
  Results results;
  results.run["wrong_images"] = {
      {{"image", 3}, {"label", 1}, {"answer", 0}, {"width", 2}, {"height", 1}, {"channels", 1}, {"pixels", "00ff"}}};
  SECTION("as written") {
    const ReportData data = results.gather();
    REQUIRE(data.models[0].wrong_images.size() == 1);
    CHECK(data.models[0].wrong_images[0].pixels == std::vector<std::uint8_t>{0, 255});
  }
  SECTION("too few pixels") {
    results.run["wrong_images"][0]["pixels"] = "00";
    CHECK_THROWS_WITH(results.gather(), contains_text("wrong_images[0]: 'pixels' are not 1 x 2 x 1 bytes"));
  }
  SECTION("no hexadecimal") {
    results.run["wrong_images"][0]["pixels"] = "00zz";
    CHECK_THROWS_WITH(results.gather(), contains_text("'pixels'"));
  }
  SECTION("a class that is not there") {
    results.run["wrong_images"][0]["answer"] = 2;
    CHECK_THROWS_WITH(results.gather(), contains_text("not among the 2 classes"));
  }
}

TEST_CASE("the page is one file that asks for nothing, with every name as text") {
  const std::string hostile = "<script>alert(1)</script>\"'&<img src=x>";
  Results results;
  results.design["layers"][0]["name"] = hostile;
  results.sim["layers"][0]["name"] = hostile;
  results.synth["layers"][0]["name"] = hostile;
  results.run["class_names"] = {hostile, "b"};
  results.run["wrong_images"] = {
      {{"image", 3}, {"label", 1}, {"answer", 0}, {"width", 2}, {"height", 1}, {"channels", 1}, {"pixels", "00ff"}}};
  results.put("digits/icebreaker/power.json", {{"total_mw", 1},
                                               {"nj_per_inference", 2},
                                               {"netlist", hostile},
                                               {"images", 1},
                                               {"uncertainty", hostile},
                                               {"sources", {hostile}},
                                               {"kinds", {{{"kind", hostile}, {"mw", 1}}}}});
  results.put(
      "sweep/explore.json",
      {{"model", hostile},
       {"points",
        {{{"id", hostile}, {"engine", hostile}, {"folding", hostile}, {"board", hostile}, {"bops_uniq", 1}, {"lut4", 1}, {"accuracy", 1}}}},
       {"fits",
        {{{"engine", hostile},
          {"device", hostile},
          {"x", "bops_uniq"},
          {"y", hostile},
          {"slope", 1},
          {"intercept", 0},
          {"r2", 1},
          {"points", {{1, 2}}}}}}});
  ReportData data = results.gather();
  data.title = "<b>title</b>";
  data.models[0].name = hostile;
  write_summary(results.root / "summary.json", data);
  write_report(results.root / "report.html", data);
  const std::string page = read_text_file(results.root / "report.html");
  CHECK(json::parse(read_text_file(results.root / "summary.json")) == summary_json(data));
  CHECK_THAT(page, contains_text("<h1>&lt;b&gt;title&lt;/b&gt;</h1>"));
  CHECK_THAT(page, contains_text("digits &amp; &lt;more&gt;"));
  CHECK_THAT(page, contains_text("alt=\"image 3: b, answered as &lt;script&gt;"));
  CHECK_THAT(page, !contains_text("<img src=x"));
  CHECK_THAT(page, !contains_text("<script"));
  CHECK_THAT(page, !contains_text("http:"));
  CHECK_THAT(page, !contains_text("https:"));
  CHECK_THAT(page, !contains_text("url("));
  CHECK_THAT(page, contains_text("name=\"viewport\""));
  CHECK_THAT(page, contains_text("prefers-color-scheme: dark"));
  CHECK_THAT(page, contains_text("link and board"));
  CHECK_THAT(page, contains_text("2\u202f000 (predicted)"));
  // Deterministic: the same results give the same page.
  write_report(results.root / "again.html", data);
  CHECK(read_text_file(results.root / "again.html") == page);
}
