// Points and their keys, generated layers, laws, fronts.
#include <algorithm>
#include <set>

#include "explore/law.hpp"
#include "explore/results.hpp"
#include "lower/lower.hpp"
#include "onnx/import.hpp"
#include "support.hpp"

using namespace bitloom;
using namespace bitloom::test;
using nlohmann::json;

namespace {

LayerSpec small() { return parse_layer_spec("C=4,K=6,kernel=3,map=6x5"); }

Study study() {
  Study s;
  s.layer = small();
  s.models = layer_models(*s.layer, {1, 3}, {2}, 1);
  s.engines = {"parallel", "serial"};
  s.boards = {"icebreaker"};
  return s;
}

std::string first_id(const Study& s) {
  const auto shared = std::make_shared<const Study>(s);
  return tasks_of(shared, points_of(s), "bitloom").points.front().id;
}

}  // namespace

TEST_CASE("a layer is what its description says, or refused by name") {
  const LayerSpec spec = parse_layer_spec("C=64,K=32,kernel=5,map=28x14,stride=2,out=2");
  CHECK((spec.in_channels == 64 && spec.out_channels == 32 && spec.kernel == 5 && spec.height == 28 && spec.width == 14));
  CHECK((spec.pad == 2 && spec.stride == 2 && spec.out_bits == 2));
  CHECK(parse_layer_spec(spec.text()).text() == spec.text());
  for (const char* wrong : {"C", "C=0", "C=x", "map=3", "map=3x", "depth=3", "out=5", "kernel=9,pad=0,map=3x3"}) {
    CAPTURE(wrong);
    CHECK_THROWS_WITH(parse_layer_spec(wrong), contains_text("--layer"));
  }
}

TEST_CASE("a generated layer lowers to one convolution with thresholds at its widths") {
  const int w = GENERATE(1, 2, 8), a = GENERATE(1, 5, 8);
  CAPTURE(w, a);
  const Bytes bytes = layer_model(small(), w, a, 7);
  const Network network = lower(import_onnx_bytes(std::string(bytes.begin(), bytes.end()), "layer.onnx"), {});
  REQUIRE(network.layers.size() == 2);
  const auto& conv = std::get<Convolution>(network.layers[0].op);
  CHECK(conv.weight_type == (w == 1 ? ValueType::bipolar() : ValueType::signed_bits(w)));
  CHECK(network.maps[static_cast<std::size_t>(network.input)].type == ValueType::unsigned_bits(a));
  const auto& threshold = std::get<Threshold>(network.layers[1].op);
  CHECK(threshold.levels == 1);
  const std::set<std::int64_t> different(threshold.thresholds.begin(), threshold.thresholds.end());
  CHECK(different.size() >= 3);  // else synthesis could share comparators
  CHECK(network.output_of(network.layers[1]).shape == MapShape{6, 5, 6});
  CHECK(bytes == layer_model(small(), w, a, 7));
  CHECK(bytes != layer_model(small(), w, a, 8));
}

TEST_CASE("every combination is a point, with an id of its own that others of its study do not change") {
  Study s = study();
  s.boards = {"icebreaker", "ulx3s-85f"};
  s.fit = {0.3, 0.6};
  const std::vector<Point> points = points_of(s);
  CHECK(points.size() == 2 * 2 * 2 * 2);
  std::set<std::string> ids;
  for (const Task& task : tasks_of(std::make_shared<const Study>(s), points, "bitloom").points) ids.insert(task.id);
  CHECK(ids.size() == points.size());
  s.fit = {0.7};
  CHECK(first_id(s) == first_id(study()));
}

TEST_CASE("whatever changes a result changes its id") {
  std::set<std::string> ids = {first_id(study())};
  const auto differs = [&](const std::function<void(Study&)>& change) {
    Study s = study();
    change(s);
    return ids.insert(first_id(s)).second;
  };
  CHECK(differs([](Study& s) { s.models[0].content[100] ^= 1; }));
  CHECK(differs([](Study& s) { s.boards = {"ice40-hx8k"}; }));
  CHECK(differs([](Study& s) { s.engines = {"serial"}; }));
  CHECK(differs([](Study& s) { s.pe = {2}; }));
  CHECK(differs([](Study& s) { s.simd = {2}; }));
  CHECK(differs([](Study& s) { s.clocks = {5000}; }));
  CHECK(differs([](Study& s) { s.fps = {100}; }));
  CHECK(differs([](Study& s) { s.fit = {0.5}; }));
  CHECK(differs([](Study& s) { s.lowering = {"--argmax"}; }));
  CHECK_FALSE(differs([](Study& s) { s.seed = 2; }));  // a plan has no seed
}

TEST_CASE("least squares of a line, by hand") {
  const Line line = fit_line({0, 1, 2, 3}, {1, 3, 4, 8});  // means 1.5 and 4; Sxy 11, Sxx 5, Syy 26
  CHECK(line.slope == Catch::Approx(2.2));
  CHECK(line.intercept == Catch::Approx(0.7));
  CHECK(line.r2 == Catch::Approx(11.0 * 11.0 / (5.0 * 26.0)));
}

TEST_CASE("a law for each device, engine and array, of the points that have both quantities") {
  json points = json::array();
  for (int i = 0; i < 4; ++i)
    for (const char* engine : {"parallel", "serial"})
      points.push_back({{"id", std::to_string(i)},
                        {"state", i == 3 ? "failed" : "done"},
                        {"device", "up5k"},
                        {"engine", engine},
                        {"folding", {{"pe", 2}, {"simd", 4}}},
                        {"weight_bits", i},
                        {"activation_bits", 1},
                        {"bops_uniq", 10.0 * i},
                        {"bops_qonnx", 1},
                        {"lut4", std::string(engine) == "serial" ? json() : json(5 * i + (i == 1 ? 3 : 0))},
                        {"clocks", 100}});
  const json laws = linear_laws(points);
  REQUIRE(laws.size() == 1);  // serial has no LUTs, clocks and bops_qonnx are constant
  CHECK(laws[0].at("points") == 3);
  CHECK(laws[0].at("slope").get<double>() == Catch::Approx(0.5));
  CHECK(laws[0].at("outliers")[0].at("id") == "1");
  CHECK(laws[0].at("outliers")[0].at("residual").get<double>() == Catch::Approx(2));
}

TEST_CASE("the front: no other is at least as accurate and as cheap, and better in one") {
  const auto point = [](double accuracy, double bops, const char* board) {
    return json{{"model", "m"},    {"board", board},    {"accuracy", accuracy},        {"bops_uniq", bops},
                {"lut4", nullptr}, {"clocks", nullptr}, {"nj_per_inference", nullptr}, {"pareto", json::array()}};
  };
  json points = {point(0.9, 100, "a"), point(0.8, 100, "a"), point(0.8, 50, "a"),
                 point(0.8, 50, "a"),  point(0.7, 60, "a"),  point(0.1, 60, "b")};
  mark_pareto(points);
  std::vector<bool> front;
  for (const json& p : points) front.push_back(!p.at("pareto").empty());
  CHECK(front == std::vector<bool>{true, false, true, true, false, true});
}
