// `bitloom run` on models with several outputs, and `--check` as a user sees it.
#include <fstream>
#include <nlohmann/json.hpp>

#include "data/npy.hpp"
#include "fuzz/seeds.hpp"
#include "support.hpp"

using namespace bitloom;
using namespace bitloom::test;

namespace {

/// A built model with two outputs, and three images for it.
struct TwoOutputs {
  TemporaryFolder folder;
  std::string model = (folder / "joined.onnx").string(), images = (folder / "images.npy").string();
  std::vector<std::string> names;

  TwoOutputs() {
    for (const fuzz::Seed& seed : fuzz::built_seeds()) {
      if (seed.name != "joined") continue;
      std::ofstream(model, std::ios::binary) << seed.model.SerializeAsString();
      for (const auto& output : seed.model.graph().output()) names.push_back(output.name());
    }
    std::vector<std::int64_t> pixels;
    for (std::int64_t i = 0; i < 3 * 2 * 4 * 4; ++i) pixels.push_back(i * i % 8);
    write_npy(images, Tensor::ints({3, 2, 4, 4}, pixels));
  }
  CommandResult run(std::vector<std::string> more) const {
    more.insert(more.begin(), {"run", model, "--data", images});
    return bitloom_command(more);
  }
};

}  // namespace

TEST_CASE("all outputs are written and compared by name, and checked against the float model") {
  const TwoOutputs two;
  REQUIRE(two.names.size() == 2);
  const std::string out = (two.folder / "out.npz").string();
  const CommandResult run = two.run({"--check", "--json", "--out", out, "--result", (two.folder / "run.json").string()});
  CAPTURE(run.err);
  REQUIRE(run.status == 0);
  const nlohmann::json check = nlohmann::json::parse(run.out).at("check");
  CHECK(check.at("equal_images").get<int>() == 3);
  CHECK(check.at("tensors").get<int>() >= 5);
  CHECK(npz_keys(out) == two.names);
  const Tensor first = read_npz(out, two.names[0]), second = read_npz(out, two.names[1]);
  CHECK(first.shape == std::vector<std::int64_t>{3, 3, 8, 8});
  CHECK(second.shape == std::vector<std::int64_t>{3, 3});
  CHECK(two.run({"--expect", out}).status == 0);
  CHECK(two.run({"--expect", out + ":" + two.names[1]}).status == 0);

  // By name in any order; by position where the names are others; a difference in the second output is found.
  const std::string other = (two.folder / "other.npz").string();
  write_npz(other, {{two.names[1], second}, {two.names[0], first}});
  CHECK(two.run({"--expect", other}).status == 0);
  write_npz(other, {{"a", first}, {"b", second}});
  CHECK(two.run({"--expect", other}).status == 0);
  Tensor changed = second;
  changed.f()[4] += 1;
  write_npz(other, {{two.names[0], first}, {two.names[1], changed}});
  const CommandResult different = two.run({"--expect", other});
  CHECK(different.status == 1);
  CHECK_THAT(different.err, contains_text("output '" + two.names[1] + "', image 1, element 1"));
}

TEST_CASE("what is missing among several outputs is named") {
  const TwoOutputs two;
  const std::string out = (two.folder / "out.npz").string(), file = (two.folder / "file.npz").string();
  REQUIRE(two.run({"--out", out}).status == 0);
  const auto refused = [&](const std::vector<std::string>& arguments, const std::vector<std::string>& texts) {
    const CommandResult result = two.run(arguments);
    CHECK(result.status == 2);
    for (const std::string& text : texts) CHECK_THAT(result.err, contains_text(text));
  };
  refused({"--out", (two.folder / "out.npy").string()}, {"2 outputs", two.names[0], two.names[1], ".npz"});
  write_npz(file, {{two.names[0], read_npz(out, two.names[0])}});
  refused({"--expect", file}, {"no array for '" + two.names[1] + "'"});
  write_npz(file, {{"a", Tensor::floats({1}, {1})}});
  refused({"--expect", file}, {"1 array (a)", "2: ", two.names[0]});
  refused({"--expect", out + ":nothing"}, {"names no output", two.names[1]});
  write_npz(file, {{"a", Tensor::floats({1}, {1})}, {"b", Tensor::floats({1}, {1})}});
  refused({"--expect", file}, {"output '" + two.names[0] + "'", "3 images"});
}

TEST_CASE("a tie of a real network is shown with its cause, and is no failure") {
  const fs::path model = shared("models/qonnx_espcn/nn_resize.onnx");
  if (model.empty()) return;
  const TemporaryFolder folder;
  std::vector<std::int64_t> pixels;
  std::uint32_t state = 1;
  for (int i = 0; i < 3 * 128 * 128; ++i) pixels.push_back((state = state * 1664525 + 1013904223) >> 24);
  write_npy(folder / "image.npy", Tensor::ints({1, 3, 128, 128}, pixels));
  const CommandResult run =
      bitloom_command({"run", model.string(), "--data", (folder / "image.npy").string(), "--scale", "1/255", "--check", "--json"});
  CAPTURE(run.err);
  CHECK(run.status == 0);
  const nlohmann::json check = nlohmann::json::parse(run.out).at("check");
  CHECK(check.at("images_with_real_differences").get<int>() == 0);
  CHECK(check.at("values").get<std::int64_t>() > 7000000);
  if (check.at("images_with_ties").get<int>() == 0) return;
  CHECK_THAT(run.err, contains_text("a tie within float32 rounding"));
  CHECK(std::abs(check.at("first").at("front").at("off_by_units").get<double>()) < 0.1);
}
